//! Reviewers' tasks. Who may review what is decided in `kepu-domain::create::review`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, all_in, args, must, number, one, run, run_versioned};
use jiff::Timestamp;
use kepu_domain::create::review::{Decision, Review, Stage};
use kepu_domain::ids::{DraftId, OrgId, PartyId, ReviewId};
use std::collections::HashMap;

macro_rules! columns {
    () => {
        "id, draft, draft_version, reviewer, stage, due, decision, conflict, comment, checks, reason, ended_at"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Review, StoreError> {
    let (id, draft, draft_version, reviewer, name) = (c.id()?, c.id()?, c.int()?, c.id()?, c.text()?);
    let (due, decision, conflict, comment, checks) = (c.opt_text()?, c.opt_text()?, c.text()?, c.text()?, c.json()?);
    let (reason, ended_at) = (c.text()?, c.opt_time()?);
    let due = due.map(|text| text.parse().map_err(|e| c.corrupt(e))).transpose()?;
    let stage = match (name.as_str(), due, decision.as_deref().and_then(Decision::parse), ended_at) {
        ("assigned", Some(due), _, _) => Stage::Assigned { due },
        ("decided", _, Some(decision), Some(at)) => Stage::Decided { decision, conflict, comment, checks, at },
        ("declined", _, _, Some(at)) => Stage::Declined { reason, at },
        _ => return Err(c.corrupt(format!("what belongs to the stage \"{name}\" is missing"))),
    };
    Ok(Review { id, draft, draft_version, reviewer, stage })
}

struct Columns<'a> {
    name: &'static str,
    due: Option<String>,
    decision: Option<&'static str>,
    conflict: &'a str,
    comment: &'a str,
    checks: String,
    reason: &'a str,
    ended_at: Option<Timestamp>,
}

fn columns_of(stage: &Stage) -> Columns<'_> {
    let none = Columns { name: "assigned", due: None, decision: None, conflict: "", comment: "", checks: "[]".into(), reason: "", ended_at: None };
    match stage {
        Stage::Assigned { due } => Columns { due: Some(due.to_string()), ..none },
        Stage::Decided { decision, conflict, comment, checks, at } => {
            // A list of words always has a JSON form.
            let checks = serde_json::to_string(checks).unwrap_or_else(|_| "[]".into());
            Columns { name: "decided", decision: Some(decision.as_str()), conflict, comment, checks, ended_at: Some(*at), ..none }
        }
        Stage::Declined { reason, at } => Columns { name: "declined", reason, ended_at: Some(*at), ..none },
    }
}

/// Adds a task that was assigned at `now`; `batch` names the assignment of the whole queue that gave it, empty if a person did.
pub async fn insert(tx: &mut Tx, review: &Review, batch: &str, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO review (", columns!(), ", assigned_at, batch) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");
    let c = columns_of(&review.stage);
    let args = args![
        review.id.as_str(),
        review.draft.as_str(),
        review.draft_version,
        review.reviewer.as_str(),
        c.name,
        c.due,
        c.decision,
        c.conflict,
        c.comment,
        c.checks,
        c.reason,
        c.ended_at,
        now,
        batch
    ];
    run(tx, "add a review", SQL, args).await.map(drop)
}

/// Stores an assigned task that was decided or declined. `Stale` if it was closed before.
pub async fn update(tx: &mut Tx, review: &Review) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE review SET stage = $2, due = $3, decision = $4, conflict = $5, comment = $6, reason = $7, ended_at = $8, checks = $9
        WHERE id = $1 AND stage = 'assigned'";
    const EXISTS: &str = "SELECT COUNT(*) FROM review WHERE id = $1";
    let c = columns_of(&review.stage);
    let id = review.id.as_str();
    let args = args![id, c.name, c.due, c.decision, c.conflict, c.comment, c.reason, c.ended_at, c.checks];
    run_versioned(tx, "change a review", "review", id, SQL, args, EXISTS).await
}

/// One task.
pub async fn find(tx: &mut Tx, id: &ReviewId) -> Result<Option<Review>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM review WHERE id = $1");
    one(tx, "find a review", SQL, args![id.as_str()], read).await
}

/// One task that must be there.
pub async fn get(tx: &mut Tx, id: &ReviewId) -> Result<Review, StoreError> {
    must(find(tx, id).await?, "review", id)
}

/// The tasks of a reviewer in the stage with the stored word `stage` (`None`: any), longest assigned first, at most `limit`.
pub async fn list_by_reviewer(tx: &mut Tx, reviewer: &PartyId, stage: Option<&str>, limit: u32) -> Result<Vec<Review>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM review WHERE reviewer = $1 AND ($2 = '' OR stage = $2) ORDER BY assigned_at, id LIMIT $3");
    all(tx, "list the reviews of a reviewer", SQL, args![reviewer.as_str(), stage.unwrap_or_default(), limit], read).await
}

/// The tasks on a draft, all versions, first assigned first; at most 200.
pub async fn list_by_draft(tx: &mut Tx, draft: &DraftId) -> Result<Vec<Review>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM review WHERE draft = $1 ORDER BY assigned_at, id LIMIT 200");
    all(tx, "list the reviews of a draft", SQL, args![draft.as_str()], read).await
}

/// Which tasks of a reviewer are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Waiting for the reviewer: not decided, and the draft still stands in the version that was assigned.
    Open,
    /// All others: decided, given back, or overtaken by a change of the draft.
    Done,
}

/// A reviewer's task with what a list says about its draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The task.
    pub review: Review,
    /// When it was assigned.
    pub assigned_at: Timestamp,
    /// Title of the draft.
    pub title: String,
    /// `resource` or `claim`.
    pub kind: String,
    /// For whom it is written.
    pub org: OrgId,
}

/// The tasks of a reviewer: open ones by the day they are due, done ones latest first; at most `limit`.
pub async fn list_tasks(tx: &mut Tx, reviewer: &PartyId, which: Which, limit: u32) -> Result<Vec<Task>, StoreError> {
    const HEAD: &str = "
        SELECT r.id, r.draft, r.draft_version, r.reviewer, r.stage, r.due, r.decision, r.conflict, r.comment, r.checks, r.reason, r.ended_at,
               r.assigned_at, d.title, d.kind, d.org
        FROM   review r JOIN draft d ON d.id = r.draft WHERE TRUE";
    let mut query = Built::new(HEAD);
    query.push(" AND r.reviewer = {}", args![reviewer.as_str()]).push(condition(which), vec![]);
    let order = match which {
        Which::Open => " ORDER BY r.due, r.id LIMIT {}",
        Which::Done => " ORDER BY r.assigned_at DESC, r.id DESC LIMIT {}",
    };
    query.push(order, args![limit]);
    let (sql, args) = query.done();
    let read_task = |c: &mut Cells<'_>| Ok(Task { review: read(c)?, assigned_at: c.time()?, title: c.text()?, kind: c.text()?, org: c.id()? });
    all(tx, "list the tasks of a reviewer", sql, args, read_task).await
}

/// How many tasks of this kind a reviewer has.
pub async fn count_tasks(tx: &mut Tx, reviewer: &PartyId, which: Which) -> Result<i64, StoreError> {
    let mut query = Built::new("SELECT COUNT(*) FROM review r JOIN draft d ON d.id = r.draft WHERE TRUE");
    query.push(" AND r.reviewer = {}", args![reviewer.as_str()]).push(condition(which), vec![]);
    let (sql, args) = query.done();
    number(tx, "count the tasks of a reviewer", sql, args).await
}

fn condition(which: Which) -> &'static str {
    match which {
        Which::Open => " AND r.stage = 'assigned' AND d.stage = 'submitted' AND d.version = r.draft_version",
        Which::Done => " AND (r.stage <> 'assigned' OR d.stage <> 'submitted' OR d.version <> r.draft_version)",
    }
}

/// The interests that a reviewer stated last.
pub async fn find_last_conflict(tx: &mut Tx, reviewer: &PartyId) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT conflict FROM review WHERE reviewer = $1 AND stage = 'decided' ORDER BY ended_at DESC, id DESC LIMIT 1";
    one(tx, "find the interests stated last", SQL, args![reviewer.as_str()], |c| c.text()).await
}

/// How many tasks each reviewer was given since `since`, without those given back.
pub async fn loads(tx: &mut Tx, since: Timestamp) -> Result<HashMap<PartyId, i64>, StoreError> {
    const SQL: &str = "
        SELECT reviewer, COUNT(*) FROM review
        WHERE assigned_at >= $1 AND stage <> 'declined' GROUP BY reviewer ORDER BY reviewer";
    let rows = all(tx, "count the tasks of reviewers", SQL, args![since], |c| Ok((c.id()?, c.int()?))).await?;
    Ok(rows.into_iter().collect())
}

/// The tasks on these drafts, all versions, by draft, then first assigned first.
pub async fn list_by_drafts(tx: &mut Tx, drafts: &[DraftId]) -> Result<Vec<Review>, StoreError> {
    const PARTS: (&str, &str) = (concat!("SELECT ", columns!(), " FROM review WHERE draft IN ("), ") ORDER BY draft, assigned_at, id");
    all_in(tx, "list the reviews of drafts", PARTS, drafts, |id| args![id.as_str()], read).await
}

/// Takes back what an assignment of the whole queue gave and nobody has acted on. Returns how many tasks went.
pub async fn delete_batch(tx: &mut Tx, batch: &str) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM review WHERE batch = $1 AND batch <> '' AND stage = 'assigned'";
    run(tx, "take back an assignment", SQL, args![batch]).await
}

/// One assignment of the whole queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Id; the `batch` of its tasks.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who, as in the audit log.
    pub who: String,
    /// What it brought, as JSON.
    pub figures: String,
    /// When it was taken back.
    pub undone_at: Option<Timestamp>,
}

/// Notes an assignment of the whole queue.
pub async fn insert_run(tx: &mut Tx, one: &Run) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO review_run (id, at, who, figures, undone_at) VALUES ($1, $2, $3, $4, $5)";
    run(tx, "note an assignment", SQL, args![&one.id, one.at, &one.who, &one.figures, one.undone_at]).await.map(drop)
}

/// Marks an assignment as taken back. `Stale` if it was before.
pub async fn undo_run(tx: &mut Tx, id: &str, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE review_run SET undone_at = $2 WHERE id = $1 AND undone_at IS NULL";
    const EXISTS: &str = "SELECT COUNT(*) FROM review_run WHERE id = $1";
    run_versioned(tx, "take back an assignment", "assignment", id, SQL, args![id, now], EXISTS).await
}

/// The latest assignments of the whole queue, newest first, at most `limit`.
pub async fn list_runs(tx: &mut Tx, limit: u32) -> Result<Vec<Run>, StoreError> {
    const SQL: &str = "SELECT id, at, who, figures, undone_at FROM review_run ORDER BY at DESC, id DESC LIMIT $1";
    let read = |c: &mut Cells<'_>| Ok(Run { id: c.text()?, at: c.time()?, who: c.text()?, figures: c.text()?, undone_at: c.opt_time()? });
    all(tx, "list assignments", SQL, args![limit], read).await
}

/// Notes that `reviewer` should not judge what `about` (a party or an organisation) writes. Once is enough.
pub async fn put_interest(tx: &mut Tx, reviewer: &PartyId, about: &str, reason: &str, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO review_interest (reviewer, about, reason, at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (reviewer, about) DO UPDATE SET reason = excluded.reason, at = excluded.at";
    run(tx, "note an interest", SQL, args![reviewer.as_str(), about, reason, now]).await.map(drop)
}

/// Every declared interest: who, and in what; at most `limit`.
pub async fn list_interests(tx: &mut Tx, limit: u32) -> Result<Vec<(PartyId, String)>, StoreError> {
    const SQL: &str = "SELECT reviewer, about FROM review_interest ORDER BY reviewer, about LIMIT $1";
    all(tx, "list interests", SQL, args![limit], |c| Ok((c.id()?, c.text()?))).await
}
