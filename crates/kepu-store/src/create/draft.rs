//! Working copies. Stages and the publication gate are in `kepu-domain::create::draft`, reviews in `review`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::org::push_below;
use crate::sql::{Built, Cells, all, all_in, args, must, number, one, run, run_versioned};
use crate::value::list_text;
use jiff::Timestamp;
use kepu_domain::create::draft::{Draft, Stage};
use kepu_domain::ids::{AccountId, CaseId, DraftId, OrgId, SubjectId};

/// What was read before a change. The version counts changes of the text only, so the stage belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    version: i64,
    stage: &'static str,
}

impl From<&Draft> for Seen {
    fn from(draft: &Draft) -> Self {
        Self { version: draft.version, stage: draft.stage.name() }
    }
}

/// Which drafts; `None` asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Who writes it.
    pub owner: Option<AccountId>,
    /// For whom.
    pub org: Option<OrgId>,
    /// The stored word of its stage; `active` = writing or submitted.
    pub stage: Option<String>,
    /// The subject it will be a version of.
    pub subject: Option<SubjectId>,
    /// The case it answers.
    pub case: Option<CaseId>,
    /// For one of these or an organisation below one; empty asks for nothing.
    pub orgs: Vec<OrgId>,
    /// `resource` or `claim`.
    pub kind: Option<String>,
    /// Which come first.
    pub order: Order,
}

/// Order of a list; ties are broken by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Latest change first.
    #[default]
    Newest,
    /// What nobody touched for the longest time first.
    Oldest,
}

/// A draft in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The draft.
    pub draft: Draft,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was changed last; with the id the `before` of the next page.
    pub updated_at: Timestamp,
}

macro_rules! columns {
    () => {
        "id, subject, org, owner, case_id, matter, correction, excuses, version, stage, stage_at, created_at, updated_at"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Listed, StoreError> {
    let (id, subject, org, owner, case) = (c.id()?, c.id()?, c.id()?, c.opt_id()?, c.opt_id()?);
    let (matter, correction, excuses, version, name, at) = (c.json()?, c.text()?, c.json()?, c.int()?, c.text()?, c.opt_time()?);
    let stage = match (name.as_str(), at) {
        ("writing", _) => Stage::Writing,
        ("submitted", Some(at)) => Stage::Submitted { at },
        ("published", Some(at)) => Stage::Published { at },
        ("dropped", Some(at)) => Stage::Dropped { at },
        _ => return Err(c.corrupt(format!("what belongs to the stage \"{name}\" is missing"))),
    };
    let draft = Draft { id, subject, org, owner, case, matter, correction, excuses, version, stage };
    Ok(Listed { draft, created_at: c.time()?, updated_at: c.time()? })
}

fn stage_at(stage: &Stage) -> Option<Timestamp> {
    match stage {
        Stage::Writing => None,
        Stage::Submitted { at } | Stage::Published { at } | Stage::Dropped { at } => Some(*at),
    }
}

fn matter_text(draft: &Draft) -> Result<String, StoreError> {
    serde_json::to_string(&draft.matter).map_err(|e| StoreError::Corrupt { what: "draft", id: draft.id.to_string(), cause: e.to_string() })
}

fn excuses_text(draft: &Draft) -> Result<String, StoreError> {
    serde_json::to_string(&draft.excuses).map_err(|e| StoreError::Corrupt { what: "draft", id: draft.id.to_string(), cause: e.to_string() })
}

/// Adds a draft.
pub async fn insert(tx: &mut Tx, draft: &Draft, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO draft (id, subject, org, owner, case_id, kind, title, fields, matter, correction, version, stage, stage_at, created_at, updated_at, excuses)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15)";
    let args = args![
        draft.id.as_str(),
        draft.subject.as_str(),
        draft.org.as_str(),
        draft.owner.as_ref().map(AccountId::as_str),
        draft.case.as_ref().map(CaseId::as_str),
        draft.matter.kind(),
        draft.matter.title(),
        list_text(draft.matter.fields()),
        matter_text(draft)?,
        &draft.correction,
        draft.version,
        draft.stage.name(),
        stage_at(&draft.stage),
        now,
        excuses_text(draft)?
    ];
    run(tx, "add a draft", SQL, args).await.map(drop)
}

/// Stores a changed draft. `seen` is made from the draft as it was read, before the move: `let seen = Seen::from(&draft);`.
pub async fn update(tx: &mut Tx, seen: Seen, draft: &Draft, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE draft SET subject = $4, org = $5, owner = $6, case_id = $7, kind = $8, title = $9, fields = $10, matter = $11,
                         correction = $12, version = $13, stage = $14, stage_at = $15, updated_at = $16, excuses = $17
        WHERE id = $1 AND version = $2 AND stage = $3";
    const EXISTS: &str = "SELECT COUNT(*) FROM draft WHERE id = $1";
    let id = draft.id.as_str();
    let args = args![
        id,
        seen.version,
        seen.stage,
        draft.subject.as_str(),
        draft.org.as_str(),
        draft.owner.as_ref().map(AccountId::as_str),
        draft.case.as_ref().map(CaseId::as_str),
        draft.matter.kind(),
        draft.matter.title(),
        list_text(draft.matter.fields()),
        matter_text(draft)?,
        &draft.correction,
        draft.version,
        draft.stage.name(),
        stage_at(&draft.stage),
        now,
        excuses_text(draft)?
    ];
    run_versioned(tx, "change a draft", "draft", id, SQL, args, EXISTS).await
}

/// One draft.
pub async fn find(tx: &mut Tx, id: &DraftId) -> Result<Option<Draft>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM draft WHERE id = $1");
    Ok(one(tx, "find a draft", SQL, args![id.as_str()], read).await?.map(|listed| listed.draft))
}

/// One draft that must be there, with its times.
pub async fn get_listed(tx: &mut Tx, id: &DraftId) -> Result<Listed, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM draft WHERE id = $1");
    must(one(tx, "find a draft", SQL, args![id.as_str()], read).await?, "draft", id)
}

/// One draft that must be there.
pub async fn get(tx: &mut Tx, id: &DraftId) -> Result<Draft, StoreError> {
    must(find(tx, id).await?, "draft", id)
}

/// Drafts that pass `filter`, after `before` in the filter's order, at most `limit`.
pub async fn list(tx: &mut Tx, filter: &Filter, before: Option<(Timestamp, &DraftId)>, limit: u32) -> Result<Vec<Listed>, StoreError> {
    let mut query = Built::new(concat!("SELECT ", columns!(), " FROM draft WHERE TRUE"));
    narrow(&mut query, filter);
    let (seek, sorted) = match filter.order {
        Order::Newest => (" AND (updated_at, id) < ({}, {})", " ORDER BY updated_at DESC, id DESC LIMIT {}"),
        Order::Oldest => (" AND (updated_at, id) > ({}, {})", " ORDER BY updated_at, id LIMIT {}"),
    };
    if let Some((at, id)) = before {
        query.push(seek, args![at, id.as_str()]);
    }
    query.push(sorted, args![limit]);
    let (sql, args) = query.done();
    all(tx, "list drafts", sql, args, read).await
}

/// How many drafts pass `filter`.
pub async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64, StoreError> {
    let mut query = Built::new("SELECT COUNT(*) FROM draft WHERE TRUE");
    narrow(&mut query, filter);
    let (sql, args) = query.done();
    number(tx, "count drafts", sql, args).await
}

fn narrow<'a>(query: &mut Built<'a>, filter: &'a Filter) {
    match filter.stage.as_deref() {
        Some("active") => drop(query.push(" AND stage IN ('writing', 'submitted')", vec![])),
        Some(stage) => drop(query.push(" AND stage = {}", args![stage])),
        None => {}
    }
    let equal = [
        (" AND owner = {}", filter.owner.as_ref().map(AccountId::as_str)),
        (" AND org = {}", filter.org.as_ref().map(OrgId::as_str)),
        (" AND subject = {}", filter.subject.as_ref().map(SubjectId::as_str)),
        (" AND case_id = {}", filter.case.as_ref().map(CaseId::as_str)),
        (" AND kind = {}", filter.kind.as_deref()),
    ];
    for (piece, value) in equal {
        if let Some(value) = value {
            query.push(piece, args![value]);
        }
    }
    push_below(query, &filter.orgs);
}

/// Those of `subjects` that some draft is a version of, given-up drafts left out; each once.
pub async fn list_subjects(tx: &mut Tx, subjects: &[SubjectId]) -> Result<Vec<SubjectId>, StoreError> {
    let parts = ("SELECT DISTINCT subject FROM draft WHERE stage <> 'dropped' AND subject IN (", ")");
    all_in(tx, "find the subjects of drafts", parts, subjects, |id| args![id.as_str()], |c| c.id()).await
}

/// What `owner` writes, latest change first, at most `limit`.
pub async fn list_by_owner(tx: &mut Tx, owner: &AccountId, limit: u32) -> Result<Vec<Listed>, StoreError> {
    list(tx, &Filter { owner: Some(owner.clone()), ..Filter::default() }, None, limit).await
}

/// What is written for `org`, in `stage` (`None`: any), latest change first, at most `limit`.
pub async fn list_by_org(tx: &mut Tx, org: &OrgId, stage: Option<&str>, limit: u32) -> Result<Vec<Listed>, StoreError> {
    list(tx, &Filter { org: Some(org.clone()), stage: stage.map(str::to_owned), ..Filter::default() }, None, limit).await
}

/// What waits for review or publication, the longest waiting first, at most `limit`.
pub async fn list_submitted(tx: &mut Tx, limit: u32) -> Result<Vec<Listed>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM draft WHERE stage = 'submitted' ORDER BY updated_at, id LIMIT $1");
    all(tx, "list submitted drafts", SQL, args![limit], read).await
}
