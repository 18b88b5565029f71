CREATE INDEX signal_state ON signal (state, seq);
