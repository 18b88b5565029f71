//! The office of a round: checking, turning down, proposing, deciding; and the page that shows it all. What a decision brings about is
//! in `after`, who judges what in `assign`.

use super::apply::{keep, no_reason, open};
use super::engine::{Ranking, chosen, ranking};
use super::{JUDGEMENTS_MAX, after, applications, fresh, judge, kind_of, label_of, open_office, parties_of, sets_of, words};
use crate::App;
use crate::account::log_detail;
use crate::create::party;
use crate::error::{AppError, FieldError};
use jiff::Timestamp;
use kepu_domain::access::Actor;
use kepu_domain::create::criteria::CriteriaSet;
use kepu_domain::create::party::Party;
use kepu_domain::create::round::{AppStage, Application, Concern, Judgement, JudgementStage, Round, RoundError, RoundKind, RoundStage, moving_up};
use kepu_domain::ids::{ApplicationId, PartyId, RoundId};
use kepu_store::Tx;
use kepu_store::create::round::{self as store, Objection};
use serde_json::json;
use std::collections::HashMap;

/// An application as the office lists it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The application.
    pub application: Application,
    /// What it is about.
    pub label: String,
    /// Who applies.
    pub name: String,
    /// Judgements: scored and given.
    pub judged: (usize, usize),
    /// What does not hold any more.
    pub concerns: Vec<Concern>,
}

/// Everything the office of a round sees.
#[derive(Clone, Debug)]
pub struct Office {
    /// The round.
    pub round: Round,
    /// Its kind.
    pub kind: RoundKind,
    /// Name of the organisation.
    pub org: String,
    /// What was handed in.
    pub rows: Vec<Row>,
    /// How far each judge is: id, name, scored, given.
    pub judges: Vec<(PartyId, String, usize, usize)>,
    /// The panel by name.
    pub panel: Vec<Party>,
    /// The order as it stands, once there are scores.
    pub ranking: Option<Ranking>,
    /// Objections, the oldest first.
    pub objections: Vec<Objection>,
    /// Whether the actor may answer them, and may decide.
    pub may: (bool, bool),
}

/// Everything the office of a round sees.
///
/// May: stewards of the organisation.
pub async fn view(app: &App, who: &Actor, id: &RoundId) -> Result<Office, AppError> {
    let mut tx = app.db.read().await?;
    let round = open_office(&mut tx, who, id).await?;
    let kind = kind_of(app, &round)?;
    let sets = sets_of(app, &kind);
    let list: Vec<Application> = applications(&mut tx, id).await?.into_iter().filter(|a| !matches!(a.stage, AppStage::Writing { .. })).collect();
    let parties = parties_of(&mut tx, list.iter().map(|a| a.party.clone())).await?;
    let judgements = store::list_judgements(&mut tx, id, JUDGEMENTS_MAX).await?;
    let ranking = order(&kind, &list, &judgements)?;
    let objections = store::list_objections(&mut tx, id, 2_000).await?;
    let answered: Vec<_> = objections.iter().filter_map(|o| o.answered_by.clone()).collect();
    let may = (round.may_answer(who.account()).is_ok(), round.may_decide(&answered, who.account()).is_ok());
    let judges = judge::progress(&mut tx, &judgements).await?;
    let mut panel: Vec<Party> = parties_of(&mut tx, round.panel.iter().cloned()).await?.into_values().collect();
    panel.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Office {
        org: party::org_name(&mut tx, &round.org).await?,
        rows: rows(app, list, &parties, &judgements, &sets),
        ranking: Some(ranking).filter(|r| !r.places.is_empty()),
        judges,
        panel,
        round,
        kind,
        objections,
        may,
    })
}

fn rows(app: &App, list: Vec<Application>, parties: &HashMap<PartyId, Party>, judgements: &[Judgement], sets: &[CriteriaSet]) -> Vec<Row> {
    let definitions = app.definitions();
    let sets: Vec<&CriteriaSet> = sets.iter().collect();
    let today = app.today();
    let mut judged: HashMap<&ApplicationId, (usize, usize)> = HashMap::new();
    for judgement in judgements.iter().filter(|j| !matches!(j.stage, JudgementStage::Recused { .. })) {
        let slot = judged.entry(&judgement.application).or_default();
        slot.0 += usize::from(judgement.stage != JudgementStage::Assigned);
        slot.1 += 1;
    }
    list.into_iter()
        .map(|application| {
            let party = parties.get(&application.party);
            let undecided = matches!(application.stage, AppStage::Submitted { .. } | AppStage::Complete { .. } | AppStage::Proposed { .. });
            Row {
                label: party.map(|p| label_of(&application, p)).unwrap_or_default(),
                name: party.map(|p| p.name.clone()).unwrap_or_default(),
                judged: judged.get(&application.id).copied().unwrap_or_default(),
                concerns: if undecided { application.concerns(party, &sets, &definitions.registers, today) } else { vec![] },
                application,
            }
        })
        .collect()
}

/// The order of what is judged, with every application that is or was in the running.
fn order(kind: &RoundKind, list: &[Application], judgements: &[Judgement]) -> Result<Ranking, AppError> {
    let ranked = |a: &&Application| !matches!(a.stage, AppStage::Writing { .. } | AppStage::Withdrawn { .. } | AppStage::Submitted { .. });
    let entries: Vec<(ApplicationId, Timestamp)> = list.iter().filter(ranked).map(|a| (a.id.clone(), a.submitted.unwrap_or(Timestamp::UNIX_EPOCH))).collect();
    ranking(kind, &entries, judgements)
}

/// Sends an application back to be completed; it can be handed in again until the close.
///
/// May: stewards of the organisation. Writes: application, log.
pub async fn send_back(app: &App, who: &Actor, id: &ApplicationId, version: i64, remark: &str) -> Result<(), AppError> {
    let remark = words("remark", remark, 2, 1_000)?;
    step(app, who, id, version, "application.sent_back", |a, _| a.send_back(&remark)).await
}

/// Notes that an application is whole.
///
/// May: stewards of the organisation. Writes: application, log.
pub async fn complete(app: &App, who: &Actor, id: &ApplicationId, version: i64) -> Result<(), AppError> {
    step(app, who, id, version, "application.complete", |a, kind| a.complete(kind)).await
}

/// Turns an application down, or takes it out of the proposal, with a reason.
///
/// May: stewards of the organisation. Writes: application, log.
pub async fn decline(app: &App, who: &Actor, id: &ApplicationId, version: i64, reason: &str) -> Result<(), AppError> {
    let reason = words("reason", reason, 2, 1_000)?;
    step(app, who, id, version, "application.declined", |a, _| a.decline(&reason)).await
}

/// Fills places that fell free in a proposal, by the order that stands; whoever moves up stands in public for the full time.
pub(crate) async fn fill_places(app: &App, tx: &mut Tx, who: &Actor, id: &RoundId) -> Result<(), AppError> {
    let round = store::get(tx, id).await?;
    if !matches!(round.stage, RoundStage::Publicity { .. }) {
        return Ok(());
    }
    let list = applications(tx, id).await?;
    let next = moving_up(&list, round.quota);
    if next.is_empty() {
        return Ok(());
    }
    for application in list.into_iter().filter(|a| next.contains(&a.id)) {
        keep(app, tx, who, &application.move_up()?, "application.moved_up", &json!({"round": id})).await?;
    }
    let kind = kind_of(app, &round)?;
    store::update(tx, &round.stand_again(&kind, app.now())?).await?;
    Ok(())
}

/// Goes on over a concern, with the reason why it does not matter.
///
/// May: stewards of the organisation. Writes: application, log.
pub async fn note(app: &App, who: &Actor, id: &ApplicationId, version: i64, at: usize, text: &str) -> Result<(), AppError> {
    let text = words("note", text, 2, 500)?;
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.office()?;
    fresh("application", &id.0, version, opened.application.version)?;
    let sets = sets_of(app, &opened.kind);
    let concerns = opened.application.concerns(opened.party.as_ref(), &sets.iter().collect::<Vec<_>>(), &app.definitions().registers, app.today());
    let concern = concerns.get(at).cloned().ok_or_else(|| AppError::Stale { what: "application", id: id.0.clone() })?;
    let application = opened.application.note(concern, &text)?;
    keep(app, &mut tx, who, &application, "application.concern_noted", &json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// Records the money that goes with a grant; nothing is paid here.
///
/// May: stewards of the organisation. Writes: application, log.
pub async fn set_money(app: &App, who: &Actor, id: &ApplicationId, version: i64, amount: &str) -> Result<(), AppError> {
    let amount = kepu_text::clean_line(amount);
    let good = amount.is_empty()
        || amount.len() <= 16 && amount.parse::<f64>().is_ok_and(|n| n.is_finite() && n >= 0.0) && amount.split('.').nth(1).is_none_or(|p| p.len() <= 4);
    if !good {
        return Err(AppError::Invalid(vec![FieldError::new("money", "no_number").with("value", &amount)]));
    }
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.office()?;
    fresh("application", &id.0, version, opened.application.version)?;
    if !opened.kind.pays || !matches!(opened.application.stage, AppStage::Complete { .. } | AppStage::Proposed { .. }) {
        return Err(RoundError::WrongStage { stage: opened.application.stage.name(), attempted: "given money" }.into());
    }
    let application = Application { money: amount, ..opened.application };
    keep(app, &mut tx, who, &application, "application.money_set", &json!({})).await?;
    tx.commit().await?;
    Ok(())
}

async fn step(
    app: &App,
    who: &Actor,
    id: &ApplicationId,
    version: i64,
    word: &str,
    work: impl FnOnce(Application, &RoundKind) -> Result<Application, RoundError>,
) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.office()?;
    fresh("application", &id.0, version, opened.application.version)?;
    let application = work(opened.application, &opened.kind).map_err(|error| no_reason("reason", error))?;
    keep(app, &mut tx, who, &application, word, &json!({})).await?;
    fill_places(app, &mut tx, who, &application.round).await?;
    tx.commit().await?;
    Ok(())
}

/// Puts the proposal before the public: the best within quota and threshold, or those that meet the criteria where nobody judges.
/// Everybody else learns why not.
///
/// May: stewards of the organisation. Writes: round, application, log.
pub async fn propose(app: &App, who: &Actor, id: &RoundId, version: i64) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let round = open_office(&mut tx, who, id).await?;
    fresh("round", &id.0, version, round.version)?;
    let kind = kind_of(app, &round)?;
    let (stage_judges, quota, least) = (round.judges_each(&kind), round.quota, round.least);
    let mut round = round.propose(&kind, app.now())?;
    let all = applications(&mut tx, id).await?;
    let unchecked = all.iter().filter(|a| matches!(a.stage, AppStage::Submitted { .. })).count();
    if unchecked > 0 {
        return Err(AppError::Invalid(vec![FieldError::new("queue", "round_unchecked").with("n", unchecked)]));
    }
    let complete: Vec<Application> = all.into_iter().filter(|a| matches!(a.stage, AppStage::Complete { .. })).collect();
    let placed = if kind.judged.is_empty() {
        by_criteria(app, &mut tx, &kind, complete, quota).await?
    } else {
        by_scores(&mut tx, &round, &kind, complete, stage_judges, quota, least).await?
    };
    let proposed = placed.iter().filter(|a| matches!(a.stage, AppStage::Proposed { .. })).count();
    for application in &placed {
        store::update_application(&mut tx, application).await?;
    }
    round.proposer = who.account().cloned();
    store::update(&mut tx, &round).await?;
    log_detail(app, &mut tx, &who.log_name(), "round.proposed", &id.0, &json!({"proposed": proposed, "of": placed.len()})).await?;
    tx.commit().await?;
    Ok(())
}

async fn by_scores(
    tx: &mut Tx,
    round: &Round,
    kind: &RoundKind,
    complete: Vec<Application>,
    each: usize,
    quota: Option<u32>,
    least: Option<i64>,
) -> Result<Vec<Application>, AppError> {
    let judgements = store::list_judgements(tx, &round.id, JUDGEMENTS_MAX).await?;
    let order = order(kind, &complete, &judgements)?;
    let have = order.places.iter().filter(|p| p.scores >= each).count();
    if have < complete.len() {
        return Err(RoundError::TooFewJudgements { have, need: complete.len() }.into());
    }
    let count = chosen(&order, quota, least).map_err(RoundError::Tie)?;
    let mut by_id: HashMap<ApplicationId, Application> = complete.into_iter().map(|a| (a.id.clone(), a)).collect();
    let mut placed = Vec::with_capacity(by_id.len());
    for (at, place) in order.places.iter().enumerate() {
        let Some(application) = by_id.remove(&place.application) else { continue };
        let total = place.total(order.by);
        placed.push(if at < count {
            application.propose(place.rank, Some(total))?
        } else {
            let (why, next) = match least.filter(|least| total < *least) {
                Some(least) => (format!("得分 {} 低于本轮最低分 {}", points(total), points(least)), None),
                None => (format!("得分 {}，位列第 {}，超出本轮名额；有空缺时按名次递补", points(total), place.rank), Some((place.rank, Some(total)))),
            };
            application.pass_over(Some(place.rank), why, next)?
        });
    }
    Ok(placed)
}

/// Hundredths as people write them.
pub fn points(total: i64) -> String {
    format!("{}.{:02}", total / 100, total % 100)
}

/// Where nobody judges: the first criteria set decides, else the office has by taking the application as complete.
async fn by_criteria(app: &App, tx: &mut Tx, kind: &RoundKind, complete: Vec<Application>, quota: Option<u32>) -> Result<Vec<Application>, AppError> {
    let parties = parties_of(tx, complete.iter().map(|a| a.party.clone())).await?;
    let sets = sets_of(app, kind);
    let mut list = complete;
    list.sort_by_key(|a| (a.submitted, a.id.clone()));
    let mut placed = Vec::with_capacity(list.len());
    let (mut rank, mut behind) = (0, 0);
    for application in list {
        let party = parties.get(&application.party);
        let assessment = sets.first().zip(party).map(|(set, party)| (set, set.assess(party, app.today())));
        let gaps = assessment.as_ref().filter(|(_, a)| !a.met).map(|(set, a)| gap_words(set, a));
        let full = quota.is_some_and(|quota| rank >= quota);
        let reason = match (party, gaps) {
            (None, _) => Some("名录条目已删除".to_owned()),
            (_, Some(gaps)) => Some(gaps),
            _ if full => Some("超出本轮名额，按提交先后排列；有空缺时依次递补".to_owned()),
            _ => None,
        };
        let waits = full && party.is_some() && assessment.is_none_or(|(_, a)| a.met);
        behind += u32::from(waits);
        placed.push(match reason {
            Some(reason) => application.pass_over(None, reason, waits.then_some((rank + behind, None)))?,
            None => {
                rank += 1;
                application.propose(rank, None)?
            }
        });
    }
    Ok(placed)
}

fn gap_words(set: &CriteriaSet, assessment: &kepu_domain::create::criteria::Assessment) -> String {
    use kepu_domain::create::criteria::Finding::{Unknown, Unmet};
    let unmet = set.items.iter().zip(&assessment.findings).filter(|(item, (_, f))| item.required && matches!(f, Unmet { .. } | Unknown));
    let list: Vec<String> = unmet
        .map(|(item, (_, finding))| match finding {
            Unmet { have, need } => format!("{}：现有 {have}，需要 {need}", item.zh),
            _ => format!("{}：未填写", item.zh),
        })
        .collect();
    format!("未达到“{}”（第 {} 版）：{}", set.zh, set.version, list.join("；"))
}

/// Decides: grants what is proposed. Refused while the publicity period runs, while objections are open, and while a proposed
/// application rests on what does not hold any more.
///
/// May: stewards of the organisation, but nobody who answered an objection. Writes: round, application, party, records, log.
pub async fn decide(app: &App, who: &Actor, id: &RoundId, version: i64) -> Result<usize, AppError> {
    let mut tx = app.db.write().await?;
    let round = open_office(&mut tx, who, id).await?;
    fresh("round", &id.0, version, round.version)?;
    let kind = kind_of(app, &round)?;
    let objections = store::list_objections(&mut tx, id, 10_000).await?;
    let answered: Vec<_> = objections.iter().filter_map(|o| o.answered_by.clone()).collect();
    round.may_decide(&answered, who.account())?;
    let open = objections.iter().filter(|o| o.answered_at.is_none()).count();
    let round = round.decide(open, app.now())?;
    let proposed: Vec<Application> = applications(&mut tx, id).await?.into_iter().filter(|a| matches!(a.stage, AppStage::Proposed { .. })).collect();
    let parties = parties_of(&mut tx, proposed.iter().map(|a| a.party.clone())).await?;
    let sets = sets_of(app, &kind);
    let refs: Vec<&CriteriaSet> = sets.iter().collect();
    let definitions = app.definitions();
    let troubled = proposed.iter().filter(|a| !a.concerns(parties.get(&a.party), &refs, &definitions.registers, app.today()).is_empty()).count();
    if troubled > 0 {
        return Err(RoundError::Concerns(troubled).into());
    }
    let count = proposed.len();
    for application in proposed {
        after::grant(app, &mut tx, who, &round, &kind, application).await?;
    }
    store::update(&mut tx, &round).await?;
    log_detail(app, &mut tx, &who.log_name(), "round.decided", &id.0, &json!({"granted": count})).await?;
    tx.commit().await?;
    app.notify();
    Ok(count)
}
