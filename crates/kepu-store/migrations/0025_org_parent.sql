CREATE INDEX org_parent ON org (parent, id);
