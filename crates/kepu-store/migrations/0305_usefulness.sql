-- Whether readers of a kind found a claim's answer useful: counts only.
CREATE TABLE usefulness (
    claim   TEXT   NOT NULL,
    kind    TEXT   NOT NULL CHECK (kind IN ('public', 'staff', 'scientist')),
    useful  BIGINT NOT NULL,
    useless BIGINT NOT NULL,
    PRIMARY KEY (claim, kind)
);
