-- Calls of cases to people on duty. Two processes that call at once: the second number exists already.
CREATE TABLE duty_call (
    case_id     TEXT   NOT NULL,
    n           BIGINT NOT NULL,
    party       TEXT   NOT NULL,
    org         TEXT   NOT NULL,
    why         TEXT   NOT NULL CHECK (why IN ('open', 'holding', 'answer')),
    at          BIGINT NOT NULL,
    answer      TEXT   NOT NULL CHECK (answer IN ('waiting', 'taken', 'cannot', 'settled')),
    answered_at BIGINT,
    PRIMARY KEY (case_id, n),
    CHECK ((answer = 'waiting') = (answered_at IS NULL))
);
