//! A judge's own part: the tasks, one application as a judge may see it (without names where the kind is blind), scores, stepping back.

use super::{Lines, assign, kind_of, label_of, parties_of, sets_of, words};
use crate::App;
use crate::account::log_detail;
use crate::create::party;
use crate::create::review::party_of;
use crate::error::{AppError, FieldError};
use kepu_domain::access::Actor;
use kepu_domain::create::criteria::{Assessment, CriteriaSet};
use kepu_domain::create::party::Party;
use kepu_domain::create::round::{AppStage, Application, Interest, Judgement, JudgementStage, NAMES, Round, RoundError, RoundKind, RoundStage, interest};
use kepu_domain::field::{FieldDef, FieldType};
use kepu_domain::ids::{ApplicationId, PartyId};
use kepu_store::Tx;
use kepu_store::create::{party as parties, round as store};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Most tasks of a judge in one list.
const TASKS_MAX: u32 = 2_000;

/// Stands where a name was taken out.
pub const HIDDEN: &str = "〔隐去〕";

/// One task of a judge.
#[derive(Clone, Debug)]
pub struct Task {
    /// The application.
    pub application: ApplicationId,
    /// What it is about; for a blind kind without names.
    pub label: String,
    /// Its round.
    pub round: Round,
    /// Where it stands.
    pub judgement: Judgement,
    /// Whether it can be scored or changed now.
    pub open: bool,
}

/// The tasks of the acting person: open ones first.
pub async fn tasks(app: &App, who: &Actor) -> Result<Vec<Task>, AppError> {
    let mut tx = app.db.read().await?;
    let Some(judge) = party_of(&mut tx, who).await? else { return Ok(vec![]) };
    let mut rounds: BTreeMap<String, (Round, RoundKind)> = BTreeMap::new();
    let mut list = Vec::new();
    for judgement in store::list_by_judge(&mut tx, &judge, TASKS_MAX).await? {
        if matches!(judgement.stage, JudgementStage::Recused { .. }) {
            continue;
        }
        let application = store::get_application(&mut tx, &judgement.application).await?;
        if !rounds.contains_key(&application.round.0) {
            let round = store::get(&mut tx, &application.round).await?;
            let kind = kind_of(app, &round)?;
            rounds.insert(application.round.0.clone(), (round, kind));
        }
        let (round, kind) = &rounds[&application.round.0];
        let complete = matches!(application.stage, AppStage::Complete { .. });
        let label = match parties::find(&mut tx, &application.party).await? {
            Some(party) => {
                let org = party::org_name(&mut tx, &party.org).await?;
                judged_label(&application, &party, &org, kind)
            }
            None => continue,
        };
        let open = complete && round.stage == RoundStage::Judging;
        if open || judgement.stage != JudgementStage::Assigned {
            list.push(Task { application: application.id, label, round: round.clone(), judgement, open });
        }
    }
    list.sort_by_key(|task| (!task.open, task.judgement.stage != JudgementStage::Assigned, task.round.closes, task.application.clone()));
    Ok(list)
}

/// One application as its judge sees it.
#[derive(Clone, Debug)]
pub struct JudgeView {
    /// Its round.
    pub round: Round,
    /// Its kind.
    pub kind: RoundKind,
    /// The application's id.
    pub id: ApplicationId,
    /// What it is about.
    pub label: String,
    /// The applicant and their institution; `None` for a blind kind.
    pub party: Option<(Party, String)>,
    /// Fields with answers, names taken out where the kind is blind.
    pub answers: Vec<(FieldDef, Value)>,
    /// Titles of the proofs, likewise, with the digest of a file that may be read.
    pub evidence: Vec<(String, String)>,
    /// How the criteria stand.
    pub assessments: Vec<(CriteriaSet, Assessment)>,
    /// The task.
    pub judgement: Judgement,
    /// Whether it can be scored now.
    pub open: bool,
    /// The next task that is not scored, if there is one.
    pub next: Option<ApplicationId>,
    /// How many are scored, of how many.
    pub done: (usize, usize),
}

/// `text` without the names of the applicant and the institution.
fn hide(text: &str, party: &Party, org: &str) -> String {
    let mut names = vec![org.trim(), party.name.trim(), party.name_en.trim()];
    // The longer name first: an institution's name may hold a shorter one.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.into_iter().filter(|name| name.chars().count() >= 2).fold(text.to_owned(), |text, name| text.replace(name, HIDDEN))
}

/// What an application is about, as its judges read it: where only a name could stand, its number does.
fn judged_label(application: &Application, party: &Party, org: &str, kind: &RoundKind) -> String {
    let label = label_of(application, party);
    match (kind.blind, label == party.name) {
        (false, _) => label,
        (true, true) => application.id.0.clone(),
        (true, false) => hide(&label, party, org),
    }
}

fn hide_value(field: &FieldDef, value: &Value, party: &Party, org: &str) -> Option<Value> {
    let names_people = NAMES.contains(&field.id.as_str()) || field.id == "work_id" || matches!(field.kind, FieldType::Party | FieldType::Org | FieldType::Url);
    if names_people {
        return None;
    }
    fn walk(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
        match value {
            Value::String(text) => Value::String(change(text)),
            Value::Array(list) => Value::Array(list.iter().map(|v| walk(v, change)).collect()),
            Value::Object(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), walk(v, change))).collect()),
            other => other.clone(),
        }
    }
    Some(walk(value, &|text| hide(text, party, org)))
}

struct Mine {
    judge: Party,
    application: Application,
    round: Round,
    kind: RoundKind,
    judgement: Judgement,
}

/// The task, for the judge it was given to; for everybody else it is not there.
async fn mine(app: &App, tx: &mut Tx, who: &Actor, id: &ApplicationId) -> Result<Mine, AppError> {
    let missing = || AppError::NotFound { what: "task", id: id.0.clone() };
    let judge = party_of(tx, who).await?.ok_or_else(missing)?;
    let judgement = store::find_judgement(tx, id, &judge).await?.filter(|j| !matches!(j.stage, JudgementStage::Recused { .. })).ok_or_else(missing)?;
    let application = store::get_application(tx, id).await?;
    let round = store::get(tx, &application.round).await?;
    let kind = kind_of(app, &round)?;
    Ok(Mine { judge: parties::get(tx, &judge).await?, application, round, kind, judgement })
}

/// One application as its judge sees it.
pub async fn view(app: &App, who: &Actor, id: &ApplicationId) -> Result<JudgeView, AppError> {
    let all = tasks(app, who).await?;
    let mut tx = app.db.read().await?;
    let Mine { application, round, kind, judgement, .. } = mine(app, &mut tx, who, id).await?;
    let party = parties::get(&mut tx, &application.party).await?;
    let org = party::org_name(&mut tx, &party.org).await?;
    let shown = |field: &FieldDef, value: &Value| if kind.blind { hide_value(field, value, &party, &org) } else { Some(value.clone()) };
    let answers = kind.fields.iter().filter_map(|f| Some((f.clone(), shown(f, application.answers.get(&f.id)?)?))).collect();
    let hidden = |text: &str| if kind.blind { hide(text, &party, &org) } else { text.to_owned() };
    let kept = if kind.blind { vec![] } else { super::proof::held(&mut tx, &application).await? };
    let file = |hash: &String| if kept.contains(hash) { hash.clone() } else { String::new() };
    let evidence = application.evidence.iter().map(|e| (hidden(&e.title), file(&e.media))).collect();
    let same: Vec<&Task> = all.iter().filter(|task| task.round.id == round.id && task.open).collect();
    let waits = |task: &&&Task| task.judgement.stage == JudgementStage::Assigned && task.application != *id;
    Ok(JudgeView {
        label: judged_label(&application, &party, &org, &kind),
        assessments: sets_of(app, &kind).into_iter().map(|set| (set.clone(), set.assess(&party, app.today()))).collect(),
        open: round.stage == RoundStage::Judging && matches!(application.stage, AppStage::Complete { .. }),
        next: same.iter().find(waits).map(|task| task.application.clone()),
        done: (same.iter().filter(|t| t.judgement.stage != JudgementStage::Assigned).count(), same.len()),
        id: application.id,
        party: (!kind.blind).then_some((party, org)),
        round,
        kind,
        answers,
        evidence,
        judgement,
    })
}

/// Scores an application; it can be changed until the proposal stands. Whether an interest has come up is asked again.
///
/// May: the judge it was given to. Writes: judgement, log.
pub async fn score(app: &App, who: &Actor, id: &ApplicationId, scores: BTreeMap<String, i64>, comment: &str) -> Result<(), AppError> {
    let comment = words("comment", comment, 0, 1_000)?;
    let mut tx = app.db.write().await?;
    let Mine { judge, application, round, kind, judgement } = mine(app, &mut tx, who, id).await?;
    if round.stage != RoundStage::Judging || !matches!(application.stage, AppStage::Complete { .. }) {
        return Err(RoundError::WrongStage { stage: round.stage.name(), attempted: "scored" }.into());
    }
    let applicant = parties::get(&mut tx, &application.party).await?;
    let mut lines = Lines::default();
    let (own, other) = (lines.of(&mut tx, &judge.org).await?, lines.of(&mut tx, &applicant.org).await?);
    if let Some(why) = interest(&judge, &applicant, &application, &own, &other, &round.declared) {
        // Somebody moved house since the task was given: it goes to another judge in the same transaction.
        let judge = judge.id.clone();
        assign::step_back(app, &mut tx, round, &judge, &application).await?;
        log_detail(app, &mut tx, &who.log_name(), "judgement.recused", &id.0, &json!({"why": why.as_str()})).await?;
        tx.commit().await?;
        return Err(RoundError::Recused { judge, why }.into());
    }
    let judgement = judgement.score(&kind, scores, &comment, None, app.now()).map_err(|error| match error {
        RoundError::Score(field) => AppError::Invalid(vec![FieldError::new(&format!("score-{field}"), "score_range")]),
        other => other.into(),
    })?;
    store::put_judgements(&mut tx, &round.id, &[judgement]).await?;
    log_detail(app, &mut tx, &who.log_name(), "judgement.scored", &id.0, &json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a task back because of an interest, at any time before the proposal. Another judge gets it at once. Why stays the judge's own.
///
/// May: the judge it was given to. Writes: round, judgement, log.
pub async fn recuse(app: &App, who: &Actor, id: &ApplicationId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let Mine { judge, application, round, .. } = mine(app, &mut tx, who, id).await?;
    assign::step_back(app, &mut tx, round, &judge.id, &application).await?;
    let detail = json!({"why": Interest::Stated.as_str()});
    log_detail(app, &mut tx, &who.log_name(), "judgement.recused", &id.0, &detail).await?;
    tx.commit().await?;
    Ok(())
}

/// How far each judge is: scored and given, by name.
pub(crate) async fn progress(tx: &mut Tx, judgements: &[Judgement]) -> Result<Vec<(PartyId, String, usize, usize)>, AppError> {
    let mut counts: BTreeMap<PartyId, (usize, usize)> = BTreeMap::new();
    for judgement in judgements.iter().filter(|j| !matches!(j.stage, JudgementStage::Recused { .. })) {
        let slot = counts.entry(judgement.judge.clone()).or_default();
        slot.0 += usize::from(matches!(judgement.stage, JudgementStage::Scored { .. }));
        slot.1 += 1;
    }
    let names = parties_of(tx, counts.keys().cloned()).await?;
    Ok(counts.into_iter().map(|(id, (done, of))| (id.clone(), names.get(&id).map_or_else(|| id.0.clone(), |p| p.name.clone()), done, of)).collect())
}
