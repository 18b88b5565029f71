CREATE INDEX party_name ON party (name_fold, id);
