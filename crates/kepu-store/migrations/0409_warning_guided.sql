-- When this node had a warning, and when guidance stood beside it.
CREATE TABLE warning_guided (
    sender     TEXT   NOT NULL,
    identifier TEXT   NOT NULL,
    hazard     TEXT   NOT NULL,
    level      BIGINT NOT NULL,
    sent       BIGINT NOT NULL,
    got_at     BIGINT NOT NULL,
    guided_at  BIGINT NOT NULL,
    cards      BIGINT NOT NULL,
    PRIMARY KEY (sender, identifier)
);
