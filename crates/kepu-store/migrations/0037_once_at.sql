CREATE INDEX once_at ON once (at);
