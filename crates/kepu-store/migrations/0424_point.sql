-- Points that warnings are pushed to: screens, loudspeakers, groups, pages of organisations. Never a person. No secret stands here.
CREATE TABLE point (
    id       TEXT    NOT NULL PRIMARY KEY,
    n        BIGINT  NOT NULL,
    org      TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    channel  TEXT    NOT NULL CHECK (channel IN ('page', 'screen', 'loudspeaker', 'chat')),
    address  TEXT    NOT NULL,
    region   TEXT    NOT NULL,
    hazards  TEXT    NOT NULL,
    level    BIGINT  NOT NULL CHECK (level BETWEEN 1 AND 4),
    lang     TEXT    NOT NULL,
    audience TEXT    NOT NULL,
    nonce    TEXT    NOT NULL,
    is_on    BOOLEAN NOT NULL,
    version  BIGINT  NOT NULL
);
