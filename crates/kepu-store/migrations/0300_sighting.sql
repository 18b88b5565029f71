-- How often a claim was met in an hour, a county and by a channel. No text and nobody.
CREATE TABLE sighting (
    claim   TEXT   NOT NULL,
    hour    BIGINT NOT NULL,
    channel TEXT   NOT NULL,
    region  TEXT   NOT NULL,
    count   BIGINT NOT NULL,
    PRIMARY KEY (claim, hour, channel, region)
);
