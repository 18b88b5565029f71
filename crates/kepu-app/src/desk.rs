//! The desk of a signed-in person: five lists and nothing else. Each row says what, where, until when, and the one thing to do.
//! It is computed from the nouns as they stand; nothing is kept for it.

use crate::App;
use crate::create::draft::limits;
use crate::create::{publish, review, round};
use crate::deliver::recall::{self, Why};
use crate::deliver::warning;
use crate::error::AppError;
use crate::listen::{decision, duty, task};
use jiff::{SignedDuration, Timestamp, ToSpan};
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::attention::{Attention, attention, shown_until};
use kepu_domain::create::draft::{Draft, Gate, Matter, Progress};
use kepu_domain::create::review::{Review, Stage as ReviewStage};
use kepu_domain::deliver::warning::Stands;
use kepu_domain::ids::{AccountId, ApplicationId, CaseId, DraftId, OrgId, ReviewId, RoundId, SubjectId, TaskId};
use kepu_domain::listen::case::{Case, Due, Stage as CaseStage};
use kepu_domain::org::Region;
use kepu_domain::trust::TrustView;
use kepu_store::create::draft::{self as drafts, Filter, Listed, Order};
use kepu_store::create::review::Which;
use kepu_store::listen::case as cases;
use kepu_store::measure::contribution;
use kepu_store::subject::{self, Standing};
use kepu_store::{Tx, meta};
use std::collections::HashMap;

/// Most rows of one list; the whole list is a page of its own.
pub const ROWS_MAX: usize = 10;
/// How far ahead a next check is announced.
const AHEAD_DAYS: i64 = 30;
/// How long a correction or withdrawal counts as news.
const NEWS_HOURS: i64 = 30 * 24;

/// The five lists.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// What has a day or an hour, the next due first.
    pub due: List,
    /// What waits for the actor, without a clock of its own.
    pub waiting: List,
    /// Official warnings for the actor's places.
    pub warnings: List,
    /// Emergency cards for these places: not warnings, but what to have at hand.
    pub cards: Vec<Item>,
    /// Questions that nobody has taken.
    pub unanswered: List,
    /// What was corrected, withdrawn, or must be looked at again.
    pub changed: List,
}

/// One list: its first rows, and how many there are.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// At most [`ROWS_MAX`] rows.
    pub rows: Vec<Item>,
    /// How many rows the list has in all, as far as it was looked through.
    pub total: usize,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The one thing to do.
    pub task: Task,
    /// What it is about.
    pub title: String,
    /// A sentence more: a reviewer's remark, what was corrected. May be empty.
    pub note: String,
    /// Where: the organisation, or the place.
    pub place: Place,
    /// Until when, or since when.
    pub clock: Clock,
}

/// What a row asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Review a draft.
    Review(ReviewId),
    /// Work on a case: what it owes next.
    Case(CaseId, Due),
    /// Take a case of this kind that nobody has.
    TakeCase(CaseId, String),
    /// Answer a call: take the case, or say that one cannot.
    Call(CaseId),
    /// Write the answer to a case.
    Answer(DraftId),
    /// Go on writing.
    Write(DraftId),
    /// Change what a reviewer sent back.
    Mend(DraftId),
    /// Give a draft to reviewers.
    Assign(DraftId),
    /// Find another reviewer: one is late.
    Replace(DraftId),
    /// Sign and publish.
    Publish(DraftId),
    /// Keep an emergency card at hand.
    Card(SubjectId),
    /// Read what was corrected.
    Corrected(SubjectId, Kind),
    /// Stop using what was withdrawn.
    Withdrawn(SubjectId, Kind),
    /// Not to be used while it is looked at again.
    Held(SubjectId, Kind),
    /// Take down what one put up on a board and what was taken back since.
    TakeDown(SubjectId, Why),
    /// Look again at what one's organisation said.
    Recheck(SubjectId, Kind),
    /// Judge so many applications of a round.
    Judge(usize),
    /// Take the next step of a round that one's organisation runs; for so many.
    Office(RoundId, RoundStep, usize),
    /// Do something about one application.
    Applicant(ApplicationId, RoundStep),
    /// Say that one's own registry entry is still right.
    Confirm,
    /// Confirm so many contributions that one's institution received.
    Ledger(usize),
    /// Read an official warning.
    Warning(SubjectId),
    /// Decide about so many messages of unknown issuers.
    Messages(usize),
    /// Do something that is due or blocked.
    Do(TaskId),
    /// Take on so many things that a meeting or an inspection asks of one's place.
    TakeOn(usize),
    /// Look after so many such things that are overdue or blocked.
    Stuck(usize),
}

/// What a round or an application waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundStep {
    /// Write the application before the close.
    Write,
    /// Complete what the office sent back.
    Mend,
    /// Recommend it, or not.
    Recommend,
    /// Check what was handed in.
    Check,
    /// Give the applications to judges.
    Assign,
    /// Put the proposal before the public.
    Propose,
    /// Answer objections.
    Answer,
    /// Decide.
    Decide,
    /// Say what was delivered.
    Deliver,
    /// Report on the year.
    Report,
    /// Look at reports and deliveries.
    Confirm,
}

/// Kind of a public subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A resource.
    Resource,
    /// A claim.
    Claim,
}

/// Where something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An institution, by name.
    Org(String),
    /// A division.
    Region(Region),
}

/// A moment with its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Must be done by then.
    By(Timestamp),
    /// Has been so since then.
    Since(Timestamp),
}

impl Clock {
    fn at(self) -> Timestamp {
        match self {
            Clock::By(at) | Clock::Since(at) => at,
        }
    }
}

/// The desk of `who`.
///
/// May: everybody with a role; each list holds only what its own pages would show.
pub async fn desk(app: &App, who: &Actor) -> Result<Desk, AppError> {
    who.may(Action::UseDesk, None)?;
    // Before the transaction of the desk: it opens its own.
    let rounds = round::notices::notices(app, who).await?;
    let mut tx = app.db.read().await?;
    let mut names = Names::default();
    let mut desk = Desk::default();
    let (working, open) = active_cases(&mut tx, who).await?;
    let mut due = Vec::new();
    reviews(&mut tx, who, &mut names, &mut due).await?;
    for case in &working {
        due.push(case_item(app, &mut tx, case, &mut names).await?);
    }
    let mut waiting = Vec::new();
    own_drafts(app, &mut tx, who, &mut names, &mut due, &mut waiting).await?;
    due.extend(own_entry(app, &mut tx, who, &mut names).await?);
    due.extend(boards(app, &mut tx, who).await?);
    submitted(app, &mut tx, who, &mut names, &mut waiting).await?;
    due.extend(rounds.due);
    waiting.extend(rounds.waiting);
    waiting.extend(ledger(&mut tx, who, &mut names).await?);
    due.extend(messages(&mut tx, who).await?);
    due.extend(tasks(app, &mut tx, who, &mut names).await?);
    due.extend(asked(app, &mut tx, who).await?);
    for (case, by) in duty::waiting(&mut tx, who).await? {
        let item = case_item(app, &mut tx, &case, &mut names).await?;
        due.push(Item { task: Task::Call(case.id), clock: Clock::By(by), ..item });
    }
    // Whoever is called sees that first, however late the rest is.
    due.sort_by_key(|item| (!matches!(item.task, Task::Call(_)), item.clock.at()));
    let mut unanswered = Vec::new();
    for case in &open {
        unanswered.push(case_item(app, &mut tx, case, &mut names).await?);
    }
    unanswered.sort_by_key(|item| item.clock.at());
    desk.due = list(due);
    desk.waiting = list(waiting);
    desk.unanswered = list(unanswered);
    desk.warnings = list(warnings(app, &mut tx, who).await?);
    desk.cards = cards(&mut tx, who).await?;
    desk.changed = list(changes(app, &mut tx, who).await?);
    Ok(desk)
}

/// Official warnings that touch a place of the actor, the worst first.
async fn warnings(app: &App, tx: &mut Tx, who: &Actor) -> Result<Vec<Item>, AppError> {
    let mut found: Vec<Item> = Vec::new();
    for region in regions(tx, who).await? {
        for one in warning::here_in(app, tx, region).await? {
            let w = &one.open.warning;
            let words = w.words("zh-Hans");
            let clock = if one.stands == Stands::Clear { Clock::Since(w.sent) } else { Clock::By(w.expires) };
            let task = Task::Warning(one.open.subject.clone());
            if found.iter().all(|item| item.task != task) {
                found.push(Item { task, title: words.headline, note: words.issuer, place: Place::Region(w.region()), clock });
            }
        }
    }
    Ok(found)
}

/// Messages of issuers that nobody here knows: one row, with the oldest of them.
async fn messages(tx: &mut Tx, who: &Actor) -> Result<Option<Item>, AppError> {
    let Some((n, oldest)) = warning::take::held(tx, who).await? else { return Ok(None) };
    Ok(Some(Item { task: Task::Messages(n), title: String::new(), note: String::new(), place: Place::Region(Region::NATION), clock: Clock::By(oldest) }))
}

/// What meetings and inspections ask: one row for what nobody here has taken on, one for what is overdue or blocked.
async fn asked(app: &App, tx: &mut Tx, who: &Actor) -> Result<Vec<Item>, AppError> {
    let waits = decision::waits(app, tx, who).await?;
    let found = [waits.take.map(|(n, at)| (Task::TakeOn(n), at)), waits.stuck.map(|(n, at)| (Task::Stuck(n), at))];
    let region = crate::node::region(tx).await?;
    let item = |(task, at)| Item { task, title: String::new(), note: String::new(), place: Place::Region(region), clock: Clock::By(at) };
    Ok(found.into_iter().flatten().map(item).collect())
}

/// Tasks that are late, blocked, due within two hours, or taken by the actor.
async fn tasks(app: &App, tx: &mut Tx, who: &Actor, names: &mut Names) -> Result<Vec<Item>, AppError> {
    let mut found = Vec::new();
    for task in task::waiting(app, tx, who, SignedDuration::from_hours(2)).await? {
        let place = names.org(tx, &task.org).await?;
        found.push(Item { task: Task::Do(task.id), title: task.title, note: task.stage.words().to_owned(), place, clock: Clock::By(task.due) });
    }
    Ok(found)
}

/// Contributions that wait for an institution of the actor: one row, with the oldest of them.
async fn ledger(tx: &mut Tx, who: &Actor, names: &mut Names) -> Result<Option<Item>, AppError> {
    if who.may(Action::ConfirmContribution, None).is_err() {
        return Ok(None);
    }
    let roots = who.roots(Action::ConfirmContribution);
    let Some(oldest) = contribution::list_claimed(tx, roots.as_deref(), 1).await?.pop() else { return Ok(None) };
    let n = contribution::count_claimed(tx, roots.as_deref()).await?;
    let place = names.org(tx, &oldest.host).await?;
    let task = Task::Ledger(usize::try_from(n).unwrap_or_default());
    Ok(Some(Item { task, title: oldest.title, note: String::new(), place, clock: Clock::Since(end_of(oldest.day)) }))
}

/// What the actor put up and what was taken back or corrected since: a day from then it should be down.
async fn boards(app: &App, tx: &mut Tx, who: &Actor) -> Result<Vec<Item>, AppError> {
    let Some(account) = who.account() else { return Ok(vec![]) };
    let trust = app.trust(tx).await?;
    let item = |(row, why, at): (subject::Row, Why, Timestamp)| Item {
        task: Task::TakeDown(row.id.clone(), why),
        title: title(&row),
        note: row.reason.clone(),
        place: holder(&trust, &row),
        clock: Clock::By(crate::account::later(at, SignedDuration::from_hours(24))),
    };
    Ok(recall::mine(app, tx, account).await?.into_iter().map(item).collect())
}

fn list(mut rows: Vec<Item>) -> List {
    let total = rows.len();
    rows.truncate(ROWS_MAX);
    List { rows, total }
}

/// Names of organisations, each looked up once.
#[derive(Default)]
struct Names(HashMap<OrgId, String>);

impl Names {
    async fn org(&mut self, tx: &mut Tx, id: &OrgId) -> Result<Place, AppError> {
        if let Some(name) = self.0.get(id) {
            return Ok(Place::Org(name.clone()));
        }
        let name = kepu_store::org::find(tx, id).await?.map_or_else(|| id.0.clone(), |org| org.name);
        self.0.insert(id.clone(), name.clone());
        Ok(Place::Org(name))
    }
}

/// The actor's registry entry, if it must be confirmed: else their card hides itself.
async fn own_entry(app: &App, tx: &mut Tx, who: &Actor, names: &mut Names) -> Result<Option<Item>, AppError> {
    let Some(id) = review::party_of(tx, who).await? else { return Ok(None) };
    let Some(party) = kepu_store::create::party::find(tx, &id).await? else { return Ok(None) };
    let (definitions, today) = (app.definitions(), app.today());
    let asks = attention(&party, &definitions.registers, today);
    if !asks.iter().any(|kind| matches!(kind, Attention::Stale | Attention::Soon)) {
        return Ok(None);
    }
    let until = shown_until(&party, &definitions.registers, today).unwrap_or(today);
    let place = names.org(tx, &party.org).await?;
    Ok(Some(Item { task: Task::Confirm, title: party.name, note: String::new(), place, clock: Clock::By(end_of(until)) }))
}

/// The end of a day in China.
pub(crate) fn end_of(day: jiff::civil::Date) -> Timestamp {
    jiff::tz::Offset::constant(8).to_timestamp(day.at(23, 59, 59, 0)).unwrap_or(Timestamp::MAX)
}

async fn reviews(tx: &mut Tx, who: &Actor, names: &mut Names, due: &mut Vec<Item>) -> Result<(), AppError> {
    if who.may(Action::Review, None).is_err() {
        return Ok(());
    }
    let Some(party) = review::party_of(tx, who).await? else { return Ok(()) };
    for task in kepu_store::create::review::list_tasks(tx, &party, Which::Open, 100).await? {
        let ReviewStage::Assigned { due: day } = task.review.stage else { continue };
        due.push(Item {
            task: Task::Review(task.review.id),
            title: task.title,
            note: String::new(),
            place: names.org(tx, &task.org).await?,
            clock: Clock::By(end_of(day)),
        });
    }
    Ok(())
}

/// Cases of the organisations where `who` works on them: those somebody owns, and those nobody has taken.
async fn active_cases(tx: &mut Tx, who: &Actor) -> Result<(Vec<Case>, Vec<Case>), AppError> {
    let (mut working, mut open) = (Vec::new(), Vec::new());
    if who.may(Action::WorkCase, None).is_err() {
        return Ok((working, open));
    }
    let orgs = who.roots(Action::WorkCase).unwrap_or_default();
    for case in cases::list_active(tx, &orgs, 500).await? {
        if case.stage == CaseStage::Open { open.push(case) } else { working.push(case) }
    }
    Ok((working, open))
}

async fn case_item(app: &App, tx: &mut Tx, case: &Case, names: &mut Names) -> Result<Item, AppError> {
    let clock = case.clock(app.now());
    let task = if case.stage == CaseStage::Open { Task::TakeCase(case.id.clone(), case.kind.clone()) } else { Task::Case(case.id.clone(), clock.next) };
    let note = match &case.stage {
        CaseStage::Working { owner, .. } => owner_name(tx, owner).await?,
        _ => String::new(),
    };
    let place = if case.region == Region::NATION { names.org(tx, &case.org).await? } else { Place::Region(case.region) };
    Ok(Item { task, title: case.title.clone(), note, place, clock: Clock::By(clock.at) })
}

async fn owner_name(tx: &mut Tx, owner: &AccountId) -> Result<String, AppError> {
    Ok(kepu_store::account::find(tx, owner).await?.map(|row| row.account.name).unwrap_or_default())
}

/// What the actor is writing. An answer to a case is due with the case; what came back stands before what was only begun.
async fn own_drafts(app: &App, tx: &mut Tx, who: &Actor, names: &mut Names, due: &mut Vec<Item>, waiting: &mut Vec<Item>) -> Result<(), AppError> {
    let Some(account) = who.account() else { return Ok(()) };
    let (policy, definitions) = (app.trust(tx).await?.policy.clone(), app.definitions());
    let filter = Filter { owner: Some(account.clone()), stage: Some("writing".into()), ..Filter::default() };
    let mut begun = Vec::new();
    for Listed { draft, updated_at, .. } in drafts::list(tx, &filter, None, 100).await? {
        let reviews = review::with_sign_offs(app, tx, &draft).await?;
        let (title, place) = (draft.matter.title().to_owned(), names.org(tx, &draft.org).await?);
        let item = |task, note, clock| Item { task, title: title.clone(), note, place: place.clone(), clock };
        if let Progress::Returned { remark } = draft.progress(&reviews, Gate { policy: &policy, lanes: &definitions.lanes, before: None }) {
            waiting.push(item(Task::Mend(draft.id), remark, Clock::Since(updated_at)));
        } else if let Some(at) = answer_due(tx, &draft).await? {
            due.push(item(Task::Answer(draft.id), String::new(), Clock::By(at)));
        } else {
            begun.push(item(Task::Write(draft.id), String::new(), Clock::Since(updated_at)));
        }
    }
    waiting.extend(begun);
    Ok(())
}

/// When the case that a draft answers owes its answer.
async fn answer_due(tx: &mut Tx, draft: &Draft) -> Result<Option<Timestamp>, AppError> {
    let Some(id) = &draft.case else { return Ok(None) };
    let case = cases::find(tx, id).await?;
    Ok(case.filter(|case| matches!(case.stage, CaseStage::Working { .. })).map(|case| case.deadlines().1))
}

/// Submitted drafts that wait for an editor: to be signed, to be given to reviewers, or to get another one. They stand first.
async fn submitted(app: &App, tx: &mut Tx, who: &Actor, names: &mut Names, waiting: &mut Vec<Item>) -> Result<(), AppError> {
    if who.may(Action::Publish, None).is_err() {
        return Ok(());
    }
    let orgs = who.roots(Action::Publish).unwrap_or_default();
    let (policy, definitions) = (app.trust(tx).await?.policy.clone(), app.definitions());
    let filter = Filter { orgs, stage: Some("submitted".into()), order: Order::Oldest, ..Filter::default() };
    let mut found = Vec::new();
    for Listed { draft, updated_at, .. } in drafts::list(tx, &filter, None, 100).await? {
        let reviews = review::with_sign_offs(app, tx, &draft).await?;
        let late = |r: &Review| r.draft_version == draft.version && matches!(r.stage, ReviewStage::Assigned { due } if due < app.today());
        let before = limits::before(tx, &draft).await?;
        let task = match draft.progress(&reviews, Gate { policy: &policy, lanes: &definitions.lanes, before: before.as_ref() }) {
            Progress::Ready => Task::Publish(draft.id.clone()),
            Progress::InReview { have, need, asked } if have + asked < need => Task::Assign(draft.id.clone()),
            Progress::Disputed { lacking, asked } if asked < lacking => Task::Assign(draft.id.clone()),
            Progress::InReview { .. } | Progress::Disputed { .. } if reviews.iter().any(|(r, _)| late(r)) => Task::Replace(draft.id.clone()),
            _ => continue,
        };
        let place = names.org(tx, &draft.org).await?;
        found.push(Item { task, title: draft.matter.title().to_owned(), note: String::new(), place, clock: Clock::Since(updated_at) });
    }
    found.sort_by_key(|item| !matches!(item.task, Task::Publish(_)));
    waiting.splice(0..0, found);
    Ok(())
}

/// Emergency cards for the places where the actor holds roles, each with the day on which it is looked at again.
async fn cards(tx: &mut Tx, who: &Actor) -> Result<Vec<Item>, AppError> {
    let filter = subject::Filter { type_: Some("emergency".into()), standing: Some(Standing::Public), ..subject::Filter::default() };
    let mut rows: Vec<subject::Row> = Vec::new();
    for region in regions(tx, who).await? {
        let near = subject::Filter { region_chain: region.chain(), ..filter.clone() };
        for row in subject::list(tx, &near, subject::Order::Newest, None, 3).await? {
            if !rows.iter().any(|known| known.id == row.id) {
                rows.push(row);
            }
        }
    }
    // The closest place first, then the newest.
    rows.sort_by_key(|row| (std::cmp::Reverse(row.region.chain().len()), std::cmp::Reverse(row.modified), row.id.clone()));
    rows.truncate(3);
    let item = |row: subject::Row| Item {
        clock: row.expires.as_deref().and_then(|day| day.parse().ok()).map_or(Clock::Since(moment(row.modified)), |day| Clock::By(end_of(day))),
        task: Task::Card(row.id),
        title: row.title,
        note: String::new(),
        place: Place::Region(row.region),
    };
    Ok(rows.into_iter().map(item).collect())
}

/// The places of the organisations where the actor holds roles; at most five.
pub async fn regions(tx: &mut Tx, who: &Actor) -> Result<Vec<Region>, AppError> {
    let Actor::Person { memberships, .. } = who else { return Ok(vec![]) };
    let mut regions = Vec::new();
    for membership in memberships {
        if let Some(org) = kepu_store::org::find(tx, &membership.org).await?
            && !regions.contains(&org.region)
            && regions.len() < 5
        {
            regions.push(org.region);
        }
    }
    if regions.iter().all(|region| *region == Region::NATION) {
        let node = meta::find(tx, "region").await?.and_then(|code| Region::parse(&code).ok());
        regions = vec![node.unwrap_or(Region::NATION)];
    }
    Ok(regions)
}

fn moment(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn kind(row: &subject::Row) -> Kind {
    if row.kind == "claim" { Kind::Claim } else { Kind::Resource }
}

fn title(row: &subject::Row) -> String {
    if row.title.is_empty() { row.id.0.clone() } else { row.title.clone() }
}

fn holder(trust: &TrustView, row: &subject::Row) -> Place {
    Place::Org(trust.grant(&row.signer).map(|grant| grant.holder.clone()).unwrap_or_default())
}

/// News first, then what the actor's organisations must look at again.
async fn changes(app: &App, tx: &mut Tx, who: &Actor) -> Result<Vec<Item>, AppError> {
    let since = app.now().checked_sub(SignedDuration::from_hours(NEWS_HOURS)).unwrap_or(Timestamp::MIN).as_millisecond();
    let trust = app.trust(tx).await?;
    let place = |row: &subject::Row| holder(&trust, row);
    let mut rows = Vec::new();
    let public = subject::Filter { standing: Some(Standing::Public), ..subject::Filter::default() };
    for row in subject::list(tx, &public, subject::Order::Corrected, None, 20).await? {
        if row.corrected < since {
            break;
        }
        let note = correction(tx, &row).await?;
        let clock = Clock::Since(moment(row.corrected));
        rows.push(Item { task: Task::Corrected(row.id.clone(), kind(&row)), title: title(&row), note, place: place(&row), clock });
    }
    // What has neither text nor title left, such as a card that its owner took back, is no news for anybody's work.
    let withdrawn = subject::list(tx, &subject::Filter::default(), subject::Order::Withdrawn, None, 20).await?;
    for row in withdrawn.into_iter().filter(|row| !row.title.is_empty()) {
        let at = row.withdrawn_at.unwrap_or_default();
        if at < since {
            break;
        }
        let clock = Clock::Since(moment(at));
        let task = if row.held.is_some() { Task::Held(row.id.clone(), kind(&row)) } else { Task::Withdrawn(row.id.clone(), kind(&row)) };
        rows.push(Item { task, title: title(&row), note: row.reason.clone(), place: place(&row), clock });
    }
    rows.sort_by_key(|item| std::cmp::Reverse(item.clock.at()));
    rows.extend(rechecks(app, tx, who).await?);
    Ok(rows)
}

/// What the actor's organisations said and must look at again, the longest overdue first.
async fn rechecks(app: &App, tx: &mut Tx, who: &Actor) -> Result<Vec<Item>, AppError> {
    let mut rows = Vec::new();
    if who.may(Action::Correct, None).is_ok() {
        let trust = app.trust(tx).await?;
        let day = app.today().checked_add(AHEAD_DAYS.days()).unwrap_or(jiff::civil::Date::MAX).to_string();
        rows.extend(early(tx, who, &trust).await?);
        let mut expiring = Vec::new();
        for key in publish::own_keys(app, &trust) {
            expiring.extend(subject::list_expiring(tx, &key, &day, 50).await?);
        }
        for row in expiring {
            let org = publish::org_of(tx, &row.id).await?;
            if who.may(Action::Correct, Some(&kepu_store::org::line(tx, &org).await?)).is_err() {
                continue;
            }
            let Some(by) = row.expires.as_deref().and_then(|day| day.parse().ok()).map(end_of) else { continue };
            rows.push(Item {
                task: Task::Recheck(row.id.clone(), kind(&row)),
                title: title(&row),
                note: String::new(),
                place: holder(&trust, &row),
                clock: Clock::By(by),
            });
        }
    }
    Ok(rows)
}

/// What has to be looked at again before its day: a guideline has a new edition, what it cites was corrected or withdrawn.
async fn early(tx: &mut Tx, who: &Actor, trust: &TrustView) -> Result<Vec<Item>, AppError> {
    let mut rows: Vec<Item> = Vec::new();
    for one in kepu_store::create::recheck::list(tx, 200).await? {
        let Some(row) = subject::find(tx, &one.subject).await?.filter(|row| row.standing == Standing::Public) else { continue };
        let org = publish::org_of(tx, &row.id).await?;
        if who.may(Action::Correct, Some(&kepu_store::org::line(tx, &org).await?)).is_err() {
            continue;
        }
        let place = holder(trust, &row);
        rows.push(Item { task: Task::Recheck(row.id.clone(), kind(&row)), title: title(&row), note: one.detail, place, clock: Clock::Since(one.since) });
    }
    Ok(rows)
}

/// What the latest correction says.
async fn correction(tx: &mut Tx, row: &subject::Row) -> Result<String, AppError> {
    let corrections = match publish::matter_of(tx, row).await? {
        Some(Matter::Resource(r)) => r.corrections,
        Some(Matter::Claim(c)) => c.corrections,
        None => vec![],
    };
    Ok(corrections.into_iter().next().map(|c| c.text).unwrap_or_default())
}
