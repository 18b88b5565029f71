CREATE INDEX subject_seq ON subject (seq);
