CREATE INDEX review_reviewer ON review (reviewer, stage, assigned_at, id);
