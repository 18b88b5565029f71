CREATE INDEX application_owner ON application (owner, id);
