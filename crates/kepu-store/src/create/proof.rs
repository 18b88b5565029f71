//! Proofs: which files an applicant has handed in. The bytes and who may read them are in `kepu-app`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, number, one, run};
use jiff::Timestamp;
use jiff::civil::Date;
use kepu_domain::ids::PartyId;

/// A kept proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Whose it is.
    pub party: PartyId,
    /// BLAKE3 of the bytes, hex.
    pub hash: String,
    /// Title.
    pub title: String,
    /// What it shows: id of a field or criterion, or empty.
    pub kind: String,
    /// Media type.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// Last day it holds.
    pub until: Option<Date>,
    /// When it was handed in.
    pub at: Timestamp,
}

macro_rules! columns {
    () => {
        "party, hash, title, kind, media_type, size, until, at"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Proof, StoreError> {
    Ok(Proof {
        party: c.id()?,
        hash: c.text()?,
        title: c.text()?,
        kind: c.text()?,
        media_type: c.text()?,
        size: c.int()?,
        until: Some(c.text()?).filter(|day| !day.is_empty()).map(|day| day.parse()).transpose().map_err(|error| c.corrupt(error))?,
        at: c.time()?,
    })
}

/// Keeps a proof; handed in again, its title, what it shows and its last day are the latest said.
pub async fn put(tx: &mut Tx, p: &Proof) -> Result<(), StoreError> {
    const SQL: &str = concat!(
        "INSERT INTO proof (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (party, hash) DO UPDATE SET title = excluded.title, kind = excluded.kind, until = excluded.until"
    );
    let until = p.until.map(|day| day.to_string()).unwrap_or_default();
    let args = args![p.party.as_str(), &p.hash, &p.title, &p.kind, &p.media_type, p.size, until, p.at.as_millisecond()];
    run(tx, "keep a proof", SQL, args).await.map(drop)
}

/// One proof of a party.
pub async fn find(tx: &mut Tx, party: &PartyId, hash: &str) -> Result<Option<Proof>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM proof WHERE party = $1 AND hash = $2");
    one(tx, "find a proof", SQL, args![party.as_str(), hash], read).await
}

/// The proofs of a party, the newest first, at most `limit`.
pub async fn list(tx: &mut Tx, party: &PartyId, limit: u32) -> Result<Vec<Proof>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM proof WHERE party = $1 ORDER BY at DESC, hash LIMIT $2");
    all(tx, "list proofs", SQL, args![party.as_str(), limit], read).await
}

/// Removes one; the bytes may go too if [`count_uses`] is 0 afterwards.
pub async fn delete(tx: &mut Tx, party: &PartyId, hash: &str) -> Result<(), StoreError> {
    run(tx, "remove a proof", "DELETE FROM proof WHERE party = $1 AND hash = $2", args![party.as_str(), hash]).await.map(drop)
}

/// Gives the proofs of one party to another, which keeps its own word on those it has as well.
pub async fn move_party(tx: &mut Tx, from: &PartyId, into: &PartyId) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO proof (party, hash, title, kind, media_type, size, until, at)
        SELECT $2, hash, title, kind, media_type, size, until, at FROM proof WHERE party = $1 ON CONFLICT (party, hash) DO NOTHING";
    run(tx, "move proofs", SQL, args![from.as_str(), into.as_str()]).await?;
    run(tx, "move proofs", "DELETE FROM proof WHERE party = $1", args![from.as_str()]).await.map(drop)
}

/// How many parties keep a file with these bytes.
pub async fn count_uses(tx: &mut Tx, hash: &str) -> Result<i64, StoreError> {
    number(tx, "count who keeps a proof", "SELECT COUNT(*) FROM proof WHERE hash = $1", args![hash]).await
}

/// The digests of all proofs after `after`, in order: for a backup.
pub async fn list_hashes(tx: &mut Tx, after: &str, limit: u32) -> Result<Vec<(String, i64)>, StoreError> {
    const SQL: &str = "SELECT hash, MAX(size) FROM proof WHERE hash > $1 GROUP BY hash ORDER BY hash LIMIT $2";
    all(tx, "list files of proofs", SQL, args![after, limit], |c: &mut Cells<'_>| Ok((c.text()?, c.int()?))).await
}
