CREATE INDEX warning_message_name ON warning_message (sender, identifier);
