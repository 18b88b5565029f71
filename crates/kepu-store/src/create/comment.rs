//! Remarks at sentences of drafts. Who may write and settle them is decided in `kepu-app::create::review::comment`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, must, number, one, run, run_versioned};
use jiff::Timestamp;
use kepu_domain::ids::{AccountId, DraftId};

/// A remark, or an answer to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Id.
    pub id: String,
    /// The draft.
    pub draft: DraftId,
    /// The remark that it answers; empty: it is a remark.
    pub parent: String,
    /// Who wrote it.
    pub account: AccountId,
    /// Their name then.
    pub name: String,
    /// The sentence, by `kepu_domain::create::sentence::anchor`.
    pub anchor: String,
    /// The sentence as it was.
    pub quote: String,
    /// In words; may be empty if it is spoken.
    pub body: String,
    /// BLAKE3 of the spoken remark, or empty.
    pub voice: String,
    /// When.
    pub made_at: Timestamp,
    /// When the writer settled it.
    pub resolved_at: Option<Timestamp>,
}

macro_rules! columns {
    () => {
        "id, draft, parent, account, name, anchor, quote, body, voice, made_at, resolved_at"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Comment, StoreError> {
    Ok(Comment {
        id: c.text()?,
        draft: c.id()?,
        parent: c.text()?,
        account: c.id()?,
        name: c.text()?,
        anchor: c.text()?,
        quote: c.text()?,
        body: c.text()?,
        voice: c.text()?,
        made_at: c.time()?,
        resolved_at: c.opt_time()?,
    })
}

/// Adds a remark.
pub async fn insert(tx: &mut Tx, c: &Comment) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO review_comment (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
    let args = args![&c.id, c.draft.as_str(), &c.parent, c.account.as_str(), &c.name, &c.anchor, &c.quote, &c.body, &c.voice, c.made_at, c.resolved_at];
    run(tx, "add a remark", SQL, args).await.map(drop)
}

/// One remark that must be there.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Comment, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM review_comment WHERE id = $1");
    must(one(tx, "find a remark", SQL, args![id], read).await?, "remark", id)
}

/// The remarks on a draft with their answers, first made first, at most `limit`.
pub async fn list(tx: &mut Tx, draft: &DraftId, limit: u32) -> Result<Vec<Comment>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM review_comment WHERE draft = $1 ORDER BY made_at, id LIMIT $2");
    all(tx, "list the remarks on a draft", SQL, args![draft.as_str(), limit], read).await
}

/// How many remarks and answers a draft has.
pub async fn count(tx: &mut Tx, draft: &DraftId) -> Result<i64, StoreError> {
    number(tx, "count the remarks on a draft", "SELECT COUNT(*) FROM review_comment WHERE draft = $1", args![draft.as_str()]).await
}

/// Settles a remark. `Stale` if it was before.
pub async fn resolve(tx: &mut Tx, id: &str, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE review_comment SET resolved_at = $2 WHERE id = $1 AND resolved_at IS NULL";
    const EXISTS: &str = "SELECT COUNT(*) FROM review_comment WHERE id = $1";
    run_versioned(tx, "settle a remark", "remark", id, SQL, args![id, now], EXISTS).await
}
