CREATE INDEX log_action ON log (action, seq);
