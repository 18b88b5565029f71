-- Somebody said that they should not judge what this party, or anybody of this organisation, writes.
CREATE TABLE review_interest (
    reviewer TEXT   NOT NULL,
    about    TEXT   NOT NULL,
    reason   TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (reviewer, about)
);
