//! Proofs as files: handed in once, kept for the applicant, used again in every later application. The bytes lie beside the files of
//! resources (`media`), but no public address leads to them: who may see an application may read what it names.

use super::apply::{EVIDENCE_MAX, keep, open};
use super::words;
use crate::App;
use crate::account::log_detail;
use crate::error::{AppError, FieldError};
use crate::media;
use jiff::civil::Date;
use kepu_domain::access::Actor;
use kepu_domain::create::party::Party;
use kepu_domain::create::round::{Application, Evidence, JudgementStage, RoundKind};
use kepu_domain::ids::{ApplicationId, PartyId};
use kepu_store::Tx;
use kepu_store::create::{party as parties, proof as store, round as rounds};
use serde_json::json;
use std::path::PathBuf;

pub use kepu_store::create::proof::Proof;

/// Most proofs kept for one entry.
pub const PROOFS_MAX: u32 = 200;

/// What a file shows, in the words of who hands it in.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Title.
    pub title: String,
    /// Id of a field or criterion, or empty.
    pub kind: String,
    /// Last day it holds.
    pub until: Option<Date>,
}

fn evidence_of(proof: &Proof) -> Evidence {
    Evidence { kind: proof.kind.clone(), title: proof.title.clone(), media: proof.hash.clone(), until: proof.until }
}

/// The application with one more proof.
fn with(mut application: Application, kind: &RoundKind, evidence: Evidence) -> Result<Application, AppError> {
    let mut list = std::mem::take(&mut application.evidence);
    list.retain(|one| one.media != evidence.media);
    if list.len() >= EVIDENCE_MAX {
        return Err(AppError::Invalid(vec![FieldError::new("evidence", "many").with("count", list.len() + 1).with("max", EVIDENCE_MAX)]));
    }
    list.push(evidence);
    let answers = application.answers.clone();
    application.answer(kind, answers, list)?;
    Ok(application)
}

/// Keeps a file among the applicant's proofs and names it in the application.
///
/// May: the applicant's side, while it is written. Writes: proof, application, log.
pub async fn add(app: &App, who: &Actor, id: &ApplicationId, bytes: &[u8], said: Said) -> Result<(), AppError> {
    let mut wrong = Vec::new();
    let title = words("title", &said.title, 1, 200);
    if let Err(AppError::Invalid(list)) = &title {
        wrong.extend(list.clone());
    }
    let media_type = media::sniff(bytes).filter(|kind| *kind == "application/pdf" || kind.starts_with("image/"));
    match media_type {
        _ if bytes.is_empty() => wrong.push(FieldError::new("file", "required")),
        None => wrong.push(FieldError::new("file", "proof_kind")),
        Some(_) if bytes.len() > media::MEDIA_BYTES_MAX => return Err(AppError::TooLarge { max: media::MEDIA_BYTES_MAX as u64 }),
        Some(_) => {}
    }
    let (Some(media_type), true) = (media_type, wrong.is_empty()) else { return Err(AppError::Invalid(wrong)) };
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.writer()?;
    let party = opened.applicant()?.id.clone();
    let hash = blake3::hash(bytes).to_hex().to_string();
    let known = store::list(&mut tx, &party, PROOFS_MAX).await?;
    if known.len() >= PROOFS_MAX as usize && !known.iter().any(|proof| proof.hash == hash) {
        return Err(AppError::Invalid(vec![FieldError::new("file", "many").with("count", known.len() + 1).with("max", PROOFS_MAX)]));
    }
    let kind = said.kind.chars().take(60).collect();
    let proof = Proof { party, hash, title: title?, kind, media_type: media_type.into(), size: bytes.len() as i64, until: said.until, at: app.now() };
    let application = with(opened.application, &opened.kind, evidence_of(&proof))?;
    crate::blob::write_whole(&media::path(app, &proof.hash)?, bytes)?;
    store::put(&mut tx, &proof).await?;
    keep(app, &mut tx, who, &application, "application.proof_added", &json!({"hash": proof.hash})).await?;
    tx.commit().await?;
    Ok(())
}

/// Names a proof that was handed in before; nobody is asked for it twice.
///
/// May: the applicant's side, while it is written. Writes: application, log.
pub async fn reuse(app: &App, who: &Actor, id: &ApplicationId, hash: &str) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.writer()?;
    let proof = find(&mut tx, &opened.application.party, hash).await?.ok_or_else(|| missing(hash))?;
    let application = with(opened.application, &opened.kind, evidence_of(&proof))?;
    keep(app, &mut tx, who, &application, "application.proof_reused", &json!({"hash": hash})).await?;
    tx.commit().await?;
    Ok(())
}

/// Deletes a kept proof for good. Applications that name it keep its title and say that the file is gone.
///
/// May: the applicant's side. Writes: proof, log.
pub async fn delete(app: &App, who: &Actor, id: &ApplicationId, hash: &str) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let opened = open(app, &mut tx, who, id).await?.writer()?;
    let proof = find(&mut tx, &opened.application.party, hash).await?.ok_or_else(|| missing(hash))?;
    let alone = remove(app, &mut tx, &proof).await?;
    log_detail(app, &mut tx, &who.log_name(), "proof.deleted", &proof.party.0, &json!({"hash": hash})).await?;
    tx.commit().await?;
    erase(&alone)
}

/// Every proof of an entry that is deleted; the paths to erase after the commit.
pub(crate) async fn delete_all(app: &App, tx: &mut Tx, party: &PartyId) -> Result<Vec<PathBuf>, AppError> {
    let mut paths = Vec::new();
    for proof in store::list(tx, party, PROOFS_MAX).await? {
        paths.extend(remove(app, tx, &proof).await?);
    }
    Ok(paths)
}

/// Takes the row away; the place of the bytes, if nothing else needs them.
async fn remove(app: &App, tx: &mut Tx, proof: &Proof) -> Result<Option<PathBuf>, AppError> {
    store::delete(tx, &proof.party, &proof.hash).await?;
    let needed = store::count_uses(tx, &proof.hash).await? > 0 || kepu_store::media::find(tx, &proof.hash).await?.is_some_and(|media| media.have);
    if needed { Ok(None) } else { Ok(Some(media::path(app, &proof.hash)?)) }
}

pub(crate) fn erase<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<(), AppError> {
    paths.into_iter().try_for_each(|path| crate::blob::remove(path))
}

fn missing(hash: &str) -> AppError {
    AppError::NotFound { what: "proof", id: hash.chars().take(64).collect() }
}

/// A proof of an entry, or of the one it was merged into.
async fn find(tx: &mut Tx, party: &PartyId, hash: &str) -> Result<Option<Proof>, AppError> {
    if !media::is_hash(hash) {
        return Ok(None);
    }
    for id in entries(tx, party).await? {
        if let Some(proof) = store::find(tx, &id, hash).await? {
            return Ok(Some(proof));
        }
    }
    Ok(None)
}

async fn entries(tx: &mut Tx, party: &PartyId) -> Result<Vec<PartyId>, AppError> {
    let into = parties::find(tx, party).await?.and_then(|p| p.merged_into);
    Ok(std::iter::once(party.clone()).chain(into).collect())
}

/// The proofs kept for the applicant, the newest first.
///
/// May: the applicant's side.
pub async fn kept(app: &App, who: &Actor, id: &ApplicationId) -> Result<Vec<Proof>, AppError> {
    let mut tx = app.db.read().await?;
    let opened = open(app, &mut tx, who, id).await?.writer()?;
    let mut list = Vec::new();
    for party in entries(&mut tx, &opened.application.party).await? {
        list.extend(store::list(&mut tx, &party, PROOFS_MAX).await?);
    }
    Ok(list)
}

/// Media type, title and place of a file that an application names.
///
/// May: who may see the application, and its judges where names are not hidden from them; the applicant's side reads every kept one.
pub async fn read(app: &App, who: &Actor, id: &ApplicationId, hash: &str) -> Result<(Proof, PathBuf), AppError> {
    let mut tx = app.db.read().await?;
    let application = rounds::get_application(&mut tx, id).await?;
    let named = application.evidence.iter().any(|one| one.media == hash);
    let may = match open(app, &mut tx, who, id).await {
        Ok(opened) => opened.rights.write || named,
        Err(AppError::NotFound { .. }) => named && judges(app, &mut tx, who, &application).await?,
        Err(error) => return Err(error),
    };
    match find(&mut tx, &application.party, hash).await? {
        Some(proof) if may => {
            let path = media::path(app, hash)?;
            Ok((proof, path))
        }
        _ => Err(missing(hash)),
    }
}

async fn judges(app: &App, tx: &mut Tx, who: &Actor, application: &Application) -> Result<bool, AppError> {
    let Some(judge) = crate::create::review::party_of(tx, who).await? else { return Ok(false) };
    let round = rounds::get(tx, &application.round).await?;
    if super::kind_of(app, &round)?.blind {
        return Ok(false);
    }
    let judgement = rounds::find_judgement(tx, &application.id, &judge).await?;
    Ok(judgement.is_some_and(|j| !matches!(j.stage, JudgementStage::Recused { .. })))
}

/// The kept proofs that a form asks for and that still hold: a new application begins with them.
pub(super) async fn prefilled(app: &App, tx: &mut Tx, kind: &RoundKind, party: &Party) -> Result<Vec<Evidence>, AppError> {
    let sets = super::sets_of(app, kind);
    let asked = |id: &str| kind.fields.iter().any(|f| f.id == id) || sets.iter().any(|set| set.items.iter().any(|item| item.id == id));
    let holds = |proof: &Proof| !proof.kind.is_empty() && asked(&proof.kind) && proof.until.is_none_or(|until| until >= app.today());
    let list = store::list(tx, &party.id, PROOFS_MAX).await?;
    Ok(list.iter().filter(|proof| holds(proof)).take(EVIDENCE_MAX).map(evidence_of).collect())
}

/// Keeps of what a form names only files that are among the applicant's proofs.
pub(super) async fn own_only(tx: &mut Tx, party: &PartyId, mut list: Vec<Evidence>) -> Result<Vec<Evidence>, AppError> {
    for evidence in list.iter_mut().filter(|one| !one.media.is_empty()) {
        if find(tx, party, &evidence.media).await?.is_none() {
            evidence.media.clear();
        }
    }
    Ok(list)
}

/// The files that an application names and that are still kept.
pub(super) async fn held(tx: &mut Tx, application: &Application) -> Result<Vec<String>, AppError> {
    let mut list = Vec::new();
    for evidence in application.evidence.iter().filter(|one| !one.media.is_empty()) {
        if find(tx, &application.party, &evidence.media).await?.is_some() {
            list.push(evidence.media.clone());
        }
    }
    Ok(list)
}
