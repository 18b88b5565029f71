CREATE INDEX topic_hour_hour ON topic_hour (hour);
