CREATE INDEX party_org ON party (org, id);
