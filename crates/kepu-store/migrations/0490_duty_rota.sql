-- Duty rosters that turn by themselves. Who is called when is in kepu-domain, listen::duty.
CREATE TABLE duty_rota (
    id        TEXT   NOT NULL PRIMARY KEY,
    org       TEXT   NOT NULL,
    post      TEXT   NOT NULL CHECK (post IN ('officer', 'expert')),
    begins    TEXT   NOT NULL,
    turn_days BIGINT NOT NULL CHECK (turn_days BETWEEN 1 AND 28),
    hour      BIGINT NOT NULL CHECK (hour BETWEEN 0 AND 23),
    people    TEXT   NOT NULL,
    ends      TEXT   NOT NULL,
    version   BIGINT NOT NULL
);
