-- Minutes of effort of a line.
ALTER TABLE contribution ADD COLUMN minutes BIGINT NOT NULL DEFAULT 0;
