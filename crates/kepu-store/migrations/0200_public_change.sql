-- When what this node shows of a resource or claim last changed, by its own clock: what was received late is new to whoever asks here.
CREATE TABLE public_change (
    id      TEXT    NOT NULL PRIMARY KEY,
    kind    TEXT    NOT NULL CHECK (kind IN ('resource', 'claim')),
    fields  TEXT    NOT NULL,
    version TEXT    NOT NULL,
    gone    BOOLEAN NOT NULL,
    at      BIGINT  NOT NULL
);
