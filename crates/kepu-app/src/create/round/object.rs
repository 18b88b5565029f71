//! Objections to a proposal: by anybody, with a reason; answered by somebody who did not make the proposal.

use super::{open_office, words};
use crate::account::log_detail;
use crate::error::{AppError, FieldError};
use crate::{App, keys};
use kepu_domain::access::Actor;
use kepu_domain::create::round::AppStage;
use kepu_domain::ids::{ApplicationId, ObjectionId, RoundId};
use kepu_store::create::round as store;
use serde_json::json;

pub use kepu_store::create::round::Objection;

/// Objections that one address may send in a minute.
const PER_MINUTE: u32 = 5;

/// Objects to an application that is proposed. Nobody has to say who they are.
///
/// May: anybody. Writes: objection, log.
pub async fn object(app: &App, address: &str, round: &RoundId, application: &ApplicationId, text: &str, contact: &str) -> Result<ObjectionId, AppError> {
    app.limit(&format!("objection {address}"), PER_MINUTE)?;
    let text = words("objection", text, 10, 2_000)?;
    let contact = words("contact", contact, 0, 200)?;
    let mut tx = app.db.write().await?;
    let round = store::get(&mut tx, round).await?;
    round.takes_objections(app.now())?;
    let application = store::get_application(&mut tx, application).await?;
    if application.round != round.id || !matches!(application.stage, AppStage::Proposed { .. }) {
        return Err(AppError::Invalid(vec![FieldError::new("application", "objection_target")]));
    }
    let objection = Objection {
        id: ObjectionId(keys::random_word(16)),
        round: round.id,
        application: application.id,
        at: app.now(),
        words: text,
        contact,
        answer: String::new(),
        upheld: false,
        answered_at: None,
        answered_by: None,
    };
    store::insert_objection(&mut tx, &objection).await?;
    // Who objected is not written down anywhere.
    log_detail(app, &mut tx, "visitor", "objection.made", &objection.id.0, &json!({"application": objection.application})).await?;
    tx.commit().await?;
    Ok(objection.id)
}

/// Answers an objection. One that is right takes the application out of the proposal; the answer is the reason the applicant reads.
///
/// May: stewards of the organisation, but not whoever proposed. Writes: objection, application, log.
pub async fn answer(app: &App, who: &Actor, id: &ObjectionId, text: &str, upheld: bool) -> Result<RoundId, AppError> {
    let text = words("answer", text, 2, 2_000)?;
    let mut tx = app.db.write().await?;
    let objection = store::get_objection(&mut tx, id).await?;
    let round = open_office(&mut tx, who, &objection.round).await?;
    round.may_answer(who.account())?;
    if !matches!(round.stage, kepu_domain::create::round::RoundStage::Publicity { .. }) {
        return Err(kepu_domain::create::round::RoundError::WrongStage { stage: round.stage.name(), attempted: "answered for" }.into());
    }
    let by = who.account().map_or("", |account| account.as_str());
    if !store::answer_objection(&mut tx, id, &text, upheld, by, app.now()).await? {
        return Err(AppError::Stale { what: "objection", id: id.0.clone() });
    }
    if upheld {
        let application = store::get_application(&mut tx, &objection.application).await?;
        if matches!(application.stage, AppStage::Proposed { .. }) {
            let application = application.decline(&text)?;
            store::update_application(&mut tx, &application).await?;
            super::office::fill_places(app, &mut tx, who, &round.id).await?;
        }
    }
    log_detail(app, &mut tx, &who.log_name(), "objection.answered", &id.0, &json!({"upheld": upheld})).await?;
    tx.commit().await?;
    Ok(round.id)
}

/// What an objector sees again with the number of the objection: whether it was answered, and how.
pub async fn find(app: &App, round: &RoundId, id: &ObjectionId) -> Result<Objection, AppError> {
    let mut tx = app.db.read().await?;
    let objection = store::get_objection(&mut tx, id).await?;
    if objection.round == *round { Ok(objection) } else { Err(AppError::NotFound { what: "objection", id: id.0.clone() }) }
}
