CREATE INDEX review_comment_draft ON review_comment (draft, made_at, id);
