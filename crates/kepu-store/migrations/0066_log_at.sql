CREATE INDEX log_at ON log (at, seq);
