-- What a list has brought already, by a digest of each entry.
CREATE TABLE inlet_seen (
    inlet TEXT   NOT NULL,
    entry TEXT   NOT NULL,
    at    BIGINT NOT NULL,
    PRIMARY KEY (inlet, entry)
);
