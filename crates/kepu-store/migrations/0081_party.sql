-- People, teams, institutions and places of the registry: the whole entry as JSON beside the columns that are searched.
CREATE TABLE party (
    id          TEXT    NOT NULL PRIMARY KEY,
    kind        TEXT    NOT NULL CHECK (kind IN ('person', 'team', 'organisation', 'venue', 'facility', 'service_point')),
    name_fold   TEXT    NOT NULL,
    org         TEXT    NOT NULL,
    region      TEXT    NOT NULL,
    fields      TEXT    NOT NULL,
    available   BOOLEAN NOT NULL,
    merged_into TEXT,
    changed_at  BIGINT  NOT NULL,
    version     BIGINT  NOT NULL,
    doc         TEXT    NOT NULL,
    CHECK (merged_into IS NULL OR merged_into <> id)
);
