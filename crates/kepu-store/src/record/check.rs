//! The latest signed head of each stream, and what comparing it with the records held came to.

use super::{code, signer_ids};
use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{all, args, one};
use crate::value::Value;
use jiff::Timestamp;
use kepu_domain::history::Compared;
use kepu_domain::ids::KeyId;
use kepu_domain::record::Stream;

/// A head and what it was compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadCheck {
    /// Whose stream.
    pub key: KeyId,
    /// Which one.
    pub stream: Stream,
    /// The head commits to numbers 1 to this.
    pub n: i64,
    /// Merkle root over them, hex.
    pub root: String,
    /// When the author said so.
    pub said_at: Timestamp,
    /// What comparing came to.
    pub outcome: Compared,
    /// The tree over the documents compared so far, as `kepu-sync::merkle` writes it; empty if none were.
    pub tree: String,
}

macro_rules! select_check {
    () => {
        "SELECT s.did, h.stream, h.n, h.root, h.said_at, h.outcome, h.tree FROM head_check h JOIN signer s ON s.id = h.signer "
    };
}

fn read(c: &mut crate::sql::Cells<'_>) -> Result<HeadCheck, StoreError> {
    Ok(HeadCheck { key: c.id()?, stream: c.stream()?, n: c.int()?, root: c.text()?, said_at: c.time()?, outcome: c.word(Compared::parse)?, tree: c.text()? })
}

/// All of them, by key and stream.
pub async fn list_checks(tx: &mut Tx) -> Result<Vec<HeadCheck>, StoreError> {
    const SQL: &str = concat!(select_check!(), "ORDER BY s.did, h.stream");
    all(tx, "list compared heads", SQL, vec![], read).await
}

/// Those that do not agree, or could not be compared for lack of numbers; by key and stream.
pub async fn list_open_checks(tx: &mut Tx) -> Result<Vec<HeadCheck>, StoreError> {
    const SQL: &str = concat!(select_check!(), "WHERE h.outcome IN ('differs', 'missing') ORDER BY s.did, h.stream");
    all(tx, "list heads that do not agree", SQL, vec![], read).await
}

/// The one of a stream.
pub async fn find_check(tx: &mut Tx, key: &KeyId, stream: Stream) -> Result<Option<HeadCheck>, StoreError> {
    const SQL: &str = concat!(select_check!(), "WHERE s.did = $1 AND h.stream = $2");
    one(tx, "find a compared head", SQL, args![key.as_str(), code(stream)], read).await
}

/// Stores them over what was there. No stream may be named twice.
pub async fn put_checks(tx: &mut Tx, checks: &[HeadCheck]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO head_check (signer, stream, n, root, said_at, outcome, tree) VALUES";
    const OVER: &str = "ON CONFLICT (signer, stream) DO UPDATE SET n = excluded.n, root = excluded.root, said_at = excluded.said_at,
                        outcome = excluded.outcome, tree = excluded.tree";
    let keys: Vec<KeyId> = checks.iter().map(|check| check.key.clone()).collect();
    let ids = signer_ids(tx, &keys).await?;
    bulk_insert(tx, "store compared heads", SQL, 7, OVER, checks, |check, values: &mut Vec<Value<'_>>| {
        values.extend([
            ids.get(&check.key).copied().into(),
            code(check.stream).into(),
            check.n.into(),
            check.root.as_str().into(),
            check.said_at.into(),
            check.outcome.as_str().into(),
            check.tree.as_str().into(),
        ]);
    })
    .await
    .map(drop)
}
