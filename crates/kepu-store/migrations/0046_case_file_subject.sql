CREATE INDEX case_file_subject ON case_file (subject);
