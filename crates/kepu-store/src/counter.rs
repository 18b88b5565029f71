//! Numbers that are given out: 1, 2, 3 … per name.
//!
//! The row stays locked until the transaction ends, so numbers are given in the order of commits and none is lost by a
//! rollback: who has seen number 7 has seen every number below it. The price is that takers of one counter wait for each other.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{args, number, run};

/// Arrival numbers of records.
pub const ARRIVAL: &str = "arrival";
/// Change numbers of subjects, which feed the search index.
pub const SUBJECT: &str = "subject";

/// Changes of the warnings held: whoever keeps them in memory reads them again.
pub const WARNING: &str = "warning";
/// Records of drills held.
pub const DRILL: &str = "drill";
/// Records of coordination held.
pub const COORDINATION: &str = "coordination";

/// Bodies erased here by law; the search index is made anew when it changes.
pub const ERASED: &str = "erased";

/// Takes `count` numbers and returns the first of them. `count` of 0 takes none and returns the one that would be next.
pub async fn take(tx: &mut Tx, name: &str, count: i64) -> Result<i64, StoreError> {
    const SQL: &str = "
        INSERT INTO counter (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = counter.value + excluded.value RETURNING value";
    Ok(number(tx, "take a number", SQL, args![name, count]).await? - count + 1)
}

/// Moves a counter up to `at_least`: numbers up to there were given out elsewhere.
pub async fn raise(tx: &mut Tx, name: &str, at_least: i64) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO counter (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = CASE WHEN counter.value < excluded.value THEN excluded.value ELSE counter.value END";
    run(tx, "raise a counter", SQL, args![name, at_least]).await.map(drop)
}

/// The last number taken; 0 if none was.
pub async fn last(tx: &mut Tx, name: &str) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT value FROM counter WHERE name = $1";
    number(tx, "read a counter", SQL, args![name]).await
}
