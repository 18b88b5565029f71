-- Working copies. Private, never leave the node.
CREATE TABLE draft (
    id         TEXT   NOT NULL PRIMARY KEY,
    subject    TEXT   NOT NULL,
    org        TEXT   NOT NULL,
    owner      TEXT,
    case_id    TEXT,
    kind       TEXT   NOT NULL CHECK (kind IN ('resource', 'claim')),
    title      TEXT   NOT NULL,
    fields     TEXT   NOT NULL,
    matter     TEXT   NOT NULL,
    correction TEXT   NOT NULL,
    version    BIGINT NOT NULL CHECK (version >= 1),
    stage      TEXT   NOT NULL CHECK (stage IN ('writing', 'submitted', 'published', 'dropped')),
    stage_at   BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CHECK ((stage = 'writing') = (stage_at IS NULL))
);
