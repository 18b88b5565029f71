-- One-time invitations for a child node.
CREATE TABLE invite (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    region     TEXT   NOT NULL,
    roles      TEXT   NOT NULL,
    fields     TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    used_by    TEXT,
    created_at BIGINT NOT NULL
);
