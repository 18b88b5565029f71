-- The whole list of an inspection as it was closed. What was drawn has a number, what was looked at answers, what is not in order a finding.
CREATE TABLE inspection_entry (
    inspection TEXT   NOT NULL,
    entry      TEXT   NOT NULL,
    n          BIGINT NOT NULL,
    place      TEXT   NOT NULL,
    title      TEXT   NOT NULL,
    host       TEXT   NOT NULL,
    evidence   TEXT   NOT NULL,
    done_at    BIGINT NOT NULL,
    seen_at    BIGINT,
    seen_by    TEXT,
    ticks      TEXT,
    finding    TEXT,
    PRIMARY KEY (inspection, entry),
    CHECK ((seen_at IS NULL) = (ticks IS NULL)),
    CHECK ((seen_at IS NULL) = (seen_by IS NULL)),
    CHECK (finding IS NULL OR seen_at IS NOT NULL),
    CHECK (n > 0 OR seen_at IS NULL)
);
