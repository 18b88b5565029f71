-- What there is to say about single lines of a file: why one was refused, what to look at in one that was taken.
CREATE TABLE import_line (
    run  TEXT   NOT NULL REFERENCES import_run (id),
    seq  BIGINT NOT NULL,
    line BIGINT NOT NULL,
    kind TEXT   NOT NULL CHECK (kind IN ('refused', 'warning')),
    text TEXT   NOT NULL,
    PRIMARY KEY (run, seq)
);
