CREATE INDEX record_doc_hash ON record (doc_hash);
