-- Files by BLAKE3: which are wanted and which are here.
CREATE TABLE media (
    hash       TEXT    NOT NULL PRIMARY KEY,
    media_type TEXT    NOT NULL,
    size       BIGINT  NOT NULL,
    created_at BIGINT  NOT NULL,
    wanted     BOOLEAN NOT NULL,
    have       BOOLEAN NOT NULL
);
