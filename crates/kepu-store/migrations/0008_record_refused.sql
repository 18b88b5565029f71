CREATE INDEX record_refused ON record (arrival) WHERE refusal <> '';
