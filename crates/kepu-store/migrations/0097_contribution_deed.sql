CREATE UNIQUE INDEX contribution_deed ON contribution (party, kind, object);
