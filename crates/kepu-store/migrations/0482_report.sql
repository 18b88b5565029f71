-- Reports against content: what a case of that kind is about, and what came of it. Who reported is kept nowhere.
CREATE TABLE report (
    case_id     TEXT   NOT NULL PRIMARY KEY,
    subject     TEXT   NOT NULL,
    ground      TEXT   NOT NULL,
    times       BIGINT NOT NULL,
    outcome     TEXT,
    decided_by  TEXT,
    decided_at  BIGINT,
    appealed_at BIGINT,
    CHECK ((outcome IS NULL) = (decided_by IS NULL) AND (outcome IS NULL) = (decided_at IS NULL))
);
