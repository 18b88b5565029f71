-- Official warnings that the records held pass on, one row for each node that passes one on. Made again from the records at any time.
CREATE TABLE warning (
    subject    TEXT    NOT NULL PRIMARY KEY,
    signer     TEXT    NOT NULL,
    doc_hash   BYTEA   NOT NULL,
    sender     TEXT    NOT NULL,
    identifier TEXT    NOT NULL,
    sent       BIGINT  NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('alert', 'update', 'cancel')),
    expires    BIGINT  NOT NULL,
    says       TEXT    NOT NULL,
    taken_back BOOLEAN NOT NULL,
    ended      BOOLEAN NOT NULL
);
