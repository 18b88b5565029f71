INSERT INTO inlet_new (id, kind, org, name, region, plan, state, nonce, due_at, last_at, good_at, failures, trouble, version)
SELECT id, kind, org, name, region, plan, state, nonce, due_at, last_at, good_at, failures, trouble, version FROM inlet;
