-- Words by which people meant a claim and which the node did not know for sure: masked, for its editors, forgotten after a while.
CREATE TABLE wording (
    claim    TEXT   NOT NULL,
    digest   BYTEA  NOT NULL,
    text     TEXT   NOT NULL,
    times    BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    PRIMARY KEY (claim, digest)
);
