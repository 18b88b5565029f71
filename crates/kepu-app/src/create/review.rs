//! Review: reviewers are proposed by competence and load, assigned, and decide or give the task back.

use crate::account::{log, log_detail};
use crate::create::draft::{self as writing, limits};
use crate::error::{AppError, FieldError, text_error};
use crate::measure::contribution::{self, Deed};
use crate::{App, keys};
use jiff::SignedDuration;
use kepu_domain::access::{Action, Actor, Denied};
use kepu_domain::create::draft::{Draft, Matter, Stage};
use kepu_domain::create::party::{Candidate, Party, Rest, rank};
use kepu_domain::create::resource::Finding;
use kepu_domain::create::review::{Decision, Method, Review, SignOff, Stage as ReviewStage};
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
    let mut excluded = authors(tx, draft).await?;
    excluded.extend(open_reviews(tx, draft).await?.into_iter().map(|r| r.reviewer));
    candidates(app, tx, draft.matter.fields(), &excluded).await
}

/// Who wrote a draft: the name under it, and the registry entry of the account that typed it.
async fn authors(tx: &mut Tx, draft: &Draft) -> Result<Vec<PartyId>, AppError> {
    let mut authors: Vec<PartyId> = draft.matter.author().into_iter().collect();
    if let Some(owner) = &draft.owner {
        authors.extend(kepu_store::account::get(tx, owner).await?.account.party);
    }
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
    let authors = authors(&mut tx, &draft).await?;
    let review_id = ReviewId(keys::random_word(16));
    let review = Review::assign(review_id, id.clone(), draft.version, &party, draft.matter.fields(), &authors, &asked, app.today())?;
    can_be_asked(app, &mut tx, &party, "reviewer").await?;
    store::insert(&mut tx, &review, app.now()).await?;
    let detail = serde_json::json!({"draft": id, "reviewer": reviewer});
    log_detail(app, &mut tx, &who.log_name(), "review.assigned", &review.id.0, &detail).await?;
    tx.commit().await?;
    Ok(review)
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

/// Decides a review. A return sends the draft back to its author with the remark.
///
/// May: the assigned reviewer only. Writes: review, draft, contribution, log.
pub async fn decide(app: &App, who: &Actor, id: &ReviewId, decision: Decision, conflict: &str, comment: &str) -> Result<Review, AppError> {
    let (conflict, comment) = (kepu_text::clean_text(conflict), kepu_text::clean_text(comment));
    check_words([("conflict", &conflict), ("comment", &comment)])?;
    let mut tx = app.db.write().await?;
    let review = own(&mut tx, who, id).await?;
    let draft = drafts::get(&mut tx, &review.draft).await?;
    let review = review.decide(draft.version, decision, &conflict, &comment, app.now())?;
    store::update(&mut tx, &review).await?;
    if decision == Decision::Return {
        let seen = Seen::from(&draft);
        drafts::update(&mut tx, seen, &draft.clone().reopen()?, app.now()).await?;
    }
    let object = format!("review:{id}");
    contribution::note(app, &mut tx, Deed { party: &review.reviewer, kind: "review", title: draft.matter.title(), object: &object, host: &draft.org }).await?;
    log(app, &mut tx, &who.log_name(), &format!("review.{}", decision.as_str()), &id.0, "ok").await?;
    tx.commit().await?;
    Ok(review)
}

/// Gives a review back.
pub async fn decline(app: &App, who: &Actor, id: &ReviewId, reason: &str) -> Result<Review, AppError> {
    let reason = kepu_text::clean_text(reason);
    check_words([("reason", &reason)])?;
    let mut tx = app.db.write().await?;
    let review = own(&mut tx, who, id).await?.decline(&reason, app.now())?;
    store::update(&mut tx, &review).await?;
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
pub async fn with_sign_offs(tx: &mut Tx, draft: &DraftId) -> Result<Vec<(Review, SignOff)>, AppError> {
    let mut list = Vec::new();
    for review in store::list_by_draft(tx, draft).await? {
        let party = kepu_store::create::party::get(tx, &review.reviewer).await?;
        let org = kepu_store::org::find(tx, &party.org).await?.map_or_else(String::new, |o| o.name);
        let (conflict, comment, at) = match &review.stage {
            ReviewStage::Decided { conflict, comment, at, .. } => (conflict.clone(), comment.clone(), *at),
            _ => (String::new(), String::new(), jiff::Timestamp::UNIX_EPOCH),
        };
        let sign_off = SignOff {
            party: party.id.0,
            name: party.name,
            org,
            title: party.title,
            fields: party.fields,
            conflict,
            date: crate::china_date(at),
            method: Method::Individual,
            comment,
            editions: vec![],
        };
        list.push((review, sign_off));
    }
    Ok(list)
}
