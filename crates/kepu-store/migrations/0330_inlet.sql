-- Ways by which signals come in: public lists that are read, tiplines that call. No secret stands here: a tipline's is derived from the key of the node.
CREATE TABLE inlet (
    id       TEXT   NOT NULL PRIMARY KEY,
    kind     TEXT   NOT NULL CHECK (kind IN ('list', 'tipline')),
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
