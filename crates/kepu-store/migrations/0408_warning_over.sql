-- Warnings whose end was seen here: a clock that is set back brings none of them back. The node's own history, no fold of the records.
CREATE TABLE warning_over (
    sender     TEXT   NOT NULL,
    identifier TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (sender, identifier)
);
