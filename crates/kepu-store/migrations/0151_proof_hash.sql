CREATE INDEX proof_hash ON proof (hash, party);
