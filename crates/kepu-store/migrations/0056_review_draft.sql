CREATE INDEX review_draft ON review (draft, assigned_at, id);
