-- One reviewer's task on one version of a draft.
CREATE TABLE review (
    id            TEXT   NOT NULL PRIMARY KEY,
    draft         TEXT   NOT NULL REFERENCES draft (id),
    draft_version BIGINT NOT NULL,
    reviewer      TEXT   NOT NULL,
    stage         TEXT   NOT NULL CHECK (stage IN ('assigned', 'decided', 'declined')),
    due           TEXT,
    decision      TEXT   CHECK (decision IN ('approve', 'return')),
    conflict      TEXT   NOT NULL,
    comment       TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    assigned_at   BIGINT NOT NULL,
    ended_at      BIGINT,
    CHECK ((stage = 'assigned') = (due IS NOT NULL)),
    CHECK ((stage = 'decided') = (decision IS NOT NULL)),
    CHECK ((stage = 'decided') = (conflict <> '')),
    CHECK ((stage = 'declined') = (reason <> '')),
    CHECK ((stage = 'assigned') = (ended_at IS NULL)),
    CHECK (stage = 'decided' OR comment = ''),
    CHECK (decision <> 'return' OR comment <> '')
);
