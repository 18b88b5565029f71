-- Points of the lane's checklist that the reviewer ticked off, as a JSON list.
ALTER TABLE review ADD COLUMN checks TEXT NOT NULL DEFAULT '[]';
