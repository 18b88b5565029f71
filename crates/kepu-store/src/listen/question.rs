//! Questions of visitors. No column can name the asker; the work on a question is in `case`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, must, number, one, run, run_versioned};
use kepu_domain::ids::{CaseId, QuestionId, SubjectId};
use kepu_domain::listen::question::{Question, Stage};

macro_rules! columns {
    () => {
        "id, text, region, asked_at, stage, case_id, claim, reason, ended_at"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Question, StoreError> {
    let (id, text, region, asked_at, name) = (c.id()?, c.text()?, c.region()?, c.time()?, c.text()?);
    let (case, claim, reason, ended_at) = (c.opt_id()?, c.opt_id()?, c.text()?, c.opt_time()?);
    let stage = match (name.as_str(), case, claim, ended_at) {
        ("open", Some(case), _, _) => Stage::Open { case },
        ("answered", _, Some(claim), Some(at)) => Stage::Answered { claim, at },
        ("closed", _, _, Some(at)) => Stage::Closed { reason, at },
        _ => return Err(c.corrupt(format!("what belongs to the stage \"{name}\" is missing"))),
    };
    Ok(Question { id, text, region, asked_at, stage })
}

/// Adds a question.
pub async fn insert(tx: &mut Tx, question: &Question) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO question (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    let Columns { name, case, claim, reason, ended_at } = columns_of(&question.stage);
    let region = question.region.to_string();
    let args = args![question.id.as_str(), &question.text, region, question.asked_at, name, case, claim, reason, ended_at];
    run(tx, "add a question", SQL, args).await.map(drop)
}

/// Moves an open question to the stage it has now (another case, answered, closed). `Stale` if it was no longer open.
pub async fn update(tx: &mut Tx, question: &Question) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE question SET stage = $2, case_id = $3, claim = $4, reason = $5, ended_at = $6
        WHERE id = $1 AND stage = 'open'";
    const EXISTS: &str = "SELECT COUNT(*) FROM question WHERE id = $1";
    let Columns { name, case, claim, reason, ended_at } = columns_of(&question.stage);
    let id = question.id.as_str();
    run_versioned(tx, "change a question", "question", id, SQL, args![id, name, case, claim, reason, ended_at], EXISTS).await
}

struct Columns<'a> {
    name: &'static str,
    case: Option<&'a str>,
    claim: Option<&'a str>,
    reason: &'a str,
    ended_at: Option<jiff::Timestamp>,
}

fn columns_of(stage: &Stage) -> Columns<'_> {
    match stage {
        Stage::Open { case } => Columns { name: "open", case: Some(case.as_str()), claim: None, reason: "", ended_at: None },
        Stage::Answered { claim, at } => Columns { name: "answered", case: None, claim: Some(claim.as_str()), reason: "", ended_at: Some(*at) },
        Stage::Closed { reason, at } => Columns { name: "closed", case: None, claim: None, reason, ended_at: Some(*at) },
    }
}

/// One question.
pub async fn find(tx: &mut Tx, id: &QuestionId) -> Result<Option<Question>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM question WHERE id = $1");
    one(tx, "find a question", SQL, args![id.as_str()], read).await
}

/// One question that must be there.
pub async fn get(tx: &mut Tx, id: &QuestionId) -> Result<Question, StoreError> {
    must(find(tx, id).await?, "question", id)
}

/// Open questions that wait for a case, oldest first, at most `limit`.
pub async fn list_by_case(tx: &mut Tx, case: &CaseId, limit: u32) -> Result<Vec<Question>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM question WHERE case_id = $1 ORDER BY asked_at, id LIMIT $2");
    all(tx, "list the questions of a case", SQL, args![case.as_str(), limit], read).await
}

/// Questions answered by a claim, oldest first, at most `limit`.
pub async fn list_by_claim(tx: &mut Tx, claim: &SubjectId, limit: u32) -> Result<Vec<Question>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM question WHERE claim = $1 ORDER BY asked_at, id LIMIT $2");
    all(tx, "list the questions of a claim", SQL, args![claim.as_str(), limit], read).await
}

/// Questions before `before`, newest first, at most `limit`.
pub async fn list_recent(tx: &mut Tx, before: Option<(jiff::Timestamp, &QuestionId)>, limit: u32) -> Result<Vec<Question>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM question WHERE (asked_at, id) < ($1, $2) ORDER BY asked_at DESC, id DESC LIMIT $3");
    let (at, id) = before.map_or((i64::MAX, ""), |(at, id)| (at.as_millisecond(), id.as_str()));
    all(tx, "list questions", SQL, args![at, id, limit], read).await
}

/// How many questions wait.
pub async fn count_open(tx: &mut Tx) -> Result<i64, StoreError> {
    number(tx, "count open questions", "SELECT COUNT(*) FROM question WHERE stage = 'open'", vec![]).await
}

/// Forgets the words of questions that ended before `before`; that they were asked, where and how they ended stays.
/// Returns how many.
pub async fn purge_texts(tx: &mut Tx, before: jiff::Timestamp) -> Result<u64, StoreError> {
    run(tx, "forget the words of old questions", "UPDATE question SET text = '' WHERE ended_at < $1 AND text <> ''", args![before]).await
}
