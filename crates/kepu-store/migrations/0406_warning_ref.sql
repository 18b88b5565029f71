-- Which earlier messages a warning is about, known here or not.
CREATE TABLE warning_ref (
    subject    TEXT NOT NULL,
    sender     TEXT NOT NULL,
    identifier TEXT NOT NULL,
    PRIMARY KEY (subject, sender, identifier)
);
