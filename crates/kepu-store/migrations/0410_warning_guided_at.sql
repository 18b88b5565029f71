CREATE INDEX warning_guided_at ON warning_guided (guided_at);
