-- Objections to a proposal. Who objects need not say who they are.
CREATE TABLE objection (
    id          TEXT   NOT NULL PRIMARY KEY,
    round       TEXT   NOT NULL,
    application TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    words       TEXT   NOT NULL,
    contact     TEXT   NOT NULL,
    answer      TEXT   NOT NULL,
    upheld      BOOLEAN NOT NULL,
    answered_at BIGINT,
    CHECK ((answered_at IS NOT NULL) = (answer <> ''))
);
