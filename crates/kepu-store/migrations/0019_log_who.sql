CREATE INDEX log_who ON log (who, seq);
