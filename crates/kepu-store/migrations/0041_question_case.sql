CREATE INDEX question_case ON question (case_id, asked_at);
