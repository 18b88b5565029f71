CREATE INDEX topic_phase ON topic (phase, last_at);
