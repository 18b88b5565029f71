-- Random samples over evidence, with what anybody needs to repeat the draw.
CREATE TABLE inspection (
    id        TEXT   NOT NULL PRIMARY KEY,
    title     TEXT   NOT NULL,
    org       TEXT   NOT NULL,
    checklist TEXT   NOT NULL,
    region    TEXT   NOT NULL,
    word      TEXT   NOT NULL,
    list_hash TEXT   NOT NULL,
    listed    BIGINT NOT NULL CHECK (listed > 0),
    drawn     BIGINT NOT NULL CHECK (drawn BETWEEN 1 AND listed),
    drawn_at  BIGINT NOT NULL
);
