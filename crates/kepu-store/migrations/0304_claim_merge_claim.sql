CREATE INDEX claim_merge_claim ON claim_merge (claim, asked_at, id);
