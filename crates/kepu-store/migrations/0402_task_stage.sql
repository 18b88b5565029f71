CREATE INDEX task_stage ON task (stage, due, id);
