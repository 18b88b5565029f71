-- What the records of drills say, made again from them at any time. Shown to those who exercise only.
CREATE TABLE drill_word (
    subject  TEXT   NOT NULL PRIMARY KEY,
    drill    TEXT   NOT NULL,
    signer   TEXT   NOT NULL,
    doc_hash BYTEA  NOT NULL,
    at       BIGINT NOT NULL,
    says     TEXT   NOT NULL
);
