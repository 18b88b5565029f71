CREATE INDEX party_changed ON party (changed_at, id);
