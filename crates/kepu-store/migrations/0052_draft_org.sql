CREATE INDEX draft_org ON draft (org, stage, updated_at, id);
