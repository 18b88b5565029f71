-- Files taken in row by row: what was asked, how far it is, what became of it.
CREATE TABLE import_run (
    id             TEXT   NOT NULL PRIMARY KEY,
    org            TEXT   NOT NULL,
    account        TEXT,
    file           TEXT   NOT NULL,
    file_name      TEXT   NOT NULL,
    size           BIGINT NOT NULL,
    plan           TEXT   NOT NULL,
    stage          TEXT   NOT NULL CHECK (stage IN ('planned', 'started', 'done')),
    job            TEXT,
    created_at     BIGINT NOT NULL,
    finished_at    BIGINT,
    rows_total     BIGINT NOT NULL,
    rows_done      BIGINT NOT NULL,
    published      BIGINT NOT NULL,
    drafts         BIGINT NOT NULL,
    known          BIGINT NOT NULL,
    refused        BIGINT NOT NULL,
    licence_filled BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    CHECK ((stage = 'done') = (finished_at IS NOT NULL)),
    CHECK (published + drafts + known + refused = rows_done)
);
