CREATE INDEX warning_name ON warning (sender, identifier);
