CREATE INDEX case_file_stage ON case_file (stage, opened_at, id);
