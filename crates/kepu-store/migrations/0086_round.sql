-- Rounds of applications, whole as JSON beside what is searched.
CREATE TABLE round (
    id      TEXT   NOT NULL PRIMARY KEY,
    kind    TEXT   NOT NULL,
    org     TEXT   NOT NULL,
    stage   TEXT   NOT NULL CHECK (stage IN ('planned', 'called', 'judging', 'publicity', 'decided', 'cancelled')),
    closes  BIGINT NOT NULL,
    version BIGINT NOT NULL,
    doc     TEXT   NOT NULL
);
