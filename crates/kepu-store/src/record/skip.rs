//! Numbers that a parent left out because they lie outside the scope: not held, and not missing either.

use super::{code, signer_ids, signers};
use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, all_in, args, number, run};
use crate::value::Value;
use kepu_domain::ids::KeyId;
use kepu_domain::record::Stream;
use std::collections::HashMap;

/// A run of numbers of one stream, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SkipRow {
    /// The key.
    pub key: KeyId,
    /// The stream.
    pub stream: Stream,
    /// First number.
    pub low: i64,
    /// Last number.
    pub high: i64,
    /// The order in which this node learned of it, among the arrivals of records.
    pub arrival: i64,
}

macro_rules! select_skip {
    () => {
        "SELECT s.did, k.stream, k.low, k.high, k.arrival FROM skip k JOIN signer s ON s.id = k.signer "
    };
}

fn read(c: &mut Cells<'_>) -> Result<SkipRow, StoreError> {
    Ok(SkipRow { key: c.id()?, stream: c.stream()?, low: c.int()?, high: c.int()?, arrival: c.int()? })
}

/// Notes runs. They must not overlap with what is noted already.
pub async fn insert_skips(tx: &mut Tx, rows: &[SkipRow]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO skip (signer, stream, low, high, arrival) VALUES";
    let keys: Vec<KeyId> = rows.iter().map(|row| row.key.clone()).collect();
    let ids = signer_ids(tx, &keys).await?;
    bulk_insert(tx, "note what lies outside the scope", SQL, 5, "", rows, |row, values: &mut Vec<Value<'_>>| {
        values.extend([ids.get(&row.key).copied().into(), code(row.stream).into(), row.low.into(), row.high.into(), row.arrival.into()]);
    })
    .await
    .map(drop)
}

/// Whether anything was ever left out: most nodes need not look further.
pub async fn has_skips(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(number(tx, "look for what lies outside the scope", "SELECT COUNT(*) FROM (SELECT signer FROM skip LIMIT 1) one", vec![]).await? > 0)
}

/// Runs learned after `after` and up to `up_to`, by key, stream, number.
pub async fn list_skip_arrivals(tx: &mut Tx, stream: Stream, after: i64, up_to: i64) -> Result<Vec<SkipRow>, StoreError> {
    const SQL: &str = concat!(select_skip!(), "WHERE k.stream = $1 AND k.arrival > $2 AND k.arrival <= $3 ORDER BY s.did, k.stream, k.low");
    all(tx, "list what lies outside the scope", SQL, args![code(stream), after, up_to], read).await
}

/// Runs of a stream that touch `from..=to`, by number.
pub async fn list_skips(tx: &mut Tx, key: &KeyId, stream: Stream, from: i64, to: i64) -> Result<Vec<SkipRow>, StoreError> {
    const SQL: &str = concat!(select_skip!(), "WHERE s.did = $1 AND k.stream = $2 AND k.low <= $4 AND k.high >= $3 ORDER BY k.low");
    all(tx, "list what lies outside the scope", SQL, args![key.as_str(), code(stream), from, to], read).await
}

/// Runs that hold any of `numbers`, which must lie in few streams; in no order.
pub async fn find_skips(tx: &mut Tx, numbers: &[(KeyId, Stream, i64)]) -> Result<Vec<SkipRow>, StoreError> {
    const HEAD: &str = "WITH v (signer, stream, n) AS (";
    const TAIL: &str = ")
        SELECT DISTINCT s.did, k.stream, k.low, k.high, k.arrival FROM v
        JOIN skip k ON k.signer = v.signer AND k.stream = v.stream AND k.low <= v.n AND k.high >= v.n JOIN signer s ON s.id = k.signer";
    let keys: Vec<KeyId> = numbers.iter().map(|(key, ..)| key.clone()).collect();
    let ids = signers(tx, &keys).await?;
    let wanted: Vec<(i64, i64, i64)> = numbers.iter().filter_map(|(key, stream, n)| Some((*ids.get(key)?, code(*stream), *n))).collect();
    let mut rows = all_in(tx, "find what lies outside the scope", (HEAD, TAIL), &wanted, |(signer, stream, n)| args![*signer, *stream, *n], read).await?;
    rows.sort();
    rows.dedup();
    Ok(rows)
}

/// Forgets a few runs.
pub async fn delete_skips(tx: &mut Tx, rows: &[SkipRow]) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM skip WHERE signer = (SELECT id FROM signer WHERE did = $1) AND stream = $2 AND low = $3";
    for row in rows {
        run(tx, "forget what lay outside the scope", SQL, args![row.key.as_str(), code(row.stream), row.low]).await?;
    }
    Ok(())
}

/// Forgets all runs and returns them, by key, stream, number: the scope has changed.
pub async fn take_skips(tx: &mut Tx) -> Result<Vec<SkipRow>, StoreError> {
    const SQL: &str = concat!(select_skip!(), "ORDER BY s.did, k.stream, k.low");
    let rows = all(tx, "list what lies outside the scope", SQL, vec![], read).await?;
    run(tx, "forget what lay outside the scope", "DELETE FROM skip", vec![]).await?;
    Ok(rows)
}

/// How many numbers of each stream lie outside the scope.
pub async fn count_skips(tx: &mut Tx) -> Result<HashMap<(KeyId, Stream), i64>, StoreError> {
    const SQL: &str = "
        SELECT s.did, k.stream, CAST(SUM(k.high - k.low + 1) AS BIGINT) FROM skip k JOIN signer s ON s.id = k.signer GROUP BY s.did, k.stream";
    let rows = all(tx, "count what lies outside the scope", SQL, vec![], |c| Ok(((c.id()?, c.stream()?), c.int()?))).await?;
    Ok(rows.into_iter().collect())
}
