-- The audit log, a hash chain. Nothing in the program changes or deletes a row.
CREATE TABLE log (
    seq       BIGINT NOT NULL PRIMARY KEY,
    at        BIGINT NOT NULL,
    who       TEXT   NOT NULL,
    action    TEXT   NOT NULL,
    object    TEXT   NOT NULL,
    result    TEXT   NOT NULL CHECK (result IN ('ok', 'refused')),
    detail    TEXT   NOT NULL,
    prev_hash TEXT   NOT NULL,
    hash      TEXT   NOT NULL
);
