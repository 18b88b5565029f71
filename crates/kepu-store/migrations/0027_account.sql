-- People who sign in. UNIQUE: the folded name is the lookup key, one node.
CREATE TABLE account (
    id          TEXT    NOT NULL PRIMARY KEY,
    login       TEXT    NOT NULL,
    login_fold  TEXT    NOT NULL UNIQUE,
    name        TEXT    NOT NULL,
    party       TEXT,
    pass_hash   TEXT    NOT NULL,
    totp_secret BYTEA,
    totp_last   BIGINT  NOT NULL,
    disabled    BOOLEAN NOT NULL,
    must_change BOOLEAN NOT NULL,
    created_at  BIGINT  NOT NULL,
    last_seen   BIGINT,
    version     BIGINT  NOT NULL
);
