CREATE INDEX media_newest ON media (created_at, hash);
