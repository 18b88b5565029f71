-- Applications in a round.
CREATE TABLE application (
    id      TEXT   NOT NULL PRIMARY KEY,
    round   TEXT   NOT NULL,
    party   TEXT   NOT NULL,
    stage   TEXT   NOT NULL CHECK (stage IN ('writing', 'submitted', 'complete', 'proposed', 'not_proposed', 'granted', 'revoked', 'withdrawn')),
    version BIGINT NOT NULL,
    doc     TEXT   NOT NULL
);
