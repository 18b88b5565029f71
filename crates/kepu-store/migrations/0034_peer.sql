-- Nodes above and below this one, with what was exchanged.
CREATE TABLE peer (
    id          TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL,
    direction   TEXT   NOT NULL CHECK (direction IN ('parent', 'child')),
    url         TEXT   NOT NULL,
    holder      TEXT   NOT NULL,
    scope       TEXT   NOT NULL,
    cursor      TEXT   NOT NULL,
    push_cursor BIGINT NOT NULL,
    acked       BIGINT NOT NULL,
    joined_at   BIGINT NOT NULL,
    last_seen   BIGINT,
    last_result TEXT   NOT NULL
);
