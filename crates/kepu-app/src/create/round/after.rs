//! What follows a decision: the certificate as a public record, the honour in the registry, the yearly check, the end of a term, and the
//! revocation that travels.

use super::apply::{keep, open};
use super::{fresh, kind_of, words};
use crate::App;
use crate::account::log;
use crate::create::credential;
use crate::create::party::{self, Told};
use crate::error::AppError;
use kepu_domain::access::Actor;
use kepu_domain::create::credential::{Credential, CredentialItem, Reach};
use kepu_domain::create::party::{Honour, Party};
use kepu_domain::create::register::days_between;
use kepu_domain::create::round::{AppStage, Application, Round, RoundKind};
use kepu_domain::ids::{ApplicationId, SubjectId};
use kepu_store::Tx;
use kepu_store::create::{party as parties, round as store};
use serde_json::json;

/// The certificate of an honour.
async fn certificate(app: &App, tx: &mut Tx, round: &Round, kind: &RoundKind, application: &Application, party: &Party) -> Result<Credential, AppError> {
    let today = app.today();
    let about = super::label_of(application, party);
    let title = if about == party.name { round.title.clone() } else { format!("{} · {about}", round.title) };
    let org = if party.kind.is_personal() { party::org_name(tx, &party.org).await? } else { String::new() };
    Ok(Credential {
        number: format!("{}{}", today.year(), application.id.0.chars().take(10).collect::<String>().to_uppercase()),
        kind: kind.id.clone(),
        title: kind.honour_zh.clone(),
        party: party.id.0.clone(),
        holder: party.name.clone(),
        org,
        issuer: party::org_name(tx, &round.org).await?,
        items: vec![CredentialItem { kind: kind.id.clone(), title, count: 1, minutes: 0 }],
        from: Some(today),
        until: kind.until(today),
        issued: today,
        reach: if kind.private { Reach::Holder } else { Reach::Public },
        lang: "zh-Hans".into(),
        sample: party.sample || round.sample,
    })
}

/// Grants a proposed application inside the caller's transaction: certificate, honour, register. An honour for what is delivered waits for it.
pub(crate) async fn grant(app: &App, tx: &mut Tx, who: &Actor, round: &Round, kind: &RoundKind, application: Application) -> Result<(), AppError> {
    let party = parties::get(tx, &application.party).await?;
    let credential = if kind.honour_on_delivery { SubjectId::default() } else { honour(app, tx, who, round, kind, &application, &party).await? };
    let application = application.grant(round, kind, credential, app.today())?;
    keep(app, tx, who, &application, "application.granted", &json!({"round": round.id})).await
}

/// Issues the certificate and writes the honour into the registry.
async fn honour(app: &App, tx: &mut Tx, who: &Actor, round: &Round, kind: &RoundKind, application: &Application, party: &Party) -> Result<SubjectId, AppError> {
    let certificate = certificate(app, tx, round, kind, application, party).await?;
    let (from, until) = (app.today(), certificate.until);
    let id = credential::issue(app, tx, party.region, certificate).await?;
    let known = app.definitions().registers.registers.contains_key(&kind.register);
    let entered = app.definitions().registers.registers.get(&kind.register).is_some_and(|register| register.entered);
    change_party(app, tx, who, &party.id.clone(), "party.honoured", |party| {
        party.honours.push(Honour { kind: kind.id.clone(), title: kind.honour_zh.clone(), from, until, credential: id.0.clone() });
        if known && entered && !party.registers.contains(&kind.register) {
            party.registers.push(kind.register.clone());
        }
    })
    .await?;
    Ok(id)
}

/// Changes the registry entry and says what follows from it. An entry that is gone needs no change.
async fn change_party(
    app: &App,
    tx: &mut Tx,
    who: &Actor,
    id: &kepu_domain::ids::PartyId,
    word: &str,
    work: impl FnOnce(&mut Party),
) -> Result<Told, AppError> {
    let Some(mut entry) = parties::find_entry(tx, id).await? else { return Ok(Told::Shown) };
    work(&mut entry.party);
    party::keep(app, tx, who, entry, word).await
}

/// Takes an honour out of the registry, and the entry out of the register if nothing else keeps it there. Its card may end with it.
async fn dishonour(app: &App, tx: &mut Tx, who: &Actor, kind: &RoundKind, application: &Application, credential: &SubjectId) -> Result<Told, AppError> {
    let definitions = app.definitions();
    change_party(app, tx, who, &application.party, "party.honour_ended", |party| {
        party.honours.retain(|honour| honour.credential != credential.0 || credential.0.is_empty());
        let other = party.honours.iter().any(|h| definitions.rounds.get(&h.kind).is_some_and(|k| k.register == kind.register));
        if !kind.register.is_empty() && !other {
            party.registers.retain(|register| *register != kind.register);
        }
    })
    .await
}

/// Takes an honour away: the certificate is revoked for everybody, here at once and on every node at its next exchange.
///
/// May: stewards of the organisation. Writes: application, party, records, log.
pub async fn revoke(app: &App, who: &Actor, id: &ApplicationId, version: i64, reason: &str) -> Result<(), AppError> {
    let reason = words("reason", reason, 2, 1_000)?;
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.office()?;
    fresh("application", &id.0, version, opened.application.version)?;
    let AppStage::Granted { credential: subject, .. } = opened.application.stage.clone() else {
        return Err(opened.application.revoke(&reason, app.now()).err().map_or_else(|| AppError::Record(String::new()), AppError::from));
    };
    let application = opened.application.revoke(&reason, app.now())?;
    let region = opened.party.as_ref().map_or(opened.round.region, |party| party.region);
    let by = party::org_name(&mut tx, &opened.round.org).await?;
    if !subject.0.is_empty() {
        credential::revoke(app, &mut tx, &subject, region, &reason, &by).await?;
    }
    let told = dishonour(app, &mut tx, who, &opened.kind, &application, &subject).await?;
    keep(app, &mut tx, who, &application, "application.revoked", &json!({})).await?;
    party::committed(app, tx, told).await
}

/// Confirms an honour for another year; near the end of its term for another term, and the certificate says so anew.
///
/// May: stewards of the organisation. Writes: application, party, records, log.
pub async fn confirm(app: &App, who: &Actor, id: &ApplicationId, version: i64) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.office()?;
    fresh("application", &id.0, version, opened.application.version)?;
    let party = opened.applicant()?.clone();
    let before = opened.application.stage.clone();
    let mut told = Told::Shown;
    let application = opened.application.clone().confirm(&opened.kind, app.today())?;
    if let (AppStage::Granted { until: old, .. }, AppStage::Granted { until: new, credential: subject, .. }) = (&before, &application.stage)
        && old != new
        && !subject.0.is_empty()
    {
        let fresh = Credential { until: *new, ..certificate(app, &mut tx, &opened.round, &opened.kind, &application, &party).await? };
        credential::renew(app, &mut tx, subject, party.region, fresh).await?;
        told = change_party(app, &mut tx, who, &party.id, "party.honour_renewed", |party| {
            party.honours.iter_mut().filter(|h| h.credential == subject.0).for_each(|h| h.until = *new);
        })
        .await?;
    }
    keep(app, &mut tx, who, &application, "application.confirmed", &json!({})).await?;
    party::committed(app, tx, told).await
}

/// Accepts what was delivered, or sends it back; an honour that waited for it is given now.
///
/// May: stewards of the organisation. Writes: application, party, records, log.
pub async fn check_delivery(app: &App, who: &Actor, id: &ApplicationId, version: i64, accepted: bool, remark: &str) -> Result<(), AppError> {
    let remark = words("remark", remark, usize::from(!accepted) * 2, 1_000)?;
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.office()?;
    fresh("application", &id.0, version, opened.application.version)?;
    let party = opened.applicant()?.clone();
    let mut application = opened.application.check_delivery(accepted, &remark)?;
    if let AppStage::Granted { at, until, credential: subject, confirmed } = &application.stage
        && accepted
        && subject.0.is_empty()
    {
        let given = honour(app, &mut tx, who, &opened.round, &opened.kind, &application, &party).await?;
        application.stage = AppStage::Granted { at: *at, until: *until, credential: given, confirmed: *confirmed };
    }
    keep(app, &mut tx, who, &application, "application.delivery_checked", &json!({"accepted": accepted})).await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// The daily look: announces ends that come near, once each, and takes out of the registry what has ended. Twice a day does nothing more.
pub async fn daily(app: &App) -> Result<(usize, usize), AppError> {
    let node = Actor::Node { name: "job:rounds".into() };
    let today = app.today();
    let (mut announced, mut ended, mut after) = (0, 0, String::new());
    loop {
        let (mut tx, mut told) = (app.db.write().await?, Told::Shown);
        let list = store::list_in_stage(&mut tx, "granted", &after, 200).await?;
        let Some(last) = list.last() else { break };
        after = last.id.0.clone();
        for mut application in list {
            let round = store::get(&mut tx, &application.round).await?;
            let Ok(kind) = kind_of(app, &round) else { continue };
            if application.ended.is_none() && application.has_ended(today) {
                let AppStage::Granted { credential: subject, .. } = application.stage.clone() else { continue };
                application.ended = Some(today);
                told = told.max(dishonour(app, &mut tx, &node, &kind, &application, &subject).await?);
                keep(app, &mut tx, &node, &application, "application.ended", &json!({})).await?;
                ended += 1;
            } else if application.end_announced.is_none()
                && application.check_due(&kind).is_some_and(|due| days_between(today, due) <= application.notice_days(&kind))
            {
                application.end_announced = Some(today);
                keep(app, &mut tx, &node, &application, "application.end_announced", &json!({})).await?;
                announced += 1;
            }
        }
        party::committed(app, tx, told).await?;
    }
    if announced + ended > 0 {
        let mut tx = app.db.write().await?;
        log(app, &mut tx, &node.log_name(), "rounds.looked_through", &format!("{announced} {ended}"), "ok").await?;
        tx.commit().await?;
    }
    Ok((announced, ended))
}
