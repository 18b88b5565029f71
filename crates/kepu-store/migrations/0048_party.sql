-- People and institutions of the registry.
CREATE TABLE party (
    id              TEXT    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL,
    name_en         TEXT    NOT NULL,
    org             TEXT    NOT NULL,
    title           TEXT    NOT NULL,
    title_en        TEXT    NOT NULL,
    fields          TEXT    NOT NULL,
    qualification   TEXT    NOT NULL,
    languages       TEXT    NOT NULL,
    monthly_ceiling BIGINT  NOT NULL,
    available       BOOLEAN NOT NULL,
    sample          BOOLEAN NOT NULL,
    version         BIGINT  NOT NULL
);
