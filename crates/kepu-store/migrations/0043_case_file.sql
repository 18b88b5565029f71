-- Work on a question or rumour, with a clock.
CREATE TABLE case_file (
    id        TEXT   NOT NULL PRIMARY KEY,
    kind      TEXT   NOT NULL,
    level     BIGINT NOT NULL,
    title     TEXT   NOT NULL,
    fields    TEXT   NOT NULL,
    region    TEXT   NOT NULL,
    org       TEXT   NOT NULL,
    subject   TEXT   NOT NULL,
    opened_at BIGINT NOT NULL,
    held_at   BIGINT,
    stage     TEXT   NOT NULL CHECK (stage IN ('open', 'working', 'answered', 'closed')),
    owner     TEXT,
    expert    TEXT,
    draft     TEXT,
    ended_at  BIGINT,
    reason    TEXT   NOT NULL,
    version   BIGINT NOT NULL,
    CHECK ((stage IN ('working', 'answered')) = (owner IS NOT NULL)),
    CHECK ((stage IN ('answered', 'closed')) = (ended_at IS NOT NULL)),
    CHECK ((stage = 'closed') = (reason <> '')),
    CHECK (stage = 'working' OR (expert IS NULL AND draft IS NULL))
);
