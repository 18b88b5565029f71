-- Inlets again, with sources of official warnings among their kinds.
CREATE TABLE inlet_new (
    id       TEXT   NOT NULL PRIMARY KEY,
    kind     TEXT   NOT NULL CHECK (kind IN ('list', 'tipline', 'warning')),
    org      TEXT   NOT NULL,
    name     TEXT   NOT NULL,
    region   TEXT   NOT NULL,
    plan     TEXT   NOT NULL,
    state    TEXT   NOT NULL CHECK (state IN ('on', 'off', 'paused')),
    nonce    TEXT   NOT NULL,
    due_at   BIGINT,
    last_at  BIGINT,
    good_at  BIGINT,
    failures BIGINT NOT NULL,
    trouble  TEXT   NOT NULL,
    version  BIGINT NOT NULL,
    CHECK (state = 'on' OR due_at IS NULL)
);
