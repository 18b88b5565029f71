-- Messages as they came from a source: what was passed on, what waits for an officer because nobody here knows its issuer, what is an exercise.
CREATE TABLE warning_message (
    hash       TEXT   NOT NULL PRIMARY KEY,
    inlet      TEXT   NOT NULL,
    sender     TEXT   NOT NULL,
    identifier TEXT   NOT NULL,
    headline   TEXT   NOT NULL,
    sent       BIGINT NOT NULL,
    got_at     BIGINT NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('passed', 'held', 'refused', 'exercise', 'unfit')),
    why        TEXT   NOT NULL,
    original   TEXT   NOT NULL,
    decided_by TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    CHECK (state <> 'refused' OR why <> '')
);
