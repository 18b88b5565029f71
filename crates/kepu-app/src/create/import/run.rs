//! Working a file off: rows are read and prepared a batch ahead of the store, and each batch enters with its counts in one
//! transaction, so that a run that was killed goes on where it stopped.

use super::read::Table;
use super::row::{Ready, prepare};
use super::{Brought, Parts, Reason, allowed, batch_of, bring, check_fixed, fits, heard_before, party, table};
use crate::account::log;
use crate::create::draft::begin_as;
use crate::create::publish::saying_of;
use crate::error::AppError;
use crate::listen::intake::{Fresh, file};
use crate::{App, blob, record};
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::import::{Counts, Import, Kind, Stage};
use kepu_domain::ids::{AccountId, ImportId, SubjectId};
use kepu_store::Tx;
use kepu_store::create::import::{self as store, Line, LineKind};
use kepu_store::{create::draft as drafts, record as records};
use std::collections::HashSet;
use tokio::sync::mpsc;

/// Rows of one transaction.
const BATCH: usize = 200;

/// Brings a file and takes it in at once, as commands do. The same file with the same plan, begun by a command before and
/// not finished, is gone on with.
pub async fn take_in(app: &App, who: &Actor, brought: Brought<'_>, progress: &(dyn Fn(&Counts) + Send + Sync)) -> Result<Import, AppError> {
    check_fixed(&brought.plan)?;
    if let Some(done) = heard_before(app, &brought).await? {
        return Ok(done);
    }
    let hash = blake3::hash(brought.bytes).to_hex().to_string();
    let mut tx = app.db.read().await?;
    let begun = store::find_unfinished(&mut tx, &hash).await?;
    drop(tx);
    let import = bring(app, who, brought).await?;
    let same = begun.into_iter().find(|old| old.plan == import.plan && old.org == import.org);
    let mut tx = app.db.write().await?;
    let import = match same {
        Some(old) => {
            store::delete(&mut tx, &import.id).await?;
            old
        }
        None => store::update(&mut tx, Import { stage: Stage::Started { job: None }, ..import }).await?,
    };
    tx.commit().await?;
    run(app, &import.id, progress).await
}

/// Works a started file off, from where it stands; `progress` hears the counts after each batch.
///
/// May: whoever brought it, as long as they are an editor. Writes: records, subjects, drafts, import, log.
pub async fn run(app: &App, id: &ImportId, progress: &(dyn Fn(&Counts) + Send + Sync)) -> Result<Import, AppError> {
    let mut tx = app.db.read().await?;
    let mut import = store::get(&mut tx, id).await?;
    let who = actor_of(&mut tx, import.account.as_ref()).await?;
    allowed(&mut tx, &who, &import.org, import.plan.kind).await?;
    drop(tx);
    if !matches!(import.stage, Stage::Started { .. }) {
        return Ok(import);
    }
    let table = table(app, &import).await?;
    fits(app, &import.plan, &table)?;
    if import.counts.done == 0 && !table.warnings.is_empty() {
        note(app, &import, LineKind::Warning, &table.warnings).await?;
    }
    let parts = batch_of(app, &import).await?;
    let (sender, mut ready) = mpsc::channel(2);
    let skip = usize::try_from(import.counts.done).unwrap_or(usize::MAX);
    let reader = tokio::task::spawn_blocking({
        let app = app.clone();
        move || feed(&app, &table, &parts, skip, &sender)
    });
    while let Some(rows) = ready.recv().await {
        import = match rows {
            Prepared::Texts(rows) => enter(app, &who, import, rows).await?,
            Prepared::Entries(rows) => party::enter(app, &who, import, rows).await?,
            Prepared::Signals(rows) => file::enter(app, &who, import, rows).await?,
        };
        progress(&import.counts);
    }
    // A fault in the reader must not look like the end of the file.
    reader.await.map_err(|e| AppError::Record(e.to_string()))?;
    let mut tx = app.db.write().await?;
    let import = store::update(&mut tx, Import { stage: Stage::Done { at: app.now() }, ..import }).await?;
    log(app, &mut tx, &who.log_name(), "import.finished", &import.id.0, "ok").await?;
    let needed = store::count_needing(&mut tx, &import.file).await? > 0;
    tx.commit().await?;
    if !needed {
        // What was taken in stands in the tables; a second copy here would outlive a body that is erased by law.
        blob::delete(app, &import.file)?;
    }
    Ok(import)
}

/// The person who brought a file with the roles held now; the operator, if it came by a command.
async fn actor_of(tx: &mut Tx, account: Option<&AccountId>) -> Result<Actor, AppError> {
    let Some(account) = account else { return Ok(Actor::Node { name: "operator".into() }) };
    let row = kepu_store::account::get(tx, account).await?;
    if row.account.disabled {
        return Err(kepu_domain::access::Denied::NoRole { action: Action::Import }.into());
    }
    let memberships = kepu_store::member::list_by_account(tx, account).await?;
    Ok(Actor::Person { account: account.clone(), name: row.account.name, memberships })
}

async fn note(app: &App, import: &Import, kind: LineKind, lines: &[(usize, Reason)]) -> Result<(), AppError> {
    let lines: Vec<Line> = lines.iter().map(|(line, reason)| line_of(*line, kind, reason)).collect();
    let mut tx = app.db.write().await?;
    store::add_lines(&mut tx, &import.id, &lines).await?;
    Ok(tx.commit().await?)
}

pub(crate) fn line_of(line: usize, kind: LineKind, reason: &Reason) -> Line {
    Line { line: i64::try_from(line).unwrap_or(i64::MAX), kind, text: reason.write() }
}

pub(crate) type Lines<T> = Vec<(usize, Result<T, Reason>)>;

/// One batch, ready for the store.
enum Prepared {
    Texts(Lines<Ready>),
    Entries(Lines<party::Said>),
    Signals(Lines<Fresh>),
}

/// Reads and prepares the rows after the first `skip`, a batch ahead of the store, until they end or nobody takes them.
fn feed(app: &App, table: &Table, parts: &Parts, skip: usize, sender: &mpsc::Sender<Prepared>) {
    if parts.plan.kind == Kind::Party {
        let definitions = app.definitions();
        let rows = table.rows_from(skip).map(|(line, row)| (line, row.and_then(|row| party::read(&parts.plan, &row, &definitions.registers))));
        return send(rows, party::BATCH, Prepared::Entries, sender);
    }
    if parts.plan.kind == Kind::Signal {
        let now = app.now();
        let rows = table.rows_from(skip).map(|(line, row)| (line, row.and_then(|row| file::read(&parts.plan, &row, now))));
        return send(rows, file::BATCH, Prepared::Signals, sender);
    }
    let batch = parts.with_key(app);
    let rows = table.rows_from(skip).map(|(line, row)| (line, row.and_then(|row| prepare(&batch, &row))));
    send(rows, BATCH, Prepared::Texts, sender);
}

fn send<T>(mut rows: impl Iterator<Item = (usize, Result<T, Reason>)>, most: usize, wrap: fn(Lines<T>) -> Prepared, sender: &mpsc::Sender<Prepared>) {
    loop {
        let part: Lines<T> = rows.by_ref().take(most).collect();
        if part.is_empty() || sender.blocking_send(wrap(part)).is_err() {
            return;
        }
    }
}

/// Enters one batch with its counts.
async fn enter(app: &App, who: &Actor, import: Import, rows: Lines<Ready>) -> Result<Import, AppError> {
    let mut tx = app.db.write().await?;
    let wanted: Vec<SubjectId> = rows.iter().filter_map(|(_, row)| Some(row.as_ref().ok()?.subject.clone())).collect();
    let mut taken = taken(&mut tx, &wanted).await?;
    let (mut counts, mut lines, mut sayings) = (import.counts, Vec::new(), Vec::new());
    for (line, row) in rows {
        counts.done += 1;
        let ready = match row {
            Ok(ready) => ready,
            Err(reason) => {
                counts.refused += 1;
                lines.push(line_of(line, LineKind::Refused, &reason));
                continue;
            }
        };
        if !taken.insert(ready.subject.clone()) {
            counts.known += 1;
            continue;
        }
        counts.licence_filled += i64::from(ready.licence_filled);
        lines.extend(ready.warnings.iter().map(|reason| line_of(line, LineKind::Warning, reason)));
        if ready.publish {
            counts.published += 1;
            sayings.push(saying_of(&ready.subject, &ready.matter));
        } else {
            counts.drafts += 1;
            begin_as(app, &mut tx, who, &import.org, ready.matter, ready.subject).await?;
        }
    }
    record::publish(app, &mut tx, sayings).await?;
    store::add_lines(&mut tx, &import.id, &lines).await?;
    let import = store::update(&mut tx, Import { counts, ..import }).await?;
    let object = format!("{} {}/{}", import.id, counts.done, counts.rows);
    log(app, &mut tx, &who.log_name(), "import.batch", &object, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(import)
}

/// Which subjects are here already: said by somebody (be it withdrawn since) or written at in a draft.
async fn taken(tx: &mut Tx, wanted: &[SubjectId]) -> Result<HashSet<SubjectId>, AppError> {
    let mut list: HashSet<SubjectId> = drafts::list_subjects(tx, wanted).await?.into_iter().collect();
    list.extend(records::list_by_subjects(tx, wanted).await?.into_iter().map(|row| row.subject));
    Ok(list)
}
