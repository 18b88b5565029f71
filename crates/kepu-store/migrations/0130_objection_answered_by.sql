-- Which account answered an objection. Who proposed does not answer, who answered does not decide.
ALTER TABLE objection ADD COLUMN answered_by TEXT NOT NULL DEFAULT '';
