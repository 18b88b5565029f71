CREATE INDEX task_of ON task (of_kind, of_id, due, id);
