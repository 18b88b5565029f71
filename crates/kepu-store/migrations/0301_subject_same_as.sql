-- The claim that answers for this one, if an editor merged them. Filled by the fold, so rows of before this column get it with their next version.
ALTER TABLE subject ADD COLUMN same_as TEXT NOT NULL DEFAULT '';
