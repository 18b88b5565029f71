//! Recording what a meeting decided, moving a deadline with a reason, ending it. The same is not asked of the same place twice.

use super::{Tree, missing, own_subject, say, take_in, tree, trees};
use crate::account::{log, log_detail};
use crate::error::{AppError, FieldError, text_error};
use crate::{App, desk, keys};
use jiff::Timestamp;
use jiff::civil::Date;
use kepu_domain::access::{Action, Actor};
use kepu_domain::ids::{OrgId, SubjectId};
use kepu_domain::listen::case;
use kepu_domain::listen::decision::{ASKS_MAX, Ask, Cause, Coordination, Decided, MEETING, Unmoved, WHAT, WHY, WORDS};
use kepu_domain::org::{Org, Region};
use kepu_domain::text::Limit;
use kepu_store::Tx;

/// A decision to be recorded.
#[derive(Clone, Debug, Default)]
pub struct New {
    /// The meeting.
    pub meeting: String,
    /// Its day.
    pub day: Option<Date>,
    /// The decision in words.
    pub words: String,
    /// Level of its kind: how soon.
    pub level: i64,
    /// Who decides.
    pub org: OrgId,
    /// What is asked.
    pub asks: Vec<NewAsk>,
}

/// One thing that is asked, of one or several places.
#[derive(Clone, Debug, Default)]
pub struct NewAsk {
    /// What.
    pub what: String,
    /// Of which places; none: of the organisation's own.
    pub places: Vec<Region>,
    /// Until which day; none: as the level says.
    pub due: Option<Date>,
    /// Whether an address must prove it.
    pub link: bool,
}

/// A text of a form, cleaned, with what is wrong with it under the name that the form gives it.
pub(in crate::listen) fn words(wrong: &mut Vec<FieldError>, field: &str, text: &str, limit: Limit) -> String {
    let text = kepu_text::clean_line(text);
    if let Err(error) = limit.check(kepu_text::count(&text)) {
        wrong.push(FieldError { field: field.to_owned(), ..text_error(&error) });
    }
    text
}

/// What is the same for two letters that ask the same of the same place.
pub(super) fn same_words(place: Region, what: &str) -> String {
    keys::short_hash(&format!("{place}\n{}", kepu_text::fold(what)))
}

/// An earlier letter that still asks this of this place.
fn asked_before<'a>(trees: &'a [Tree], ask: &Ask) -> Option<&'a Tree> {
    let same = same_words(ask.place, &ask.what);
    trees.iter().find(|tree| tree.branches.iter().any(|branch| !branch.is_over() && same_words(branch.ask.place, &branch.ask.what) == same))
}

impl NewAsk {
    fn places(&self, org: &Org) -> Vec<Region> {
        if self.places.is_empty() { vec![org.region] } else { self.places.clone() }
    }
}

fn asks(new: &New, org: &Org, now: Timestamp, wrong: &mut Vec<FieldError>) -> Vec<Ask> {
    let mut list = Vec::new();
    let hours = case::level(Cause::Meeting.case_kind(), new.level).map_or(720, |level| level.answer_hours);
    for (at, one) in new.asks.iter().enumerate() {
        let field = |name: &str| format!("{name}-{}", at + 1);
        let what = words(wrong, &field("what"), &one.what, WHAT);
        let due = one.due.map_or_else(|| crate::account::later(now, jiff::SignedDuration::from_hours(hours)), desk::end_of);
        if due <= now {
            wrong.push(FieldError::new(&field("due"), "ask_past"));
        }
        if let Some(outside) = one.places.iter().find(|place| !org.region.covers(**place)) {
            wrong.push(FieldError::new(&field("places"), "ask_outside").with("place", outside));
        }
        for place in one.places(org) {
            let proof = if one.link { "link" } else { "" };
            list.push(Ask { key: format!("a{}", list.len() + 1), place, what: what.clone(), due: whole(due), proof: proof.into() });
        }
    }
    if list.is_empty() {
        wrong.push(FieldError::new("what-1", "ask_none"));
    }
    if list.len() > ASKS_MAX {
        wrong.push(FieldError::new("places-1", "ask_many").with("max", ASKS_MAX));
    }
    list
}

/// A whole second: what travels is compared byte for byte.
pub(in crate::listen) fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

async fn read(app: &App, tx: &mut Tx, new: New) -> Result<Decided, AppError> {
    let org = kepu_store::org::get(tx, &new.org).await?;
    let (now, mut wrong) = (app.now(), Vec::new());
    let meeting = words(&mut wrong, "meeting", &new.meeting, MEETING);
    let said = words(&mut wrong, "words", &new.words, WORDS);
    if case::level(Cause::Meeting.case_kind(), new.level).is_none() {
        wrong.push(FieldError::new("level", "no_level"));
    }
    match new.day {
        None => wrong.push(FieldError::new("day", "required")),
        Some(day) if day > app.today() => wrong.push(FieldError::new("day", "meeting_future")),
        Some(_) => {}
    }
    let asks = asks(&new, &org, now, &mut wrong);
    let known = trees(app, tx).await?;
    for (at, one) in new.asks.iter().enumerate() {
        let before = asks.iter().filter(|ask| one.places(&org).contains(&ask.place) && ask.what == kepu_text::clean_line(&one.what));
        if let Some(earlier) = before.into_iter().find_map(|ask| asked_before(&known, ask)) {
            wrong.push(FieldError::new(&format!("what-{}", at + 1), "ask_twice").with("meeting", &earlier.decided.meeting));
        }
    }
    if !wrong.is_empty() {
        return Err(AppError::Invalid(wrong));
    }
    Ok(Decided {
        cause: Cause::Meeting,
        meeting,
        day: new.day.unwrap_or_else(|| app.today()),
        words: said,
        about: String::new(),
        level: new.level,
        at: whole(now),
        host: org.name,
        org: org.id,
        region: org.region,
        asks,
        changes: vec![],
        ended: None,
    })
}

/// Records what a meeting decided and tells those who coordinate. What is asked of the deciding organisation's own place becomes its task at once.
///
/// May: those who coordinate for the organisation. Writes: record, task, log.
pub async fn decide(app: &App, who: &Actor, new: New) -> Result<SubjectId, AppError> {
    let mut tx = app.db.write().await?;
    who.may(Action::Coordinate, Some(&kepu_store::org::line(&mut tx, &new.org).await?))?;
    let decided = read(app, &mut tx, new).await?;
    let id = own_subject(app, &mut tx, "decision").await?;
    say(app, &mut tx, id.clone(), decided.region, Coordination::Decided(decided.clone())).await?;
    for ask in decided.asks.iter().filter(|ask| ask.place == decided.region) {
        take_in(app, &mut tx, &id, &decided, ask, &decided.org).await?;
    }
    log_detail(app, &mut tx, &who.log_name(), "decision.made", &id.0, &serde_json::json!({"asks": decided.asks.len()})).await?;
    tx.commit().await?;
    app.notify();
    Ok(id)
}

/// A changed deadline.
#[derive(Clone, Debug, Default)]
pub struct Amend {
    /// Key of the ask.
    pub ask: String,
    /// The new last day.
    pub due: Option<Date>,
    /// Why.
    pub reason: String,
}

/// The decision for who may change it, as it was when they read it: `seen` changes.
async fn led(app: &App, tx: &mut Tx, who: &Actor, id: &SubjectId, seen: usize) -> Result<Decided, AppError> {
    who.may(Action::TakeOn, None).map_err(|_| missing(id))?;
    let tree = tree(app, tx, id).await?;
    who.may(Action::Coordinate, Some(&kepu_store::org::line(tx, &tree.decided.org).await?))?;
    // Only who decided changes it; the others see it as it comes.
    if !tree.own {
        return Err(missing(id));
    }
    if tree.decided.changes.len() != seen {
        return Err(AppError::Stale { what: "decision", id: id.0.clone() });
    }
    Ok(tree.decided)
}

fn unmoved(error: Unmoved) -> AppError {
    let (field, key) = match error {
        Unmoved::Ended => ("reason", "decision_ended"),
        Unmoved::NoAsk => ("due", "no_ask"),
        Unmoved::Same => ("due", "due_same"),
        Unmoved::TooOften => ("reason", "decision_often"),
    };
    AppError::Invalid(vec![FieldError::new(field, key)])
}

/// Moves a deadline. The reason stands in the tree for good; tasks that answer the ask, here and below, follow.
///
/// May: those who coordinate for the organisation that decided. Writes: record, task, log.
pub async fn amend(app: &App, who: &Actor, id: &SubjectId, seen: usize, change: Amend) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let decided = led(app, &mut tx, who, id, seen).await?;
    let (now, mut wrong) = (whole(app.now()), Vec::new());
    let reason = words(&mut wrong, "reason", &change.reason, WHY);
    let due = change.due.map(|day| whole(desk::end_of(day)));
    match due {
        None => wrong.push(FieldError::new("due", "required")),
        Some(due) if due <= now => wrong.push(FieldError::new("due", "ask_past")),
        Some(_) => {}
    }
    let (Some(due), true) = (due, wrong.is_empty()) else { return Err(AppError::Invalid(wrong)) };
    let decided = decided.move_due(&change.ask, due, &reason, now).map_err(unmoved)?;
    say(app, &mut tx, id.clone(), decided.region, Coordination::Decided(decided)).await?;
    log(app, &mut tx, &who.log_name(), "decision.moved", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// Ends a decision: nothing more is asked, open tasks are given up with the reason, here and below.
///
/// May: those who coordinate for the organisation that decided. Writes: record, task, log.
pub async fn end(app: &App, who: &Actor, id: &SubjectId, seen: usize, reason: &str) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let decided = led(app, &mut tx, who, id, seen).await?;
    let mut wrong = Vec::new();
    let reason = words(&mut wrong, "reason", reason, WHY);
    if !wrong.is_empty() {
        return Err(AppError::Invalid(wrong));
    }
    let decided = decided.end(&reason, whole(app.now())).map_err(unmoved)?;
    say(app, &mut tx, id.clone(), decided.region, Coordination::Decided(decided)).await?;
    log(app, &mut tx, &who.log_name(), "decision.ended", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}
