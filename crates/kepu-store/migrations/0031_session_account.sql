CREATE INDEX session_account ON session (account, created_at);
