-- Things heard that no known claim has answered, masked. Words go after two days at the latest. No column can name who said it.
CREATE TABLE signal (
    seq    BIGINT           NOT NULL PRIMARY KEY,
    at     BIGINT           NOT NULL,
    got_at BIGINT           NOT NULL,
    inlet  TEXT             NOT NULL,
    channel TEXT            NOT NULL,
    region TEXT             NOT NULL,
    text   TEXT             NOT NULL,
    weight DOUBLE PRECISION NOT NULL,
    state  TEXT             NOT NULL CHECK (state IN ('waiting', 'open')),
    topic  TEXT
);
