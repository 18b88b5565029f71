-- The registry is made anew: entries of all kinds instead of reviewers only. No release had the old table.
DROP TABLE party;
