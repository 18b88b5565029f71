-- Monthly packs that were made: for which place and month, what is in them.
CREATE TABLE pack (
    id      TEXT   NOT NULL PRIMARY KEY,
    wish    TEXT   NOT NULL,
    region  TEXT   NOT NULL,
    month   TEXT   NOT NULL,
    made_at BIGINT NOT NULL,
    items   BIGINT NOT NULL,
    version BIGINT NOT NULL,
    doc     TEXT   NOT NULL
);
