CREATE INDEX member_account ON member (account, org, role);
