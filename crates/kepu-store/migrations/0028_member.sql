-- Which role an account holds where.
CREATE TABLE member (
    org     TEXT NOT NULL,
    account TEXT NOT NULL,
    role    TEXT NOT NULL,
    PRIMARY KEY (org, account, role)
);
