-- The assignment of the whole queue that gave the task; empty: a person did.
ALTER TABLE review ADD COLUMN batch TEXT NOT NULL DEFAULT '';
