-- Numbers of a stream that a parent left out because they lie outside this node's scope: low..high, both included.
CREATE TABLE skip (
    signer  BIGINT NOT NULL,
    stream  BIGINT NOT NULL CHECK (stream BETWEEN 0 AND 3),
    low     BIGINT NOT NULL CHECK (low >= 1),
    high    BIGINT NOT NULL,
    arrival BIGINT NOT NULL,
    PRIMARY KEY (signer, stream, low),
    CHECK (high >= low)
);
