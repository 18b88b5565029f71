//! Setting a plan going: a real order from a warning in force, with a case that everybody sees and tasks that those who work see; or a drill, which nobody sees
//! but those who play. Nodes tell each other about a drill by records that travel to those who asked for drills only.

use super::task::{self, New};
use crate::account::{log, log_detail};
use crate::deliver::warning;
use crate::error::{AppError, FieldError, text_error};
use crate::record::{self, Saying};
use crate::{App, keys};
use jiff::Timestamp;
use kepu_domain::access::{Action, Actor};
use kepu_domain::deliver::drill::{self, Answer, Drill, Outcome, Part, Score, Side};
use kepu_domain::deliver::guide::HAZARD_LIST;
use kepu_domain::deliver::plan::{Plan, Seat};
use kepu_domain::deliver::warning::Stands;
use kepu_domain::ids::{CaseId, OrderId, OrgId, SubjectId};
use kepu_domain::listen::case::{Case, Stage as CaseStage, Step};
use kepu_domain::listen::order::{CASE_KIND, Mode, Order, minutes_after};
use kepu_domain::listen::task::{Of, Stage, Task};
use kepu_domain::org::Region;
use kepu_domain::record::Body;
use kepu_domain::text::{Limit, NOTE, TITLE};
use kepu_store::Tx;
use kepu_store::deliver::drill as words;
use kepu_store::listen::order as store;
use kepu_store::listen::{case as cases, task as tasks};

/// Words of one drill that are put together at most.
const WORDS_MAX: u32 = 5_000;
/// Orders in a list.
const LIST_MAX: u32 = 200;

/// What is set going.
#[derive(Clone, Debug)]
pub struct Start {
    /// Whether it is real.
    pub mode: Mode,
    /// Plan.
    pub plan: String,
    /// The warning that it answers, of a real one.
    pub warning: Option<SubjectId>,
    /// Hazard, of a drill.
    pub hazard: String,
    /// 1 red … 4 blue, of a drill.
    pub level: i64,
    /// What a drill is called; may be empty.
    pub title: String,
    /// The organisation that gives it.
    pub org: OrgId,
}

/// What is known of the occasion.
struct Occasion {
    title: String,
    hazard: String,
    level: i64,
    region: Region,
    about: Option<SubjectId>,
}

async fn occasion(app: &App, tx: &mut Tx, start: &Start, plan: &Plan) -> Result<Occasion, AppError> {
    let org = kepu_store::org::get(tx, &start.org).await?;
    if start.mode == Mode::Drill {
        let hazard = if start.hazard.is_empty() { plan.hazards.first().cloned().unwrap_or_default() } else { start.hazard.clone() };
        let mut wrong = Vec::new();
        if !plan.is_for(&hazard) {
            wrong.push(FieldError::new("plan", "order_plan"));
        }
        if plan.at(start.level).is_empty() {
            wrong.push(FieldError::new("level", "no_level"));
        }
        let typed = kepu_text::clean_line(&start.title);
        if let Err(error) = (Limit { field: "title", min: 0, ..TITLE }).check(kepu_text::count(&typed)) {
            wrong.push(text_error(&error));
        }
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let title = if typed.is_empty() { format!("{}（演练）", plan.zh) } else { typed };
        return Ok(Occasion { title, hazard, level: start.level, region: org.region, about: None });
    }
    let Some(id) = &start.warning else { return Err(AppError::Invalid(vec![FieldError::new("warning", "order_warning")])) };
    let list = warning::here_in(app, tx, org.region).await?;
    let shown = list.iter().find(|one| one.open.subject == *id && matches!(one.stands, Stands::InForce | Stands::Coming));
    let Some(shown) = shown else { return Err(AppError::Invalid(vec![FieldError::new("warning", "order_warning")])) };
    let w = &shown.open.warning;
    if !plan.is_for(&w.hazard) || plan.at(w.level).is_empty() {
        return Err(AppError::Invalid(vec![FieldError::new("plan", "order_plan")]));
    }
    let title = kepu_text::truncate(&w.words("zh-Hans").headline, TITLE.max).to_owned();
    Ok(Occasion { title, hazard: w.hazard.clone(), level: w.level, region: org.region, about: Some(id.clone()) })
}

/// Sets a plan going: the case with its public clock (a real one only), the tasks with their minutes, and for a drill the word to those who play.
/// One warning has one order here: who comes second is led to the first.
///
/// May: duty officers of the organisation. Writes: start_order, case, task, record (drill), log.
pub async fn start(app: &App, who: &Actor, start: Start) -> Result<OrderId, AppError> {
    let mut tx = app.db.write().await?;
    who.may(Action::IssueHolding, Some(&kepu_store::org::line(&mut tx, &start.org).await?))?;
    let definitions = app.definitions();
    let Some(plan) = definitions.plans.get(&start.plan) else { return Err(AppError::Invalid(vec![FieldError::new("plan", "order_plan")])) };
    let occasion = occasion(app, &mut tx, &start, plan).await?;
    if let Some(about) = &occasion.about
        && let Some(held) = store::find_about(&mut tx, start.mode, about).await?.filter(|held| held.org == start.org)
    {
        return Ok(held.id);
    }
    let now = app.now();
    let id = OrderId(keys::random_word(12));
    let case = if start.mode == Mode::Real { Some(open_case(app, &mut tx, who, &start.org, &occasion).await?) } else { None };
    let about = match start.mode {
        Mode::Real => occasion.about.clone(),
        Mode::Drill => Some(announce(app, &mut tx, plan, &start.org, &occasion).await?),
    };
    let order = Order {
        id: id.clone(),
        mode: start.mode,
        title: occasion.title,
        plan: plan.id.clone(),
        hazard: occasion.hazard,
        level: occasion.level,
        region: occasion.region,
        org: start.org.clone(),
        case,
        about,
        started_at: now,
        ended_at: None,
        lesson: String::new(),
        version: 1,
    };
    store::insert(&mut tx, &order).await?;
    // Somebody must do everything of a real one; in a drill those below who play have their own part.
    let lines = plan.at(order.level).into_iter().filter(|(line, _)| start.mode == Mode::Real || line.at == Seat::Here);
    let list = lines.map(|(line, minute)| New {
        key: line.key.clone(),
        title: line.zh.clone(),
        title_en: line.en.clone(),
        org: start.org.clone(),
        role: line.role_zh.clone(),
        owner: None,
        due: minutes_after(now, minute),
        proof: line.proof.clone(),
    });
    task::give(app, &mut tx, &Of::Order(id.clone()), list.collect()).await?;
    let detail = serde_json::json!({"mode": order.mode.as_str(), "plan": order.plan, "level": order.level});
    log_detail(app, &mut tx, &who.log_name(), "order.started", &id.0, &detail).await?;
    tx.commit().await?;
    app.notify();
    Ok(id)
}

/// The case that everybody sees: that an institution is at work, since when, and what comes next.
async fn open_case(app: &App, tx: &mut Tx, who: &Actor, org: &OrgId, occasion: &Occasion) -> Result<CaseId, AppError> {
    let now = app.now();
    let owner = who.account().cloned();
    let case = Case {
        id: CaseId(keys::random_word(12)),
        kind: CASE_KIND.into(),
        level: occasion.level,
        title: occasion.title.clone(),
        fields: vec!["safety".into()],
        region: occasion.region,
        org: org.clone(),
        subject: SubjectId::new(&app.key.id().fingerprint(), &format!("c-{}", keys::random_word(8))),
        opened_at: now,
        held_at: None,
        stage: owner.map_or(CaseStage::Open, |owner| CaseStage::Working { owner, expert: None, draft: None }),
        version: 1,
    };
    cases::insert(tx, &case).await?;
    for kind in ["opened", "taken"] {
        cases::add_step(tx, &case.id, &Step { at: now, kind: kind.into(), text: String::new(), public: true }).await?;
    }
    Ok(case.id)
}

/// The key under which this node's subjects stand: the first of its line.
pub(super) async fn fingerprint(app: &App, tx: &mut Tx) -> Result<String, AppError> {
    Ok(app.trust(tx).await?.grant(app.key.id()).map_or_else(|| app.key.id().fingerprint(), |grant| grant.lineage.fingerprint()))
}

async fn say(app: &App, tx: &mut Tx, subject: SubjectId, says: Drill) -> Result<(), AppError> {
    let region = crate::node::region(tx).await?;
    let body = Body::Drill(Box::new(says));
    let saying = Saying { subject, region, fields: vec![drill::FIELD.into()], lang: "zh-Hans".into(), body };
    record::publish(app, tx, vec![saying]).await?;
    Ok(())
}

/// Tells those who play that a drill begins; its subject.
async fn announce(app: &App, tx: &mut Tx, plan: &Plan, org: &OrgId, occasion: &Occasion) -> Result<SubjectId, AppError> {
    let subject = SubjectId::new(&fingerprint(app, tx).await?, &format!("drill-{}", keys::random_word(10)));
    let parts = plan.at(occasion.level).into_iter().map(|(line, minute)| Part {
        key: line.key.clone(),
        at: line.at,
        minute,
        zh: line.zh.clone(),
        en: line.en.clone(),
        role_zh: line.role_zh.clone(),
        role_en: line.role_en.clone(),
        proof: line.proof.clone(),
    });
    let start = drill::Start {
        title: occasion.title.clone(),
        plan: plan.id.clone(),
        hazard: occasion.hazard.clone(),
        level: occasion.level,
        region: occasion.region,
        at: app.now(),
        host: kepu_store::org::get(tx, org).await?.name,
        parts: parts.collect(),
        injects: plan.injects.clone(),
    };
    say(app, tx, subject.clone(), Drill::Start(start)).await?;
    Ok(subject)
}

/// A drill as its records tell it.
#[derive(Clone, Debug)]
pub struct Play {
    /// Its subject.
    pub id: SubjectId,
    /// How it began.
    pub start: drill::Start,
    /// The key of the node that gives it.
    pub host: String,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Who takes part, with what they did.
    pub sides: Vec<Side>,
    /// How it goes, or went.
    pub score: Score,
    /// Keys of the tasks that did not go well.
    pub weak: Vec<String>,
}

async fn play(app: &App, tx: &mut Tx, id: &SubjectId) -> Result<Option<Play>, AppError> {
    let said = words::list_of(tx, id, WORDS_MAX).await?;
    let begin = said.iter().find_map(|word| match &word.says {
        Drill::Start(start) if word.subject == *id => Some((start.clone(), word.signer.0.clone())),
        _ => None,
    });
    let Some((start, host)) = begin else { return Ok(None) };
    // Only who gives a drill ends it.
    let ended_at = said.iter().filter(|word| word.signer.0 == host).find_map(|word| if let Drill::End { at, .. } = &word.says { Some(*at) } else { None });
    let answers: Vec<(String, Answer)> = said
        .into_iter()
        .filter_map(|word| match word.says {
            Drill::Answer(answer) => Some((word.signer.0, answer)),
            _ => None,
        })
        .collect();
    let sides = drill::sides(&start, &host, &answers);
    let at = ended_at.unwrap_or_else(|| app.now());
    let (score, weak) = (drill::score(&start, &sides, at), drill::weak(&start, &sides, at).into_iter().collect());
    Ok(Some(Play { id: id.clone(), start, host, ended_at, sides, score, weak }))
}

/// Takes part in a drill that another node gives.
///
/// May: duty officers of the organisation. Writes: start_order, task, record, log.
pub async fn join(app: &App, who: &Actor, id: &SubjectId, org: &OrgId) -> Result<OrderId, AppError> {
    let mut tx = app.db.write().await?;
    who.may(Action::IssueHolding, Some(&kepu_store::org::line(&mut tx, org).await?))?;
    let missing = || AppError::NotFound { what: "drill", id: id.0.clone() };
    let play = play(app, &mut tx, id).await?.ok_or_else(missing)?;
    if let Some(held) = store::find_about(&mut tx, Mode::Drill, id).await? {
        return Ok(held.id);
    }
    if play.ended_at.is_some() {
        return Err(AppError::Invalid(vec![FieldError::new("drill", "drill_over")]));
    }
    let (now, host) = (app.now(), kepu_store::org::get(&mut tx, org).await?);
    let order = Order {
        id: OrderId(keys::random_word(12)),
        mode: Mode::Drill,
        title: play.start.title.clone(),
        plan: play.start.plan.clone(),
        hazard: play.start.hazard.clone(),
        level: play.start.level,
        region: host.region,
        org: org.clone(),
        case: None,
        about: Some(id.clone()),
        started_at: now,
        ended_at: None,
        lesson: String::new(),
        version: 1,
    };
    store::insert(&mut tx, &order).await?;
    let mine = play.start.parts.iter().filter(|part| part.at == Seat::Below).map(|part| New {
        key: part.key.clone(),
        title: part.zh.clone(),
        title_en: part.en.clone(),
        org: org.clone(),
        role: part.role_zh.clone(),
        owner: None,
        due: drill::due(&play.start, part),
        proof: part.proof.clone(),
    });
    task::give(app, &mut tx, &Of::Order(order.id.clone()), mine.collect()).await?;
    answer(app, &mut tx, id, "", Outcome::Joined, &host.name).await?;
    log(app, &mut tx, &who.log_name(), "order.joined", &order.id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(order.id)
}

async fn answer(app: &App, tx: &mut Tx, drill: &SubjectId, key: &str, outcome: Outcome, host: &str) -> Result<(), AppError> {
    let local = format!("drill-word-{}", keys::short_hash(&format!("{drill}\n{key}")));
    let subject = SubjectId::new(&fingerprint(app, tx).await?, &local);
    let says = Answer { drill: drill.clone(), key: key.to_owned(), outcome, at: app.now(), host: host.to_owned() };
    say(app, tx, subject, Drill::Answer(says)).await
}

/// After a task of an order was moved: in a drill the others are told.
pub(crate) async fn noticed(app: &App, tx: &mut Tx, id: &OrderId, task: &Task) -> Result<(), AppError> {
    let Some(order) = store::find(tx, id).await?.filter(|order| order.mode == Mode::Drill) else { return Ok(()) };
    let outcome = match task.stage {
        Stage::Done { .. } => Outcome::Done,
        Stage::Blocked { .. } => Outcome::Blocked,
        Stage::Dropped { .. } => Outcome::Dropped,
        Stage::Open | Stage::Doing { .. } => return Ok(()),
    };
    let Some(drill) = &order.about else { return Ok(()) };
    let host = kepu_store::org::get(tx, &order.org).await?.name;
    answer(app, tx, drill, &task.key, outcome, &host).await
}

/// An order as somebody may see it.
#[derive(Clone, Debug)]
pub struct View {
    /// The order.
    pub order: Order,
    /// Name of the organisation that gives it.
    pub org: String,
    /// Its tasks.
    pub tasks: Vec<task::View>,
    /// The drill it plays.
    pub play: Option<Play>,
    /// Whether the actor may end it.
    pub can_lead: bool,
}

async fn may_see(tx: &mut Tx, who: &Actor, order: &Order) -> Result<bool, AppError> {
    if who.may(Action::WorkCase, Some(&kepu_store::org::line(tx, &order.org).await?)).is_ok() {
        return Ok(true);
    }
    let Some(account) = who.account() else { return Ok(false) };
    let list = tasks::list_of(tx, &Of::Order(order.id.clone()), task::TASKS_MAX).await?;
    Ok(list.iter().any(|task| task.owner.as_ref() == Some(account)))
}

/// An order; nobody else learns that it exists. May: those who work on cases of its organisation, owners of its tasks.
pub async fn view(app: &App, who: &Actor, id: &OrderId) -> Result<View, AppError> {
    let missing = || AppError::NotFound { what: "order", id: id.0.clone() };
    let mut tx = app.db.read().await?;
    let order = store::find(&mut tx, id).await?.ok_or_else(missing)?;
    if !may_see(&mut tx, who, &order).await? {
        return Err(missing());
    }
    let line = kepu_store::org::line(&mut tx, &order.org).await?;
    let play = match &order.about {
        Some(about) if order.mode == Mode::Drill => play(app, &mut tx, about).await?,
        _ => None,
    };
    Ok(View {
        org: kepu_store::org::find(&mut tx, &order.org).await?.map(|org| org.name).unwrap_or_default(),
        tasks: task::list_of(&mut tx, who, &Of::Order(id.clone())).await?,
        can_lead: order.ended_at.is_none() && who.may(Action::IssueHolding, Some(&line)).is_ok(),
        play,
        order,
    })
}

/// Ends an order with what was learnt. What is still open is given up with the same words; a real one ends its case.
///
/// May: duty officers of the organisation. Writes: start_order, task, case, record (drill), log.
pub async fn end(app: &App, who: &Actor, id: &OrderId, version: i64, lesson: &str) -> Result<(), AppError> {
    let lesson = kepu_text::clean_text(lesson);
    NOTE.check(kepu_text::count(&lesson)).map_err(|error| AppError::Invalid(vec![FieldError { field: "lesson".into(), ..text_error(&error) }]))?;
    let mut tx = app.db.write().await?;
    let order = store::get(&mut tx, id).await?;
    who.may(Action::IssueHolding, Some(&kepu_store::org::line(&mut tx, &order.org).await?))?;
    if order.version != version || order.ended_at.is_some() {
        return Err(AppError::Stale { what: "order", id: id.0.clone() });
    }
    let now = app.now();
    let why = kepu_text::truncate(&lesson, kepu_domain::listen::task::REASON.max).to_owned();
    for open in tasks::list_of(&mut tx, &Of::Order(id.clone()), task::TASKS_MAX).await?.into_iter().filter(|task| !task.is_over()) {
        tasks::update(&mut tx, &open.give_up(&why, now)?).await?;
    }
    if let Some(case) = &order.case {
        let case = cases::get(&mut tx, case).await?;
        if let Ok(closed) = case.close(&lesson, now) {
            cases::add_step(&mut tx, &closed.id, &Step { at: now, kind: "closed".into(), text: lesson.clone(), public: true }).await?;
            cases::update(&mut tx, closed).await?;
        }
    }
    if let (Mode::Drill, Some(drill)) = (order.mode, &order.about) {
        let own = fingerprint(app, &mut tx).await?;
        if drill.parts().is_some_and(|(owner, _)| owner == own) {
            let subject = SubjectId::new(&own, &format!("drill-end-{}", keys::short_hash(&drill.0)));
            say(app, &mut tx, subject, Drill::End { drill: drill.clone(), at: now }).await?;
        }
    }
    store::update(&mut tx, &Order { ended_at: Some(now), lesson, ..order }).await?;
    log(app, &mut tx, &who.log_name(), "order.ended", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// Orders and drills for those who work on cases.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// Orders of the actor's organisations, the latest first.
    pub orders: Vec<Order>,
    /// Drills of other nodes that this one may join.
    pub invited: Vec<Play>,
}

/// What was set going, and which drills can be joined. May: those who work on cases.
pub async fn overview(app: &App, who: &Actor, mode: Option<Mode>) -> Result<Overview, AppError> {
    who.may(Action::WorkCase, None)?;
    let mut tx = app.db.read().await?;
    let mut out = Overview::default();
    for order in store::list(&mut tx, mode, Timestamp::MIN, LIST_MAX).await? {
        if may_see(&mut tx, who, &order).await? {
            out.orders.push(order);
        }
    }
    if mode != Some(Mode::Real) {
        for begin in words::list_starts(&mut tx, LIST_MAX).await? {
            if store::find_about(&mut tx, Mode::Drill, &begin.subject).await?.is_none() {
                out.invited.extend(play(app, &mut tx, &begin.subject).await?.filter(|play| play.ended_at.is_none()));
            }
        }
    }
    Ok(out)
}

/// How often a plan was set going in a year, and how its tasks went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Year {
    /// The year, in China.
    pub year: i16,
    /// Plan.
    pub plan: String,
    /// Real orders.
    pub real: usize,
    /// Drills.
    pub drills: usize,
    /// Tasks.
    pub tasks: usize,
    /// Done in time.
    pub in_time: usize,
    /// Done with proof, in time or not.
    pub done: usize,
}

/// The evidence that plans contain science communication and that it was done, by year and plan, the latest first. May: those who work on cases.
pub async fn years(app: &App, who: &Actor) -> Result<Vec<Year>, AppError> {
    who.may(Action::WorkCase, None)?;
    let mut tx = app.db.read().await?;
    let mut list: std::collections::BTreeMap<(std::cmp::Reverse<i16>, String), Year> = Default::default();
    for order in store::list(&mut tx, None, Timestamp::MIN, 2_000).await? {
        if !may_see(&mut tx, who, &order).await? {
            continue;
        }
        let year = crate::china_date(order.started_at).year();
        let sum = list.entry((std::cmp::Reverse(year), order.plan.clone())).or_insert_with(|| Year { year, plan: order.plan.clone(), ..Year::default() });
        match order.mode {
            Mode::Real => sum.real += 1,
            Mode::Drill => sum.drills += 1,
        }
        for task in tasks::list_of(&mut tx, &Of::Order(order.id), task::TASKS_MAX).await? {
            sum.tasks += 1;
            if task.took().is_some() {
                sum.done += 1;
                sum.in_time += usize::from(!task.was_late());
            }
        }
    }
    Ok(list.into_values().collect())
}

/// The plans for a hazard, those for it in particular first; all of them if none is.
pub fn plans_for(app: &App, hazard: &str) -> Vec<(String, String, String)> {
    let definitions = app.definitions();
    let known = HAZARD_LIST.find(hazard).is_some();
    let fits = definitions.plans.values().filter(|plan| !known || plan.is_for(hazard));
    fits.map(|plan| (plan.id.clone(), plan.zh.clone(), plan.en.clone())).collect()
}
