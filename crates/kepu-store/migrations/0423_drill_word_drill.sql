CREATE INDEX drill_word_drill ON drill_word (drill, subject);
