//! Review: reviewers are proposed by competence and load, assigned, and decide or give the task back.

use crate::account::log;
use crate::create::draft::may_edit;
use crate::error::AppError;
use crate::{App, keys};
use jiff::{SignedDuration, ToSpan};
use kepu_domain::access::{Action, Actor, Denied};
use kepu_domain::create::draft::{Draft, Stage};
use kepu_domain::create::party::{Candidate, Party, rank};
use kepu_domain::create::review::{Decision, Method, Review, SignOff, Stage as ReviewStage};
use kepu_domain::ids::{DraftId, PartyId, ReviewId};
use kepu_store::Tx;
use kepu_store::create::draft::{self as drafts, Seen};
use kepu_store::create::review as store;

/// Days a reviewer has.
const REVIEW_DAYS: i64 = 3;

/// Who could review or answer `fields`, best first, without `excluded`.
pub async fn candidates(app: &App, tx: &mut Tx, fields: &[String], excluded: &[PartyId]) -> Result<Vec<Candidate>, AppError> {
    let since = app.now().checked_sub(SignedDuration::from_hours(30 * 24)).unwrap_or(jiff::Timestamp::MIN);
    let mut loads = store::loads(tx, since).await?;
    for (party, cases) in kepu_store::listen::case::loads(tx).await? {
        *loads.entry(party).or_default() += cases;
    }
    let parties = kepu_store::create::party::list_available(tx, fields, 2_000).await?;
    let with_load = parties.into_iter().map(|p| (loads.get(&p.id).copied().unwrap_or(0), p)).map(|(load, p)| (p, load)).collect();
    Ok(rank(with_load, fields, excluded))
}

/// Who could review this draft.
pub async fn reviewers_for(app: &App, tx: &mut Tx, draft: &Draft) -> Result<Vec<Candidate>, AppError> {
    let mut excluded: Vec<PartyId> = draft.matter.author().into_iter().collect();
    excluded.extend(open_reviews(tx, draft).await?.into_iter().map(|r| r.reviewer));
    candidates(app, tx, draft.matter.fields(), &excluded).await
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
    let draft = drafts::get(&mut tx, id).await?;
    who.may(Action::Publish, Some(&kepu_store::org::line(&mut tx, &draft.org).await?))?;
    if !matches!(draft.stage, Stage::Submitted { .. }) {
        return Err(kepu_domain::create::draft::DraftError::WrongStage { stage: draft.stage.name(), attempted: "given to a reviewer" }.into());
    }
    let party = kepu_store::create::party::get(&mut tx, reviewer).await?;
    let asked: Vec<PartyId> = open_reviews(&mut tx, &draft).await?.into_iter().map(|r| r.reviewer).collect();
    let mut authors: Vec<PartyId> = draft.matter.author().into_iter().collect();
    if let Some(owner) = &draft.owner {
        authors.extend(kepu_store::account::get(&mut tx, owner).await?.account.party);
    }
    let due = app.today().checked_add(REVIEW_DAYS.days()).unwrap_or(app.today());
    let review_id = ReviewId(keys::random_word(16));
    let review = Review::assign(review_id, id.clone(), draft.version, &party, draft.matter.fields(), &authors, &asked, due)?;
    store::insert(&mut tx, &review, app.now()).await?;
    log(app, &mut tx, &who.log_name(), "review.assigned", &format!("{} {reviewer}", review.id), "ok").await?;
    tx.commit().await?;
    Ok(review)
}

/// The review, its draft and reviewer, for somebody who may see them: the reviewer or an editor.
pub async fn get(app: &App, who: &Actor, id: &ReviewId) -> Result<(Review, Draft, Party), AppError> {
    let mut tx = app.db.read().await?;
    let review = store::get(&mut tx, id).await?;
    let draft = drafts::get(&mut tx, &review.draft).await?;
    let party = kepu_store::create::party::get(&mut tx, &review.reviewer).await?;
    if is_self(&mut tx, who, &review.reviewer).await? || may_edit(&mut tx, who, &draft).await.is_ok() {
        return Ok((review, draft, party));
    }
    Err(AppError::NotFound { what: "review", id: id.0.clone() })
}

async fn is_self(tx: &mut Tx, who: &Actor, party: &PartyId) -> Result<bool, AppError> {
    let Some(account) = who.account() else { return Ok(false) };
    Ok(kepu_store::account::get(tx, account).await?.account.party.as_ref() == Some(party))
}

/// Decides a review. A return sends the draft back to its author with the remark.
///
/// May: the assigned reviewer only. Writes: review, draft, log.
pub async fn decide(app: &App, who: &Actor, id: &ReviewId, decision: Decision, conflict: &str, comment: &str) -> Result<Review, AppError> {
    let mut tx = app.db.write().await?;
    let review = own(&mut tx, who, id).await?;
    let draft = drafts::get(&mut tx, &review.draft).await?;
    let review = review.decide(draft.version, decision, &kepu_text::clean_text(conflict), &kepu_text::clean_text(comment), app.now())?;
    store::update(&mut tx, &review).await?;
    if decision == Decision::Return {
        let seen = Seen::from(&draft);
        drafts::update(&mut tx, seen, &draft.reopen()?, app.now()).await?;
    }
    log(app, &mut tx, &who.log_name(), &format!("review.{}", decision.as_str()), &id.0, "ok").await?;
    tx.commit().await?;
    Ok(review)
}

/// Gives a review back.
pub async fn decline(app: &App, who: &Actor, id: &ReviewId, reason: &str) -> Result<Review, AppError> {
    let mut tx = app.db.write().await?;
    let review = own(&mut tx, who, id).await?.decline(&kepu_text::clean_text(reason), app.now())?;
    store::update(&mut tx, &review).await?;
    log(app, &mut tx, &who.log_name(), "review.declined", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(review)
}

async fn own(tx: &mut Tx, who: &Actor, id: &ReviewId) -> Result<Review, AppError> {
    who.may(Action::Review, None)?;
    let review = store::get(tx, id).await?;
    if !is_self(tx, who, &review.reviewer).await? {
        return Err(Denied::NoRole { action: Action::Review }.into());
    }
    Ok(review)
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
        };
        list.push((review, sign_off));
    }
    Ok(list)
}
