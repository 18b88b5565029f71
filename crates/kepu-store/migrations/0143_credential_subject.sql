-- UNIQUE: a subject is one certificate, and a file that is brought twice at once must not stand twice.
CREATE UNIQUE INDEX credential_subject ON credential (subject);
