-- Days on which somebody on duty is not there, and who stands in.
CREATE TABLE duty_absence (
    party    TEXT NOT NULL,
    from_day TEXT NOT NULL,
    to_day   TEXT NOT NULL,
    stand_in TEXT,
    PRIMARY KEY (party, from_day),
    CHECK (from_day <= to_day)
);
