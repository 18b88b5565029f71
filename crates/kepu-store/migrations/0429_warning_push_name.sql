CREATE INDEX warning_push_name ON warning_push (sender, identifier);
