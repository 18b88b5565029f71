DROP TABLE inlet;
