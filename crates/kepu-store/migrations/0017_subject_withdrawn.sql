CREATE INDEX subject_withdrawn ON subject (withdrawn_at, id) WHERE withdrawn_at IS NOT NULL;
