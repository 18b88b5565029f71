-- While a subject is held: the day on which the next word is promised. It stands as withdrawn meanwhile.
ALTER TABLE subject ADD COLUMN held TEXT;
