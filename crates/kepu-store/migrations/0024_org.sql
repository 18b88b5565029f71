-- Organisations and administrative divisions. A division's id is its adcode.
CREATE TABLE org (
    id      TEXT    NOT NULL PRIMARY KEY,
    name    TEXT    NOT NULL,
    name_en TEXT    NOT NULL,
    kind    TEXT    NOT NULL CHECK (kind IN ('division', 'territory', 'sector')),
    parent  TEXT,
    region  TEXT    NOT NULL,
    sample  BOOLEAN NOT NULL,
    version BIGINT  NOT NULL,
    CHECK (parent IS NULL OR parent <> id)
);
