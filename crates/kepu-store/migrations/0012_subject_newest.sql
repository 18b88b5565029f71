CREATE INDEX subject_newest ON subject (standing, modified, id);
