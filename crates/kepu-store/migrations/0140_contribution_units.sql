-- How many units a line counts, so that figures can be added up without reading every line.
ALTER TABLE contribution ADD COLUMN units BIGINT NOT NULL DEFAULT 0;
