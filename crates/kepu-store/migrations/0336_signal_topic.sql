CREATE INDEX signal_topic ON signal (topic, seq);
