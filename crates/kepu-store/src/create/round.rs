//! Rounds, applications, judgements and objections. Rules are in `kepu-domain::create::round`.

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, must, number, one, run, run_versioned};
use jiff::Timestamp;
use kepu_domain::create::round::{Application, Judgement, JudgementStage, Round};
use kepu_domain::ids::{AccountId, ApplicationId, ObjectionId, PartyId, RoundId};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn from_doc<T: DeserializeOwned>(what: &'static str, doc: &str) -> Result<T, StoreError> {
    serde_json::from_str(doc).map_err(|e| StoreError::Corrupt { what, id: doc.chars().take(40).collect(), cause: e.to_string() })
}

fn doc_of(value: &impl Serialize) -> String {
    // Texts, numbers and maps with text keys only: nothing that JSON could not hold.
    serde_json::to_string(value).unwrap_or_default()
}

fn read_round(c: &mut Cells<'_>) -> Result<Round, StoreError> {
    let version = c.int()?;
    Ok(Round { version, ..from_doc("round", &c.text()?)? })
}

fn read_application(c: &mut Cells<'_>) -> Result<Application, StoreError> {
    let version = c.int()?;
    Ok(Application { version, ..from_doc("application", &c.text()?)? })
}

/// Adds a round.
pub async fn insert(tx: &mut Tx, round: &Round) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO round (id, kind, org, stage, closes, version, doc) VALUES ($1, $2, $3, $4, $5, 1, $6)";
    let args = args![round.id.as_str(), &round.kind, round.org.as_str(), round.stage.name(), round.closes.as_millisecond(), doc_of(round)];
    run(tx, "add a round", SQL, args).await.map(drop)
}

/// One round that must be there.
pub async fn get(tx: &mut Tx, id: &RoundId) -> Result<Round, StoreError> {
    must(one(tx, "find a round", "SELECT version, doc FROM round WHERE id = $1", args![id.as_str()], read_round).await?, "round", id)
}

/// Stores a changed round that was read in `round.version`.
pub async fn update(tx: &mut Tx, round: &Round) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE round SET stage = $3, closes = $4, doc = $5, version = version + 1 WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM round WHERE id = $1";
    let args = args![round.id.as_str(), round.version, round.stage.name(), round.closes.as_millisecond(), doc_of(round)];
    run_versioned(tx, "change a round", "round", round.id.as_str(), SQL, args, EXISTS).await
}

/// Rounds, the last to close first, at most `limit`.
pub async fn list(tx: &mut Tx, limit: u32) -> Result<Vec<Round>, StoreError> {
    all(tx, "list rounds", "SELECT version, doc FROM round ORDER BY closes DESC, id LIMIT $1", args![limit], read_round).await
}

/// Adds an application.
pub async fn insert_application(tx: &mut Tx, a: &Application) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO application (id, round, party, owner, stage, version, doc) VALUES ($1, $2, $3, $4, $5, 1, $6)";
    let args = args![a.id.as_str(), a.round.as_str(), a.party.as_str(), a.owner.as_str(), a.stage.name(), doc_of(a)];
    run(tx, "add an application", SQL, args).await.map(drop)
}

/// One application that must be there.
pub async fn get_application(tx: &mut Tx, id: &ApplicationId) -> Result<Application, StoreError> {
    const SQL: &str = "SELECT version, doc FROM application WHERE id = $1";
    must(one(tx, "find an application", SQL, args![id.as_str()], read_application).await?, "application", id)
}

/// Stores a changed application that was read in `a.version`.
pub async fn update_application(tx: &mut Tx, a: &Application) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE application SET stage = $3, doc = $4, version = version + 1 WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM application WHERE id = $1";
    let args = args![a.id.as_str(), a.version, a.stage.name(), doc_of(a)];
    run_versioned(tx, "change an application", "application", a.id.as_str(), SQL, args, EXISTS).await
}

/// The applications of a round after the id `after`, by id, at most `limit`.
pub async fn list_applications(tx: &mut Tx, round: &RoundId, after: &str, limit: u32) -> Result<Vec<Application>, StoreError> {
    const SQL: &str = "SELECT version, doc FROM application WHERE round = $1 AND id > $2 ORDER BY id LIMIT $3";
    all(tx, "list applications", SQL, args![round.as_str(), after, limit], read_application).await
}

/// The applications of a party, by id, at most `limit`.
pub async fn list_by_party(tx: &mut Tx, party: &PartyId, limit: u32) -> Result<Vec<Application>, StoreError> {
    const SQL: &str = "SELECT version, doc FROM application WHERE party = $1 ORDER BY id DESC LIMIT $2";
    all(tx, "list the applications of a party", SQL, args![party.as_str(), limit], read_application).await
}

/// The applications that an account fills in, the newest first, at most `limit`.
pub async fn list_by_owner(tx: &mut Tx, owner: &AccountId, limit: u32) -> Result<Vec<Application>, StoreError> {
    const SQL: &str = "SELECT version, doc FROM application WHERE owner = $1 ORDER BY id DESC LIMIT $2";
    all(tx, "list the applications of an account", SQL, args![owner.as_str(), limit], read_application).await
}

/// The applications of all rounds in a stage after the id `after`, by id, at most `limit`.
pub async fn list_in_stage(tx: &mut Tx, stage: &str, after: &str, limit: u32) -> Result<Vec<Application>, StoreError> {
    const SQL: &str = "SELECT version, doc FROM application WHERE stage = $1 AND id > $2 ORDER BY id LIMIT $3";
    all(tx, "list applications in a stage", SQL, args![stage, after, limit], read_application).await
}

/// How many applications of a round stand in each stage, by the stage's word.
pub async fn count_by_stage(tx: &mut Tx, round: &RoundId) -> Result<Vec<(String, i64)>, StoreError> {
    const SQL: &str = "SELECT stage, COUNT(*) FROM application WHERE round = $1 GROUP BY stage ORDER BY stage";
    all(tx, "count applications", SQL, args![round.as_str()], |c| Ok((c.text()?, c.int()?))).await
}

/// How many judgements of a round wait for their judge.
pub async fn count_assigned(tx: &mut Tx, round: &RoundId) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM judgement WHERE round = $1 AND stage = 'assigned'";
    number(tx, "count judgements that wait", SQL, args![round.as_str()]).await
}

/// How many tasks each judge has that are not scored yet, in all rounds.
pub async fn loads(tx: &mut Tx) -> Result<Vec<(PartyId, i64)>, StoreError> {
    const SQL: &str = "SELECT judge, COUNT(*) FROM judgement WHERE stage = 'assigned' GROUP BY judge ORDER BY judge";
    all(tx, "count the tasks of judges", SQL, vec![], |c| Ok((c.id()?, c.int()?))).await
}

fn stage_word(stage: &JudgementStage) -> &'static str {
    match stage {
        JudgementStage::Assigned => "assigned",
        JudgementStage::Scored { .. } => "scored",
        JudgementStage::Recused { .. } => "recused",
    }
}

fn read_judgement(c: &mut Cells<'_>) -> Result<Judgement, StoreError> {
    from_doc("judgement", &c.text()?)
}

/// Adds or changes judgements of a round.
pub async fn put_judgements(tx: &mut Tx, round: &RoundId, list: &[Judgement]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO judgement (application, judge, round, stage, doc) VALUES";
    const OVER: &str = " ON CONFLICT (application, judge) DO UPDATE SET stage = excluded.stage, doc = excluded.doc";
    let rows: Vec<(&RoundId, &Judgement)> = list.iter().map(|judgement| (round, judgement)).collect();
    bulk_insert(tx, "store judgements", SQL, 5, OVER, &rows, |(round, j), values| {
        values.extend(args![j.application.as_str(), j.judge.as_str(), round.as_str(), stage_word(&j.stage), doc_of(j)]);
    })
    .await
    .map(drop)
}

/// One judgement, if the judge was asked.
pub async fn find_judgement(tx: &mut Tx, application: &ApplicationId, judge: &PartyId) -> Result<Option<Judgement>, StoreError> {
    const SQL: &str = "SELECT doc FROM judgement WHERE application = $1 AND judge = $2";
    one(tx, "find a judgement", SQL, args![application.as_str(), judge.as_str()], read_judgement).await
}

/// The judgements of an application, by judge, at most `limit`.
pub async fn list_by_application(tx: &mut Tx, application: &ApplicationId, limit: u32) -> Result<Vec<Judgement>, StoreError> {
    const SQL: &str = "SELECT doc FROM judgement WHERE application = $1 ORDER BY judge LIMIT $2";
    all(tx, "list the judgements of an application", SQL, args![application.as_str(), limit], read_judgement).await
}

/// All judgements of a round, by application and judge, at most `limit`.
pub async fn list_judgements(tx: &mut Tx, round: &RoundId, limit: u32) -> Result<Vec<Judgement>, StoreError> {
    const SQL: &str = "SELECT doc FROM judgement WHERE round = $1 ORDER BY application, judge LIMIT $2";
    all(tx, "list judgements", SQL, args![round.as_str(), limit], read_judgement).await
}

/// What a judge was asked for, open ones first, at most `limit`.
pub async fn list_by_judge(tx: &mut Tx, judge: &PartyId, limit: u32) -> Result<Vec<Judgement>, StoreError> {
    const SQL: &str = "SELECT doc FROM judgement WHERE judge = $1 ORDER BY stage, application LIMIT $2";
    all(tx, "list the tasks of a judge", SQL, args![judge.as_str(), limit], read_judgement).await
}

/// An objection to a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// Id.
    pub id: ObjectionId,
    /// Round.
    pub round: RoundId,
    /// Application.
    pub application: ApplicationId,
    /// When.
    pub at: Timestamp,
    /// What is objected to.
    pub words: String,
    /// How to reach who objects, perhaps empty; seen by the office only.
    pub contact: String,
    /// The office's answer, empty while there is none.
    pub answer: String,
    /// Whether it was right.
    pub upheld: bool,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// Who answered it.
    pub answered_by: Option<AccountId>,
}

/// Adds an objection.
pub async fn insert_objection(tx: &mut Tx, o: &Objection) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO objection (id, round, application, at, words, contact, answer, upheld, answered_at)
        VALUES ($1, $2, $3, $4, $5, $6, '', $7, NULL)";
    let args = args![o.id.as_str(), o.round.as_str(), o.application.as_str(), o.at.as_millisecond(), &o.words, &o.contact, false];
    run(tx, "add an objection", SQL, args).await.map(drop)
}

/// Answers an objection that has no answer yet; says whether it had none. `by`: empty for the node itself.
pub async fn answer_objection(tx: &mut Tx, id: &ObjectionId, answer: &str, upheld: bool, by: &str, at: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE objection SET answer = $2, upheld = $3, answered_at = $4, answered_by = $5 WHERE id = $1 AND answered_at IS NULL";
    Ok(run(tx, "answer an objection", SQL, args![id.as_str(), answer, upheld, at.as_millisecond(), by]).await? == 1)
}

/// Removes how to reach those whose objections were answered before `before`; says of how many.
pub async fn purge_contacts(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE objection SET contact = '' WHERE contact <> '' AND answered_at < $1";
    run(tx, "remove contacts of objectors", SQL, args![before.as_millisecond()]).await
}

/// One objection that must be there.
pub async fn get_objection(tx: &mut Tx, id: &ObjectionId) -> Result<Objection, StoreError> {
    const SQL: &str = "SELECT id, round, application, at, words, contact, answer, upheld, answered_at, answered_by FROM objection WHERE id = $1";
    must(one(tx, "find an objection", SQL, args![id.as_str()], read_objection).await?, "objection", id)
}

/// The objections of a round, oldest first, at most `limit`.
pub async fn list_objections(tx: &mut Tx, round: &RoundId, limit: u32) -> Result<Vec<Objection>, StoreError> {
    const SQL: &str = "
        SELECT id, round, application, at, words, contact, answer, upheld, answered_at, answered_by FROM objection
        WHERE round = $1 ORDER BY at, id LIMIT $2";
    all(tx, "list objections", SQL, args![round.as_str(), limit], read_objection).await
}

/// How many objections of a round have no answer.
pub async fn count_open_objections(tx: &mut Tx, round: &RoundId) -> Result<i64, StoreError> {
    number(tx, "count open objections", "SELECT COUNT(*) FROM objection WHERE round = $1 AND answered_at IS NULL", args![round.as_str()]).await
}

fn read_objection(c: &mut Cells<'_>) -> Result<Objection, StoreError> {
    Ok(Objection {
        id: c.id()?,
        round: c.id()?,
        application: c.id()?,
        at: c.time()?,
        words: c.text()?,
        contact: c.text()?,
        answer: c.text()?,
        upheld: c.bool()?,
        answered_at: c.opt_time()?,
        answered_by: Some(c.text()?).filter(|id| !id.is_empty()).map(AccountId),
    })
}
