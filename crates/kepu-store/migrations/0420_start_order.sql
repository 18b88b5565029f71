-- Plans that were set going, for real or as a drill.
CREATE TABLE start_order (
    id         TEXT   NOT NULL PRIMARY KEY,
    mode       TEXT   NOT NULL CHECK (mode IN ('real', 'drill')),
    title      TEXT   NOT NULL,
    plan       TEXT   NOT NULL,
    hazard     TEXT   NOT NULL,
    level      BIGINT NOT NULL CHECK (level BETWEEN 1 AND 4),
    region     TEXT   NOT NULL,
    org        TEXT   NOT NULL,
    case_id    TEXT,
    about      TEXT,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT,
    lesson     TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    CHECK (mode = 'real' OR case_id IS NULL)
);
