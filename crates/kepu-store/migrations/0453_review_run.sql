-- One assignment of the whole queue.
CREATE TABLE review_run (
    id        TEXT   NOT NULL PRIMARY KEY,
    at        BIGINT NOT NULL,
    who       TEXT   NOT NULL,
    figures   TEXT   NOT NULL,
    undone_at BIGINT
);
