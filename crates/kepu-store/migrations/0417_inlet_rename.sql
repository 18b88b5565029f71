ALTER TABLE inlet_new RENAME TO inlet;
