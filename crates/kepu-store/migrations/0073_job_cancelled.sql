-- When somebody called a job off. A running job ends when its worker notices.
ALTER TABLE job ADD COLUMN cancelled_at BIGINT;
