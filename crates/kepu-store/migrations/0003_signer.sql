-- Keys that signed something. Records name them by a short number. UNIQUE: small table, one node.
CREATE TABLE signer (
    id  BIGINT NOT NULL PRIMARY KEY,
    did TEXT   NOT NULL UNIQUE
);
