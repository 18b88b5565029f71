-- What the records of coordination say, made again from them at any time. Shown to those who coordinate only.
CREATE TABLE coordination_word (
    subject  TEXT   NOT NULL PRIMARY KEY,
    decision TEXT   NOT NULL,
    signer   TEXT   NOT NULL,
    doc_hash BYTEA  NOT NULL,
    at       BIGINT NOT NULL,
    says     TEXT   NOT NULL
);
