CREATE INDEX org_kind ON org (kind, id);
