-- Who fills an application in: own work is listed by it. Applications of before this column stay without one, there were none in use.
ALTER TABLE application ADD COLUMN owner TEXT NOT NULL DEFAULT '';
