CREATE INDEX warning_message_state ON warning_message (state, got_at);
