//! Files that belong to resources, by content: which are known, wanted, here. The bytes are in `kepu-app::media`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, one, run};
use jiff::Timestamp;

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// BLAKE3 of the bytes, hex.
    pub hash: String,
    /// Media type.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// When it became known.
    pub created_at: Timestamp,
    /// Whether it is to be fetched.
    pub wanted: bool,
    /// Whether its bytes are here.
    pub have: bool,
}

macro_rules! columns {
    () => {
        "hash, media_type, size, created_at, wanted, have"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Media, StoreError> {
    Ok(Media { hash: c.text()?, media_type: c.text()?, size: c.int()?, created_at: c.time()?, wanted: c.bool()?, have: c.bool()? })
}

/// Adds a file, or adds to what is known of it: wanted or here once stays so.
pub async fn upsert(tx: &mut Tx, m: &Media) -> Result<(), StoreError> {
    const SQL: &str = concat!(
        "INSERT INTO media (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (hash) DO UPDATE SET wanted = media.wanted OR excluded.wanted, have = media.have OR excluded.have"
    );
    run(tx, "store what is known of a file", SQL, args![&m.hash, &m.media_type, m.size, m.created_at, m.wanted, m.have]).await.map(drop)
}

/// One file.
pub async fn find(tx: &mut Tx, hash: &str) -> Result<Option<Media>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM media WHERE hash = $1");
    one(tx, "find a file", SQL, args![hash], read).await
}

/// Notes whether the bytes are here.
pub async fn set_have(tx: &mut Tx, hash: &str, have: bool) -> Result<(), StoreError> {
    match run(tx, "note that a file is here", "UPDATE media SET have = $2 WHERE hash = $1", args![hash, have]).await? {
        0 => Err(StoreError::NotFound { what: "file", id: hash.to_owned() }),
        _ => Ok(()),
    }
}

/// Files that are wanted and not here, small ones first, at most `limit`.
pub async fn list_wanted(tx: &mut Tx, limit: u32) -> Result<Vec<Media>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM media WHERE wanted AND NOT have ORDER BY size, hash LIMIT $1");
    all(tx, "list wanted files", SQL, args![limit], read).await
}

/// Files, newest first, at most `limit`.
pub async fn list(tx: &mut Tx, limit: u32) -> Result<Vec<Media>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM media ORDER BY created_at DESC, hash LIMIT $1");
    all(tx, "list files", SQL, args![limit], read).await
}

/// Forgets a file; `false` if it was unknown.
pub async fn delete(tx: &mut Tx, hash: &str) -> Result<bool, StoreError> {
    Ok(run(tx, "forget a file", "DELETE FROM media WHERE hash = $1", args![hash]).await? == 1)
}
