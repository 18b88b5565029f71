-- What became of signals, by inlet and hour since 1970.
CREATE TABLE inlet_hour (
    inlet   TEXT   NOT NULL,
    hour    BIGINT NOT NULL,
    taken   BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    matched BIGINT NOT NULL,
    asked   BIGINT NOT NULL,
    none_of BIGINT NOT NULL,
    PRIMARY KEY (inlet, hour)
);
