//! Files that are taken in: how, how far, and what there is to say about single lines. The bytes are in `kepu-app::blob`,
//! what a row becomes in `kepu-app::create::import`.

use crate::bulk::bulk_insert;
use crate::counter;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, args, must, number, one, run, run_versioned};
use jiff::Timestamp;
use kepu_domain::create::import::{Counts, Import, Plan, Stage};
use kepu_domain::ids::{AccountId, ImportId, JobId};

/// What is said about a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// It was not taken.
    Refused,
    /// It was taken, with something to look at.
    Warning,
}

impl LineKind {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            LineKind::Refused => "refused",
            LineKind::Warning => "warning",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        [LineKind::Refused, LineKind::Warning].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Something about one line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Line of the file, from 1; 0 for the file as a whole.
    pub line: i64,
    /// What it is.
    pub kind: LineKind,
    /// Why, as `kepu-app::create::import::Reason` writes it.
    pub text: String,
}

macro_rules! columns {
    () => {
        "id, org, account, file, file_name, size, plan, stage, job, created_at, finished_at,
         rows_total, rows_done, published, drafts, known, refused, licence_filled, version"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Import, StoreError> {
    let (id, org, account, file, file_name, size) = (c.id()?, c.id()?, c.opt_id()?, c.text()?, c.text()?, c.int()?);
    let (plan, name, job, created_at, finished_at): (Plan, _, _, _, _) = (c.json()?, c.text()?, c.opt_id()?, c.time()?, c.opt_time()?);
    let stage = match (name.as_str(), finished_at) {
        ("planned", _) => Stage::Planned,
        ("started", _) => Stage::Started { job },
        ("done", Some(at)) => Stage::Done { at },
        _ => return Err(c.corrupt(format!("what belongs to the stage \"{name}\" is missing"))),
    };
    let counts = Counts { rows: c.int()?, done: c.int()?, published: c.int()?, drafts: c.int()?, known: c.int()?, refused: c.int()?, licence_filled: c.int()? };
    Ok(Import { id, org, account, file, file_name, size, plan, stage, created_at, counts, version: c.int()? })
}

struct Columns<'a> {
    stage: &'static str,
    job: Option<&'a str>,
    finished_at: Option<Timestamp>,
}

fn columns_of(stage: &Stage) -> Columns<'_> {
    match stage {
        Stage::Planned => Columns { stage: "planned", job: None, finished_at: None },
        Stage::Started { job } => Columns { stage: "started", job: job.as_ref().map(JobId::as_str), finished_at: None },
        Stage::Done { at } => Columns { stage: "done", job: None, finished_at: Some(*at) },
    }
}

fn plan_text(import: &Import) -> Result<String, StoreError> {
    serde_json::to_string(&import.plan).map_err(|e| StoreError::Corrupt { what: "import", id: import.id.to_string(), cause: e.to_string() })
}

/// Adds a file.
pub async fn insert(tx: &mut Tx, import: &Import) -> Result<(), StoreError> {
    const SQL: &str =
        concat!("INSERT INTO import_run (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)");
    let (c, n) = (columns_of(&import.stage), import.counts);
    let args = args![
        import.id.as_str(),
        import.org.as_str(),
        import.account.as_ref().map(AccountId::as_str),
        &import.file,
        &import.file_name,
        import.size,
        plan_text(import)?,
        c.stage,
        c.job,
        import.created_at,
        c.finished_at,
        n.rows,
        n.done,
        n.published,
        n.drafts,
        n.known,
        n.refused,
        n.licence_filled,
        import.version
    ];
    run(tx, "add a file to take in", SQL, args).await.map(drop)
}

/// Stores plan, stage and counts of an import that was read in `import.version`; returns it with its new version.
pub async fn update(tx: &mut Tx, import: Import) -> Result<Import, StoreError> {
    const SQL: &str = "
        UPDATE import_run SET plan = $3, stage = $4, job = $5, finished_at = $6, rows_total = $7, rows_done = $8, published = $9,
                              drafts = $10, known = $11, refused = $12, licence_filled = $13, org = $14, version = version + 1
        WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM import_run WHERE id = $1";
    let (c, n) = (columns_of(&import.stage), import.counts);
    let id = import.id.as_str();
    let args = args![
        id,
        import.version,
        plan_text(&import)?,
        c.stage,
        c.job,
        c.finished_at,
        n.rows,
        n.done,
        n.published,
        n.drafts,
        n.known,
        n.refused,
        n.licence_filled,
        import.org.as_str()
    ];
    run_versioned(tx, "note how far a file is", "import", id, SQL, args, EXISTS).await?;
    Ok(Import { version: import.version + 1, ..import })
}

/// One file.
pub async fn find(tx: &mut Tx, id: &ImportId) -> Result<Option<Import>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM import_run WHERE id = $1");
    one(tx, "find a file that is taken in", SQL, args![id.as_str()], read).await
}

/// One file that must be there.
pub async fn get(tx: &mut Tx, id: &ImportId) -> Result<Import, StoreError> {
    must(find(tx, id).await?, "import", id)
}

/// Files brought before `before`, newest first, at most `limit`.
pub async fn list(tx: &mut Tx, before: Option<(Timestamp, &ImportId)>, limit: u32) -> Result<Vec<Import>, StoreError> {
    let mut query = Built::new(concat!("SELECT ", columns!(), " FROM import_run WHERE TRUE"));
    if let Some((at, id)) = before {
        query.push(" AND (created_at, id) < ({}, {})", args![at, id.as_str()]);
    }
    query.push(" ORDER BY created_at DESC, id DESC LIMIT {}", args![limit]);
    let (sql, args) = query.done();
    all(tx, "list files that are taken in", sql, args, read).await
}

/// A file that was taken in to its end, the latest first.
pub async fn find_done(tx: &mut Tx, file: &str) -> Result<Vec<Import>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM import_run WHERE file = $1 AND stage = 'done' ORDER BY created_at DESC, id LIMIT 20");
    all(tx, "find a file that was taken in", SQL, args![file], read).await
}

/// The same file, begun by a command and not finished; the newest if there are several.
pub async fn find_unfinished(tx: &mut Tx, file: &str) -> Result<Vec<Import>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM import_run WHERE stage = 'started' AND job IS NULL AND account IS NULL AND file = $1 ORDER BY created_at DESC, id DESC LIMIT 20"
    );
    all(tx, "find a file that was begun", SQL, args![file], read).await
}

/// Forgets a file with what was said about its lines.
pub async fn delete(tx: &mut Tx, id: &ImportId) -> Result<(), StoreError> {
    run(tx, "forget the lines of a file", "DELETE FROM import_line WHERE run = $1", args![id.as_str()]).await?;
    run(tx, "forget a file", "DELETE FROM import_run WHERE id = $1", args![id.as_str()]).await.map(drop)
}

/// How many imports still need the bytes of `file`: those that are not done.
pub async fn count_needing(tx: &mut Tx, file: &str) -> Result<i64, StoreError> {
    number(tx, "count the uses of a file", "SELECT COUNT(*) FROM import_run WHERE file = $1 AND stage <> 'done'", args![file]).await
}

/// Files that were never started and brought before `before`, oldest first, at most `limit`.
pub async fn list_abandoned(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<Vec<Import>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM import_run WHERE stage = 'planned' AND created_at < $1 ORDER BY created_at, id LIMIT $2");
    all(tx, "list abandoned files", SQL, args![before, limit], read).await
}

/// Adds what there is to say about lines.
pub async fn add_lines(tx: &mut Tx, id: &ImportId, lines: &[Line]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO import_line (run, seq, line, kind, text) VALUES";
    if lines.is_empty() {
        return Ok(());
    }
    let first = counter::take(tx, "import_line", lines.len() as i64).await?;
    let numbered: Vec<(i64, &Line)> = (first..).zip(lines).collect();
    bulk_insert(tx, "note what there is to say about lines", SQL, 5, "", &numbered, |(seq, line), values| {
        values.extend(args![id.as_str(), *seq, line.line, line.kind.as_str(), line.text.as_str()]);
    })
    .await
    .map(drop)
}

/// What was said about lines, by line of the file, the first `skip` left out, at most `limit`.
pub async fn list_lines(tx: &mut Tx, id: &ImportId, kind: LineKind, skip: u32, limit: u32) -> Result<Vec<Line>, StoreError> {
    const SQL: &str = "SELECT line, kind, text FROM import_line WHERE run = $1 AND kind = $2 ORDER BY line, seq LIMIT $3 OFFSET $4";
    all(tx, "list what was said about lines", SQL, args![id.as_str(), kind.as_str(), limit, skip], |c| {
        Ok(Line { line: c.int()?, kind: c.word(LineKind::parse)?, text: c.text()? })
    })
    .await
}

/// How many lines something was said about.
pub async fn count_lines(tx: &mut Tx, id: &ImportId, kind: LineKind) -> Result<i64, StoreError> {
    number(tx, "count the lines of a file", "SELECT COUNT(*) FROM import_line WHERE run = $1 AND kind = $2", args![id.as_str(), kind.as_str()]).await
}
