CREATE INDEX judgement_round ON judgement (round, application, judge);
