CREATE INDEX warning_open ON warning (ended, expires);
