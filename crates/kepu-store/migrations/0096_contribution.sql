-- The ledger: who did what for whom. One deed stands once.
CREATE TABLE contribution (
    id      TEXT   NOT NULL PRIMARY KEY,
    party   TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    object  TEXT   NOT NULL,
    host    TEXT   NOT NULL,
    day     TEXT   NOT NULL,
    stage   TEXT   NOT NULL CHECK (stage IN ('claimed', 'confirmed', 'refused')),
    version BIGINT NOT NULL,
    doc     TEXT   NOT NULL
);
