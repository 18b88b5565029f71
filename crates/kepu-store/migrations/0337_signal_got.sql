CREATE INDEX signal_got ON signal (got_at);
