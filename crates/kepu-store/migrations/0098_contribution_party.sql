CREATE INDEX contribution_party ON contribution (party, day, id);
