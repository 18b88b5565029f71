-- Certificates and honours: those issued here with an empty origin, those brought from elsewhere under their issuer. The record is
-- kept for the holder when its body does not travel, and is empty once it was erased.
CREATE TABLE credential (
    origin  TEXT   NOT NULL,
    number  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    party   TEXT   NOT NULL,
    org     TEXT   NOT NULL,
    issued  TEXT   NOT NULL,
    signer  TEXT   NOT NULL,
    n       BIGINT NOT NULL,
    kind    TEXT   NOT NULL,
    reach   TEXT   NOT NULL CHECK (reach IN ('public', 'holder')),
    code    TEXT   NOT NULL,
    record  TEXT   NOT NULL,
    PRIMARY KEY (origin, number)
);
