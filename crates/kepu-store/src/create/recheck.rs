//! Why something public has to be looked at again before its day. What makes it so is in `kepu-app::create::recheck`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, run};
use jiff::Timestamp;
use kepu_domain::ids::SubjectId;

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recheck {
    /// What.
    pub subject: SubjectId,
    /// `guideline`, `source`.
    pub reason: String,
    /// Which guideline, which source.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
}

fn read(c: &mut Cells<'_>) -> Result<Recheck, StoreError> {
    Ok(Recheck { subject: c.id()?, reason: c.text()?, detail: c.text()?, since: c.time()? })
}

/// Notes a reason; one that is known keeps its day.
pub async fn put(tx: &mut Tx, one: &Recheck) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO recheck (subject, reason, detail, since) VALUES ($1, $2, $3, $4) ON CONFLICT (subject, reason, detail) DO NOTHING";
    run(tx, "note why something is looked at again", SQL, args![one.subject.as_str(), &one.reason, &one.detail, one.since]).await.map(drop)
}

/// Takes a reason away that is none any more.
pub async fn remove(tx: &mut Tx, one: &Recheck) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM recheck WHERE subject = $1 AND reason = $2 AND detail = $3";
    run(tx, "forget why something is looked at again", SQL, args![one.subject.as_str(), &one.reason, &one.detail]).await.map(drop)
}

/// All reasons, the oldest first, at most `limit`.
pub async fn list(tx: &mut Tx, limit: u32) -> Result<Vec<Recheck>, StoreError> {
    const SQL: &str = "SELECT subject, reason, detail, since FROM recheck ORDER BY since, subject, reason, detail LIMIT $1";
    all(tx, "list what is looked at again", SQL, args![limit], read).await
}

/// The reasons about one subject.
pub async fn list_of(tx: &mut Tx, subject: &SubjectId) -> Result<Vec<Recheck>, StoreError> {
    const SQL: &str = "SELECT subject, reason, detail, since FROM recheck WHERE subject = $1 ORDER BY since, reason, detail LIMIT 50";
    all(tx, "find why something is looked at again", SQL, args![subject.as_str()], read).await
}
