CREATE INDEX application_party ON application (party, id);
