CREATE INDEX case_file_newest ON case_file (opened_at, id);
