CREATE INDEX import_run_newest ON import_run (created_at, id);
