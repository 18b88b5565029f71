CREATE INDEX draft_subject ON draft (subject, updated_at, id);
