CREATE INDEX subject_kind_newest ON subject (kind, standing, modified, id);
