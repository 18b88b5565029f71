//! What rounds put on the desk of whoever has to act: judges, offices, bodies that recommend, applicants. Nothing is kept for it.

use super::{ROUNDS_MAX, apply, judge, kind_of, label_of};
use crate::App;
use crate::desk::{Clock, Item, Place, RoundStep, Task, end_of};
use crate::error::AppError;
use jiff::Timestamp;
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::register::days_between;
use kepu_domain::create::round::{AppStage, Application, JudgementStage, Round, RoundStage};
use kepu_domain::ids::{OrgId, RoundId};
use kepu_store::Tx;
use kepu_store::create::{party as parties, round as store};
use std::collections::{BTreeMap, HashMap};

/// What has a day, and what waits.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    pub(crate) due: Vec<Item>,
    pub(crate) waiting: Vec<Item>,
}

/// The notices of `who`.
pub(crate) async fn notices(app: &App, who: &Actor) -> Result<Notices, AppError> {
    let mut found = Notices::default();
    judging(app, who, &mut found).await?;
    applying(app, who, &mut found).await?;
    let mut tx = app.db.read().await?;
    running(app, &mut tx, who, &mut found).await?;
    Ok(found)
}

async fn judging(app: &App, who: &Actor, found: &mut Notices) -> Result<(), AppError> {
    let mut open: BTreeMap<RoundId, (Round, usize)> = BTreeMap::new();
    for task in judge::tasks(app, who).await?.into_iter().filter(|t| t.open && t.judgement.stage == JudgementStage::Assigned) {
        open.entry(task.round.id.clone()).or_insert((task.round, 0)).1 += 1;
    }
    let mut tx = app.db.read().await?;
    for (round, n) in open.into_values() {
        let place = place(&mut tx, &round.org).await?;
        found.waiting.push(Item { task: Task::Judge(n), title: round.title, note: String::new(), place, clock: Clock::Since(round.closes) });
    }
    Ok(())
}

async fn place(tx: &mut Tx, org: &OrgId) -> Result<Place, AppError> {
    Ok(Place::Org(crate::create::party::org_name(tx, org).await?))
}

/// What the applicant's side owes: a draft before the close, a return, a delivery, the report of the year.
async fn applying(app: &App, who: &Actor, found: &mut Notices) -> Result<(), AppError> {
    let today = app.today();
    let own = apply::own(app, who).await?;
    let mut tx = app.db.read().await?;
    for (application, round, label) in own {
        let kind = kind_of(app, &round)?;
        let place = place(&mut tx, &round.org).await?;
        let title = if label.is_empty() { round.title.clone() } else { format!("{} · {label}", round.title) };
        let item = |step, note: &str, clock| Item {
            task: Task::Applicant(application.id.clone(), step),
            title: title.clone(),
            note: note.to_owned(),
            place: place.clone(),
            clock,
        };
        match &application.stage {
            AppStage::Writing { remark } if app.now() < round.closes && round.stage == RoundStage::Called => {
                let step = if remark.is_empty() { RoundStep::Write } else { RoundStep::Mend };
                found.due.push(item(step, remark, Clock::By(round.closes)));
            }
            AppStage::Granted { at, .. } => {
                let owes = !kind.delivery.is_empty() && application.delivery.as_ref().is_none_or(|d| matches!(d.checked, Some((false, _))));
                if owes {
                    let remark = application.delivery.as_ref().and_then(|d| d.checked.as_ref()).map_or("", |(_, remark)| remark);
                    found.waiting.push(item(RoundStep::Deliver, remark, Clock::Since(*at)));
                }
                if let Some(due) = application.check_due(&kind)
                    && application.report.is_none()
                    && days_between(today, due) <= application.notice_days(&kind)
                {
                    found.due.push(item(RoundStep::Report, "", Clock::By(end_of(due))));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What the offices of rounds, and the bodies that recommend, have to do: one row a round, one an application to recommend.
async fn running(app: &App, tx: &mut Tx, who: &Actor, found: &mut Notices) -> Result<(), AppError> {
    if who.may(Action::ManageMembers, None).is_err() {
        return Ok(());
    }
    let mut rights: HashMap<OrgId, bool> = HashMap::new();
    for round in store::list(tx, ROUNDS_MAX).await? {
        if matches!(round.stage, RoundStage::Planned | RoundStage::Cancelled { .. }) {
            continue;
        }
        let mine = may(tx, who, &round.org, &mut rights).await?;
        let recommending = matches!(round.stage, RoundStage::Called) && app.definitions().rounds.get(&round.kind).is_some_and(|kind| kind.recommender);
        if mine && let Some((step, n, clock)) = office_step(app, tx, &round).await? {
            let place = place(tx, &round.org).await?;
            let task = Task::Office(round.id.clone(), step, n);
            found.waiting.push(Item { task, title: round.title.clone(), note: String::new(), place, clock });
        }
        if recommending {
            recommend(tx, who, &round, &mut rights, found).await?;
        }
    }
    Ok(())
}

async fn may(tx: &mut Tx, who: &Actor, org: &OrgId, rights: &mut HashMap<OrgId, bool>) -> Result<bool, AppError> {
    if let Some(known) = rights.get(org) {
        return Ok(*known);
    }
    let may = who.may(Action::ManageMembers, Some(&kepu_store::org::line(tx, org).await?)).is_ok();
    rights.insert(org.clone(), may);
    Ok(may)
}

async fn recommend(tx: &mut Tx, who: &Actor, round: &Round, rights: &mut HashMap<OrgId, bool>, found: &mut Notices) -> Result<(), AppError> {
    for application in super::applications(tx, &round.id).await? {
        let (Some(org), AppStage::Submitted { at }, None) = (&application.recommender, &application.stage, &application.recommended) else { continue };
        if !may(tx, who, org, rights).await? {
            continue;
        }
        let label = parties::find(tx, &application.party).await?.map(|p| label_of(&application, &p)).unwrap_or_default();
        let item = Item {
            task: Task::Applicant(application.id.clone(), RoundStep::Recommend),
            title: label,
            note: round.title.clone(),
            place: place(tx, &round.org).await?,
            clock: Clock::Since(*at),
        };
        found.waiting.push(item);
    }
    Ok(())
}

/// The next thing the office of a round has to do, with how many it concerns.
async fn office_step(app: &App, tx: &mut Tx, round: &Round) -> Result<Option<(RoundStep, usize, Clock)>, AppError> {
    if matches!(round.stage, RoundStage::Decided { .. }) {
        return after(app, tx, round).await;
    }
    let now = app.now();
    let counts = store::count_by_stage(tx, &round.id).await?;
    let count = |stage: &str| counts.iter().find(|(word, _)| word == stage).and_then(|(_, n)| usize::try_from(*n).ok()).unwrap_or_default();
    let complete = count("complete");
    if count("submitted") > 0 {
        return Ok(Some((RoundStep::Check, count("submitted"), Clock::By(round.closes))));
    }
    Ok(match &round.stage {
        RoundStage::Called if now >= round.closes => {
            let judged = app.definitions().rounds.get(&round.kind).is_some_and(|kind| !kind.judged.is_empty());
            Some((if judged { RoundStep::Assign } else { RoundStep::Propose }, complete, Clock::Since(round.closes)))
        }
        RoundStage::Judging if store::count_assigned(tx, &round.id).await? == 0 => Some((RoundStep::Propose, complete, Clock::Since(round.closes))),
        RoundStage::Publicity { until, .. } => {
            let open = usize::try_from(store::count_open_objections(tx, &round.id).await?).unwrap_or_default();
            if open > 0 {
                Some((RoundStep::Answer, open, Clock::By(*until)))
            } else {
                (now >= *until).then_some((RoundStep::Decide, count("proposed"), Clock::Since(*until)))
            }
        }
        _ => None,
    })
}

/// After the decision: reports and deliveries that wait to be looked at, checks that are overdue.
async fn after(app: &App, tx: &mut Tx, round: &Round) -> Result<Option<(RoundStep, usize, Clock)>, AppError> {
    let kind = kind_of(app, round)?;
    if !kind.yearly_check && kind.term_months.is_none() && kind.delivery.is_empty() {
        return Ok(None);
    }
    let list = super::applications(tx, &round.id).await?;
    let waits = |a: &&Application| a.report.is_some() || a.delivery.as_ref().is_some_and(|d| d.checked.is_none());
    let since = |a: &Application| a.report.as_ref().map(|(_, at)| *at).or(a.delivery.as_ref().map(|d| d.at)).unwrap_or(Timestamp::UNIX_EPOCH);
    let open: Vec<&Application> = list.iter().filter(waits).collect();
    Ok(open.iter().map(|a| since(a)).min().map(|at| (RoundStep::Confirm, open.len(), Clock::Since(at))))
}
