CREATE INDEX inspection_entry_n ON inspection_entry (inspection, n, entry);
