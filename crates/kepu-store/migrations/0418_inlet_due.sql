CREATE INDEX inlet_due ON inlet (due_at);
