-- Highest number held per key and stream, and the holes below it as JSON [[from,to],...].
CREATE TABLE stream_head (
    signer BIGINT NOT NULL,
    stream BIGINT NOT NULL CHECK (stream BETWEEN 0 AND 3),
    high   BIGINT NOT NULL,
    holes  TEXT   NOT NULL,
    PRIMARY KEY (signer, stream)
);
