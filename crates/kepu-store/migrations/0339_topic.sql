-- Matters that several signals are about. An alert is given once: raised_at never changes again.
CREATE TABLE topic (
    id          TEXT             NOT NULL PRIMARY KEY,
    label       TEXT             NOT NULL,
    phase       TEXT             NOT NULL CHECK (phase IN ('asked', 'held', 'rising', 'falling', 'over')),
    since       BIGINT           NOT NULL,
    last_at     BIGINT           NOT NULL,
    raised_at   BIGINT,
    score       DOUBLE PRECISION NOT NULL,
    total       BIGINT           NOT NULL,
    wordings    BIGINT           NOT NULL,
    case_id     TEXT,
    merged_into TEXT,
    split_from  TEXT,
    dropped     BOOLEAN          NOT NULL,
    version     BIGINT           NOT NULL,
    CHECK (phase <> 'rising' OR raised_at IS NOT NULL)
);
