-- What an entry said before each change.
CREATE TABLE party_history (
    party   TEXT   NOT NULL,
    version BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    who     TEXT   NOT NULL,
    doc     TEXT   NOT NULL,
    PRIMARY KEY (party, version)
);
