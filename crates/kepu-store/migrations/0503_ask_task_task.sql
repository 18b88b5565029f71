CREATE INDEX ask_task_task ON ask_task (task, decision, ask);
