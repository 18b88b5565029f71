CREATE INDEX coordination_word_decision ON coordination_word (decision, subject);
