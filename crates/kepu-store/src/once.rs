//! Forms that were sent: a second sending of the same form does nothing and leads to the result of the first.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{args, one, run};
use jiff::Timestamp;

/// Whether a form was sent before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once {
    /// It was not: do it, then say where the result is with [`finish`], in the same transaction.
    First,
    /// It was: the result is here.
    Done(String),
}

/// Claims the form's key. A second sender waits until the first one's transaction ends.
pub async fn claim(tx: &mut Tx, key: &str, now: Timestamp) -> Result<Once, StoreError> {
    const SQL: &str = "INSERT INTO once (key, location, at) VALUES ($1, '', $2) ON CONFLICT (key) DO NOTHING";
    if run(tx, "claim a form", SQL, args![key, now]).await? == 1 {
        return Ok(Once::First);
    }
    let location = one(tx, "find a sent form", "SELECT location FROM once WHERE key = $1", args![key], |c| c.text()).await?;
    Ok(Once::Done(location.unwrap_or_default()))
}

/// Notes where the result is.
pub async fn finish(tx: &mut Tx, key: &str, location: &str) -> Result<(), StoreError> {
    run(tx, "note the result of a form", "UPDATE once SET location = $2 WHERE key = $1", args![key, location]).await.map(drop)
}

/// Forgets forms sent before `before`; returns how many.
pub async fn purge_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    run(tx, "forget sent forms", "DELETE FROM once WHERE at < $1", args![before]).await
}
