-- What the writer says about findings of the machine checks that may be excused, as a JSON list.
ALTER TABLE draft ADD COLUMN excuses TEXT NOT NULL DEFAULT '[]';
