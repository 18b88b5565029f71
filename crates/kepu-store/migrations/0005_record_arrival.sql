CREATE INDEX record_arrival ON record (stream, arrival);
