//! Failed sign-ins in a row, by name and by address, so that a restart forgets nothing.
//! How long failures lock is decided in `kepu-domain::account`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, one, run};
use jiff::Timestamp;

/// Failures of one name or address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginLock {
    /// `login:` and the folded name, or `addr:` and a keyed hash of the address.
    pub subject: String,
    /// Failures in a row.
    pub failures: i64,
    /// The last one.
    pub last_at: Timestamp,
    /// Locked until.
    pub until: Option<Timestamp>,
}

fn read(c: &mut Cells<'_>) -> Result<LoginLock, StoreError> {
    Ok(LoginLock { subject: c.text()?, failures: c.int()?, last_at: c.time()?, until: c.opt_time()? })
}

/// The failures of `subject`.
pub async fn find(tx: &mut Tx, subject: &str) -> Result<Option<LoginLock>, StoreError> {
    const SQL: &str = "SELECT subject, failures, last_at, until FROM login_lock WHERE subject = $1";
    one(tx, "find failed sign-ins", SQL, args![subject], read).await
}

/// Counts one more failure of `subject` and returns how many it are now. The row stays locked until the transaction ends,
/// so that guesses sent at the same time are all counted.
pub async fn add_failure(tx: &mut Tx, subject: &str, now: Timestamp) -> Result<i64, StoreError> {
    const SQL: &str = "
        INSERT INTO login_lock (subject, failures, last_at, until) VALUES ($1, 1, $2, NULL)
        ON CONFLICT (subject) DO UPDATE SET failures = login_lock.failures + 1, last_at = excluded.last_at RETURNING failures";
    crate::sql::number(tx, "count a failed sign-in", SQL, args![subject, now]).await
}

/// Locks `subject` until `until` (`None`: not).
pub async fn set_until(tx: &mut Tx, subject: &str, until: Option<Timestamp>) -> Result<(), StoreError> {
    run(tx, "lock sign-ins", "UPDATE login_lock SET until = $2 WHERE subject = $1", args![subject, until]).await.map(drop)
}

/// Forgets the failures of `subject`, after a sign-in that succeeded or by an administrator; `false` if there were none.
pub async fn delete(tx: &mut Tx, subject: &str) -> Result<bool, StoreError> {
    Ok(run(tx, "forget failed sign-ins", "DELETE FROM login_lock WHERE subject = $1", args![subject]).await? == 1)
}

/// Who is locked at `now`, the longest first, at most `limit`.
pub async fn list_locked(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<LoginLock>, StoreError> {
    const SQL: &str = "
        SELECT subject, failures, last_at, until FROM login_lock
        WHERE until > $1 ORDER BY until DESC, subject LIMIT $2";
    all(tx, "list locked sign-ins", SQL, args![now, limit], read).await
}

/// Forgets failures whose last one was before `before`.
pub async fn purge_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    run(tx, "forget old failed sign-ins", "DELETE FROM login_lock WHERE last_at < $1", args![before]).await
}
