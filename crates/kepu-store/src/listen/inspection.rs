//! Inspections with the whole list they were drawn from. How a draw is made is in `kepu-domain::listen::inspection`.

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, must, one, run};
use crate::value::Value;
use kepu_domain::ids::{InspectionId, SubjectId};
use kepu_domain::listen::inspection::{Entry, Inspection, Sample, Seen};

macro_rules! columns {
    () => {
        "id, title, org, checklist, region, word, list_hash, listed, drawn, drawn_at"
    };
}
macro_rules! entry_columns {
    () => {
        "n, entry, place, title, host, evidence, done_at, seen_at, seen_by, ticks, finding"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Inspection, StoreError> {
    Ok(Inspection {
        id: c.id()?,
        title: c.text()?,
        org: c.id()?,
        checklist: c.text()?,
        region: c.region()?,
        word: c.text()?,
        list_hash: c.text()?,
        listed: c.int()?,
        drawn: c.int()?,
        drawn_at: c.time()?,
    })
}

fn read_sample(c: &mut Cells<'_>) -> Result<Sample, StoreError> {
    let n = c.int()?;
    let entry = Entry { key: c.text()?, place: c.region()?, title: c.text()?, host: c.text()?, evidence: c.text()?, at: c.time()? };
    let (at, by, ticks, finding) = (c.opt_time()?, c.opt_id()?, c.opt_text()?, c.opt_id()?);
    let seen = match (at, by, ticks) {
        (Some(at), Some(by), Some(ticks)) => Some(Seen { at, by, ticks: serde_json::from_str(&ticks).map_err(|error| c.corrupt(error))?, finding }),
        _ => None,
    };
    Ok(Sample { n, entry, seen })
}

/// Adds an inspection with its list; what was drawn has a number.
pub async fn insert(tx: &mut Tx, one: &Inspection, list: &[(i64, Entry)]) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO inspection (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
    const HEAD: &str = "INSERT INTO inspection_entry (inspection, n, entry, place, title, host, evidence, done_at) VALUES";
    let region = one.region.to_string();
    let args = args![one.id.as_str(), &one.title, one.org.as_str(), &one.checklist, region, &one.word, &one.list_hash, one.listed, one.drawn, one.drawn_at];
    run(tx, "add an inspection", SQL, args).await?;
    bulk_insert(tx, "add the list of an inspection", HEAD, 8, "", list, |(n, entry), values: &mut Vec<Value<'_>>| {
        values.extend([
            Value::from(one.id.0.clone()),
            Value::from(*n),
            Value::from(entry.key.clone()),
            Value::from(entry.place.to_string()),
            Value::from(entry.title.clone()),
            Value::from(entry.host.clone()),
            Value::from(entry.evidence.clone()),
            Value::from(entry.at),
        ]);
    })
    .await
    .map(drop)
}

/// One inspection that must be there.
pub async fn get(tx: &mut Tx, id: &InspectionId) -> Result<Inspection, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM inspection WHERE id = $1");
    must(one(tx, "find an inspection", SQL, args![id.as_str()], read).await?, "inspection", id)
}

/// Inspections, the latest first, at most `limit`.
pub async fn list(tx: &mut Tx, limit: u32) -> Result<Vec<Inspection>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM inspection ORDER BY drawn_at DESC, id LIMIT $1");
    all(tx, "list inspections", SQL, args![limit], read).await
}

/// What was drawn, by number.
pub async fn list_drawn(tx: &mut Tx, id: &InspectionId) -> Result<Vec<Sample>, StoreError> {
    const SQL: &str = concat!("SELECT ", entry_columns!(), " FROM inspection_entry WHERE inspection = $1 AND n > 0 ORDER BY n, entry LIMIT 1000");
    all(tx, "list what an inspection drew", SQL, args![id.as_str()], read_sample).await
}

/// The whole list, by key, at most `limit`.
pub async fn list_all(tx: &mut Tx, id: &InspectionId, limit: u32) -> Result<Vec<Sample>, StoreError> {
    const SQL: &str = concat!("SELECT ", entry_columns!(), " FROM inspection_entry WHERE inspection = $1 ORDER BY entry LIMIT $2");
    all(tx, "list what an inspection drew from", SQL, args![id.as_str(), limit], read_sample).await
}

/// Stores what was seen of a sample that nobody had looked at: the second who does learns that the first was quicker.
pub async fn see(tx: &mut Tx, id: &InspectionId, n: i64, seen: &Seen) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE inspection_entry SET seen_at = $3, seen_by = $4, ticks = $5, finding = $6 WHERE inspection = $1 AND n = $2 AND n > 0 AND seen_at IS NULL";
    let ticks = serde_json::to_string(&seen.ticks).unwrap_or_default();
    let args = args![id.as_str(), n, seen.at, seen.by.as_str(), ticks, seen.finding.as_ref().map(SubjectId::as_str)];
    match run(tx, "store what was seen of a sample", SQL, args).await? {
        0 => Err(StoreError::Stale { what: "sample", id: n.to_string() }),
        _ => Ok(()),
    }
}
