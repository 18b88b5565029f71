-- Failed attempts to fetch a file, and when the next one is due.
CREATE TABLE media_try (
    hash     TEXT   NOT NULL PRIMARY KEY,
    tries    BIGINT NOT NULL,
    retry_at BIGINT NOT NULL,
    cause    TEXT   NOT NULL
);
