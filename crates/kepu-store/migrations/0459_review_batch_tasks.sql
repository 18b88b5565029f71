CREATE INDEX review_batch ON review (batch, id);
