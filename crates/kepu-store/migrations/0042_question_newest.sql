CREATE INDEX question_newest ON question (asked_at, id);
