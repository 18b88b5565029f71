CREATE INDEX skip_arrival ON skip (stream, arrival);
