-- What somebody has to do until a moment: for a start order, a case, a decision or a finding.
CREATE TABLE task (
    id       TEXT   NOT NULL PRIMARY KEY,
    of_kind  TEXT   NOT NULL CHECK (of_kind IN ('case', 'order', 'decision', 'finding')),
    of_id    TEXT   NOT NULL,
    plan_key TEXT   NOT NULL,
    title    TEXT   NOT NULL,
    title_en TEXT   NOT NULL,
    org      TEXT   NOT NULL,
    post     TEXT   NOT NULL,
    owner    TEXT,
    due      BIGINT NOT NULL,
    proof    TEXT   NOT NULL,
    given_at BIGINT NOT NULL,
    stage    TEXT   NOT NULL CHECK (stage IN ('open', 'doing', 'done', 'blocked', 'dropped')),
    stage_at BIGINT,
    words    TEXT   NOT NULL,
    version  BIGINT NOT NULL,
    CHECK ((stage = 'open') = (stage_at IS NULL)),
    CHECK ((stage IN ('done', 'blocked', 'dropped')) = (words <> ''))
);
