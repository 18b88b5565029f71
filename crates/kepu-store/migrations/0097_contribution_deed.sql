-- One deed of a person counts once, however many reports it serves.
-- UNIQUE: two editors may confirm it at the same moment.
CREATE UNIQUE INDEX contribution_deed ON contribution (party, kind, object);
