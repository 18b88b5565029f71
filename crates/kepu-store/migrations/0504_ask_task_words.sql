CREATE INDEX ask_task_words ON ask_task (words, decision, ask);
