CREATE INDEX start_order_mode ON start_order (mode, started_at, id);
