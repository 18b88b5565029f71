CREATE INDEX round_stage ON round (stage, closes, id);
