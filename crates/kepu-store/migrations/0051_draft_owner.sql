CREATE INDEX draft_owner ON draft (owner, updated_at, id);
