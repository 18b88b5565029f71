-- Signed documents as they came. doc NULL = erased by law, the stub stays.
CREATE TABLE record (
    signer   BIGINT NOT NULL,
    stream   BIGINT NOT NULL CHECK (stream BETWEEN 0 AND 3),
    n        BIGINT NOT NULL CHECK (n >= 1),
    arrival  BIGINT NOT NULL,
    doc_hash BYTEA  NOT NULL,
    modified TEXT   NOT NULL,
    sig      BYTEA  NOT NULL,
    doc      BYTEA,
    kind     TEXT   NOT NULL,
    subject  TEXT   NOT NULL,
    region   TEXT   NOT NULL,
    fields   TEXT   NOT NULL,
    lang     TEXT   NOT NULL,
    source   TEXT   NOT NULL,
    refusal  TEXT   NOT NULL,
    PRIMARY KEY (signer, stream, n)
);
