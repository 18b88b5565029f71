-- Which subjects name a file in any version held, and whether their public version does. Folded from the records.
CREATE TABLE media_use (
    hash    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    live    BOOLEAN NOT NULL,
    PRIMARY KEY (hash, subject)
);
