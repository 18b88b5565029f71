//! Files that belong to resources, by content: which are known, wanted, here. The bytes are in `kepu-app::media`.

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, one, run};
use crate::value::Value;
use jiff::Timestamp;
use kepu_domain::ids::SubjectId;

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

/// Adds a file, or adds to what is known of it: wanted or here once stays so. Size and type are the latest word until the
/// bytes are here.
pub async fn upsert(tx: &mut Tx, m: &Media) -> Result<(), StoreError> {
    const SQL: &str = concat!(
        "INSERT INTO media (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (hash) DO UPDATE SET
             media_type = CASE WHEN media.have THEN media.media_type ELSE excluded.media_type END,
             size = CASE WHEN media.have THEN media.size ELSE excluded.size END,
             wanted = media.wanted OR excluded.wanted, have = media.have OR excluded.have"
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

/// Wanted files whose next attempt is due, small ones first, at most `limit`.
pub async fn list_due(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<Media>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM media WHERE wanted AND NOT have
             AND NOT EXISTS (SELECT 1 FROM media_try t WHERE t.hash = media.hash AND t.retry_at > $1) ORDER BY size, hash LIMIT $2"
    );
    all(tx, "list files to fetch", SQL, args![now, limit], read).await
}

/// Forgets that files are wanted which are not here: a fold of the records will say it again.
pub async fn clear_wanted(tx: &mut Tx) -> Result<(), StoreError> {
    run(tx, "forget which files are wanted", "UPDATE media SET wanted = FALSE", vec![]).await.map(drop)
}

/// Notes whether files are to be fetched.
pub async fn set_wanted(tx: &mut Tx, hash: &str, wanted: bool) -> Result<(), StoreError> {
    run(tx, "note whether a file is wanted", "UPDATE media SET wanted = $2 WHERE hash = $1", args![hash, wanted]).await.map(drop)
}

/// A failed attempt to fetch a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// The file.
    pub hash: String,
    /// Attempts so far.
    pub tries: i64,
    /// Not before.
    pub retry_at: Timestamp,
    /// Why the last one failed.
    pub cause: String,
}

fn read_try(c: &mut Cells<'_>) -> Result<Try, StoreError> {
    Ok(Try { hash: c.text()?, tries: c.int()?, retry_at: c.time()?, cause: c.text()? })
}

/// Notes a failed attempt over the one before.
pub async fn put_try(tx: &mut Tx, failed: &Try) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO media_try (hash, tries, retry_at, cause) VALUES ($1, $2, $3, $4)
        ON CONFLICT (hash) DO UPDATE SET tries = excluded.tries, retry_at = excluded.retry_at, cause = excluded.cause";
    run(tx, "note a failed attempt to fetch a file", SQL, args![&failed.hash, failed.tries, failed.retry_at, &failed.cause]).await.map(drop)
}

/// The last failed attempt for a file.
pub async fn find_try(tx: &mut Tx, hash: &str) -> Result<Option<Try>, StoreError> {
    one(tx, "find a failed attempt", "SELECT hash, tries, retry_at, cause FROM media_try WHERE hash = $1", args![hash], read_try).await
}

/// Failed attempts, most often tried first, at most `limit`.
pub async fn list_tries(tx: &mut Tx, limit: u32) -> Result<Vec<Try>, StoreError> {
    const SQL: &str = "SELECT hash, tries, retry_at, cause FROM media_try ORDER BY tries DESC, hash LIMIT $1";
    all(tx, "list failed attempts", SQL, args![limit], read_try).await
}

/// Forgets failed attempts for a file: it is here now.
pub async fn delete_try(tx: &mut Tx, hash: &str) -> Result<(), StoreError> {
    run(tx, "forget failed attempts", "DELETE FROM media_try WHERE hash = $1", args![hash]).await.map(drop)
}

/// Which file a subject names, and whether its public version does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The file.
    pub hash: String,
    /// The subject.
    pub subject: SubjectId,
    /// Whether the public version names it.
    pub live: bool,
}

/// Notes uses over what was noted of the same file and subject. No pair may be named twice.
pub async fn put_uses(tx: &mut Tx, uses: &[Use]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO media_use (hash, subject, live) VALUES";
    bulk_insert(
        tx,
        "note who uses files",
        SQL,
        3,
        "ON CONFLICT (hash, subject) DO UPDATE SET live = excluded.live",
        uses,
        |one, values: &mut Vec<Value<'_>>| {
            values.extend([one.hash.as_str().into(), one.subject.as_str().into(), one.live.into()]);
        },
    )
    .await
    .map(drop)
}

/// Forgets all uses: they are made again from the records.
pub async fn clear_uses(tx: &mut Tx) -> Result<(), StoreError> {
    run(tx, "forget who uses files", "DELETE FROM media_use", vec![]).await.map(drop)
}

/// How many subjects name the file, and how many of them publicly.
pub async fn count_uses(tx: &mut Tx, hash: &str) -> Result<(i64, i64), StoreError> {
    const SQL: &str = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN live THEN 1 ELSE 0 END), 0) FROM media_use WHERE hash = $1";
    Ok(one(tx, "count who uses a file", SQL, args![hash], |c| Ok((c.int()?, c.int()?))).await?.unwrap_or_default())
}

/// How many files there are, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files here.
    pub have: i64,
    /// Their bytes.
    pub have_bytes: i64,
    /// Files wanted and not here.
    pub wanted: i64,
    /// Their bytes.
    pub wanted_bytes: i64,
}

/// Counts files and bytes.
pub async fn totals(tx: &mut Tx) -> Result<Totals, StoreError> {
    const SQL: &str = "
        SELECT COALESCE(SUM(CASE WHEN have THEN 1 ELSE 0 END), 0), CAST(COALESCE(SUM(CASE WHEN have THEN size ELSE 0 END), 0) AS BIGINT),
               COALESCE(SUM(CASE WHEN wanted AND NOT have THEN 1 ELSE 0 END), 0),
               CAST(COALESCE(SUM(CASE WHEN wanted AND NOT have THEN size ELSE 0 END), 0) AS BIGINT) FROM media";
    let read = |c: &mut Cells<'_>| Ok(Totals { have: c.int()?, have_bytes: c.int()?, wanted: c.int()?, wanted_bytes: c.int()? });
    Ok(one(tx, "count files", SQL, vec![], read).await?.unwrap_or_default())
}

/// All files that are here, by hash, after `after`, at most `limit`.
pub async fn list_here(tx: &mut Tx, after: &str, limit: u32) -> Result<Vec<Media>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM media WHERE have AND hash > $1 ORDER BY hash LIMIT $2");
    all(tx, "list files that are here", SQL, args![after, limit], read).await
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

/// Forgets all failed attempts: there is room now, or the operator says so.
pub async fn clear_tries(tx: &mut Tx) -> Result<(), StoreError> {
    run(tx, "forget failed attempts", "DELETE FROM media_try", vec![]).await.map(drop)
}

/// Subjects whose public version names a file of this kind (`audio/`) that is here, at most `limit`, in the order of their ids.
pub async fn list_subjects(tx: &mut Tx, kind: &str, limit: u32) -> Result<Vec<SubjectId>, StoreError> {
    const SQL: &str = "
        SELECT DISTINCT media_use.subject FROM media_use JOIN media ON media.hash = media_use.hash
        WHERE media_use.live AND media.have AND media.media_type LIKE $1 ESCAPE '\\' ORDER BY media_use.subject LIMIT $2";
    all(tx, "list subjects with files", SQL, args![format!("{}%", crate::value::like_escape(kind)), limit], |c| c.id()).await
}
