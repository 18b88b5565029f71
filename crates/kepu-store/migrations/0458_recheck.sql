-- Why something public has to be looked at again before its day: a guideline has a new edition, what it cites was changed.
CREATE TABLE recheck (
    subject TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    detail  TEXT   NOT NULL,
    since   BIGINT NOT NULL,
    PRIMARY KEY (subject, reason, detail)
);
