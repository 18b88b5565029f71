CREATE INDEX review_assigned ON review (assigned_at, reviewer);
