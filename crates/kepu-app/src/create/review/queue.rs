//! The whole queue at once: every text that waits for reviewers, every person who takes tasks, one assignment. It is shown before it is carried
//! out and can be taken back. The arithmetic is in `engine`; giving one text to one person is in the parent.

use super::engine::{self, Barred, Interests, Plan, Reviewer, Shared, Waiting};
use crate::App;
use crate::account::log_detail;
use crate::create::draft::limits;
use crate::error::{AppError, FieldError};
use crate::keys;
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::draft::{Draft, Gate, Progress, Stage};
use kepu_domain::create::lane::SameOrg;
use kepu_domain::create::review::{Review, SignOff, Stage as ReviewStage};
use kepu_domain::ids::{DraftId, OrgId, PartyId, ReviewId};
use kepu_plan::assign::Reason;
use kepu_store::Tx;
use kepu_store::create::draft::{self as drafts, Filter, Order};
use kepu_store::create::review::{self as store, Run};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Texts looked at in one run.
pub const QUEUE_MAX: u32 = 20_000;
/// People who could review.
const PEOPLE_MAX: u32 = 20_000;
/// Declared interests.
const INTERESTS_MAX: u32 = 100_000;
/// Reasons shown for a text, besides those who are given it.
const OTHERS: usize = 6;

/// A queue with its plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Texts that wait.
    pub waiting: Vec<Waiting>,
    /// Who could review.
    pub people: Vec<Reviewer>,
    /// The plan.
    pub plan: Plan,
    /// How work is shared before it.
    pub before: Shared,
    /// The same plan has the same word: what is carried out is what was shown.
    pub digest: String,
    interests: Interests,
}

/// What a run brought, for its line in the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Texts that waited.
    pub texts: usize,
    /// Tasks given.
    pub given: usize,
    /// Places that stayed empty.
    pub short: usize,
    /// Whether no better assignment existed.
    pub optimal: bool,
    /// Fewest, middle, most tasks of a person afterwards.
    pub loads: (u32, f64, u32),
    /// Gini coefficient afterwards.
    pub gini: f64,
}

/// Why somebody was or was not given a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Why {
    /// Given or passed over, with the figures.
    Weighed(Reason),
    /// Something bars them.
    Barred(Barred),
}

impl Planned {
    /// Who was given a text and why, then who comes nearest to it and why they were not; at most a handful.
    pub fn why(&self, task: usize, day: jiff::civil::Date) -> Vec<(usize, Why)> {
        let text = &self.waiting[task];
        let mut rows: Vec<(usize, Why, f64)> = Vec::new();
        for (at, reason) in self.plan.why(task).into_iter().enumerate() {
            let (why, near) = match reason {
                Reason::Given { fit, .. } => (Why::Weighed(reason), 10.0 + fit),
                Reason::Passed { fit, loss, .. } | Reason::Full { fit, loss } => (Why::Weighed(reason), 2.0 + fit - loss.min(1.0)),
                Reason::Unlisted | Reason::Forbidden | Reason::NotNeeded => match engine::fit(text, &self.people[at], &self.interests, day) {
                    Err(Barred::NotCompetent) => continue,
                    Err(barred) => (Why::Barred(barred), 1.0),
                    // One of the author's institution is enough, or qualified people come first.
                    Ok(_) if text.orgs.contains(&self.people[at].party.org) => (Why::Barred(Barred::SameOrg), 1.0),
                    Ok(_) => continue,
                },
            };
            rows.push((at, why, near));
        }
        rows.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
        let given = rows.iter().filter(|(_, why, _)| matches!(why, Why::Weighed(Reason::Given { .. }))).count();
        rows.into_iter().take(given + OTHERS).map(|(at, why, _)| (at, why)).collect()
    }

    fn figures(&self) -> Figures {
        let shared = self.plan.shared;
        Figures {
            texts: self.waiting.len(),
            given: self.plan.given.len(),
            short: self.plan.unfilled(),
            optimal: self.plan.optimal,
            loads: (shared.min, shared.median, shared.max),
            gini: shared.gini,
        }
    }
}

/// What would be given to whom now.
///
/// May: editors; only what waits for their organisations.
pub async fn preview(app: &App, who: &Actor) -> Result<Planned, AppError> {
    who.may(Action::Publish, None)?;
    let mut tx = app.db.read().await?;
    planned(app, &mut tx, scope(who), None).await
}

/// The organisations whose queue somebody assigns; `None`: nobody's.
fn scope(who: &Actor) -> Option<Vec<OrgId>> {
    match who.roots(Action::Publish) {
        Some(orgs) if orgs.is_empty() => None,
        Some(orgs) => Some(orgs),
        None => Some(vec![]),
    }
}

/// Gives the whole queue away. `seen` is the word of the plan that was shown: if the queue has changed since, nothing is given.
///
/// May: editors. Writes: review, review_run, log. Tells: the reviewers, on their desks; nobody at night.
pub async fn assign_all(app: &App, who: &Actor, seen: &str) -> Result<Figures, AppError> {
    who.may(Action::Publish, None)?;
    let mut tx = app.db.write().await?;
    let planned = planned(app, &mut tx, scope(who), None).await?;
    if planned.digest != seen {
        return Err(AppError::Stale { what: "queue", id: "reviews".into() });
    }
    let figures = carry_out(app, &mut tx, &who.log_name(), &planned).await?;
    tx.commit().await?;
    app.notify();
    Ok(figures)
}

/// Gives away whatever waits: every night.
///
/// Writes: review, review_run, log. Running twice gives nothing twice.
pub async fn nightly(app: &App) -> Result<Figures, AppError> {
    let mut tx = app.db.write().await?;
    let planned = planned(app, &mut tx, Some(vec![]), None).await?;
    let figures = carry_out(app, &mut tx, "job:reviews", &planned).await?;
    tx.commit().await?;
    app.notify();
    Ok(figures)
}

/// Finds somebody else for one draft, where a task was given back because it had to be. Returns how many were given it.
pub(crate) async fn again(app: &App, tx: &mut Tx, who: &str, draft: &DraftId) -> Result<usize, AppError> {
    let planned = planned(app, tx, Some(vec![]), Some(draft)).await?;
    Ok(carry_out(app, tx, who, &planned).await?.given)
}

async fn carry_out(app: &App, tx: &mut Tx, who: &str, planned: &Planned) -> Result<Figures, AppError> {
    let figures = planned.figures();
    if planned.plan.given.is_empty() {
        return Ok(figures);
    }
    let (now, run) = (app.now(), format!("{:012x}{}", app.now().as_millisecond(), keys::random_word(4)));
    let definitions = app.definitions();
    let mut versions: HashMap<usize, (Draft, i64)> = HashMap::new();
    for (task, person) in &planned.plan.given {
        let (text, reviewer) = (&planned.waiting[*task], &planned.people[*person]);
        if !versions.contains_key(task) {
            let draft = drafts::get(tx, &text.draft).await?;
            let days = definitions.lanes.of(&draft.matter).map_or(3, |lane| lane.days);
            versions.insert(*task, (draft, days));
        }
        let Some((draft, days)) = versions.get(task) else { continue };
        // The clock of somebody whom nobody calls now begins in the morning.
        let days = days + i64::from(reviewer.quiet);
        let id = ReviewId(keys::random_word(16));
        let fields = &text.fields;
        let review = Review::assign(id, draft.id.clone(), draft.version, &reviewer.party, fields, &text.authors, &[], app.today(), days)?;
        store::insert(tx, &review, &run, now).await?;
    }
    let words = serde_json::to_string(&figures).map_err(|e| AppError::Record(e.to_string()))?;
    store::insert_run(tx, &Run { id: run.clone(), at: now, who: who.to_owned(), figures: words, undone_at: None }).await?;
    log_detail(app, tx, who, "review.queue_assigned", &run, &serde_json::json!(figures)).await?;
    Ok(figures)
}

/// The latest runs.
///
/// May: editors.
pub async fn runs(app: &App, who: &Actor, limit: u32) -> Result<Vec<(Run, Figures, bool)>, AppError> {
    who.may(Action::Publish, None)?;
    let mut tx = app.db.read().await?;
    let list = store::list_runs(&mut tx, limit).await?;
    Ok(list
        .into_iter()
        .map(|run| {
            let figures = serde_json::from_str(&run.figures).unwrap_or_default();
            let may = run.undone_at.is_none() && may_undo(who, &run);
            (run, figures, may)
        })
        .collect())
}

fn may_undo(who: &Actor, run: &Run) -> bool {
    run.who == who.log_name() || (run.who.starts_with("job:") && who.may(Action::Publish, None).is_ok())
}

/// Takes back what a run gave and nobody has acted on yet. Decided tasks stay.
///
/// May: who carried it out; editors for what the night gave. Writes: review, review_run, log.
pub async fn undo(app: &App, who: &Actor, run: &str) -> Result<u64, AppError> {
    who.may(Action::Publish, None)?;
    let mut tx = app.db.write().await?;
    let one = store::list_runs(&mut tx, 200).await?.into_iter().find(|one| one.id == run);
    let one = one.filter(|one| may_undo(who, one)).ok_or_else(|| AppError::NotFound { what: "assignment", id: run.into() })?;
    store::undo_run(&mut tx, &one.id, app.now()).await?;
    let count = store::delete_batch(&mut tx, &one.id).await?;
    log_detail(app, &mut tx, &who.log_name(), "review.queue_undone", &one.id, &serde_json::json!({"tasks": count})).await?;
    tx.commit().await?;
    Ok(count)
}

async fn planned(app: &App, tx: &mut Tx, scope: Option<Vec<OrgId>>, only: Option<&DraftId>) -> Result<Planned, AppError> {
    let people = people(app, tx).await?;
    let interests: Interests = store::list_interests(tx, INTERESTS_MAX).await?.into_iter().collect();
    let waiting = match scope {
        Some(orgs) => waiting(app, tx, orgs, only).await?,
        None => vec![],
    };
    let day = app.today();
    let (waiting, people, plan, interests) = tokio::task::spawn_blocking(move || {
        let plan = engine::plan(&waiting, &people, &interests, day);
        (waiting, people, plan, interests)
    })
    .await
    .map_err(|fault| AppError::Record(fault.to_string()))?;
    let plan = plan?;
    let mut hasher = blake3::Hasher::new();
    for (task, person) in &plan.given {
        hasher.update(format!("{} {}\n", waiting[*task].draft, people[*person].party.id).as_bytes());
    }
    let digest = hasher.finalize().to_hex()[..16].to_owned();
    let before = engine::shared(people.iter().map(|one| (one.held, u32::try_from(one.party.monthly_ceiling.max(0)).unwrap_or(u32::MAX))));
    Ok(Planned { waiting, people, plan, before, digest, interests })
}

/// Everybody who takes tasks, with what they hold.
async fn people(app: &App, tx: &mut Tx) -> Result<Vec<Reviewer>, AppError> {
    let since = app.now().checked_sub(jiff::SignedDuration::from_hours(30 * 24)).unwrap_or(jiff::Timestamp::MIN);
    let loads = super::loads(tx, since).await?;
    let minute = crate::china_minute(app.now());
    let mut list = kepu_store::create::party::list_available(tx, &[], PEOPLE_MAX).await?;
    list.retain(|party| party.kind.is_personal() && party.monthly_ceiling > 0 && party.merged_into.is_none());
    list.sort_by(|a, b| a.id.cmp(&b.id));
    let reviewer = |party: kepu_domain::create::party::Party| Reviewer {
        held: u32::try_from(loads.get(&party.id).copied().unwrap_or_default().max(0)).unwrap_or(u32::MAX / 2),
        quiet: party.is_quiet(minute),
        roster: party.registers.iter().any(|register| register == crate::listen::duty::ROSTER),
        party,
    };
    Ok(list.into_iter().map(reviewer).collect())
}

/// Every text that lacks reviewers, the longest waiting first.
async fn waiting(app: &App, tx: &mut Tx, orgs: Vec<OrgId>, only: Option<&DraftId>) -> Result<Vec<Waiting>, AppError> {
    let submitted: Vec<Draft> = match only {
        Some(id) => vec![drafts::get(tx, id).await?],
        None => {
            let filter = Filter { orgs, stage: Some("submitted".into()), order: Order::Oldest, ..Filter::default() };
            drafts::list(tx, &filter, None, QUEUE_MAX).await?.into_iter().map(|listed| listed.draft).collect()
        }
    };
    let ids: Vec<DraftId> = submitted.iter().map(|draft| draft.id.clone()).collect();
    let mut reviews: HashMap<DraftId, Vec<Review>> = HashMap::new();
    for review in store::list_by_drafts(tx, &ids).await? {
        reviews.entry(review.draft.clone()).or_default().push(review);
    }
    let (policy, definitions) = (app.trust(tx).await?.policy.clone(), app.definitions());
    let mut list = Vec::new();
    for draft in submitted.into_iter().filter(|draft| matches!(draft.stage, Stage::Submitted { .. })) {
        let mut all = reviews.remove(&draft.id).unwrap_or_default();
        all.retain(|review| review.draft_version == draft.version);
        let signed = super::signed(app, tx, &draft, all.clone()).await?;
        let before = limits::before(tx, &draft).await?;
        let gate = Gate { policy: &policy, lanes: &definitions.lanes, before: before.as_ref() };
        let needs = lacking(&draft, &signed, gate);
        if needs > 0 {
            list.push(one(app, tx, draft, &all, &signed, needs).await?);
        }
    }
    Ok(list)
}

/// How many more have to be asked: as if everybody who was asked approved.
fn lacking(draft: &Draft, signed: &[(Review, SignOff)], gate: Gate<'_>) -> usize {
    match draft.progress(signed, gate) {
        Progress::Disputed { lacking, asked } => lacking.saturating_sub(asked),
        Progress::InReview { .. } => {
            let at = jiff::Timestamp::UNIX_EPOCH;
            let decision = kepu_domain::create::review::Decision::Approve;
            let approving = |review: &Review| match review.stage {
                ReviewStage::Assigned { .. } => {
                    Review { stage: ReviewStage::Decided { decision, conflict: "?".into(), comment: String::new(), checks: vec![], at }, ..review.clone() }
                }
                _ => review.clone(),
            };
            let hoped: Vec<(Review, SignOff)> =
                signed.iter().map(|(review, name)| (approving(review), SignOff { conflict: "?".into(), ..name.clone() })).collect();
            let (have, need) = draft.approvals(&hoped, gate);
            need.saturating_sub(have)
        }
        _ => 0,
    }
}

async fn one(app: &App, tx: &mut Tx, draft: Draft, all: &[Review], signed: &[(Review, SignOff)], needs: usize) -> Result<Waiting, AppError> {
    let definitions = app.definitions();
    let lane = definitions.lanes.of(&draft.matter);
    let authors = super::authors(app, tx, &draft).await?;
    let mut orgs = Vec::new();
    for party in kepu_store::create::party::find_many(tx, &authors).await? {
        orgs.push(party.org);
    }
    let asked: HashSet<PartyId> = all.iter().map(|review| review.reviewer.clone()).collect();
    let there: Vec<PartyId> =
        signed.iter().filter(|(review, _)| !matches!(review.stage, ReviewStage::Declined { .. })).map(|(review, _)| review.reviewer.clone()).collect();
    let same_org_taken = kepu_store::create::party::find_many(tx, &there).await?.iter().any(|party| orgs.contains(&party.org));
    Ok(Waiting {
        title: draft.matter.title().to_owned(),
        fields: draft.matter.fields().to_vec(),
        needs,
        qualified: lane.is_some_and(|lane| lane.qualified > 0),
        qualifications: lane.map(|lane| lane.qualifications.clone()).unwrap_or_default(),
        same_org: lane.map_or(SameOrg::Allowed, |lane| lane.same_org),
        urgent: lane.is_some_and(|lane| lane.urgent),
        draft: draft.id,
        authors,
        orgs,
        same_org_taken,
        asked,
    })
}

/// How work is shared: among all, and within each field.
#[derive(Clone, Debug)]
pub struct Fairness {
    /// Among all who take tasks.
    pub all: Shared,
    /// By field, the most unevenly shared first.
    pub fields: Vec<(String, Shared)>,
    /// The actor's own: tasks held, ceiling.
    pub own: Option<(u32, i64)>,
    /// The latest runs.
    pub runs: Vec<(Run, Figures)>,
}

/// How work is shared among reviewers. Names nobody; everybody sees their own line.
///
/// May: whoever writes, reviews or edits.
pub async fn fairness(app: &App, who: &Actor) -> Result<Fairness, AppError> {
    who.may(Action::Draft, None)?;
    let mut tx = app.db.read().await?;
    let people = people(app, &mut tx).await?;
    let day = app.today();
    let mut by_field: BTreeMap<&str, Vec<(u32, u32)>> = BTreeMap::new();
    let load = |one: &Reviewer| (one.held, u32::try_from(one.party.monthly_ceiling.max(0)).unwrap_or(u32::MAX));
    for person in &people {
        for field in person.party.proved_fields(day) {
            by_field.entry(field).or_default().push(load(person));
        }
    }
    let mut fields: Vec<(String, Shared)> = by_field.into_iter().map(|(field, list)| (field.to_owned(), engine::shared(list.into_iter()))).collect();
    fields.sort_by(|a, b| b.1.gini.total_cmp(&a.1.gini).then_with(|| a.0.cmp(&b.0)));
    let mine = super::party_of(&mut tx, who).await?;
    let own = people.iter().find(|one| Some(&one.party.id) == mine.as_ref()).map(|one| (one.held, one.party.monthly_ceiling));
    let runs = store::list_runs(&mut tx, 10).await?;
    let runs = runs.into_iter().map(|run| (serde_json::from_str(&run.figures).unwrap_or_default(), run)).map(|(figures, run)| (run, figures)).collect();
    Ok(Fairness { all: engine::shared(people.iter().map(load)), fields, own, runs })
}

/// Notes that a reviewer should not judge what somebody, or somebody's institution, writes; asked for when a task is given back.
pub(crate) async fn note_interest(app: &App, tx: &mut Tx, reviewer: &PartyId, draft: &Draft, reason: &str) -> Result<(), AppError> {
    let Some(author) = draft.matter.author() else {
        return Err(AppError::Invalid(vec![FieldError::new("reason", "interest_nobody")]));
    };
    Ok(store::put_interest(tx, reviewer, author.as_str(), reason, app.now()).await?)
}
