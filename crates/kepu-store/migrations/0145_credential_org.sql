CREATE INDEX credential_org ON credential (org, issued, number);
