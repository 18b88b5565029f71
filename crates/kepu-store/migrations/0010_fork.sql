-- Two stubs at one place: proof that a key's history forked.
CREATE TABLE fork (
    signer     BIGINT NOT NULL,
    stream     BIGINT NOT NULL CHECK (stream BETWEEN 0 AND 3),
    n          BIGINT NOT NULL CHECK (n >= 1),
    modified_a TEXT   NOT NULL,
    doc_hash_a BYTEA  NOT NULL,
    sig_a      BYTEA  NOT NULL,
    modified_b TEXT   NOT NULL,
    doc_hash_b BYTEA  NOT NULL,
    sig_b      BYTEA  NOT NULL,
    PRIMARY KEY (signer, stream, n),
    CHECK (doc_hash_a <> doc_hash_b)
);
