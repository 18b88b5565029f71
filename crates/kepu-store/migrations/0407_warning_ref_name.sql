CREATE INDEX warning_ref_name ON warning_ref (sender, identifier);
