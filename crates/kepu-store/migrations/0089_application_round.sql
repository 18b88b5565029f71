CREATE INDEX application_round ON application (round, id);
