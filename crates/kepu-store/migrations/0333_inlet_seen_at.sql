CREATE INDEX inlet_seen_at ON inlet_seen (at);
