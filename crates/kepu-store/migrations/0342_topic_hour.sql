-- How often a topic was heard, by hour since 1970, channel and county. Shown from a least number on only.
CREATE TABLE topic_hour (
    topic   TEXT   NOT NULL,
    hour    BIGINT NOT NULL,
    channel TEXT   NOT NULL,
    region  TEXT   NOT NULL,
    count   BIGINT NOT NULL,
    PRIMARY KEY (topic, hour, channel, region)
);
