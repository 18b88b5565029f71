//! When what this node shows of a resource or claim last changed: what harvesters, feeds and site maps go by. It is the node's
//! own history, no fold of the records: a text signed last month that arrived today is new today.

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, all_in, args, number, one};
use crate::subject::{Row, Standing};
use crate::value::list_text;
use kepu_domain::ids::SubjectId;

/// The last change of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub id: SubjectId,
    /// `resource` or `claim`.
    pub kind: String,
    /// Fields, as they were last shown.
    pub fields: Vec<String>,
    /// Hash of the version shown, hex; empty if not known.
    pub version: String,
    /// No longer shown: withdrawn, or its signer lost the right.
    pub gone: bool,
    /// When, ms; never before that of an earlier change.
    pub at: i64,
}

/// Which changes; `None` asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// `resource` or `claim`.
    pub kind: Option<String>,
    /// One of its fields.
    pub field: Option<String>,
    /// Not before, ms.
    pub from: Option<i64>,
    /// Before, ms.
    pub before: Option<i64>,
    /// Only what is shown.
    pub shown: bool,
}

fn read(c: &mut Cells<'_>) -> Result<Change, StoreError> {
    Ok(Change { id: c.id()?, kind: c.text()?, fields: c.list()?, version: c.text()?, gone: c.bool()?, at: c.int()? })
}

/// Notes how subjects stand now: `rows` as they were just stored, `gone` those that have no row any more. What is shown as before
/// keeps its time.
pub async fn note(tx: &mut Tx, rows: &[Row], gone: &[SubjectId], now: i64) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO public_change (id, kind, fields, version, gone, at) VALUES";
    // What was withdrawn loses its body, and with it its fields; whoever asked for a field must still learn that it is gone.
    const OVER: &str = "
        ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, version = excluded.version, gone = excluded.gone,
            fields = CASE WHEN excluded.gone THEN public_change.fields ELSE excluded.fields END,
            at = CASE WHEN public_change.version = excluded.version AND public_change.gone = excluded.gone THEN public_change.at ELSE excluded.at END";
    // A clock that was set back must not hide a change behind the place that a harvester has reached.
    let at = now.max(last(tx).await?);
    let of_row = |row: &Row| Change {
        id: row.id.clone(),
        kind: row.kind.clone(),
        fields: row.fields.clone(),
        version: row.doc_hash.map(|hash| hash.hex()).unwrap_or_default(),
        gone: row.standing != Standing::Public,
        at,
    };
    let mut changes: Vec<Change> = rows.iter().filter(|row| matches!(row.kind.as_str(), "resource" | "claim")).map(of_row).collect();
    // A withdrawal whose thing is no longer known, and what has no row at all, count only if they were shown before.
    let nameless = rows.iter().filter(|row| row.kind.is_empty()).map(|row| &row.id);
    let lost: Vec<SubjectId> = gone.iter().chain(nameless).cloned().collect();
    changes.extend(find_many(tx, &lost).await?.into_iter().filter(|change| !change.gone).map(|change| Change { gone: true, at, ..change }));
    bulk_insert(tx, "note what changed", SQL, 6, OVER, &changes, |change, values| {
        values.extend([
            change.id.as_str().into(),
            change.kind.as_str().into(),
            list_text(&change.fields).into(),
            change.version.as_str().into(),
            change.gone.into(),
            change.at.into(),
        ]);
    })
    .await
    .map(drop)
}

/// The changes of these subjects, as far as there are any.
pub async fn find_many(tx: &mut Tx, ids: &[SubjectId]) -> Result<Vec<Change>, StoreError> {
    const HEAD: &str = "SELECT id, kind, fields, version, gone, at FROM public_change WHERE id IN (";
    all_in(tx, "find changes", (HEAD, ")"), ids, |id| args![id.as_str()], read).await
}

/// When anything last changed, ms; 0 before the first change.
pub async fn last(tx: &mut Tx) -> Result<i64, StoreError> {
    number(tx, "find the last change", "SELECT COALESCE(MAX(at), 0) FROM public_change", vec![]).await
}

/// When the oldest change known was, ms.
pub async fn first(tx: &mut Tx) -> Result<Option<i64>, StoreError> {
    Ok(one(tx, "find the first change", "SELECT MIN(at) FROM public_change", vec![], |c| c.opt_int()).await?.flatten())
}

/// Changes after `after` (time and id of the last one seen), the oldest first, at most `limit`.
pub async fn list(tx: &mut Tx, asked: &Asked, after: Option<(i64, String)>, limit: u32) -> Result<Vec<Change>, StoreError> {
    let mut query = Built::new("SELECT id, kind, fields, version, gone, at FROM public_change WHERE TRUE");
    narrow(&mut query, asked);
    if let Some((at, id)) = after {
        query.push(" AND (at, id) > ({}, {})", args![at, id]);
    }
    query.push(" ORDER BY at, id LIMIT {}", args![limit]);
    let (sql, args) = query.done();
    all(tx, "list changes", sql, args, read).await
}

/// How many changes pass.
pub async fn count(tx: &mut Tx, asked: &Asked) -> Result<i64, StoreError> {
    let mut query = Built::new("SELECT COUNT(*) FROM public_change WHERE TRUE");
    narrow(&mut query, asked);
    let (sql, args) = query.done();
    number(tx, "count changes", sql, args).await
}

/// What is shown, in the order of ids: page number `page` from 0 of `size` rows.
pub async fn list_shown(tx: &mut Tx, page: u32, size: u32) -> Result<Vec<Change>, StoreError> {
    const SQL: &str = "SELECT id, kind, fields, version, gone, at FROM public_change WHERE NOT gone ORDER BY id LIMIT $1 OFFSET $2";
    all(tx, "list what is shown", SQL, args![size, i64::from(page) * i64::from(size)], read).await
}

fn narrow<'a>(query: &mut Built<'a>, asked: &'a Asked) {
    if let Some(kind) = &asked.kind {
        query.push(" AND kind = {}", args![kind.as_str()]);
    }
    if let Some(field) = &asked.field {
        query.push(" AND fields LIKE {} ESCAPE '\\'", args![format!("%,{},%", crate::value::like_escape(field))]);
    }
    if let Some(from) = asked.from {
        query.push(" AND at >= {}", args![from]);
    }
    if let Some(before) = asked.before {
        query.push(" AND at < {}", args![before]);
    }
    if asked.shown {
        query.push(" AND NOT gone", vec![]);
    }
}
