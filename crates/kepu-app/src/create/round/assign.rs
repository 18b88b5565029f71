//! Who judges what: the whole panel at once when the call has closed, and one place again whenever a judge steps back. The choice is
//! made in `engine`; here is what it has to know.

use super::engine::{Entrant, Planned, Seat, interest_of, plan};
use super::{JUDGEMENTS_MAX, Lines, applications, fresh, kind_of, open_office, parties_of};
use crate::App;
use crate::account::log_detail;
use crate::error::{AppError, FieldError};
use jiff::SignedDuration;
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::party::Party;
use kepu_domain::create::round::{AppStage, Application, Declared, JudgementStage, Round, RoundError, RoundKind, RoundStage};
use kepu_domain::ids::{ApplicationId, PartyId, RoundId};
use kepu_store::Tx;
use kepu_store::create::{review, round as store};
use serde_json::json;
use std::collections::HashMap;

/// People who could sit on a panel: available, with a proved qualification, those who offer judging first; with their institutions' names.
///
/// May: stewards.
pub async fn possible_judges(app: &App, who: &Actor, limit: usize) -> Result<Vec<(Party, String)>, AppError> {
    who.may(Action::ManageMembers, None)?;
    let mut tx = app.db.read().await?;
    let today = app.today();
    let mut list = kepu_store::create::party::list_available(&mut tx, &[], 2_000).await?;
    list.retain(|p| p.kind.is_personal() && p.merged_into.is_none() && p.qualifications.iter().any(|q| q.counts(today)));
    let offers = |p: &Party| p.value("formats").as_array().is_some_and(|list| list.iter().any(|f| f == "judging"));
    list.sort_by(|a, b| (!offers(a), &a.name, &a.id).cmp(&(!offers(b), &b.name, &b.id)));
    list.truncate(limit);
    let mut out = Vec::with_capacity(list.len());
    for party in list {
        let org = crate::create::party::org_name(&mut tx, &party.org).await?;
        out.push((party, org));
    }
    Ok(out)
}

/// Tasks that people hold elsewhere: reviews of a month, cases that wait for an answer, applications of other rounds.
async fn loads(app: &App, tx: &mut Tx, round: &RoundId) -> Result<HashMap<PartyId, i64>, AppError> {
    let since = app.now().checked_sub(SignedDuration::from_hours(30 * 24)).unwrap_or(jiff::Timestamp::MIN);
    let mut loads = review::loads(tx, since).await?;
    for (party, cases) in kepu_store::listen::case::loads(tx).await? {
        *loads.entry(party).or_default() += cases;
    }
    for (party, tasks) in store::loads(tx).await? {
        *loads.entry(party).or_default() += tasks;
    }
    for judgement in store::list_judgements(tx, round, JUDGEMENTS_MAX).await? {
        if judgement.stage == JudgementStage::Assigned {
            *loads.entry(judgement.judge).or_default() -= 1;
        }
    }
    Ok(loads)
}

/// The panel with lines, loads and ceilings.
pub(crate) async fn seats(app: &App, tx: &mut Tx, round: &Round, lines: &mut Lines) -> Result<Vec<Seat>, AppError> {
    let loads = loads(app, tx, &round.id).await?;
    let parties = parties_of(tx, round.panel.iter().cloned()).await?;
    let mut seats = Vec::with_capacity(round.panel.len());
    for id in &round.panel {
        let Some(party) = parties.get(id).filter(|party| party.merged_into.is_none()).cloned() else { continue };
        let held = u32::try_from(loads.get(id).copied().unwrap_or_default().max(0)).unwrap_or(u32::MAX / 2);
        let ceiling = match round.ceiling {
            // Who agreed to so many of this round has room for them beside everything else.
            Some(most) => held.saturating_add(most),
            None => u32::try_from(party.monthly_ceiling.max(0)).unwrap_or(u32::MAX / 2),
        };
        let ceiling = if party.available { ceiling } else { 0 };
        seats.push(Seat { line: lines.of(tx, &party.org).await?, party, held, ceiling });
    }
    Ok(seats)
}

/// The complete applications with their applicants. One whose entry is gone is judged by nobody.
pub(crate) async fn entrants(tx: &mut Tx, list: Vec<Application>, lines: &mut Lines) -> Result<Vec<Entrant>, AppError> {
    let complete: Vec<Application> = list.into_iter().filter(|a| matches!(a.stage, AppStage::Complete { .. })).collect();
    let parties = parties_of(tx, complete.iter().map(|a| a.party.clone())).await?;
    let mut entrants = Vec::with_capacity(complete.len());
    for application in complete {
        let Some(party) = parties.get(&application.party).cloned() else { continue };
        entrants.push(Entrant { line: lines.of(tx, &party.org).await?, application, party });
    }
    Ok(entrants)
}

/// Fills every open place of a round that is judged, keeping what stands. A task whose judge has an interest by now is taken away first.
pub(crate) async fn fill(app: &App, tx: &mut Tx, round: &Round, kind: &RoundKind) -> Result<Planned, AppError> {
    let mut lines = Lines::default();
    let seats = seats(app, tx, round, &mut lines).await?;
    let list = applications(tx, &round.id).await?;
    let entrants = entrants(tx, list, &mut lines).await?;
    let mut standing = store::list_judgements(tx, &round.id, JUDGEMENTS_MAX).await?;
    let by_id: HashMap<&ApplicationId, &Entrant> = entrants.iter().map(|e| (&e.application.id, e)).collect();
    let seat_of: HashMap<&PartyId, &Seat> = seats.iter().map(|seat| (&seat.party.id, seat)).collect();
    let mut changed = Vec::new();
    for judgement in &mut standing {
        let (Some(entrant), true) = (by_id.get(&judgement.application), judgement.stage == JudgementStage::Assigned) else { continue };
        // Whoever left the panel, or whose entry is gone, gives back what is not scored.
        let why = match seat_of.get(&judgement.judge) {
            Some(seat) => interest_of(seat, entrant, &round.declared),
            None => Some(kepu_domain::create::round::Interest::Stated),
        };
        if let Some(why) = why {
            *judgement = judgement.clone().recuse(why, app.now());
            changed.push(judgement.clone());
        }
    }
    let planned = plan(round.judges_each(kind), &round.declared, &seats, &entrants, &standing, app.today())?;
    store::put_judgements(tx, &round.id, &changed).await?;
    store::put_judgements(tx, &round.id, &planned.given).await?;
    Ok(planned)
}

/// Hands the complete applications to the judges; again later, it fills what has become open.
///
/// May: stewards of the organisation. Writes: round, judgement, log. Tells: the judges, on their pages.
pub async fn assign(app: &App, who: &Actor, id: &RoundId, version: i64) -> Result<Planned, AppError> {
    let mut tx = app.db.write().await?;
    let round = open_office(&mut tx, who, id).await?;
    fresh("round", &id.0, version, round.version)?;
    let kind = kind_of(app, &round)?;
    if kind.judged.is_empty() {
        return Err(RoundError::WrongStage { stage: round.stage.name(), attempted: "judged" }.into());
    }
    let round = if round.stage == RoundStage::Judging { round } else { round.judge(app.now())? };
    let unchecked = super::apply::unchecked(&mut tx, id).await?;
    if unchecked > 0 {
        return Err(AppError::Invalid(vec![FieldError::new("queue", "round_unchecked").with("n", unchecked)]));
    }
    if round.panel.is_empty() {
        return Err(AppError::Invalid(vec![FieldError::new("panel", "required")]));
    }
    let planned = fill(app, &mut tx, &round, &kind).await?;
    store::update(&mut tx, &round).await?;
    let detail = json!({"given": planned.given.len(), "short": planned.short.len(), "groups": planned.groups});
    log_detail(app, &mut tx, &who.log_name(), "round.assigned", &id.0, &detail).await?;
    tx.commit().await?;
    Ok(planned)
}

/// States an interest of a judge in an applicant, for the office: kin, teacher and pupil, a quarrel, money. What was given is taken
/// away and given to somebody else at once; what the judge has scored already does not count any more.
///
/// May: stewards of the organisation. Writes: round, judgement, log.
pub async fn declare(app: &App, who: &Actor, id: &RoundId, judge: &PartyId, application: &ApplicationId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let round = open_office(&mut tx, who, id).await?;
    let application = store::get_application(&mut tx, application).await?;
    if application.round != round.id || !round.panel.contains(judge) {
        return Err(AppError::Invalid(vec![FieldError::new("judge", "round_panel")]));
    }
    step_back(app, &mut tx, round, judge, &application).await?;
    log_detail(app, &mut tx, &who.log_name(), "round.interest_stated", &application.id.0, &json!({"judge": judge})).await?;
    tx.commit().await?;
    Ok(())
}

/// Notes the interest, takes every task of the judge about this applicant away, and fills the places.
pub(crate) async fn step_back(app: &App, tx: &mut Tx, mut round: Round, judge: &PartyId, application: &Application) -> Result<Planned, AppError> {
    if !matches!(round.stage, RoundStage::Called | RoundStage::Judging) {
        return Err(RoundError::WrongStage { stage: round.stage.name(), attempted: "recused from" }.into());
    }
    let stated = Declared { judge: judge.clone(), applicant: application.party.clone() };
    if !round.declared.contains(&stated) {
        round.declared.push(stated);
    }
    let mut changed = Vec::new();
    for judgement in store::list_judgements(tx, &round.id, JUDGEMENTS_MAX).await?.into_iter().filter(|j| j.judge == *judge) {
        let about = judgement.application == application.id || store::get_application(tx, &judgement.application).await?.party == application.party;
        if about && !matches!(judgement.stage, JudgementStage::Recused { .. }) {
            changed.push(judgement.recuse(kepu_domain::create::round::Interest::Stated, app.now()));
        }
    }
    store::put_judgements(tx, &round.id, &changed).await?;
    let kind = kind_of(app, &round)?;
    let planned = if round.stage == RoundStage::Judging {
        fill(app, tx, &round, &kind).await?
    } else {
        Planned { given: vec![], short: vec![], groups: 0, optimal: true, load: (0, 0) }
    };
    store::update(tx, &round).await?;
    Ok(planned)
}
