-- Who said that they had taken down, from the board where they had put up a pack, what was withdrawn, held or corrected.
CREATE TABLE recall_receipt (
    subject TEXT   NOT NULL,
    pack    TEXT   NOT NULL,
    account TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (subject, pack, account)
);
