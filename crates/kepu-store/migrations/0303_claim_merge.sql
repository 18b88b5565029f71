-- Merges of claims as the house decided them. What holds is in the signed versions, this is who asked, why, and who agreed.
CREATE TABLE claim_merge (
    id         TEXT   NOT NULL PRIMARY KEY,
    claim      TEXT   NOT NULL,
    into_claim TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    asked_by   TEXT   NOT NULL,
    asked_at   BIGINT NOT NULL,
    stage      TEXT   NOT NULL CHECK (stage IN ('waiting', 'done', 'refused', 'undone')),
    decided_by TEXT   NOT NULL,
    decided_at BIGINT,
    CHECK ((stage = 'waiting') = (decided_at IS NULL))
);
