CREATE INDEX judgement_judge ON judgement (judge, stage, application);
