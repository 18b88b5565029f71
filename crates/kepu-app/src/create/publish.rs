//! Publication, correction, withdrawal: what leaves the house, always as signed records through `record::publish`.

use crate::App;
use crate::account::log;
use crate::create::{draft as writing, review};
use crate::error::{AppError, FieldError};
use crate::record::{self, Saying};
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::draft::{Draft, DraftError, Matter};
use kepu_domain::create::resource::Correction;
use kepu_domain::ids::{DraftId, OrgId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::record::{Body, CorrectionNotice, Retraction};
use kepu_domain::trust::KeyRole;
use kepu_store::create::draft::{self as drafts, Seen};
use kepu_store::{Tx, subject};

/// Signs and publishes a reviewed draft. If it corrects a public version, the notice travels ahead of it; if it answers
/// a case, the case and its questions are answered with it.
///
/// May: editors of the organisation. Writes: records, subject, draft, case, log.
pub async fn publish(app: &App, who: &Actor, id: &DraftId) -> Result<SubjectId, AppError> {
    let mut tx = app.db.write().await?;
    let draft = drafts::get(&mut tx, id).await?;
    who.may(Action::Publish, Some(&kepu_store::org::line(&mut tx, &draft.org).await?))?;
    let reviews = review::with_sign_offs(&mut tx, id).await?;
    let policy = app.trust(&mut tx).await?.policy.clone();
    let seen = Seen::from(&draft);
    let current = subject::find(&mut tx, &draft.subject).await?;
    let corrects = current.as_ref().filter(|row| row.standing == subject::Standing::Public && row.verdict != "checking");
    if corrects.is_some() && draft.correction.trim().is_empty() {
        return Err(DraftError::NoCorrection.into());
    }
    let mut draft = draft.publish(&reviews, &policy, app.today(), app.now())?;
    let mut sayings = Vec::new();
    if let (Some(row), Some(hash)) = (corrects, current.as_ref().and_then(|row| row.doc_hash)) {
        let text = draft.correction.clone();
        let correction = Correction { date: app.today(), text: text.clone() };
        match &mut draft.matter {
            Matter::Resource(r) => r.corrections.insert(0, correction),
            Matter::Claim(c) => c.corrections.insert(0, correction),
        }
        sayings.push(say(&draft, row.region, Body::Correction(CorrectionNotice { replaces: hash, text })));
    }
    sayings.push(say(&draft, draft.matter.region(), body_of(&draft.matter)));
    record::publish(app, &mut tx, sayings).await?;
    drafts::update(&mut tx, seen, &draft, app.now()).await?;
    if let Some(case) = &draft.case {
        crate::listen::case::answered(app, &mut tx, who, case, &draft.subject).await?;
    }
    log(app, &mut tx, &who.log_name(), "draft.published", &format!("{id} {}", draft.subject), "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(draft.subject)
}

/// The record body of a matter.
pub fn body_of(matter: &Matter) -> Body {
    match matter {
        Matter::Resource(r) => Body::Resource(r.clone()),
        Matter::Claim(c) => Body::Claim(c.clone()),
    }
}

/// What to say about a matter at its own place.
pub fn saying_of(subject: &SubjectId, matter: &Matter) -> Saying {
    let lang = match matter {
        Matter::Resource(r) => r.lang.clone(),
        Matter::Claim(c) => c.lang.clone(),
    };
    Saying { subject: subject.clone(), region: matter.region(), fields: matter.fields().to_vec(), lang, body: body_of(matter) }
}

fn say(draft: &Draft, region: Region, body: Body) -> Saying {
    Saying { region, body, ..saying_of(&draft.subject, &draft.matter) }
}

/// The public version of a subject as this node holds it, with its record.
pub async fn current(app: &App, tx: &mut Tx, id: &SubjectId) -> Result<Option<(subject::Row, Option<kepu_sync::record::Record>)>, AppError> {
    let _ = app;
    let Some(row) = subject::find(tx, id).await? else { return Ok(None) };
    let record = match &row.doc_hash {
        Some(hash) => kepu_store::record::find_by_hash(tx, hash).await?.and_then(record::read_row),
        None => None,
    };
    Ok(Some((row, record)))
}

/// Begins a draft that corrects what is public. Only the owning institution corrects; others propose or derive.
///
/// May: editors. Writes: draft, log.
pub async fn correct(app: &App, who: &Actor, org: &OrgId, id: &SubjectId) -> Result<Draft, AppError> {
    let mut tx = app.db.write().await?;
    who.may(Action::Correct, Some(&kepu_store::org::line(&mut tx, org).await?))?;
    own_subject(app, &mut tx, id).await?;
    let found = current(app, &mut tx, id).await?;
    let body = found.and_then(|(_, record)| record).and_then(|record| record.body.ok());
    let mut matter = match body {
        Some(Body::Resource(r)) => Matter::Resource(r),
        Some(Body::Claim(c)) => Matter::Claim(c),
        _ => return Err(AppError::NotFound { what: "subject", id: id.0.clone() }),
    };
    matter.set_reviews(vec![]);
    let draft = writing::begin_in(app, &mut tx, who, org, matter, None, Some(id.clone())).await?;
    tx.commit().await?;
    Ok(draft)
}

async fn own_subject(app: &App, tx: &mut Tx, id: &SubjectId) -> Result<(), AppError> {
    let trust = app.trust(tx).await?;
    let own = trust.grant(app.key.id()).map_or_else(|| app.key.id().fingerprint(), |grant| grant.lineage.fingerprint());
    match id.parts() {
        Some((owner, _)) if owner == own => Ok(()),
        _ => Err(AppError::Refused(kepu_domain::trust::Refusal::NotOwner)),
    }
}

/// Withdraws all versions of a subject up to now, here and wherever it went.
///
/// May: editors; for subjects of nodes below, if this node's certificate carries the role. Writes: record, subject, log.
pub async fn withdraw(app: &App, who: &Actor, org: &OrgId, id: &SubjectId, reason: &str) -> Result<(), AppError> {
    let reason = kepu_text::clean_text(reason);
    if let Err(error) = kepu_domain::text::NOTE.check(kepu_text::count(&reason)) {
        return Err(AppError::Invalid(vec![FieldError { field: "reason".into(), ..crate::error::text_error(&error) }]));
    }
    let mut tx = app.db.write().await?;
    who.may(Action::Correct, Some(&kepu_store::org::line(&mut tx, org).await?))?;
    let row = subject::find(&mut tx, id).await?.ok_or_else(|| AppError::NotFound { what: "subject", id: id.0.clone() })?;
    if row.standing != subject::Standing::Public {
        return Err(AppError::Invalid(vec![FieldError::new("reason", "already_withdrawn")]));
    }
    if row.signer != *app.key.id() {
        app.trust(&mut tx).await?.grant(app.key.id()).filter(|g| g.roles.contains(&KeyRole::Retractor)).ok_or(kepu_domain::trust::Refusal::NotOwner)?;
    }
    let versions = kepu_store::record::list_by_subjects(&mut tx, std::slice::from_ref(id)).await?;
    let through = versions.iter().filter(|v| v.key == row.signer && matches!(v.kind.as_str(), "resource" | "claim")).map(|v| v.n).max().unwrap_or(row.n);
    let by = kepu_store::org::find(&mut tx, org).await?.map_or_else(String::new, |o| o.name);
    let body = Body::Retraction(Retraction { key: row.signer.clone(), through, reason, by });
    let saying = Saying { subject: id.clone(), region: row.region, fields: row.fields.clone(), lang: row.lang.clone(), body };
    record::publish(app, &mut tx, vec![saying]).await?;
    log(app, &mut tx, &who.log_name(), "subject.withdrawn", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}
