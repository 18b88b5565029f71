//! Drawing a sample of the evidence that lies here already, looking at it, and asking for what must be corrected. A finding travels like a decision (`decision`);
//! how a draw is made is in `kepu-domain::listen::inspection`.

use super::decision::{Tree, own_subject, say, take_in, trees, whole, words};
use crate::account::{log, log_detail};
use crate::error::{AppError, FieldError};
use crate::{App, desk, keys};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use kepu_domain::access::{Action, Actor, Denied};
use kepu_domain::ids::{InspectionId, OrgId, SubjectId, TaskId};
use kepu_domain::listen::case;
use kepu_domain::listen::decision::{Ask, Branch, Cause, Coordination, Decided, MEETING, WHAT, WORDS};
use kepu_domain::listen::inspection::{
    Checklist, Entry, Inspection, LIST_MAX, SIZE_MAX, Sample, Seen, Summary, Tick, checklist, draw as draw_keys, has_fault, list_hash, repeats, unanswered,
};
use kepu_domain::listen::order::Mode;
use kepu_domain::listen::task::{Of, Stage, Task};
use kepu_domain::org::Region;
use kepu_domain::text::Limit;
use kepu_stats::proportion::{Share, share};
use kepu_store::Tx;
use kepu_store::listen::{decision as decisions, inspection as store, order as orders, task as tasks};
use std::collections::{BTreeMap, HashMap};

/// Inspections in a list.
const INSPECTIONS_MAX: u32 = 200;
/// The word that a lot hangs on.
const WORD: Limit = Limit { field: "word", min: 2, max: 120 };

/// An inspection to be drawn.
#[derive(Clone, Debug, Default)]
pub struct New {
    /// What it is called.
    pub title: String,
    /// Checklist.
    pub checklist: String,
    /// Where; the place of the organisation if nothing is said.
    pub region: Option<Region>,
    /// Who inspects.
    pub org: OrgId,
    /// The word that the lot hangs on.
    pub word: String,
    /// How many are drawn.
    pub size: usize,
    /// Only what was done from this day on.
    pub since: Option<Date>,
}

/// The evidence in this node's sight: what places report as done, and what real orders left behind. Nobody was asked for it. The latest, if there is too much.
async fn evidence(app: &App, tx: &mut Tx, region: Region, since: Timestamp) -> Result<Vec<Entry>, AppError> {
    let mut list = Vec::new();
    for tree in trees(app, tx).await? {
        for branch in &tree.branches {
            if let Some(said) = branch.done() {
                let (key, evidence) = (format!("{}#{}", tree.id, branch.ask.key), said.words.clone());
                list.push(Entry { key, place: branch.ask.place, title: branch.ask.what.clone(), host: branch.host.clone(), evidence, at: said.at });
            }
        }
    }
    for order in orders::list(tx, Some(Mode::Real), Timestamp::MIN, 2_000).await? {
        for task in tasks::list_of(tx, &Of::Order(order.id), super::task::TASKS_MAX).await? {
            let Stage::Done { at, evidence } = task.stage else { continue };
            let Some(org) = kepu_store::org::find(tx, &task.org).await? else { continue };
            list.push(Entry { key: format!("task:{}", task.id), place: org.region, title: task.title, host: org.name, evidence, at: whole(at) });
        }
    }
    list.retain(|one| region.covers(one.place) && one.at >= since);
    list.sort_by(|a, b| (b.at, &a.key).cmp(&(a.at, &b.key)));
    list.truncate(LIST_MAX);
    Ok(list)
}

/// Draws an inspection: the list is closed, the lot decides, both stay to be repeated by anybody.
///
/// May: those who coordinate for the organisation. Writes: inspection, log.
pub async fn draw(app: &App, who: &Actor, new: New) -> Result<InspectionId, AppError> {
    let mut tx = app.db.write().await?;
    who.may(Action::Coordinate, Some(&kepu_store::org::line(&mut tx, &new.org).await?))?;
    let org = kepu_store::org::get(&mut tx, &new.org).await?;
    let (region, mut wrong) = (new.region.unwrap_or(org.region), Vec::new());
    let title = words(&mut wrong, "title", &new.title, MEETING);
    let word = words(&mut wrong, "word", &new.word, WORD);
    if checklist(&new.checklist).is_none() {
        wrong.push(FieldError::new("checklist", "no_checklist"));
    }
    if !org.region.covers(region) {
        wrong.push(FieldError::new("county", "ask_outside").with("place", region));
    }
    if !(1..=SIZE_MAX).contains(&new.size) {
        wrong.push(FieldError::new("size", "sample_size").with("max", SIZE_MAX));
    }
    let since = new.since.map_or(Timestamp::UNIX_EPOCH, |day| crate::account::later(desk::end_of(day), SignedDuration::from_secs(1 - 24 * 3_600)));
    let list = evidence(app, &mut tx, region, since).await?;
    if wrong.is_empty() && list.is_empty() {
        wrong.push(FieldError::new("size", "no_evidence"));
    }
    if !wrong.is_empty() {
        return Err(AppError::Invalid(wrong));
    }
    let drawn: HashMap<String, i64> = draw_keys(&list, &word, new.size).into_iter().zip(1..).collect();
    let inspection = Inspection {
        id: InspectionId(keys::random_word(12)),
        title,
        org: org.id,
        checklist: new.checklist,
        region,
        word,
        list_hash: list_hash(&list),
        listed: list.len() as i64,
        drawn: drawn.len() as i64,
        drawn_at: app.now(),
    };
    let rows: Vec<(i64, Entry)> = list.into_iter().map(|one| (drawn.get(&one.key).copied().unwrap_or_default(), one)).collect();
    store::insert(&mut tx, &inspection, &rows).await?;
    let detail = serde_json::json!({"listed": inspection.listed, "drawn": inspection.drawn, "list": inspection.list_hash});
    log_detail(app, &mut tx, &who.log_name(), "inspection.drawn", &inspection.id.0, &detail).await?;
    tx.commit().await?;
    Ok(inspection.id)
}

/// What was seen of a sample.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Its number.
    pub n: i64,
    /// The answers, by question.
    pub ticks: BTreeMap<String, Tick>,
    /// What is not as it should be, if something is.
    pub found: String,
    /// What must be done about it.
    pub what: String,
    /// Until which day; none: as the level says.
    pub due: Option<Date>,
    /// Level of the kind `finding`.
    pub level: i64,
}

/// The task of this node behind a piece of evidence, if it was done here.
async fn task_behind(tx: &mut Tx, entry: &Entry) -> Result<Option<Task>, AppError> {
    let id: Option<TaskId> = match (entry.key.strip_prefix("task:"), entry.key.split_once('#')) {
        (Some(id), _) => Some(id.into()),
        (None, Some((decision, ask))) => decisions::find_task(tx, &decision.into(), ask).await?,
        (None, None) => None,
    };
    let Some(id) = id else { return Ok(None) };
    let Some(task) = tasks::find(tx, &id).await? else { return Ok(None) };
    // What another node did for the same ask is not the work of this one.
    let host = kepu_store::org::find(tx, &task.org).await?.map(|org| org.name);
    Ok(host.filter(|host| *host == entry.host).map(|_| task))
}

async fn finding(app: &App, tx: &mut Tx, inspection: &Inspection, entry: &Entry, look: &Look) -> Result<(SubjectId, Decided), AppError> {
    let (now, mut wrong) = (app.now(), Vec::new());
    let found = words(&mut wrong, "found", &look.found, WORDS);
    let what = words(&mut wrong, "what", &look.what, WHAT);
    let level = case::level(Cause::Inspection.case_kind(), look.level);
    let due = match (look.due, level) {
        (Some(day), _) => desk::end_of(day),
        (None, Some(level)) => crate::account::later(now, SignedDuration::from_hours(level.answer_hours)),
        (None, None) => now,
    };
    if level.is_none() {
        wrong.push(FieldError::new("level", "no_level"));
    } else if due <= now {
        wrong.push(FieldError::new("due", "ask_past"));
    }
    if !wrong.is_empty() {
        return Err(AppError::Invalid(wrong));
    }
    let ask = Ask { key: "a1".into(), place: entry.place, what, due: whole(due), proof: "link".into() };
    let decided = Decided {
        cause: Cause::Inspection,
        meeting: inspection.title.clone(),
        day: app.today(),
        words: found,
        about: format!("{}：{}", entry.title, entry.evidence),
        level: look.level,
        at: whole(now),
        host: kepu_store::org::get(tx, &inspection.org).await?.name,
        org: inspection.org.clone(),
        // A finding is for the place that it is about and those above it, not for the neighbours.
        region: entry.place,
        asks: vec![ask],
        changes: vec![],
        ended: None,
    };
    Ok((own_subject(app, tx, "finding").await?, decided))
}

/// Notes what was seen of a sample. Where something is not as it should be, whoever owes it is asked to correct it. Nobody looks at their own work.
///
/// May: those who coordinate for the organisation that inspects. Writes: inspection, record, task, log.
pub async fn look(app: &App, who: &Actor, id: &InspectionId, look: Look) -> Result<(), AppError> {
    let missing = || AppError::NotFound { what: "inspection", id: id.0.clone() };
    who.may(Action::TakeOn, None).map_err(|_| missing())?;
    let mut tx = app.db.write().await?;
    let inspection = store::get(&mut tx, id).await?;
    who.may(Action::Coordinate, Some(&kepu_store::org::line(&mut tx, &inspection.org).await?))?;
    let sample = store::list_drawn(&mut tx, id).await?.into_iter().find(|sample| sample.n == look.n).ok_or_else(missing)?;
    let Some(account) = who.account() else { return Err(Denied::NotSignedIn.into()) };
    let list = checklist(&inspection.checklist).ok_or_else(missing)?;
    let open = unanswered(list, &look.ticks);
    if !open.is_empty() {
        return Err(AppError::Invalid(open.into_iter().map(|question| FieldError::new(&format!("q-{question}"), "tick_needed")).collect()));
    }
    let behind = task_behind(&mut tx, &sample.entry).await?;
    if behind.as_ref().is_some_and(|task| task.owner.as_ref() == Some(account)) {
        return Err(Denied::OwnWork.into());
    }
    let made = if has_fault(&look.ticks) { Some(finding(app, &mut tx, &inspection, &sample.entry, &look).await?) } else { None };
    if let Some((subject, decided)) = &made {
        say(app, &mut tx, subject.clone(), decided.region, Coordination::Decided(decided.clone())).await?;
        if let (Some(task), Some(ask)) = (&behind, decided.asks.first()) {
            take_in(app, &mut tx, subject, decided, ask, &task.org).await?;
        }
    }
    let questions = list.questions.iter().filter_map(|question| Some((question.id.clone(), *look.ticks.get(&question.id)?)));
    let seen = Seen { at: app.now(), by: account.clone(), ticks: questions.collect(), finding: made.map(|(subject, _)| subject) };
    store::see(&mut tx, id, look.n, &seen).await?;
    let word = if seen.finding.is_some() { "inspection.found" } else { "inspection.in_order" };
    log(app, &mut tx, &who.log_name(), word, &format!("{id}#{}", look.n), "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// A sample with what became of its finding.
#[derive(Clone, Debug)]
pub struct Row {
    /// The sample.
    pub sample: Sample,
    /// The finding as it stands.
    pub finding: Option<Branch>,
}

/// An inspection as somebody may see it.
#[derive(Clone, Debug)]
pub struct View {
    /// The inspection.
    pub inspection: Inspection,
    /// Who inspects, by name.
    pub org: String,
    /// Its checklist.
    pub checklist: Checklist,
    /// What was drawn.
    pub rows: Vec<Row>,
    /// How it stands.
    pub summary: Summary,
    /// The share in order with its bounds; none while nothing was seen.
    pub share: Option<Share>,
    /// Whether drawing again from the list kept gives the same.
    pub repeats: bool,
    /// Whether the actor may look at samples.
    pub can_look: bool,
}

fn rows(samples: Vec<Sample>, trees: &[Tree]) -> Vec<Row> {
    let branch = |id: &SubjectId| trees.iter().find(|tree| tree.id == *id)?.branches.first().cloned();
    samples.into_iter().map(|sample| Row { finding: sample.seen.as_ref().and_then(|seen| branch(seen.finding.as_ref()?)), sample }).collect()
}

fn summary(inspection: &Inspection, rows: &[Row], now: Timestamp) -> Summary {
    let seen = || rows.iter().filter_map(|row| row.sample.seen.as_ref());
    let findings = || rows.iter().filter_map(|row| row.finding.as_ref());
    Summary {
        listed: usize::try_from(inspection.listed).unwrap_or_default(),
        drawn: rows.len(),
        seen: seen().count(),
        in_order: seen().filter(|seen| seen.finding.is_none()).count(),
        findings: seen().filter(|seen| seen.finding.is_some()).count(),
        corrected: findings().filter(|branch| branch.done().is_some()).count(),
        in_time: findings().filter(|branch| branch.done().is_some() && !branch.was_late()).count(),
        overdue: findings().filter(|branch| branch.is_late(now)).count(),
    }
}

/// An inspection; nobody else learns that it exists. May: those who take on what is asked, those who coordinate.
pub async fn view(app: &App, who: &Actor, id: &InspectionId) -> Result<View, AppError> {
    let missing = || AppError::NotFound { what: "inspection", id: id.0.clone() };
    who.may(Action::TakeOn, None).map_err(|_| missing())?;
    let mut tx = app.db.read().await?;
    let inspection = store::get(&mut tx, id).await?;
    let list: Vec<Entry> = store::list_all(&mut tx, id, LIST_MAX as u32).await?.into_iter().map(|sample| sample.entry).collect();
    let known = trees(app, &mut tx).await?;
    let rows = rows(store::list_drawn(&mut tx, id).await?, &known);
    let drawn: Vec<String> = rows.iter().map(|row| row.sample.entry.key.clone()).collect();
    let summary = summary(&inspection, &rows, app.now());
    let line = kepu_store::org::line(&mut tx, &inspection.org).await?;
    Ok(View {
        org: kepu_store::org::find(&mut tx, &inspection.org).await?.map(|org| org.name).unwrap_or_default(),
        checklist: checklist(&inspection.checklist).cloned().ok_or_else(missing)?,
        share: share(summary.in_order as u64, summary.seen as u64, summary.listed as u64).ok(),
        repeats: repeats(&list, &inspection, &drawn),
        can_look: who.may(Action::Coordinate, Some(&line)).is_ok(),
        summary,
        rows,
        inspection,
    })
}

/// Inspections with how they stand, the latest first. May: those who take on what is asked, those who coordinate.
pub async fn list(app: &App, who: &Actor) -> Result<Vec<(Inspection, Summary)>, AppError> {
    who.may(Action::TakeOn, None)?;
    let mut tx = app.db.read().await?;
    let found = store::list(&mut tx, INSPECTIONS_MAX).await?;
    let known = if found.is_empty() { vec![] } else { trees(app, &mut tx).await? };
    let mut list = Vec::with_capacity(found.len());
    for inspection in found {
        let rows = rows(store::list_drawn(&mut tx, &inspection.id).await?, &known);
        list.push((inspection.clone(), summary(&inspection, &rows, app.now())));
    }
    Ok(list)
}

/// The whole list of an inspection with word and lots, for whoever repeats the draw. May: as [`view`].
pub async fn closed_list(app: &App, who: &Actor, id: &InspectionId) -> Result<(Inspection, Vec<Sample>), AppError> {
    who.may(Action::TakeOn, None).map_err(|_| AppError::NotFound { what: "inspection", id: id.0.clone() })?;
    let mut tx = app.db.read().await?;
    Ok((store::get(&mut tx, id).await?, store::list_all(&mut tx, id, LIST_MAX as u32).await?))
}
