CREATE INDEX credential_party ON credential (party, issued, number);
