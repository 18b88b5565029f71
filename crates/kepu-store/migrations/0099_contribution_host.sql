CREATE INDEX contribution_host ON contribution (host, stage, day, id);
