//! Monthly packs and the receipts of those who put them up. How a pack is chosen is in `kepu-domain::deliver::pack`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, args, number, one, run, run_versioned};
use jiff::Timestamp;
use kepu_domain::deliver::pack::{Month, Pack};
use kepu_domain::ids::{AccountId, PackId};
use kepu_domain::org::Region;

fn read(c: &mut Cells<'_>) -> Result<Pack, StoreError> {
    let version = c.int()?;
    let pack: Pack = c.json()?;
    Ok(Pack { version, ..pack })
}

fn doc_of(pack: &Pack) -> String {
    // Texts, numbers and dates only: nothing that JSON could not hold.
    serde_json::to_string(pack).unwrap_or_default()
}

fn items_of(pack: &Pack) -> i64 {
    i64::try_from(pack.items.len()).unwrap_or_default()
}

/// Adds a pack, unless one for the same wish is there; says whether it was added.
pub async fn insert_once(tx: &mut Tx, pack: &Pack) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO pack (id, wish, region, month, made_at, items, version, doc)
        VALUES ($1, $2, $3, $4, $5, $6, 1, $7) ON CONFLICT (wish) DO NOTHING";
    let (region, month) = (pack.wish.region.to_string(), pack.wish.month.to_string());
    let args = args![pack.id.as_str(), pack.key(), region, month, pack.made_at.as_millisecond(), items_of(pack), doc_of(pack)];
    Ok(run(tx, "add a pack", SQL, args).await? == 1)
}

/// Stores a changed pack that was read in `pack.version`.
pub async fn update(tx: &mut Tx, pack: &Pack) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE pack SET made_at = $3, items = $4, doc = $5, version = version + 1 WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM pack WHERE id = $1";
    let args = args![pack.id.as_str(), pack.version, pack.made_at.as_millisecond(), items_of(pack), doc_of(pack)];
    run_versioned(tx, "change a pack", "pack", pack.id.as_str(), SQL, args, EXISTS).await
}

/// One pack.
pub async fn find(tx: &mut Tx, id: &PackId) -> Result<Option<Pack>, StoreError> {
    one(tx, "find a pack", "SELECT version, doc FROM pack WHERE id = $1", args![id.as_str()], read).await
}

/// The pack for a wish, by [`Pack::key`].
pub async fn find_by_key(tx: &mut Tx, key: &str) -> Result<Option<Pack>, StoreError> {
    one(tx, "find a pack by its wish", "SELECT version, doc FROM pack WHERE wish = $1", args![key], read).await
}

/// Packs of a month, or of all, for a place, or for all: the latest month first, then by place; at most `limit`.
pub async fn list(tx: &mut Tx, month: Option<Month>, region: Option<Region>, limit: u32) -> Result<Vec<Pack>, StoreError> {
    let mut query = Built::new("SELECT version, doc FROM pack WHERE TRUE");
    if let Some(month) = month {
        query.push(" AND month = {}", args![month.to_string()]);
    }
    if let Some(region) = region {
        query.push(" AND region = {}", args![region.to_string()]);
    }
    query.push(" ORDER BY month DESC, region, id LIMIT {}", args![limit]);
    let (sql, args) = query.done();
    all(tx, "list packs", sql, args, read).await
}

/// The packs of a place from one month up to another, the first included, the last not; at most 500.
pub async fn list_between(tx: &mut Tx, region: Region, from: Month, before: Month) -> Result<Vec<Pack>, StoreError> {
    const SQL: &str = "SELECT version, doc FROM pack WHERE region = $1 AND month >= $2 AND month < $3 ORDER BY month, id LIMIT 500";
    all(tx, "list earlier packs", SQL, args![region.to_string(), from.to_string(), before.to_string()], read).await
}

/// Notes that somebody put a pack up; says whether it was the first time.
pub async fn insert_receipt(tx: &mut Tx, pack: &PackId, account: &AccountId, at: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO pack_receipt (pack, account, at) VALUES ($1, $2, $3) ON CONFLICT (pack, account) DO NOTHING";
    Ok(run(tx, "note a receipt", SQL, args![pack.as_str(), account.as_str(), at.as_millisecond()]).await? == 1)
}

/// Whether somebody put a pack up.
pub async fn has_receipt(tx: &mut Tx, pack: &PackId, account: &AccountId) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM pack_receipt WHERE pack = $1 AND account = $2";
    Ok(number(tx, "find a receipt", SQL, args![pack.as_str(), account.as_str()]).await? > 0)
}

/// How many put a pack up.
pub async fn count_receipts(tx: &mut Tx, pack: &PackId) -> Result<i64, StoreError> {
    number(tx, "count receipts", "SELECT COUNT(*) FROM pack_receipt WHERE pack = $1", args![pack.as_str()]).await
}

/// What a place got in a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    /// The place.
    pub region: Region,
    /// Packs.
    pub packs: i64,
    /// Resources in them.
    pub items: i64,
    /// Receipts.
    pub receipts: i64,
}

/// What each place got in a month, by place.
pub async fn list_got(tx: &mut Tx, month: Month) -> Result<Vec<Got>, StoreError> {
    const SQL: &str = "
        SELECT region, COUNT(*), CAST(SUM(items) AS BIGINT),
               CAST(SUM((SELECT COUNT(*) FROM pack_receipt WHERE pack_receipt.pack = pack.id)) AS BIGINT)
        FROM pack WHERE month = $1 GROUP BY region ORDER BY region";
    let read = |c: &mut Cells<'_>| Ok(Got { region: c.region()?, packs: c.int()?, items: c.int()?, receipts: c.int()? });
    all(tx, "add up what places got", SQL, args![month.to_string()], read).await
}

/// Packs of a month or later that somebody put up, with how many did; at most `limit`, the latest first.
pub async fn list_posted(tx: &mut Tx, from: Month, limit: u32) -> Result<Vec<(Pack, i64)>, StoreError> {
    const SQL: &str = "
        SELECT version, doc, (SELECT COUNT(*) FROM pack_receipt WHERE pack_receipt.pack = pack.id)
        FROM pack WHERE month >= $1 AND EXISTS (SELECT 1 FROM pack_receipt WHERE pack_receipt.pack = pack.id)
        ORDER BY month DESC, region, id LIMIT $2";
    all(tx, "list packs that were put up", SQL, args![from.to_string(), limit], |c| Ok((read(c)?, c.int()?))).await
}
