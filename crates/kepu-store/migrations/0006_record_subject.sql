CREATE INDEX record_subject ON record (subject);
