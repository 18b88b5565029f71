-- The time line of a case.
CREATE TABLE case_step (
    case_id TEXT    NOT NULL REFERENCES case_file (id),
    seq     BIGINT  NOT NULL,
    at      BIGINT  NOT NULL,
    kind    TEXT    NOT NULL,
    text    TEXT    NOT NULL,
    public  BOOLEAN NOT NULL,
    PRIMARY KEY (case_id, seq)
);
