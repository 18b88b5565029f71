CREATE INDEX subject_expires ON subject (standing, expires, id);
