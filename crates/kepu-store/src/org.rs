//! Organisations and administrative divisions. What the line above one means for rights is in `kepu-domain::access`.

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, args, must, number, one, run_versioned};
use crate::value::{Value, like_escape};
use kepu_domain::access::OrgLine;
use kepu_domain::ids::OrgId;
use kepu_domain::org::{Org, OrgKind};

macro_rules! columns {
    () => {
        "id, name, name_en, kind, parent, region, sample"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Org, StoreError> {
    Ok(Org { id: c.id()?, name: c.text()?, name_en: c.text()?, kind: c.word(OrgKind::parse)?, parent: c.opt_id()?, region: c.region()?, sample: c.bool()? })
}

/// Adds organisations; those whose id is there already stay as they are. Returns how many were added.
pub async fn insert_many(tx: &mut Tx, orgs: &[Org]) -> Result<u64, StoreError> {
    const SQL: &str = concat!("INSERT INTO org (", columns!(), ", version) VALUES");
    bulk_insert(tx, "add organisations", SQL, 8, "ON CONFLICT (id) DO NOTHING", orgs, |org, values: &mut Vec<Value<'_>>| {
        values.extend([
            org.id.as_str().into(),
            org.name.as_str().into(),
            org.name_en.as_str().into(),
            org.kind.as_str().into(),
            org.parent.as_ref().map(OrgId::as_str).into(),
            org.region.to_string().into(),
            org.sample.into(),
            1_i64.into(),
        ]);
    })
    .await
}

/// One organisation.
pub async fn find(tx: &mut Tx, id: &OrgId) -> Result<Option<Org>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM org WHERE id = $1");
    one(tx, "find an organisation", SQL, args![id.as_str()], read).await
}

/// One organisation that must be there.
pub async fn get(tx: &mut Tx, id: &OrgId) -> Result<Org, StoreError> {
    must(find(tx, id).await?, "organisation", id)
}

/// One organisation with the version that [`update`] wants to see again.
pub async fn find_versioned(tx: &mut Tx, id: &OrgId) -> Result<Option<(Org, i64)>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), ", version FROM org WHERE id = $1");
    one(tx, "find an organisation", SQL, args![id.as_str()], |c| Ok((read(c)?, c.int()?))).await
}

/// Stores a changed organisation that was read in `version`.
pub async fn update(tx: &mut Tx, org: &Org, version: i64) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE org SET name = $3, name_en = $4, kind = $5, parent = $6, region = $7, sample = $8, version = version + 1
        WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM org WHERE id = $1";
    let id = org.id.as_str();
    let parent = org.parent.as_ref().map(OrgId::as_str);
    let args = args![id, version, &org.name, &org.name_en, org.kind.as_str(), parent, org.region.to_string(), org.sample];
    run_versioned(tx, "change an organisation", "organisation", id, SQL, args, EXISTS).await
}

/// The organisations right below `parent`, by id, at most `limit`.
pub async fn list_children(tx: &mut Tx, parent: &OrgId, limit: u32) -> Result<Vec<Org>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM org WHERE parent = $1 ORDER BY id LIMIT $2");
    all(tx, "list organisations below one", SQL, args![parent.as_str(), limit], read).await
}

/// The organisations of a kind after the id `after`, by id, at most `limit`.
pub async fn list_kind(tx: &mut Tx, kind: OrgKind, after: Option<&OrgId>, limit: u32) -> Result<Vec<Org>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM org WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3");
    all(tx, "list organisations of a kind", SQL, args![kind.as_str(), after.map_or("", OrgId::as_str), limit], read).await
}

/// `id` and the organisations above it, nearest first, at most eight. Empty if `id` is unknown.
pub async fn line(tx: &mut Tx, id: &OrgId) -> Result<OrgLine, StoreError> {
    const SQL: &str = "
        WITH RECURSIVE line (id, parent, depth) AS (
            SELECT id, parent, 1 FROM org WHERE id = $1
            UNION ALL
            SELECT above.id, above.parent, line.depth + 1 FROM line JOIN org above ON above.id = line.parent WHERE line.depth < 8)
        SELECT id FROM line ORDER BY depth";
    all(tx, "list organisations above one", SQL, args![id.as_str()], |c| c.id()).await.map(OrgLine)
}

/// Narrows a query to rows whose column `org` names one of `orgs` or an organisation below one of them; no `orgs` narrow nothing.
pub(crate) fn push_below<'a>(query: &mut Built<'a>, orgs: &'a [OrgId]) {
    const FIRST: &str = " AND org IN (WITH RECURSIVE below (id, depth) AS (SELECT id, 1 FROM org WHERE id IN ({}";
    const LAST: &str = ")
        UNION ALL
        SELECT org.id, below.depth + 1 FROM org JOIN below ON org.parent = below.id WHERE below.depth < 8) SELECT id FROM below)";
    for (at, org) in orgs.iter().enumerate() {
        query.push(if at == 0 { FIRST } else { ", {}" }, args![org.as_str()]);
    }
    if !orgs.is_empty() {
        query.push(LAST, vec![]);
    }
}

/// Organisations whose Chinese or English name holds `text`, those that begin with it first, then short names, then by id.
pub async fn search(tx: &mut Tx, text: &str, limit: u32) -> Result<Vec<Org>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM org
          WHERE name LIKE $1 ESCAPE '\\' OR LOWER(name_en) LIKE $2 ESCAPE '\\'
          ORDER BY CASE WHEN name LIKE $3 ESCAPE '\\' OR LOWER(name_en) LIKE $4 ESCAPE '\\' THEN 0 ELSE 1 END, LENGTH(name), id LIMIT $5"
    );
    let (exact, folded) = (like_escape(text.trim()), like_escape(&text.trim().to_ascii_lowercase()));
    let args = args![format!("%{exact}%"), format!("%{folded}%"), format!("{exact}%"), format!("{folded}%"), limit];
    all(tx, "search organisations", SQL, args, read).await
}

/// Organisations below `root`, and itself, whose Chinese or English name holds `text`; in the order of [`search`].
pub async fn search_below(tx: &mut Tx, root: &OrgId, text: &str, limit: u32) -> Result<Vec<Org>, StoreError> {
    const SQL: &str = concat!(
        "WITH RECURSIVE below (below_id, depth) AS (
            SELECT id, 1 FROM org WHERE id = $6
            UNION ALL
            SELECT org.id, below.depth + 1 FROM below JOIN org ON org.parent = below.below_id WHERE below.depth < 8)
         SELECT ",
        columns!(),
        " FROM below JOIN org ON org.id = below.below_id
          WHERE name LIKE $1 ESCAPE '\\' OR LOWER(name_en) LIKE $2 ESCAPE '\\'
          ORDER BY CASE WHEN name LIKE $3 ESCAPE '\\' OR LOWER(name_en) LIKE $4 ESCAPE '\\' THEN 0 ELSE 1 END, LENGTH(name), id LIMIT $5"
    );
    let (exact, folded) = (like_escape(text.trim()), like_escape(&text.trim().to_ascii_lowercase()));
    let args = args![format!("%{exact}%"), format!("%{folded}%"), format!("{exact}%"), format!("{folded}%"), limit, root.as_str()];
    all(tx, "search organisations below one", SQL, args, read).await
}

/// How many organisations there are.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    number(tx, "count organisations", "SELECT COUNT(*) FROM org", vec![]).await
}
