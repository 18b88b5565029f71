-- UNIQUE: two people who ask for the same place and month at once must get one pack.
CREATE UNIQUE INDEX pack_wish ON pack (wish);
