-- Tickets that have voted. Neither on what nor how can be read from them.
CREATE TABLE ticket_spent (
    nullifier BYTEA NOT NULL PRIMARY KEY
);
