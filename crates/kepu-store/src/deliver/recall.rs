//! Receipts of those who took something down from a board. What must be taken down follows from packs, their receipts and the subjects.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{all, args, run};
use crate::value::like_escape;
use jiff::Timestamp;
use kepu_domain::deliver::pack::{Month, Pack};
use kepu_domain::ids::{AccountId, PackId, SubjectId};

/// Somebody took a subject down from the board where they had put up a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The pack.
    pub pack: PackId,
    /// Who.
    pub account: AccountId,
    /// When; of several times the latest.
    pub at: Timestamp,
}

/// Notes that somebody took a subject down.
pub async fn put(tx: &mut Tx, subject: &SubjectId, receipt: &Receipt) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO recall_receipt (subject, pack, account, at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (subject, pack, account) DO UPDATE SET at = excluded.at";
    run(tx, "note what was taken down", SQL, args![subject.as_str(), receipt.pack.as_str(), receipt.account.as_str(), receipt.at]).await.map(drop)
}

/// Who took a subject down, from which packs' boards.
pub async fn list(tx: &mut Tx, subject: &SubjectId, limit: u32) -> Result<Vec<Receipt>, StoreError> {
    const SQL: &str = "SELECT pack, account, at FROM recall_receipt WHERE subject = $1 ORDER BY pack, account LIMIT $2";
    all(tx, "list what was taken down", SQL, args![subject.as_str(), limit], |c| Ok(Receipt { pack: c.id()?, account: c.id()?, at: c.time()? })).await
}

/// Somebody put up a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The pack.
    pub pack: Pack,
    /// Who.
    pub account: AccountId,
    /// When.
    pub at: Timestamp,
}

/// Who put up packs of a month or later, the latest month first, by pack; at most `limit`. `by`: only what this account put up; `naming`: only packs in
/// which this subject is, or was.
pub async fn list_posted(tx: &mut Tx, from: Month, by: Option<&AccountId>, naming: Option<&SubjectId>, limit: u32) -> Result<Vec<Posted>, StoreError> {
    const SQL: &str = "
        SELECT pack.version, pack.doc, pack_receipt.account, pack_receipt.at FROM pack_receipt JOIN pack ON pack.id = pack_receipt.pack
        WHERE pack.month >= $1 AND ($2 = '' OR pack_receipt.account = $2)
              AND pack.doc LIKE $3 ESCAPE '\\'
        ORDER BY pack.month DESC, pack.id, pack_receipt.account LIMIT $4";
    let by = by.map_or("", AccountId::as_str);
    // Ids hold nothing that JSON would write otherwise.
    let named = naming.map_or_else(|| "%".to_owned(), |id| format!("%\"{}\"%", like_escape(id.as_str())));
    all(tx, "list who put up packs", SQL, args![from.to_string(), by, named, limit], |c| {
        let version = c.int()?;
        let pack: Pack = c.json()?;
        Ok(Posted { pack: Pack { version, ..pack }, account: c.id()?, at: c.time()? })
    })
    .await
}
