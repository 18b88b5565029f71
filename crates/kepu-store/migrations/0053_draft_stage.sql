CREATE INDEX draft_stage ON draft (stage, updated_at, id);
