//! Review: reviewers are proposed by competence and load, assigned, and decide or give the task back. The whole queue at once is in `queue`,
//! remarks at sentences in `comment`.

pub mod comment;
pub mod engine;
pub mod queue;

use crate::account::{log, log_detail};
use crate::create::draft::{self as writing, limits};
use crate::error::{AppError, FieldError, text_error};
use crate::measure::contribution::{self, Deed};
use crate::{App, keys};
use jiff::SignedDuration;
use kepu_domain::access::{Action, Actor, Denied};
use kepu_domain::create::check::{self, Finding};
use kepu_domain::create::draft::{Draft, Matter, Stage};
use kepu_domain::create::lane::{Lane, SameOrg};
use kepu_domain::create::party::{Candidate, Party, Rest, rank};
use kepu_domain::create::review::{Decision, Method, Outcome, Review, ReviewError, Said, SignOff, Stage as ReviewStage};
use kepu_domain::ids::{DraftId, PartyId, ReviewId};
use kepu_domain::text;
use kepu_store::Tx;
use kepu_store::create::draft::{self as drafts, Seen};
use kepu_store::create::review as store;

pub use kepu_store::create::review::{Task, Which};

/// What each person has on hand: reviews since a moment, and cases that wait for an answer.
pub(crate) async fn loads(tx: &mut Tx, since: jiff::Timestamp) -> Result<std::collections::HashMap<PartyId, i64>, AppError> {
    let mut loads = store::loads(tx, since).await?;
    for (party, cases) in kepu_store::listen::case::loads(tx).await? {
        *loads.entry(party).or_default() += cases;
    }
    Ok(loads)
}

/// Whether a party can be asked now: nobody gets more than they said they take, whoever asks and for whatever.
pub(crate) async fn can_be_asked(app: &App, tx: &mut Tx, party: &Party, field: &str) -> Result<(), AppError> {
    let since = app.now().checked_sub(SignedDuration::from_hours(30 * 24)).unwrap_or(jiff::Timestamp::MIN);
    let load = loads(tx, since).await?.get(&party.id).copied().unwrap_or(0);
    let key = match party.rest(load) {
        None => return Ok(()),
        Some(Rest::Away) => "rest_away",
        Some(Rest::Full) => "rest_full",
    };
    Err(AppError::Invalid(vec![FieldError::new(field, key).with("name", &party.name).with("ceiling", party.monthly_ceiling)]))
}

/// Who could review or answer `fields`, best first, without `excluded`.
pub async fn candidates(app: &App, tx: &mut Tx, fields: &[String], excluded: &[PartyId]) -> Result<Vec<Candidate>, AppError> {
    let since = app.now().checked_sub(SignedDuration::from_hours(30 * 24)).unwrap_or(jiff::Timestamp::MIN);
    let loads = loads(tx, since).await?;
    let parties = kepu_store::create::party::list_available(tx, fields, 2_000).await?;
    let with_load = parties.into_iter().map(|p| (loads.get(&p.id).copied().unwrap_or(0), p)).map(|(load, p)| (p, load)).collect();
    Ok(rank(with_load, fields, excluded, app.today(), crate::china_minute(app.now())))
}

/// Who could review this draft.
pub async fn reviewers_for(app: &App, tx: &mut Tx, draft: &Draft) -> Result<Vec<Candidate>, AppError> {
    let mut excluded = authors(app, tx, draft).await?;
    excluded.extend(open_reviews(tx, draft).await?.into_iter().map(|r| r.reviewer));
    candidates(app, tx, draft.matter.fields(), &excluded).await
}

/// Who wrote a draft: the name under it, the registry entry of the account that typed it, and who wrote here what it was made of.
async fn authors(app: &App, tx: &mut Tx, draft: &Draft) -> Result<Vec<PartyId>, AppError> {
    let mut authors: Vec<PartyId> = draft.matter.author().into_iter().collect();
    if let Some(owner) = &draft.owner {
        authors.extend(kepu_store::account::get(tx, owner).await?.account.party);
    }
    if let Matter::Resource(resource) = &draft.matter {
        let trust = app.trust(tx).await?;
        let own = crate::create::publish::own_keys(app, &trust);
        for id in &resource.based_on {
            // Registry ids of other nodes name other people.
            let Some(row) = kepu_store::subject::find(tx, id).await?.filter(|row| own.contains(&row.signer)) else { continue };
            authors.extend(crate::create::publish::matter_of(tx, &row).await?.and_then(|matter| matter.author()));
        }
    }
    authors.sort();
    authors.dedup();
    Ok(authors)
}

async fn open_reviews(tx: &mut Tx, draft: &Draft) -> Result<Vec<Review>, AppError> {
    let all = store::list_by_draft(tx, &draft.id).await?;
    Ok(all.into_iter().filter(|r| r.draft_version == draft.version && !matches!(r.stage, ReviewStage::Declined { .. })).collect())
}

/// Gives a submitted draft to a reviewer.
///
/// May: editors of the organisation. Writes: review, log.
pub async fn assign(app: &App, who: &Actor, id: &DraftId, reviewer: &PartyId) -> Result<Review, AppError> {
    let mut tx = app.db.write().await?;
    let draft = writing::open(&mut tx, who, id, Action::Publish, |may| may.publish).await?;
    if !matches!(draft.stage, Stage::Submitted { .. }) {
        return Err(kepu_domain::create::draft::DraftError::WrongStage { stage: draft.stage.name(), attempted: "given to a reviewer" }.into());
    }
    let party = kepu_store::create::party::get(&mut tx, reviewer).await?;
    let asked: Vec<PartyId> = open_reviews(&mut tx, &draft).await?.into_iter().map(|r| r.reviewer).collect();
    let authors = authors(app, &mut tx, &draft).await?;
    let definitions = app.definitions();
    let lane = definitions.lanes.of(&draft.matter);
    let (review_id, days) = (ReviewId(keys::random_word(16)), lane.map_or(3, |lane| lane.days));
    let review = Review::assign(review_id, id.clone(), draft.version, &party, draft.matter.fields(), &authors, &asked, app.today(), days)?;
    can_be_asked(app, &mut tx, &party, "reviewer").await?;
    disinterested(&mut tx, lane.map_or(SameOrg::Allowed, |lane| lane.same_org), &party, &authors, &asked).await?;
    store::insert(&mut tx, &review, "", app.now()).await?;
    let detail = serde_json::json!({"draft": id, "reviewer": reviewer});
    log_detail(app, &mut tx, &who.log_name(), "review.assigned", &review.id.0, &detail).await?;
    tx.commit().await?;
    Ok(review)
}

/// Whether a party may judge what `authors` wrote: no interest of theirs stands against it, and their institution is not the author's where the
/// lane says no, or has its one reviewer among `asked`.
async fn disinterested(tx: &mut Tx, rule: SameOrg, party: &Party, authors: &[PartyId], asked: &[PartyId]) -> Result<(), AppError> {
    let refuse = |key: &str| Err(AppError::Invalid(vec![FieldError::new("reviewer", key).with("name", &party.name)]));
    let writers = kepu_store::create::party::find_many(tx, authors).await?;
    let declared = store::list_interests(tx, 100_000).await?;
    let about = |word: &str| declared.iter().any(|(who, what)| *who == party.id && what == word);
    if writers.iter().any(|writer| about(writer.id.as_str()) || about(writer.org.as_str())) {
        return refuse("review_interest");
    }
    let same = |org: &kepu_domain::ids::OrgId| writers.iter().any(|writer| writer.org == *org);
    if rule != SameOrg::Allowed && same(&party.org) {
        let taken = kepu_store::create::party::find_many(tx, asked).await?.iter().any(|one| same(&one.org));
        if rule == SameOrg::Refused || taken {
            return refuse("review_same_org");
        }
    }
    Ok(())
}

/// A review with what its page says about it.
#[derive(Clone, Debug)]
pub struct ReviewView {
    /// The task.
    pub review: Review,
    /// The draft as it stands now.
    pub draft: Draft,
    /// The reviewer.
    pub party: Party,
    /// Name of the organisation it is written for.
    pub org: String,
    /// What a machine found.
    pub findings: Vec<Finding>,
    /// The public version that the draft corrects.
    pub before: Option<Matter>,
    /// The lane.
    pub lane: Option<Lane>,
    /// Remarks at sentences.
    pub remarks: Vec<comment::Thread>,
    /// Whether the actor is the reviewer.
    pub mine: bool,
    /// Whether the draft still stands in the version that was assigned.
    pub current: bool,
    /// The interests that the reviewer stated last, to be confirmed or changed.
    pub last_conflict: String,
}

/// A review, for somebody who may see it: the reviewer, the draft's writer, editors.
pub async fn view(app: &App, who: &Actor, id: &ReviewId) -> Result<ReviewView, AppError> {
    let mut tx = app.db.read().await?;
    let review = store::get(&mut tx, id).await?;
    let draft = drafts::get(&mut tx, &review.draft).await?;
    let mine = is_self(&mut tx, who, &review.reviewer).await?;
    if !mine && !writing::rights(&mut tx, who, &draft).await?.is_some_and(|may| may.write) {
        return Err(AppError::NotFound { what: "review", id: id.0.clone() });
    }
    let before = limits::before(&mut tx, &draft).await?;
    Ok(ReviewView {
        party: kepu_store::create::party::get(&mut tx, &review.reviewer).await?,
        org: kepu_store::org::find(&mut tx, &draft.org).await?.map_or_else(String::new, |o| o.name),
        findings: limits::findings(app, &mut tx, &draft).await?,
        current: matches!(draft.stage, Stage::Submitted { .. }) && draft.version == review.draft_version,
        lane: app.definitions().lanes.of(&draft.matter).cloned(),
        remarks: comment::threads(&mut tx, &draft).await?,
        last_conflict: store::find_last_conflict(&mut tx, &review.reviewer).await?.unwrap_or_default(),
        review,
        draft,
        before,
        mine,
    })
}

/// The actor's own tasks from number `from` on (from 0), at most `limit`, with the number of all of this kind.
///
/// May: reviewers. Without a registry entry there are none.
pub async fn list(app: &App, who: &Actor, which: Which, from: usize, limit: usize) -> Result<(Vec<Task>, usize), AppError> {
    who.may(Action::Review, None)?;
    let mut tx = app.db.read().await?;
    let Some(party) = party_of(&mut tx, who).await? else { return Ok((vec![], 0)) };
    let total = usize::try_from(store::count_tasks(&mut tx, &party, which).await?).unwrap_or_default();
    let most = u32::try_from(from.saturating_add(limit)).unwrap_or(u32::MAX);
    let tasks = store::list_tasks(&mut tx, &party, which, most).await?;
    Ok((tasks.into_iter().skip(from).collect(), total))
}

/// The registry entry of the acting person.
pub(crate) async fn party_of(tx: &mut Tx, who: &Actor) -> Result<Option<PartyId>, AppError> {
    let Some(account) = who.account() else { return Ok(None) };
    Ok(kepu_store::account::get(tx, account).await?.account.party)
}

async fn is_self(tx: &mut Tx, who: &Actor, party: &PartyId) -> Result<bool, AppError> {
    Ok(party_of(tx, who).await?.as_ref() == Some(party))
}

/// Decides a review. A return sends the draft back to its author with the remark; where others approved, a panel decides. Whose competence has
/// ended since the task was given does not decide: the task is given back and goes to somebody else.
///
/// May: the assigned reviewer only. Writes: review, draft, contribution, log.
pub async fn decide(app: &App, who: &Actor, id: &ReviewId, said: Said<'_>) -> Result<Review, AppError> {
    let (conflict, comment) = (kepu_text::clean_text(said.conflict), kepu_text::clean_text(said.comment));
    check_words([("conflict", &conflict), ("comment", &comment)])?;
    let mut tx = app.db.write().await?;
    let review = own(&mut tx, who, id).await?;
    let draft = drafts::get(&mut tx, &review.draft).await?;
    let definitions = app.definitions();
    let decided = review.clone().decide(draft.version, Said { conflict: &conflict, comment: &comment, ..said }, app.now())?;
    let party = kepu_store::create::party::get(&mut tx, &review.reviewer).await?;
    if has_lapsed(app, &party, &draft.matter) {
        let reviewer = review.reviewer.clone();
        store::update(&mut tx, &review.decline(LAPSED, app.now())?).await?;
        log(app, &mut tx, &who.log_name(), "review.lapsed", &id.0, "refused").await?;
        queue::again(app, &mut tx, "job:reviews", &draft.id).await?;
        tx.commit().await?;
        app.notify();
        return Err(ReviewError::Lapsed { reviewer }.into());
    }
    let lane = definitions.lanes.of(&draft.matter);
    let known = |id: &String| lane.is_some_and(|lane| lane.checklist.iter().any(|point| point.id == *id));
    if !said.checks.iter().all(known) {
        return Err(AppError::Invalid(vec![FieldError::new("checks", "unknown_point")]));
    }
    if said.decision == Decision::Approve {
        check::unticked(&definitions.lanes, &draft.matter, said.checks)?;
    }
    store::update(&mut tx, &decided).await?;
    let all = store::list_by_draft(&mut tx, &draft.id).await?;
    match kepu_domain::create::review::outcome(all.iter(), draft.version, lane.map_or(3, |lane| lane.panel)) {
        Outcome::Returned => {
            drafts::update(&mut tx, Seen::from(&draft), &draft.clone().reopen()?, app.now()).await?;
        }
        // A third, or the rest of the panel, is asked at once: the author waits.
        Outcome::Disputed { .. } => {
            queue::again(app, &mut tx, &who.log_name(), &draft.id).await?;
        }
        Outcome::Agreed => {}
    }
    let object = format!("review:{id}");
    contribution::note(app, &mut tx, Deed { party: &decided.reviewer, kind: "review", title: draft.matter.title(), object: &object, host: &draft.org }).await?;
    log(app, &mut tx, &who.log_name(), &format!("review.{}", said.decision.as_str()), &id.0, "ok").await?;
    tx.commit().await?;
    Ok(decided)
}

/// The reason under a task that was given back because its reviewer's competence had ended.
const LAPSED: &str = "资格在此期间到期或被撤回";

/// Whether the competence by which a task was given is not there any more: no field left, or a qualification of the lane that has run out.
fn has_lapsed(app: &App, party: &Party, matter: &Matter) -> bool {
    let (definitions, today) = (app.definitions(), app.today());
    if party.competence(matter.fields(), today) == 0 {
        return true;
    }
    let Some(lane) = definitions.lanes.of(matter).filter(|lane| lane.qualified > 0) else { return false };
    let now = party.proof(matter.fields(), &lane.qualifications, today).is_some_and(|proof| lane.takes(&proof.what));
    let ended = party.qualifications.iter().any(|q| lane.takes(&q.what) && q.until.is_some_and(|until| until < today));
    ended && !now
}

/// Gives a review back; with `interest` the reviewer is not asked again about what this author writes.
pub async fn decline(app: &App, who: &Actor, id: &ReviewId, reason: &str, interest: bool) -> Result<Review, AppError> {
    let reason = kepu_text::clean_text(reason);
    check_words([("reason", &reason)])?;
    let mut tx = app.db.write().await?;
    let review = own(&mut tx, who, id).await?.decline(&reason, app.now())?;
    store::update(&mut tx, &review).await?;
    if interest {
        let draft = drafts::get(&mut tx, &review.draft).await?;
        queue::note_interest(app, &mut tx, &review.reviewer, &draft, &reason).await?;
    }
    log(app, &mut tx, &who.log_name(), "review.declined", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(review)
}

/// Words of a reviewer: they end in the record, so they are short.
fn check_words<const N: usize>(words: [(&'static str, &String); N]) -> Result<(), AppError> {
    let wrong = words.into_iter().filter_map(|(field, text)| text::Limit { field, min: 0, ..text::NOTE }.check(kepu_text::count(text)).err());
    let wrong: Vec<FieldError> = wrong.map(|error| text_error(&error)).collect();
    if wrong.is_empty() { Ok(()) } else { Err(AppError::Invalid(wrong)) }
}

/// The actor's own task. Whoever may see it but is not the reviewer is told so; a stranger learns nothing.
async fn own(tx: &mut Tx, who: &Actor, id: &ReviewId) -> Result<Review, AppError> {
    let review = store::get(tx, id).await?;
    if is_self(tx, who, &review.reviewer).await? {
        who.may(Action::Review, None)?;
        return Ok(review);
    }
    let draft = drafts::get(tx, &review.draft).await?;
    match writing::rights(tx, who, &draft).await? {
        Some(may) if may.write => Err(Denied::NoRole { action: Action::Review }.into()),
        _ => Err(AppError::NotFound { what: "review", id: id.0.clone() }),
    }
}

/// All reviews of a draft with the name that would stand under it.
pub async fn with_sign_offs(app: &App, tx: &mut Tx, draft: &Draft) -> Result<Vec<(Review, SignOff)>, AppError> {
    let list = store::list_by_draft(tx, &draft.id).await?;
    signed(app, tx, draft, list).await
}

/// The name that would stand under the draft for each of its reviews: with the qualification as it was on the day of the decision.
async fn signed(app: &App, tx: &mut Tx, draft: &Draft, reviews: Vec<Review>) -> Result<Vec<(Review, SignOff)>, AppError> {
    let definitions = app.definitions();
    let words = definitions.lanes.of(&draft.matter).map_or(&[][..], |lane| &lane.qualifications);
    let mut list = Vec::with_capacity(reviews.len());
    for review in reviews {
        let party = kepu_store::create::party::get(tx, &review.reviewer).await?;
        let org = kepu_store::org::find(tx, &party.org).await?.map_or_else(String::new, |o| o.name);
        let (conflict, comment, checks, date) = match &review.stage {
            ReviewStage::Decided { conflict, comment, checks, at, .. } => (conflict.clone(), comment.clone(), checks.clone(), crate::china_date(*at)),
            _ => (String::new(), String::new(), vec![], app.today()),
        };
        let sign_off = SignOff {
            qualification: party.proof(draft.matter.fields(), words, date),
            party: party.id.0,
            name: party.name,
            org,
            title: party.title,
            fields: party.fields,
            conflict,
            date,
            method: Method::Individual,
            comment,
            editions: vec![],
            checks,
        };
        list.push((review, sign_off));
    }
    Ok(list)
}
