-- Failed sign-ins in a row, by 'login:name' or 'addr:hash'. No foreign key: it must outlive everything.
CREATE TABLE login_lock (
    subject  TEXT   NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at  BIGINT NOT NULL,
    until    BIGINT
);
