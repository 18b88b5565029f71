-- Warnings that were put into the queue, once each.
CREATE TABLE warning_push (
    n          BIGINT  NOT NULL PRIMARY KEY,
    subject    TEXT    NOT NULL,
    sender     TEXT    NOT NULL,
    identifier TEXT    NOT NULL,
    at         BIGINT  NOT NULL,
    points     BIGINT  NOT NULL,
    called     BIGINT  NOT NULL,
    is_open    BOOLEAN NOT NULL
);
