//! Keeping the full-text index level with the tables: it follows the subjects' change numbers and can be thrown away.

use crate::App;
use crate::error::AppError;
use kepu_domain::create::resource_type;
use kepu_domain::ids::SubjectId;
use kepu_domain::record::Body;
use kepu_search::{Doc, Index, Query, Sort};
use kepu_store::subject::{self, Filter, Order, Standing};
use kepu_store::{Tx, counter, record as records};
use std::collections::HashSet;

/// Brings the index up to date; returns how many subjects changed in it. Without an index nothing happens.
pub async fn catch_up(app: &App) -> Result<usize, AppError> {
    let Some(index) = &app.index else { return Ok(0) };
    let _alone = app.indexing.lock().await;
    forget_erased(app, index).await?;
    fill(app, index, &mut |_| {}).await
}

/// Empties the index and fills it again from the tables; `progress` hears how many subjects are in it. Searches find less
/// while it runs.
pub async fn start_over(app: &App, progress: &mut (dyn FnMut(usize) + Send)) -> Result<usize, AppError> {
    let Some(index) = &app.index else { return Ok(0) };
    let _alone = app.indexing.lock().await;
    index.clear()?;
    fill(app, index, progress).await
}

async fn fill(app: &App, index: &Index, progress: &mut (dyn FnMut(usize) + Send)) -> Result<usize, AppError> {
    let mut cursor = index.cursor().unwrap_or(0);
    let mut done = 0;
    loop {
        let mut tx = app.db.read().await?;
        let rows = subject::list_changed(&mut tx, cursor, 500).await?;
        let Some(last) = rows.last().map(|row| row.seq) else { break };
        let (mut put, mut gone) = (Vec::new(), Vec::new());
        for row in &rows {
            // Cards have an index of their own (`create::find`) that knows when they end.
            if row.standing == Standing::Public && row.kind != "party" && row.same_as.is_empty() {
                put.push(doc(&mut tx, row).await?);
            } else {
                gone.push(row.id.0.clone());
            }
        }
        drop(tx);
        index.delete(&gone)?;
        index.put(&put)?;
        index.commit(last)?;
        done += rows.len();
        cursor = last;
        progress(done);
    }
    Ok(done)
}

/// After a body was erased by law the index is made anew: deleting from it leaves the words in its files for a while.
async fn forget_erased(app: &App, index: &Index) -> Result<(), AppError> {
    let mut tx = app.db.read().await?;
    let erased = counter::last(&mut tx, counter::ERASED).await?.to_string();
    drop(tx);
    let note = app.data.join("index.erased");
    if erased == "0" || std::fs::read_to_string(&note).is_ok_and(|text| text == erased) {
        return Ok(());
    }
    index.clear()?;
    std::fs::write(&note, erased).map_err(|source| AppError::File { action: "write", path: note.display().to_string(), source })
}

async fn doc(tx: &mut Tx, row: &subject::Row) -> Result<Doc, AppError> {
    let record = match &row.doc_hash {
        Some(hash) => records::find_by_hash(tx, hash).await?.and_then(crate::record::read_row),
        None => None,
    };
    let mut more = Vec::new();
    let text = match record.and_then(|r| r.body.ok()) {
        Some(Body::Resource(r)) => {
            more.extend(r.based_on.iter().map(|id| (BASED_ON.to_owned(), id.0.clone())));
            format!("{}\n{}\n{}", r.summary, kepu_text::plain(&r.text), resource_type::words(&r.details))
        }
        Some(Body::Claim(c)) => {
            let mut lines = c.variants;
            lines.push(c.plain);
            lines.extend(c.why);
            lines.join("\n")
        }
        _ => row.summary.clone(),
    };
    Ok(Doc {
        id: row.id.0.clone(),
        kind: row.kind.clone(),
        title: row.title.clone(),
        text,
        region: row.region.to_string(),
        fields: row.fields.clone(),
        audience: row.audience.clone(),
        lang: row.lang.clone(),
        date_ms: row.modified,
        seq: row.seq,
        more,
    })
}

/// The filter of the index that names what a resource was made of.
const BASED_ON: &str = "based_on";

/// Public resources that were made of `id`, here and on other nodes, newest first, at most `limit`; and how many there are.
pub async fn made_of(app: &App, id: &SubjectId, limit: usize) -> Result<(Vec<subject::Row>, usize), AppError> {
    let Some(index) = &app.index else { return Ok((vec![], 0)) };
    let query = Query { more: vec![(BASED_ON.to_owned(), id.0.clone())], sort: Sort::Newest, limit, ..Query::default() };
    let found = index.search(&query)?;
    let ids: Vec<SubjectId> = found.hits.into_iter().map(|hit| SubjectId(hit.id)).collect();
    let mut tx = app.db.read().await?;
    let mut rows = subject::find_many(&mut tx, &ids).await?;
    rows.retain(|row| row.standing == Standing::Public);
    Ok((rows, found.total))
}

/// Likeness from which on something is worth offering beside a text.
const BESIDE: f32 = 0.35;

/// What to offer beside a public text: public subjects of `kind` that are near to its title, then the newest of its first field; at most `limit`.
pub async fn beside(app: &App, row: &subject::Row, kind: &str, limit: usize) -> Result<Vec<subject::Row>, AppError> {
    let mut rows = match kind {
        "claim" => crate::listen::claim::like(app, &row.title, limit + 1).await?,
        _ => near(app, &row.title, BESIDE, limit + 1).await?,
    };
    if let Some(field) = row.fields.first().filter(|_| rows.len() <= limit) {
        let filter = Filter { kind: Some(kind.to_owned()), standing: Some(Standing::Public), field: Some(field.clone()), ..Filter::default() };
        let mut tx = app.db.read().await?;
        let most = u32::try_from(2 * limit + 1).unwrap_or(u32::MAX);
        rows.extend(subject::list(&mut tx, &filter, Order::Newest, None, most).await?);
    }
    let mut seen: HashSet<SubjectId> = [row.id.clone()].into();
    rows.retain(|row| seen.insert(row.id.clone()));
    rows.truncate(limit);
    Ok(rows)
}

/// Public resources whose title or a line of whose text says nearly what `text` says, with a likeness of at least `least` (0 to 1), the nearest first.
/// Claims are found by `listen::known`.
pub async fn near(app: &App, text: &str, least: f32, limit: usize) -> Result<Vec<subject::Row>, AppError> {
    let Some(index) = app.index.as_ref().filter(|_| !text.is_empty()) else { return Ok(vec![]) };
    let scored = index.similar(text, &["resource".to_owned()], least, limit)?;
    let mut tx = app.db.read().await?;
    let mut list = Vec::with_capacity(scored.len());
    for hit in scored {
        // The index may lag a moment behind the tables: what was just withdrawn is never offered.
        if let Some(row) = subject::find(&mut tx, &SubjectId(hit.id)).await?.filter(|row| row.standing == Standing::Public) {
            list.push(row);
        }
    }
    Ok(list)
}
