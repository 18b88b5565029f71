-- Forms that were sent: a second sending answers with the place of the first.
CREATE TABLE once (
    key      TEXT   NOT NULL PRIMARY KEY,
    location TEXT   NOT NULL,
    at       BIGINT NOT NULL
);
