CREATE INDEX job_newest ON job (created_at, id);
