CREATE INDEX review_run_at ON review_run (at, id);
