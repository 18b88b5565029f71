-- For the daily look at honours that end.
CREATE INDEX application_stage ON application (stage, id);
