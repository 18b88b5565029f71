CREATE INDEX topic_last ON topic (last_at);
