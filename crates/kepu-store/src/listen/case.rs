//! Cases and their time lines. Stages and clocks are in `kepu-domain::listen::case`.

use crate::counter;
use crate::db::Tx;
use crate::error::StoreError;
use crate::org::push_below;
use crate::sql::{Built, Cells, all, args, must, number, one, run, run_versioned};
use crate::value::list_text;
use jiff::Timestamp;
use kepu_domain::ids::{AccountId, CaseId, DraftId, OrgId, PartyId, SubjectId};
use kepu_domain::listen::case::{Case, Stage, Step};
use kepu_domain::org::Region;
use std::collections::HashMap;

/// Which cases; `None` asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The stored word of a stage; `active` = open or working.
    pub stage: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// The organisation that owns the clock.
    pub org: Option<OrgId>,
    /// Owner.
    pub owner: Option<AccountId>,
    /// Inside this place.
    pub within: Option<Region>,
    /// Opened from the first moment on and before the second.
    pub opened: Option<(Timestamp, Timestamp)>,
}

macro_rules! columns {
    () => {
        "id, kind, level, title, fields, region, org, subject, opened_at, held_at, stage, owner, expert, draft, ended_at, reason, version"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Case, StoreError> {
    let (id, kind, level, title, fields) = (c.id()?, c.text()?, c.int()?, c.text()?, c.list()?);
    let (region, org, subject, opened_at, held_at, name) = (c.region()?, c.id()?, c.id()?, c.time()?, c.opt_time()?, c.text()?);
    let (owner, expert, draft, ended_at) = (c.opt_id()?, c.opt_id()?, c.opt_id()?, c.opt_time()?);
    let (reason, version) = (c.text()?, c.int()?);
    let stage = match (name.as_str(), owner, ended_at) {
        ("open", _, _) => Stage::Open,
        ("working", Some(owner), _) => Stage::Working { owner, expert, draft },
        ("answered", Some(owner), Some(at)) => Stage::Answered { owner, at },
        ("closed", _, Some(at)) => Stage::Closed { reason, at },
        _ => return Err(c.corrupt(format!("what belongs to the stage \"{name}\" is missing"))),
    };
    Ok(Case { id, kind, level, title, fields, region, org, subject, opened_at, held_at, stage, version })
}

#[derive(Default)]
struct Columns<'a> {
    owner: Option<&'a str>,
    expert: Option<&'a str>,
    draft: Option<&'a str>,
    ended_at: Option<Timestamp>,
    reason: &'a str,
}

fn columns_of(stage: &Stage) -> Columns<'_> {
    match stage {
        Stage::Open => Columns::default(),
        Stage::Working { owner, expert, draft } => Columns {
            owner: Some(owner.as_str()),
            expert: expert.as_ref().map(PartyId::as_str),
            draft: draft.as_ref().map(DraftId::as_str),
            ..Columns::default()
        },
        Stage::Answered { owner, at } => Columns { owner: Some(owner.as_str()), ended_at: Some(*at), ..Columns::default() },
        Stage::Closed { reason, at } => Columns { ended_at: Some(*at), reason, ..Columns::default() },
    }
}

/// Adds a case.
pub async fn insert(tx: &mut Tx, case: &Case) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO case_file (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)");
    let c = columns_of(&case.stage);
    let args = args![
        case.id.as_str(),
        &case.kind,
        case.level,
        &case.title,
        list_text(&case.fields),
        case.region.to_string(),
        case.org.as_str(),
        case.subject.as_str(),
        case.opened_at,
        case.held_at,
        case.stage.name(),
        c.owner,
        c.expert,
        c.draft,
        c.ended_at,
        c.reason,
        case.version
    ];
    run(tx, "add a case", SQL, args).await.map(drop)
}

/// Stores a changed case that was read in `case.version`; returns it with its new version.
pub async fn update(tx: &mut Tx, case: Case) -> Result<Case, StoreError> {
    const SQL: &str = "
        UPDATE case_file SET kind = $3, level = $4, title = $5, fields = $6, region = $7, org = $8, subject = $9, held_at = $10, stage = $11,
                             owner = $12, expert = $13, draft = $14, ended_at = $15, reason = $16, version = version + 1
        WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM case_file WHERE id = $1";
    let c = columns_of(&case.stage);
    let id = case.id.as_str();
    let args = args![
        id,
        case.version,
        &case.kind,
        case.level,
        &case.title,
        list_text(&case.fields),
        case.region.to_string(),
        case.org.as_str(),
        case.subject.as_str(),
        case.held_at,
        case.stage.name(),
        c.owner,
        c.expert,
        c.draft,
        c.ended_at,
        c.reason
    ];
    run_versioned(tx, "change a case", "case", id, SQL, args, EXISTS).await?;
    Ok(Case { version: case.version + 1, ..case })
}

/// One case.
pub async fn find(tx: &mut Tx, id: &CaseId) -> Result<Option<Case>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM case_file WHERE id = $1");
    one(tx, "find a case", SQL, args![id.as_str()], read).await
}

/// One case that must be there.
pub async fn get(tx: &mut Tx, id: &CaseId) -> Result<Case, StoreError> {
    must(find(tx, id).await?, "case", id)
}

/// The case whose answer is (or will be) `subject`; the latest if there are several.
pub async fn find_by_subject(tx: &mut Tx, subject: &SubjectId) -> Result<Option<Case>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM case_file WHERE subject = $1 ORDER BY opened_at DESC, id DESC LIMIT 1");
    one(tx, "find the case of a subject", SQL, args![subject.as_str()], read).await
}

/// Cases that pass `filter` and were opened before `before`, newest first, at most `limit`.
pub async fn list(tx: &mut Tx, filter: &Filter, before: Option<(Timestamp, &CaseId)>, limit: u32) -> Result<Vec<Case>, StoreError> {
    let mut query = Built::new(concat!("SELECT ", columns!(), " FROM case_file WHERE TRUE"));
    narrow(&mut query, filter);
    if let Some((at, id)) = before {
        query.push(" AND (opened_at, id) < ({}, {})", args![at, id.as_str()]);
    }
    query.push(" ORDER BY opened_at DESC, id DESC LIMIT {}", args![limit]);
    let (sql, args) = query.done();
    all(tx, "list cases", sql, args, read).await
}

/// How many cases each expert was asked to answer and has not answered yet.
pub async fn loads(tx: &mut Tx) -> Result<HashMap<PartyId, i64>, StoreError> {
    const SQL: &str = "SELECT expert, COUNT(*) FROM case_file WHERE stage = 'working' AND expert IS NOT NULL GROUP BY expert ORDER BY expert";
    let rows = all(tx, "count the cases of experts", SQL, vec![], |c| Ok((c.id()?, c.int()?))).await?;
    Ok(rows.into_iter().collect())
}

/// Cases that are not over of `orgs` and the organisations below them (none: of all), the oldest first, at most `limit`.
pub async fn list_active(tx: &mut Tx, orgs: &[OrgId], limit: u32) -> Result<Vec<Case>, StoreError> {
    let mut query = Built::new(concat!("SELECT ", columns!(), " FROM case_file WHERE stage IN ('open', 'working')"));
    push_below(&mut query, orgs);
    query.push(" ORDER BY opened_at, id LIMIT {}", args![limit]);
    let (sql, args) = query.done();
    all(tx, "list active cases", sql, args, read).await
}

/// How many cases pass `filter`.
pub async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64, StoreError> {
    let mut query = Built::new("SELECT COUNT(*) FROM case_file WHERE TRUE");
    narrow(&mut query, filter);
    let (sql, args) = query.done();
    number(tx, "count cases", sql, args).await
}

fn narrow<'a>(query: &mut Built<'a>, filter: &'a Filter) {
    match filter.stage.as_deref() {
        Some("active") => drop(query.push(" AND stage IN ('open', 'working')", vec![])),
        Some(stage) => drop(query.push(" AND stage = {}", args![stage])),
        None => {}
    }
    let equal = [
        (" AND kind = {}", filter.kind.as_deref()),
        (" AND org = {}", filter.org.as_ref().map(OrgId::as_str)),
        (" AND owner = {}", filter.owner.as_ref().map(AccountId::as_str)),
    ];
    for (piece, value) in equal {
        if let Some(value) = value {
            query.push(piece, args![value]);
        }
    }
    if let Some((from, before)) = filter.opened {
        query.push(" AND opened_at >= {} AND opened_at < {}", args![from, before]);
    }
    if let Some(place) = filter.within.filter(|place| *place != Region::NATION) {
        // A code without its zeros begins the codes of everything inside: 41 = province, 4115 = prefecture.
        let code = place.to_string();
        query.push(" AND region LIKE {}", args![format!("{}%", code.trim_end_matches("00"))]);
    }
}

/// Forgets what people typed in cases that ended before `before`: the title as asked and the private notes. What was said
/// publicly has its own record. Returns how many cases and notes.
pub async fn purge_texts(tx: &mut Tx, before: Timestamp) -> Result<(u64, u64), StoreError> {
    const TITLES: &str = "UPDATE case_file SET title = '' WHERE ended_at < $1 AND title <> ''";
    const NOTES: &str = "
        UPDATE case_step SET text = '' WHERE NOT public AND text <> ''
               AND case_id IN (SELECT id FROM case_file WHERE ended_at < $1)";
    let titles = run(tx, "forget the titles of old cases", TITLES, args![before]).await?;
    Ok((titles, run(tx, "forget the notes of old cases", NOTES, args![before]).await?))
}

/// Adds a line to the time line of a case.
pub async fn add_step(tx: &mut Tx, case: &CaseId, step: &Step) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO case_step (case_id, seq, at, kind, text, public) VALUES ($1, $2, $3, $4, $5, $6)";
    let seq = counter::take(tx, "case_step", 1).await?;
    run(tx, "add a step to a case", SQL, args![case.as_str(), seq, step.at, &step.kind, &step.text, step.public]).await.map(drop)
}

/// Which steps of a time line are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// Those that visitors see.
    Public,
    /// All of them.
    All,
}

/// The time line of a case, oldest first, at most `limit`.
pub async fn list_steps(tx: &mut Tx, case: &CaseId, which: Steps, limit: u32) -> Result<Vec<Step>, StoreError> {
    const SQL: &str = "SELECT at, kind, text, public FROM case_step WHERE case_id = $1 AND (public OR $2 = 1) ORDER BY seq LIMIT $3";
    let every = i64::from(which == Steps::All);
    all(tx, "list the steps of a case", SQL, args![case.as_str(), every, limit], |c| {
        Ok(Step { at: c.time()?, kind: c.text()?, text: c.text()?, public: c.bool()? })
    })
    .await
}
