CREATE UNIQUE INDEX credential_subject ON credential (subject);
