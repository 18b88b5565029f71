CREATE INDEX log_object ON log (object, seq);
