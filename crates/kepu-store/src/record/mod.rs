//! Signed records as they came: writing them, finding one, erasing a body. Lists are in `list`, what is held per stream
//! in `head`, proofs of forked histories in `fork`. What records mean is folded into `subject` by `kepu-app`.

mod check;
mod fork;
mod head;
mod list;
mod signer;
mod skip;

pub use check::{HeadCheck, find_check, list_checks, list_open_checks, put_checks};
pub use fork::{find_fork, insert_fork, list_forks};
pub use head::{StreamHead, get_heads, heads, open_heads, put_heads};
pub use list::{
    Light, RegionFilter, list_all, list_arrivals, list_by_signer, list_by_subjects, list_doc_hashes, list_light, list_news, list_range, list_refused,
    list_trust,
};
pub use signer::{names_of, signer_ids, signers};
pub use skip::{SkipRow, count_skips, delete_skips, find_skips, has_skips, insert_skips, list_skip_arrivals, list_skips, take_skips};

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all_in, args, number, one, run, run_in};
use crate::value::{Value, list_text};
use kepu_domain::ids::{KeyId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::record::{DocHash, Place, Stream};
use std::collections::HashMap;

/// A stored record. What stands beside the signed bytes is copied from them, to be found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The signing key.
    pub key: KeyId,
    /// The stream.
    pub stream: Stream,
    /// The number, from 1.
    pub n: i64,
    /// The order in which this node took it in, over all streams (`counter::ARRIVAL`).
    pub arrival: i64,
    /// SHA-256 of the canonical document.
    pub doc_hash: DocHash,
    /// `dateModified` exactly as the document has it.
    pub modified: String,
    /// The signature.
    pub sig: Vec<u8>,
    /// The canonical document; `None` if it was erased by law.
    pub doc: Option<Vec<u8>>,
    /// The document's kind.
    pub kind: String,
    /// What it is about.
    pub subject: SubjectId,
    /// Where it is meant for.
    pub region: Region,
    /// Fields.
    pub fields: Vec<String>,
    /// BCP 47 language.
    pub lang: String,
    /// The peer it came from; empty if it was written here.
    pub source: String,
    /// Why it does not count; empty if it does.
    pub refusal: String,
}

impl Row {
    /// Where the record stands.
    pub fn place(&self) -> Place {
        Place { key: self.key.clone(), stream: self.stream, n: self.n }
    }
}

/// The columns of a [`Row`] with `r` for `record` and `s` for `signer`, in the order in which [`read`] reads them.
macro_rules! select_row {
    () => {
        "SELECT s.did, r.stream, r.n, r.arrival, r.doc_hash, r.modified, r.sig, r.doc, r.kind, r.subject, r.region,
                r.fields, r.lang, r.source, r.refusal
         FROM record r JOIN signer s ON s.id = r.signer "
    };
}
pub(crate) use select_row;

pub(crate) fn read(c: &mut Cells<'_>) -> Result<Row, StoreError> {
    Ok(Row {
        key: c.id()?,
        stream: c.stream()?,
        n: c.int()?,
        arrival: c.int()?,
        doc_hash: c.hash()?,
        modified: c.text()?,
        sig: c.bytes()?,
        doc: c.opt_bytes()?,
        kind: c.text()?,
        subject: c.id()?,
        region: c.region()?,
        fields: c.list()?,
        lang: c.text()?,
        source: c.text()?,
        refusal: c.text()?,
    })
}

pub(crate) fn code(stream: Stream) -> i64 {
    stream.code().into()
}

/// Writes records. Fails with [`StoreError::Duplicate`] if one of the places is taken; see [`existing`].
pub async fn insert_many(tx: &mut Tx, rows: &[Row]) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO record (signer, stream, n, arrival, doc_hash, modified, sig, doc, kind, subject, region, fields, lang, source, refusal)
        VALUES";
    let keys: Vec<KeyId> = rows.iter().map(|row| row.key.clone()).collect();
    let signers = signer_ids(tx, &keys).await?;
    bulk_insert(tx, "store records", SQL, 15, "", rows, |row, values: &mut Vec<Value<'_>>| {
        values.extend([
            signers.get(&row.key).copied().into(),
            code(row.stream).into(),
            row.n.into(),
            row.arrival.into(),
            row.doc_hash.0.as_slice().into(),
            row.modified.as_str().into(),
            row.sig.as_slice().into(),
            row.doc.as_deref().into(),
            row.kind.as_str().into(),
            row.subject.as_str().into(),
            row.region.to_string().into(),
            list_text(&row.fields).into(),
            row.lang.as_str().into(),
            row.source.as_str().into(),
            row.refusal.as_str().into(),
        ]);
    })
    .await
    .map(drop)
}

/// The record at `place`.
pub async fn find(tx: &mut Tx, place: &Place) -> Result<Option<Row>, StoreError> {
    const SQL: &str = concat!(select_row!(), "WHERE s.did = $1 AND r.stream = $2 AND r.n = $3");
    one(tx, "find a record", SQL, args![place.key.as_str(), code(place.stream), place.n], read).await
}

/// The record of exactly this version; the first that arrived if several places hold the same document.
pub async fn find_by_hash(tx: &mut Tx, hash: &DocHash) -> Result<Option<Row>, StoreError> {
    const SQL: &str = concat!(select_row!(), "WHERE r.doc_hash = $1 ORDER BY r.arrival, r.signer, r.stream, r.n LIMIT 1");
    one(tx, "find a record by its hash", SQL, args![hash.0.as_slice()], read).await
}

/// The records of these versions; a version that stands at several places may come several times.
pub async fn find_by_hashes(tx: &mut Tx, hashes: &[DocHash]) -> Result<Vec<Row>, StoreError> {
    const PARTS: (&str, &str) = (concat!(select_row!(), "WHERE r.doc_hash IN ("), ")");
    all_in(tx, "find records by their hashes", PARTS, hashes, |hash| args![hash.0.as_slice()], read).await
}

// A join, because SQLite reads the whole table for `WHERE (signer, stream, n) IN (VALUES …)`.
const EXISTING: (&str, &str) = (
    "WITH v (signer, stream, n) AS (",
    ") SELECT r.signer, r.stream, r.n, r.doc_hash, CAST(CASE WHEN r.doc IS NULL THEN 0 ELSE 1 END AS BIGINT) FROM v JOIN record r ON r.signer = v.signer AND r.stream = v.stream AND r.n = v.n",
);

/// What stands at a place that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its document: same hash = duplicate, another = fork.
    pub hash: DocHash,
    /// Whether its body is here; if not, it was erased somewhere.
    pub whole: bool,
}

/// Which of `places` are taken, and by what.
pub async fn existing(tx: &mut Tx, places: &[Place]) -> Result<HashMap<Place, Taken>, StoreError> {
    let keys: Vec<KeyId> = places.iter().map(|place| place.key.clone()).collect();
    let signers = signers(tx, &keys).await?;
    let keys: HashMap<i64, &KeyId> = signers.iter().map(|(key, id)| (*id, key)).collect();
    let wanted: Vec<(i64, i64, i64)> = places.iter().filter_map(|p| Some((*signers.get(&p.key)?, code(p.stream), p.n))).collect();
    let rows = all_in(
        tx,
        "look for known records",
        EXISTING,
        &wanted,
        |(signer, stream, n)| args![*signer, *stream, *n],
        |c| Ok((c.int()?, c.stream()?, c.int()?, Taken { hash: c.hash()?, whole: c.int()? == 1 })),
    )
    .await?;
    Ok(rows.into_iter().filter_map(|(signer, stream, n, taken)| Some((Place { key: (*keys.get(&signer)?).clone(), stream, n }, taken))).collect())
}

/// The highest arrival number in `stream`; 0 if it is empty.
pub async fn max_arrival(tx: &mut Tx, stream: Stream) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT COALESCE(MAX(arrival), 0) FROM record WHERE stream = $1";
    number(tx, "find the last arrival", SQL, args![code(stream)]).await
}

/// How many records are held.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    number(tx, "count records", "SELECT COUNT(*) FROM record", vec![]).await
}

// UPDATE … FROM with named columns of a VALUES list is the one form of a bulk update that both engines read.
const REFUSE: (&str, &str) = (
    "WITH v (signer, stream, n, refusal) AS (",
    ") UPDATE record SET refusal = v.refusal FROM v WHERE record.signer = v.signer AND record.stream = v.stream AND record.n = v.n",
);

/// Notes why records do not count (empty text: they do). Places that are not held are passed over.
pub async fn set_refusal(tx: &mut Tx, refusals: &[(Place, String)]) -> Result<(), StoreError> {
    let keys: Vec<KeyId> = refusals.iter().map(|(place, _)| place.key.clone()).collect();
    let signers = signers(tx, &keys).await?;
    let wanted: Vec<(i64, i64, i64, &str)> = refusals.iter().filter_map(|(p, why)| Some((*signers.get(&p.key)?, code(p.stream), p.n, why.as_str()))).collect();
    run_in(tx, "note why records do not count", REFUSE, &wanted, |(signer, stream, n, why)| args![*signer, *stream, *n, *why]).await.map(drop)
}

/// Removes the body of a record for ever; its stub (place, hash, signature) stays and still proves its history.
pub async fn erase(tx: &mut Tx, place: &Place) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE record SET doc = NULL
        WHERE signer = (SELECT id FROM signer WHERE did = $1) AND stream = $2 AND n = $3";
    match run(tx, "erase the body of a record", SQL, args![place.key.as_str(), code(place.stream), place.n]).await? {
        0 => Err(StoreError::NotFound { what: "record", id: place.to_string() }),
        _ => Ok(()),
    }
}

/// Gives a record whose body was erased elsewhere its body back, with what stands beside it. `NotFound` if the place holds
/// another document, or a body.
pub async fn restore(tx: &mut Tx, row: &Row) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE record SET doc = $4, kind = $5, subject = $6, region = $7, fields = $8, lang = $9, refusal = $10, arrival = $11
        WHERE signer = (SELECT id FROM signer WHERE did = $1) AND stream = $2 AND n = $3 AND doc IS NULL AND doc_hash = $12";
    let args = args![
        row.key.as_str(),
        code(row.stream),
        row.n,
        row.doc.as_deref(),
        &row.kind,
        row.subject.as_str(),
        row.region.to_string(),
        list_text(&row.fields),
        &row.lang,
        &row.refusal,
        row.arrival,
        row.doc_hash.0.as_slice()
    ];
    match run(tx, "restore the body of a record", SQL, args).await? {
        0 => Err(StoreError::NotFound { what: "record", id: row.place().to_string() }),
        _ => Ok(()),
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::sql::all;
    use sqlx::AssertSqlSafe;

    #[tokio::test]
    async fn long_lists_find_records_by_their_key() {
        let ground = crate::testing::temp_sqlite();
        let db = ground.db().await;
        for ((head, tail), row) in [(EXISTING, "(1, 2, 3)"), (REFUSE, "(1, 2, 3, '')")] {
            let sql = format!("EXPLAIN QUERY PLAN {head} VALUES {row}, {row} {tail}");
            let mut tx = db.read().await.expect("begin");
            let read = |c: &mut Cells<'_>| {
                let _ = (c.int()?, c.int()?, c.int()?);
                c.text()
            };
            let plan = all(&mut tx, "explain", AssertSqlSafe(sql), vec![], read).await.expect("plan").join("\n");
            assert!(plan.contains("(signer=") && !plan.contains("SCAN record") && !plan.contains("SCAN r\n"), "{plan}");
        }
    }
}
