-- The latest signed head of each stream, what comparing it came to, and the tree over what was compared (to go on from).
CREATE TABLE head_check (
    signer  BIGINT NOT NULL,
    stream  BIGINT NOT NULL CHECK (stream BETWEEN 0 AND 3),
    n       BIGINT NOT NULL,
    root    TEXT   NOT NULL,
    said_at BIGINT NOT NULL,
    outcome TEXT   NOT NULL CHECK (outcome IN ('agrees', 'differs', 'missing', 'partial')),
    tree    TEXT   NOT NULL,
    PRIMARY KEY (signer, stream)
);
