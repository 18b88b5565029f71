CREATE INDEX subject_title ON subject (standing, title, id);
