-- What visitors asked. No column can name the asker.
CREATE TABLE question (
    id       TEXT   NOT NULL PRIMARY KEY,
    text     TEXT   NOT NULL,
    region   TEXT   NOT NULL,
    asked_at BIGINT NOT NULL,
    stage    TEXT   NOT NULL CHECK (stage IN ('open', 'answered', 'closed')),
    case_id  TEXT,
    claim    TEXT,
    reason   TEXT   NOT NULL,
    ended_at BIGINT,
    CHECK ((stage = 'open') = (case_id IS NOT NULL)),
    CHECK ((stage = 'answered') = (claim IS NOT NULL)),
    CHECK ((stage = 'closed') = (reason <> '')),
    CHECK ((stage = 'open') = (ended_at IS NULL))
);
