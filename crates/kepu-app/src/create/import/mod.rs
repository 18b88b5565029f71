//! Taking in a file: it is kept, looked at, started, and then worked off row by row, each batch with its counts in one
//! transaction. What a whole batch may be signed off for is published, what needs individual people becomes a draft, entries of
//! a register are entered, what cannot be taken comes back with line and reason. A run that was killed goes on where it stopped; nothing enters twice.
//! Page, job and command call the same functions.

mod foreign;
pub mod party;
pub mod read;
pub mod row;
mod run;
mod sheet;

pub(crate) use run::{Lines, line_of};
pub use run::{run, take_in};

use crate::account::log;
use crate::create::draft;
use crate::error::{AppError, FieldError};
use crate::listen::intake;
use crate::{App, blob, job, keys};
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::check::Finding;
use kepu_domain::create::import::{Counts, Import, Kind, Plan, PlanError, Stage, Target, guess};
use kepu_domain::create::register::Registers;
use kepu_domain::ids::{ImportId, JobId, OrgId};
use kepu_domain::org::{OrgKind, Region};
use kepu_store::Tx;
use kepu_store::create::import::{self as store, LineKind};
use read::Table;
use row::{Batch, Ready, prepare};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Largest file that a browser may send.
pub const UPLOAD_BYTES_MAX: usize = crate::media::MEDIA_BYTES_MAX;
/// Rows that a dry run on a page looks at.
pub const TRIED: usize = 2_000;

/// Something about a row, as a message of the catalogues with its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Key of the message.
    pub key: String,
    /// The field it is about, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// Values of the message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<(String, String)>,
}

impl Reason {
    /// A message without values.
    pub fn new(key: &str) -> Self {
        Self { key: key.into(), field: String::new(), args: vec![] }
    }
    /// About a field.
    #[must_use]
    pub fn of(mut self, field: &str) -> Self {
        self.field = field.into();
        self
    }
    /// With a value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.args.push((name.into(), value.to_string()));
        self
    }
    /// As stored.
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
    /// What was stored; the text itself if another program wrote it.
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self::new("error-import_row").with("cause", text))
    }
}

impl From<FieldError> for Reason {
    fn from(error: FieldError) -> Self {
        Self { key: format!("error-{}", error.key), field: error.field, args: error.args }
    }
}

impl From<Finding> for Reason {
    fn from(finding: Finding) -> Self {
        let args = if finding.found.is_empty() { vec![] } else { vec![("found".into(), finding.found)] };
        Self { key: format!("check-{}", finding.rule), field: finding.field, args }
    }
}

fn plan_error(error: PlanError) -> AppError {
    let field = match error {
        PlanError::NoTarget(target) => FieldError::new("columns", "import_no_target").with("target", target),
        PlanError::NoColumn { target, column } => FieldError::new(&target, "import_no_column").with("column", column),
        PlanError::Unfilled(target) => FieldError::new(&target, "import_unfilled"),
    };
    AppError::Invalid(vec![field])
}

/// Whether a plan can be followed with a table: every column it names is there, and everything needed is filled.
pub fn fits(app: &App, plan: &Plan, table: &Table) -> Result<(), AppError> {
    plan.check(&targets(plan, &app.definitions().registers), &table.columns).map_err(plan_error)
}

/// Texts are taken in by editors, entries of the registry by stewards.
pub fn action_for(kind: Kind) -> Action {
    match kind {
        Kind::Resource | Kind::Claim | Kind::Signal => Action::Import,
        Kind::Party => Action::ManageMembers,
    }
}

async fn allowed(tx: &mut Tx, who: &Actor, org: &OrgId, kind: Kind) -> Result<(), AppError> {
    Ok(who.may(action_for(kind), Some(&kepu_store::org::line(tx, org).await?))?)
}

/// What the rows of a plan can fill, in the order of forms.
pub fn targets<'a>(plan: &Plan, registers: &'a Registers) -> Vec<Target<'a>> {
    match (plan.kind, registers.registers.get(&plan.register)) {
        (Kind::Party, Some(register)) => party::targets(register, registers),
        (kind, _) => kind.targets().iter().map(|t| Target { name: t.name, needed: t.needed, columns: t.columns.to_vec().into() }).collect(),
    }
}

/// A file as it is brought.
#[derive(Clone, Debug)]
pub struct Brought<'a> {
    /// Its name, for show only.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// How to take it in; columns that the plan leaves open are guessed.
    pub plan: Plan,
    /// The organisation that answers for it.
    pub org: OrgId,
}

/// Keeps a file that can be read as a table, with a first plan for it. Nothing is taken in yet.
///
/// May: editors. Writes: blob, import, log.
pub async fn bring(app: &App, who: &Actor, brought: Brought<'_>) -> Result<Import, AppError> {
    let mut tx = app.db.read().await?;
    allowed(&mut tx, who, &brought.org, brought.plan.kind).await?;
    drop(tx);
    let definitions = app.definitions();
    check_register(&brought.plan, &definitions.registers)?;
    if let Some(before) = heard_before(app, &brought).await? {
        return Err(AppError::Invalid(vec![FieldError::new("file", "file_heard").with("date", crate::china_date(before.created_at))]));
    }
    let (table, rows) = look(brought.bytes.to_vec()).await?;
    let mut plan = brought.plan;
    let targets = targets(&plan, &definitions.registers);
    plan.fixed.retain(|target, _| plan.kind != Kind::Party || targets.iter().any(|known| known.name == target));
    for (target, column) in guess(&targets, &table.columns) {
        plan.columns.entry(target).or_insert(column);
    }
    let import = Import {
        id: ImportId(keys::random_word(16)),
        org: brought.org,
        account: who.account().cloned(),
        file: blob::put(app, brought.bytes)?,
        file_name: kepu_text::truncate(&kepu_text::clean_line(brought.name), 120).to_owned(),
        size: i64::try_from(brought.bytes.len()).unwrap_or(i64::MAX),
        plan,
        stage: Stage::Planned,
        created_at: app.now(),
        counts: Counts { rows: i64::try_from(rows).unwrap_or(i64::MAX), ..Counts::default() },
        version: 1,
    };
    let mut tx = app.db.write().await?;
    store::insert(&mut tx, &import).await?;
    log(app, &mut tx, &who.log_name(), "import.brought", &import.id.0, "ok").await?;
    tx.commit().await?;
    Ok(import)
}

/// The import that has taken the same messages in already: what was heard counts once. Texts and entries know their rows by themselves.
pub(crate) async fn heard_before(app: &App, brought: &Brought<'_>) -> Result<Option<Import>, AppError> {
    if brought.plan.kind != Kind::Signal {
        return Ok(None);
    }
    let hash = blake3::hash(brought.bytes).to_hex().to_string();
    let mut tx = app.db.read().await?;
    Ok(store::find_done(&mut tx, &hash).await?.into_iter().find(|done| done.plan.kind == Kind::Signal))
}

fn check_register(plan: &Plan, registers: &Registers) -> Result<(), AppError> {
    let known = plan.kind != Kind::Party || registers.registers.contains_key(&plan.register);
    if known { Ok(()) } else { Err(AppError::Invalid(vec![FieldError::new("register", "import_register").with("register", &plan.register)])) }
}

async fn look(bytes: Vec<u8>) -> Result<(Arc<Table>, usize), AppError> {
    let looked = tokio::task::spawn_blocking(move || Table::read(&bytes).map(|table| (table.count(), Arc::new(table)))).await;
    let (rows, table) = looked.map_err(|e| AppError::Record(e.to_string()))??;
    Ok((table, rows))
}

/// The table of a file that was brought.
pub async fn table(app: &App, import: &Import) -> Result<Arc<Table>, AppError> {
    Ok(look(blob::read(app, &import.file)?).await?.0)
}

/// A file, for somebody who may take files in for its organisation; nobody else learns that it exists.
pub async fn get(app: &App, who: &Actor, id: &ImportId) -> Result<Import, AppError> {
    let mut tx = app.db.read().await?;
    let import = store::get(&mut tx, id).await?;
    match allowed(&mut tx, who, &import.org, import.plan.kind).await {
        Ok(()) => Ok(import),
        Err(AppError::Denied(_)) => Err(AppError::NotFound { what: "import", id: id.0.clone() }),
        Err(error) => Err(error),
    }
}

/// The files that `who` may see, newest first, at most `limit`.
pub async fn list(app: &App, who: &Actor, limit: u32) -> Result<Vec<Import>, AppError> {
    let mut tx = app.db.read().await?;
    let mut list = Vec::new();
    for import in store::list(&mut tx, None, limit).await? {
        if allowed(&mut tx, who, &import.org, import.plan.kind).await.is_ok() {
            list.push(import);
        }
    }
    Ok(list)
}

/// Changes how a file that was not started is taken in. `version` is the one the writer saw.
pub async fn plan(app: &App, who: &Actor, id: &ImportId, version: i64, plan: Plan, org: OrgId) -> Result<Import, AppError> {
    let import = get(app, who, id).await?;
    if import.version != version || import.stage != Stage::Planned {
        return Err(AppError::Stale { what: "import", id: id.0.clone() });
    }
    check_fixed(&plan)?;
    check_register(&plan, &app.definitions().registers)?;
    fits(app, &plan, &*table(app, &import).await?)?;
    let mut tx = app.db.write().await?;
    allowed(&mut tx, who, &org, plan.kind).await?;
    let import = store::update(&mut tx, Import { plan, org, ..import }).await?;
    tx.commit().await?;
    Ok(import)
}

/// Fixed values that would refuse or misplace every row.
fn check_fixed(plan: &Plan) -> Result<(), AppError> {
    let mut wrong = Vec::new();
    if plan.signed_by.trim().is_empty() || kepu_text::count(&plan.signed_by) > 60 {
        wrong.push(FieldError::new("signed_by", "import_signed_by"));
    }
    if plan.fixed.get("fields").is_some_and(|field| kepu_domain::vocabulary::FIELDS.find(field).is_none()) {
        wrong.push(FieldError::new("fields", "no_field"));
    }
    if plan.fixed.values().any(|text| kepu_text::count(text) > 200) {
        wrong.push(FieldError::new("source", "long").with("count", 201).with("max", 200));
    }
    if wrong.is_empty() { Ok(()) } else { Err(AppError::Invalid(wrong)) }
}

/// Begins to take a file in: a job works it off.
///
/// May: editors. Writes: import, job, log.
pub async fn start(app: &App, who: &Actor, id: &ImportId, version: i64) -> Result<JobId, AppError> {
    let import = get(app, who, id).await?;
    if import.version != version || import.stage != Stage::Planned {
        return Err(AppError::Stale { what: "import", id: id.0.clone() });
    }
    let mut tx = app.db.write().await?;
    let job = job::queue(app, &mut tx, job::Kind::Import, &serde_json::json!({"import": id.0})).await?;
    store::update(&mut tx, Import { stage: Stage::Started { job: Some(job.clone()) }, ..import }).await?;
    log(app, &mut tx, &who.log_name(), "import.started", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(job)
}

/// Goes on with a file whose job failed or was called off.
pub async fn go_on(app: &App, who: &Actor, id: &ImportId) -> Result<(), AppError> {
    let import = get(app, who, id).await?;
    let Stage::Started { job: Some(job) } = &import.stage else { return Err(AppError::Stale { what: "import", id: id.0.clone() }) };
    let mut tx = app.db.write().await?;
    kepu_store::job::retry_now(&mut tx, job, app.now()).await?;
    log(app, &mut tx, &who.log_name(), "import.went_on", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// Calls off the job of a file: what has been taken in stays, the rest can be taken in later with [`go_on`].
pub async fn stop(app: &App, who: &Actor, id: &ImportId) -> Result<(), AppError> {
    let import = get(app, who, id).await?;
    let Stage::Started { job: Some(job) } = &import.stage else { return Err(AppError::Stale { what: "import", id: id.0.clone() }) };
    let mut tx = app.db.write().await?;
    kepu_store::job::cancel(&mut tx, job, app.now()).await?;
    log(app, &mut tx, &who.log_name(), "import.stopped", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Gives up a file that was never started. Its bytes go with the daily job.
pub async fn discard(app: &App, who: &Actor, id: &ImportId) -> Result<(), AppError> {
    let import = get(app, who, id).await?;
    if import.stage != Stage::Planned {
        return Err(AppError::Stale { what: "import", id: id.0.clone() });
    }
    let mut tx = app.db.write().await?;
    store::delete(&mut tx, id).await?;
    log(app, &mut tx, &who.log_name(), "import.discarded", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// The job that works on a file, if one was queued and is still remembered.
pub async fn job_of(app: &App, import: &Import) -> Result<Option<kepu_store::job::Job>, AppError> {
    let Stage::Started { job: Some(job) } = &import.stage else { return Ok(None) };
    let mut tx = app.db.read().await?;
    Ok(kepu_store::job::find(&mut tx, job).await?)
}

/// What was said about lines, by line, the first `skip` left out.
pub async fn lines(app: &App, import: &Import, kind: LineKind, skip: u32, limit: u32) -> Result<Vec<(i64, Reason)>, AppError> {
    let mut tx = app.db.read().await?;
    let lines = store::list_lines(&mut tx, &import.id, kind, skip, limit).await?;
    Ok(lines.into_iter().map(|line| (line.line, Reason::read(&line.text))).collect())
}

/// How many lines something was said about.
pub async fn count_lines(app: &App, import: &Import, kind: LineKind) -> Result<i64, AppError> {
    let mut tx = app.db.read().await?;
    Ok(store::count_lines(&mut tx, &import.id, kind).await?)
}

/// A row as it would become.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Its line.
    pub line: usize,
    /// What it becomes, or why it is refused.
    pub outcome: Result<Becomes, Reason>,
    /// What is public already and says nearly the same.
    pub near: Vec<kepu_store::subject::Row>,
}

/// What a row becomes.
#[derive(Clone, Debug)]
pub enum Becomes {
    /// A text.
    Text(Box<Ready>),
    /// An entry of the registry.
    Entry(Box<party::Said>),
    /// A signal, as it would be kept.
    Signal(String),
}

/// What the first rows of a file would become; nothing is written.
#[derive(Clone, Debug, Default)]
pub struct DryRun {
    /// The first few rows.
    pub shown: Vec<Tried>,
    /// What would become of the rows looked at.
    pub counts: Counts,
    /// The first refused rows.
    pub refused: Vec<(usize, Reason)>,
}

/// Tries the plan of a file on its first `most` rows; `show` of them come back whole, refused ones with their reason (20 at
/// most), and each of those shown with what is public already and says nearly the same. Writes nothing.
pub async fn try_out(app: &App, import: &Import, most: usize, show: usize) -> Result<DryRun, AppError> {
    let table = table(app, import).await?;
    let batch = batch_of(app, import).await?;
    let (node, definitions, now) = (app.clone(), app.definitions(), app.now());
    let tried = tokio::task::spawn_blocking(move || {
        let batch = batch.with_key(&node);
        let mut run = DryRun::default();
        for (line, row) in table.rows().take(most) {
            let outcome = row.and_then(|row| match batch.plan.kind {
                Kind::Party => party::read(&batch.plan, &row, &definitions.registers).map(|said| Becomes::Entry(Box::new(said))),
                Kind::Signal => intake::file::read(&batch.plan, &row, now).map(|fresh| Becomes::Signal(intake::clean(&fresh.text))),
                Kind::Resource | Kind::Claim => prepare(&batch, &row).map(|ready| Becomes::Text(Box::new(ready))),
            });
            run.counts.done += 1;
            match &outcome {
                Ok(Becomes::Text(ready)) if !ready.publish => run.counts.drafts += 1,
                Ok(_) => run.counts.published += 1,
                Err(reason) => {
                    run.counts.refused += 1;
                    if run.refused.len() < 20 {
                        run.refused.push((line, reason.clone()));
                    }
                }
            }
            if run.shown.len() < show {
                run.shown.push(Tried { line, outcome, near: vec![] });
            }
        }
        run
    });
    let mut run = tried.await.map_err(|e| AppError::Record(e.to_string()))?;
    for tried in &mut run.shown {
        if let Ok(Becomes::Text(ready)) = &tried.outcome {
            tried.near = draft::existing(app, ready.matter.kind(), ready.matter.title()).await?;
        }
    }
    Ok(run)
}

/// What a [`Batch`] needs besides the node's key, so that it can move to another thread.
struct Parts {
    plan: Plan,
    org_name: String,
    region: Region,
    today: jiff::civil::Date,
    trust: Arc<kepu_domain::trust::TrustView>,
}

impl Parts {
    fn with_key<'a>(&self, app: &'a App) -> Batch<'a> {
        Batch {
            plan: self.plan.clone(),
            org_name: self.org_name.clone(),
            region: self.region,
            today: self.today,
            lanes: app.definitions().lanes.clone(),
            trust: self.trust.clone(),
            key: &app.key,
        }
    }
}

async fn batch_of(app: &App, import: &Import) -> Result<Parts, AppError> {
    let mut tx = app.db.read().await?;
    let trust = app.trust(&mut tx).await?;
    let org = kepu_store::org::get(&mut tx, &import.org).await?;
    // "全国" or a county is no institution that signs: where the node is run for a place, its own name stands there.
    let org_name = if org.kind == OrgKind::Division { crate::node::name(&mut tx).await? } else { org.name };
    Ok(Parts { plan: import.plan.clone(), org_name, region: org.region, today: app.today(), trust })
}
