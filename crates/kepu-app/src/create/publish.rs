//! Publication and correction: what leaves the house, always as signed records through `record::publish`. How it is taken back is in `take_back`.

use crate::App;
use crate::account::log_detail;
use crate::create::draft::{self as writing, limits};
use crate::create::{lane, review, take_back};
use crate::error::AppError;
use crate::measure::contribution::{self, Deed};
use crate::record::{self, Saying};
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::check::Weight;
use kepu_domain::create::draft::{Draft, DraftError, Gate, Matter, Stage};
use kepu_domain::create::resource::Correction;
use kepu_domain::ids::{DraftId, KeyId, OrgId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::record::{Body, CorrectionNotice};
use kepu_domain::trust::TrustView;
use kepu_store::create::draft::{self as drafts, Seen};
use kepu_store::{Tx, subject};

/// Signs and publishes a reviewed draft. If it corrects a public version, the notice travels ahead of it; if it answers
/// a case, the case and its questions are answered with it.
///
/// May: editors of the organisation. Writes: records, subject, draft, case, contribution, log.
pub async fn publish(app: &App, who: &Actor, id: &DraftId) -> Result<SubjectId, AppError> {
    let mut tx = app.db.write().await?;
    let draft = writing::open(&mut tx, who, id, Action::Publish, |may| may.publish).await?;
    let reviews = review::with_sign_offs(app, &mut tx, &draft).await?;
    let definitions = app.definitions();
    let policy = app.trust(&mut tx).await?.policy.clone();
    let seen = Seen::from(&draft);
    let corrects = limits::corrected(&mut tx, &draft).await?;
    let before = limits::before(&mut tx, &draft).await?;
    // An added edition follows the version before it without anything having been wrong.
    let corrects = corrects.filter(|_| !before.as_ref().is_some_and(|before| draft.matter.only_adds_editions(before)));
    if corrects.is_some() && draft.correction.trim().is_empty() {
        return Err(DraftError::NoCorrection.into());
    }
    let mut draft = draft;
    if matches!(draft.stage, Stage::Submitted { .. }) {
        // What was right when it was given to review may have ended since: a qualification, a clearance, a claim judged meanwhile.
        let blocks: Vec<_> = limits::findings(app, &mut tx, &draft).await?.into_iter().filter(|f| f.weight == Weight::Block).collect();
        if !blocks.is_empty() {
            return Err(AppError::Blocked(blocks));
        }
        lane::stamp(app, &mut tx, &mut draft.matter).await?;
    }
    let mut draft = draft.publish(&reviews, Gate { policy: &policy, lanes: &definitions.lanes, before: before.as_ref() }, app.today(), app.now())?;
    if let Matter::Claim(claim) = &mut draft.matter {
        // Merged or parted while the draft was written: that is the editors' to say, not the writer's.
        claim.same_as = subject::find(&mut tx, &draft.subject).await?.map(|row| row.same_as).filter(|id| !id.is_empty()).map(SubjectId);
    }
    let mut sayings = Vec::new();
    let corrects_something = corrects.is_some();
    if let Some((row, hash)) = corrects.and_then(|row| row.doc_hash.map(|hash| (row, hash))) {
        let text = draft.correction.clone();
        let correction = Correction { date: app.today(), text: text.clone() };
        match &mut draft.matter {
            Matter::Resource(r) => r.corrections.insert(0, correction),
            Matter::Claim(c) => c.corrections.insert(0, correction),
        }
        sayings.push(say(&draft, row.region, Body::Correction(CorrectionNotice { replaces: hash, text })));
    }
    sayings.push(say(&draft, draft.matter.region(), body_of(&draft.matter)));
    // What was under check has been checked: reviewed anew, it is seen again with the version that comes of it.
    if let Some(over) = take_back::over(app, &mut tx, &draft).await? {
        sayings.push(say(&draft, draft.matter.region(), Body::Hold(over)));
    }
    record::publish(app, &mut tx, sayings).await?;
    drafts::update(&mut tx, seen, &draft, app.now()).await?;
    note_author(app, &mut tx, &draft, corrects_something).await?;
    if let Some(case) = &draft.case {
        crate::listen::case::answered(app, &mut tx, who, case, &draft.subject).await?;
    }
    log_detail(app, &mut tx, &who.log_name(), "draft.published", &id.0, &serde_json::json!({"subject": draft.subject})).await?;
    tx.commit().await?;
    app.notify();
    Ok(draft.subject)
}

/// Notes in the ledger of the author what was published: a work, an answer, or a correction of one.
async fn note_author(app: &App, tx: &mut Tx, draft: &Draft, corrects: bool) -> Result<(), AppError> {
    let Some(author) = draft.matter.author() else { return Ok(()) };
    let (kind, object) = match (&draft.matter, corrects) {
        (_, true) => ("correction", format!("draft:{}", draft.id)),
        (Matter::Resource(_), false) => ("resource", draft.subject.0.clone()),
        (Matter::Claim(_), false) => ("answer", draft.subject.0.clone()),
    };
    contribution::note(app, tx, Deed { party: &author, kind, title: draft.matter.title(), object: &object, host: &draft.org }).await
}

/// What a public row says, as its record holds it.
pub async fn public_matter(app: &App, row: &subject::Row) -> Result<Option<Matter>, AppError> {
    let mut tx = app.db.read().await?;
    matter_of(&mut tx, row).await
}

/// [`public_matter`] within `tx`.
pub(crate) async fn matter_of(tx: &mut Tx, row: &subject::Row) -> Result<Option<Matter>, AppError> {
    let Some(hash) = &row.doc_hash else { return Ok(None) };
    let record = kepu_store::record::find_by_hash(tx, hash).await?.and_then(record::read_row);
    Ok(match record.and_then(|record| record.body.ok()) {
        Some(Body::Resource(r)) => Some(Matter::Resource(r)),
        Some(Body::Claim(c)) => Some(Matter::Claim(c)),
        _ => None,
    })
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

/// The organisation of this node that answers for a subject: the one it was written for, or whose case it answers, else the node's own.
pub(crate) async fn org_of(tx: &mut Tx, id: &SubjectId) -> Result<OrgId, AppError> {
    let published = drafts::Filter { subject: Some(id.clone()), stage: Some("published".into()), ..drafts::Filter::default() };
    if let Some(listed) = drafts::list(tx, &published, None, 1).await?.into_iter().next() {
        return Ok(listed.draft.org);
    }
    if let Some(case) = kepu_store::listen::case::find_by_subject(tx, id).await? {
        return Ok(case.org);
    }
    Ok(kepu_store::meta::find(tx, "org").await?.unwrap_or_else(|| "000000".into()).into())
}

pub(crate) async fn may_correct(tx: &mut Tx, who: &Actor, id: &SubjectId) -> Result<OrgId, AppError> {
    may(tx, who, Action::Correct, id).await
}

/// The organisation that answers for a subject, if `who` may do `action` there.
pub(crate) async fn may(tx: &mut Tx, who: &Actor, action: Action, id: &SubjectId) -> Result<OrgId, AppError> {
    let org = org_of(tx, id).await?;
    who.may(action, Some(&kepu_store::org::line(tx, &org).await?))?;
    Ok(org)
}

/// The draft of a subject that is being written or reviewed.
pub(crate) async fn under_way(tx: &mut Tx, id: &SubjectId) -> Result<Option<Draft>, AppError> {
    let active = drafts::Filter { subject: Some(id.clone()), stage: Some("active".into()), ..drafts::Filter::default() };
    Ok(drafts::list(tx, &active, None, 1).await?.into_iter().next().map(|listed| listed.draft))
}

/// Begins a draft that corrects what is public, or returns the one under way. Only the owning institution corrects; others
/// propose or derive.
///
/// May: editors of the organisation that answers for it. Writes: draft, log.
pub async fn correct(app: &App, who: &Actor, id: &SubjectId) -> Result<Draft, AppError> {
    let mut tx = app.db.write().await?;
    let org = may_correct(&mut tx, who, id).await?;
    own_subject(app, &mut tx, id).await?;
    if let Some(draft) = under_way(&mut tx, id).await? {
        return Ok(draft);
    }
    let missing = || AppError::NotFound { what: "subject", id: id.0.clone() };
    let row = subject::find(&mut tx, id).await?.ok_or_else(missing)?;
    let mut matter = matter_of(&mut tx, &row).await?.ok_or_else(missing)?;
    matter.set_reviews(vec![]);
    if let Matter::Claim(claim) = &mut matter {
        claim.checked = app.today();
    }
    let draft = writing::begin_in(app, &mut tx, who, &org, matter, None, Some(id.clone())).await?;
    tx.commit().await?;
    Ok(draft)
}

pub(crate) async fn own_subject(app: &App, tx: &mut Tx, id: &SubjectId) -> Result<(), AppError> {
    let trust = app.trust(tx).await?;
    let own = trust.grant(app.key.id()).map_or_else(|| app.key.id().fingerprint(), |grant| grant.lineage.fingerprint());
    match id.parts() {
        Some((owner, _)) if owner == own => Ok(()),
        _ => Err(AppError::Refused(kepu_domain::trust::Refusal::NotOwner)),
    }
}

/// The node's key with those that it replaced.
pub(crate) fn own_keys(app: &App, trust: &TrustView) -> Vec<KeyId> {
    let Some(own) = trust.grant(app.key.id()) else { return vec![app.key.id().clone()] };
    trust.grants().filter(|(_, grant)| grant.lineage == own.lineage).map(|(key, _)| key.clone()).collect()
}
