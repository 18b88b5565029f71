//! Bodies that go. A law may oblige one node to erase its copy ([`erase`]); the withdrawal of a record about one person takes
//! its body away on every node that applies it. What stays is the stub: it still proves its place, so no number is missing.

use super::{Genuine, Part, fold, subject_rows};
use crate::App;
use crate::account::log;
use crate::error::{AppError, FieldError};
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::credential::Reach;
use kepu_domain::ids::SubjectId;
use kepu_domain::org::Region;
use kepu_domain::publication::{Placed, to_erase};
use kepu_domain::record::{Body, Place, Stream, Stub};
use kepu_domain::trust::TrustView;
use kepu_store::record::{self as records, Row};
use kepu_store::{Tx, counter};
use kepu_sync::record::Record;
use std::collections::{BTreeSet, HashSet};

/// Begins the refusal of a record that this node erased by law, so that its body is not taken again from elsewhere.
const BY_LAW: &str = "erased by law: ";

/// Erases the body of a library record at this node for ever; its stub stays and travels.
///
/// May: system administrators. Writes: record, subject, log.
pub async fn erase(app: &App, who: &Actor, place: &Place, reason: &str) -> Result<(), AppError> {
    who.may(Action::ManageNodes, None)?;
    let reason = kepu_text::clean_line(reason);
    if reason.is_empty() {
        return Err(AppError::Invalid(vec![FieldError::new("reason", "no_reason")]));
    }
    let mut tx = app.db.write().await?;
    let missing = || AppError::NotFound { what: "record", id: place.to_string() };
    let row = records::find(&mut tx, place).await?.ok_or_else(missing)?;
    if place.stream != Stream::Lib {
        return Err(AppError::Record("only library records can be erased; certificates and withdrawals must stay readable".into()));
    }
    if row.doc.is_none() && row.refusal.starts_with(BY_LAW) {
        return Err(missing());
    }
    records::erase(&mut tx, place).await?;
    records::set_refusal(&mut tx, &[(place.clone(), format!("{BY_LAW}{reason}"))]).await?;
    let subjects = BTreeSet::from([row.subject]);
    let held = subject_rows(&mut tx, &subjects).await?;
    let trust = app.trust(&mut tx).await?;
    fold(app, &mut tx, &subjects, &held, &[], &trust).await?;
    // The index keeps words of what was deleted from it until it is made anew.
    counter::take(&mut tx, counter::ERASED, 1).await?;
    log(app, &mut tx, &who.log_name(), "record.erased", &format!("{place} {reason}"), "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(app.db.forget_deleted().await?)
}

/// Certificates that only their holders may read come without bodies, whoever sends them: what a node keeps among its records and
/// passes on is their stubs. The node that issues one keeps the body for its holder (`create::credential`).
pub(super) fn withhold(genuine: &mut Genuine) {
    let private = |record: &mut Record| matches!(&record.body, Ok(Body::Credential(credential)) if credential.reach == Reach::Holder);
    let withheld = genuine.records.extract_if(.., private).map(|record| (record.envelope.place.clone(), record.stub()));
    genuine.stubs.extend(withheld);
}

/// Whether a stub may be taken: genuine, and of a kind of record that may lose its body.
pub(super) fn check_stub(place: &Place, stub: &Stub) -> Result<(), String> {
    if place.stream != Stream::Lib {
        return Err("only library records can be erased; this one is withheld".into());
    }
    if !super::verify_stub(place, stub) {
        return Err("the signature of the stub does not fit".into());
    }
    Ok(())
}

/// Whether this node itself was obliged to erase what stood there.
pub(super) async fn stays_erased(tx: &mut Tx, place: &Place) -> Result<bool, AppError> {
    Ok(records::find(tx, place).await?.is_some_and(|row| row.refusal.starts_with(BY_LAW)))
}

/// A stub from elsewhere as a row. What it was about is not known here.
pub(super) fn stub_row(place: &Place, stub: &Stub, arrival: i64, source: &str) -> Row {
    Row {
        key: place.key.clone(),
        stream: place.stream,
        n: place.n,
        arrival,
        doc_hash: stub.doc,
        modified: stub.modified.clone(),
        sig: stub.signature.clone(),
        doc: None,
        kind: String::new(),
        subject: SubjectId(String::new()),
        region: Region::NATION,
        fields: vec![],
        lang: String::new(),
        source: source.to_owned(),
        refusal: String::new(),
    }
}

/// Erases the bodies among `parts` that a withdrawal takes away, whichever came first; returns how many.
pub(super) async fn carry_out(tx: &mut Tx, parts: &mut Vec<Part>, trust: &TrustView) -> Result<usize, AppError> {
    let retractions: Vec<_> = parts
        .iter()
        .filter_map(|part| match &part.body {
            Body::Retraction(doc) => Some(Placed { place: part.place.clone(), modified: part.modified, doc: doc.clone() }),
            _ => None,
        })
        .collect();
    if retractions.is_empty() {
        return Ok(0);
    }
    let gone: HashSet<Place> = to_erase(parts.iter().map(|part| (&part.place, part.kind.as_str())), &retractions, trust).into_iter().collect();
    for place in &gone {
        records::erase(tx, place).await?;
    }
    parts.retain(|part| !gone.contains(&part.place));
    Ok(gone.len())
}
