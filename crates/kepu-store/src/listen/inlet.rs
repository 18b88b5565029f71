//! Inlets, what their lists have brought already, and what became of their signals by the hour. The signals are in `signal`.

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, all_in, args, must, number, one, run, run_versioned};
use crate::value::Value;
use jiff::Timestamp;
use kepu_domain::ids::InletId;
use kepu_domain::listen::inlet::{Inlet, Kind, Plan, State};
use kepu_domain::listen::signal::Counts;
use std::collections::BTreeMap;

macro_rules! columns {
    () => {
        "id, kind, org, name, region, plan, state, nonce, due_at, last_at, good_at, failures, trouble, version"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Inlet, StoreError> {
    let (id, kind, org, name, region) = (c.id()?, c.word(Kind::parse)?, c.id()?, c.text()?, c.region()?);
    let (plan, word, nonce): (Plan, _, _) = (c.json()?, c.text()?, c.text()?);
    let (due_at, last_at, good_at, failures, trouble, version) = (c.opt_time()?, c.opt_time()?, c.opt_time()?, c.int()?, c.text()?, c.int()?);
    let state = match word.as_str() {
        "on" => State::On,
        "off" => State::Off,
        _ => State::Paused(trouble.clone()),
    };
    Ok(Inlet { id, kind, org, name, region, plan, state, nonce, due_at, last_at, good_at, failures, trouble, version })
}

fn plan_of(inlet: &Inlet) -> String {
    // Texts and numbers only: nothing that JSON could not hold.
    serde_json::to_string(&inlet.plan).unwrap_or_default()
}

/// Adds an inlet.
pub async fn insert(tx: &mut Tx, inlet: &Inlet) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO inlet (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");
    let args = args![
        inlet.id.as_str(),
        inlet.kind.as_str(),
        inlet.org.as_str(),
        &inlet.name,
        inlet.region.to_string(),
        plan_of(inlet),
        inlet.state.name(),
        &inlet.nonce,
        inlet.due_at,
        inlet.last_at,
        inlet.good_at,
        inlet.failures,
        &inlet.trouble,
        inlet.version
    ];
    run(tx, "add an inlet", SQL, args).await.map(drop)
}

/// Stores a changed inlet that was read in `inlet.version`.
pub async fn update(tx: &mut Tx, inlet: &Inlet) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE inlet SET org = $3, name = $4, region = $5, plan = $6, state = $7, nonce = $8, due_at = $9, last_at = $10, good_at = $11,
                         failures = $12, trouble = $13, version = version + 1
        WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM inlet WHERE id = $1";
    let id = inlet.id.as_str();
    let args = args![
        id,
        inlet.version,
        inlet.org.as_str(),
        &inlet.name,
        inlet.region.to_string(),
        plan_of(inlet),
        inlet.state.name(),
        &inlet.nonce,
        inlet.due_at,
        inlet.last_at,
        inlet.good_at,
        inlet.failures,
        &inlet.trouble
    ];
    run_versioned(tx, "change an inlet", "inlet", id, SQL, args, EXISTS).await
}

/// Notes that a tipline was heard, whatever else is being changed about it.
pub async fn heard(tx: &mut Tx, id: &InletId, now: Timestamp) -> Result<(), StoreError> {
    run(tx, "note that an inlet was heard", "UPDATE inlet SET last_at = $2, good_at = $2 WHERE id = $1", args![id.as_str(), now]).await.map(drop)
}

/// Removes an inlet; what it has brought stays counted.
pub async fn delete(tx: &mut Tx, id: &InletId) -> Result<(), StoreError> {
    run(tx, "forget what an inlet brought", "DELETE FROM inlet_seen WHERE inlet = $1", args![id.as_str()]).await?;
    run(tx, "remove an inlet", "DELETE FROM inlet WHERE id = $1", args![id.as_str()]).await.map(drop)
}

/// One inlet.
pub async fn find(tx: &mut Tx, id: &InletId) -> Result<Option<Inlet>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM inlet WHERE id = $1");
    one(tx, "find an inlet", SQL, args![id.as_str()], read).await
}

/// One inlet that must be there.
pub async fn get(tx: &mut Tx, id: &InletId) -> Result<Inlet, StoreError> {
    must(find(tx, id).await?, "inlet", id)
}

/// All inlets by kind and name, at most `limit`.
pub async fn list(tx: &mut Tx, limit: u32) -> Result<Vec<Inlet>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM inlet ORDER BY kind, name, id LIMIT $1");
    all(tx, "list inlets", SQL, args![limit], read).await
}

/// Lists that are to be read now, the longest due first, at most `limit`.
pub async fn list_due(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<Inlet>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM inlet WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2");
    all(tx, "list inlets that are due", SQL, args![now, limit], read).await
}

/// How many lists are to be read now.
pub async fn count_due(tx: &mut Tx, now: Timestamp) -> Result<i64, StoreError> {
    number(tx, "count inlets that are due", "SELECT COUNT(*) FROM inlet WHERE due_at <= $1", args![now]).await
}

/// Which of `entries` a list has brought already.
pub async fn list_seen(tx: &mut Tx, id: &InletId, entries: &[String]) -> Result<Vec<String>, StoreError> {
    const PARTS: (&str, &str) = ("SELECT entry FROM inlet_seen WHERE (inlet, entry) IN (", ")");
    all_in(tx, "look up what a list brought", PARTS, entries, |entry| args![id.0.clone(), entry.as_str()], |c| c.text()).await
}

/// Notes what a list has brought.
pub async fn add_seen(tx: &mut Tx, id: &InletId, entries: &[String], now: Timestamp) -> Result<(), StoreError> {
    const HEAD: &str = "INSERT INTO inlet_seen (inlet, entry, at) VALUES";
    const TAIL: &str = "ON CONFLICT (inlet, entry) DO UPDATE SET at = excluded.at";
    let rows: Vec<(&str, &str)> = entries.iter().map(|entry| (id.as_str(), entry.as_str())).collect();
    let bind = move |row: &(&str, &str), values: &mut Vec<Value<'_>>| {
        values.extend([Value::from(row.0.to_owned()), Value::from(row.1.to_owned()), Value::from(now)]);
    };
    bulk_insert(tx, "note what a list brought", HEAD, 3, TAIL, &rows, bind).await.map(drop)
}

/// Forgets what lists brought before `before`. Returns how many entries.
pub async fn purge_seen(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    run(tx, "forget what lists brought", "DELETE FROM inlet_seen WHERE at < $1", args![before]).await
}

/// Adds to what became of the signals of an inlet in an hour.
pub async fn add_counts(tx: &mut Tx, inlet: &str, hour: i64, counts: Counts) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO inlet_hour (inlet, hour, taken, refused, matched, asked, none_of) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (inlet, hour) DO UPDATE SET
            taken = inlet_hour.taken + excluded.taken, refused = inlet_hour.refused + excluded.refused, matched = inlet_hour.matched + excluded.matched,
            asked = inlet_hour.asked + excluded.asked, none_of = inlet_hour.none_of + excluded.none_of";
    if counts == Counts::default() {
        return Ok(());
    }
    let args = args![inlet, hour, counts.taken, counts.refused, counts.matched, counts.asked, counts.nothing];
    run(tx, "count the signals of an inlet", SQL, args).await.map(drop)
}

/// What became of signals from hour `from` until before hour `until`, by inlet.
pub async fn counts(tx: &mut Tx, from: i64, until: i64) -> Result<BTreeMap<String, Counts>, StoreError> {
    const SQL: &str = "
        SELECT inlet, CAST(SUM(taken) AS BIGINT), CAST(SUM(refused) AS BIGINT), CAST(SUM(matched) AS BIGINT), CAST(SUM(asked) AS BIGINT), CAST(SUM(none_of) AS BIGINT)
        FROM inlet_hour WHERE hour >= $1 AND hour < $2 GROUP BY inlet ORDER BY inlet";
    let rows = all(tx, "sum up what inlets brought", SQL, args![from, until], |c| {
        Ok((c.text()?, Counts { taken: c.int()?, refused: c.int()?, matched: c.int()?, asked: c.int()?, nothing: c.int()? }))
    });
    Ok(rows.await?.into_iter().collect())
}

/// Signals taken in by hour, from hour `from` on, all inlets together.
pub async fn taken_by_hour(tx: &mut Tx, from: i64) -> Result<Vec<(i64, i64)>, StoreError> {
    const SQL: &str = "SELECT hour, CAST(SUM(taken) AS BIGINT) FROM inlet_hour WHERE hour >= $1 GROUP BY hour ORDER BY hour";
    all(tx, "list signals by hour", SQL, args![from], |c| Ok((c.int()?, c.int()?))).await
}

/// Forgets counts of hours before `before`. Returns how many rows.
pub async fn purge_counts(tx: &mut Tx, before: i64) -> Result<u64, StoreError> {
    run(tx, "forget old counts of inlets", "DELETE FROM inlet_hour WHERE hour < $1", args![before]).await
}
