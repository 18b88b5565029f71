-- Who said that they had put up a pack. Only counted, never listed.
CREATE TABLE pack_receipt (
    pack    TEXT   NOT NULL,
    account TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (pack, account)
);
