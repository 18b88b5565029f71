CREATE INDEX objection_round ON objection (round, at, id);
