//! Credentials: numbered, issued, revoked, found again. What one says is in `kepu-domain::create::credential`; which decision or which
//! lines of the ledger it stands on is known by whoever calls (`measure::certificate` for the ledger).
//!
//! The body of one that only its holder may read never stands among the records: `record::apply` keeps its stub, which travels, and
//! the signed record is kept for the holder beside.

use crate::error::AppError;
use crate::record::{self, Saying};
use crate::{App, keys};
use jiff::Timestamp;
use kepu_domain::create::credential::{Credential, Reach};
use kepu_domain::ids::{OrgId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::publication::covers;
use kepu_domain::record::{Body, Place, Retraction, Stream};
use kepu_store::create::credential::{self as store, Row};
use kepu_store::{Tx, counter, subject};
use kepu_sync::record::Record;

/// The next free number of this node: its fingerprint, the year, a count. Unique on the node and most likely in the country.
pub async fn next_number(app: &App, tx: &mut Tx) -> Result<String, AppError> {
    let n = counter::take(tx, "credential", 1).await?;
    let node = app.key.id().fingerprint().to_ascii_uppercase();
    Ok(format!("{}-{}-{n:05}", node.get(..4).unwrap_or(&node), app.today().year()))
}

/// Signs and publishes a credential inside the caller's transaction, which also writes the log. Returns its subject.
///
/// A number that this node gave before is replaced by [`next_number`]: a paper that is shown must lead to one record.
pub async fn issue(app: &App, tx: &mut Tx, region: Region, mut credential: Credential) -> Result<SubjectId, AppError> {
    if credential.number.is_empty() || store::find(tx, &credential.number).await?.is_some() {
        credential.number = next_number(app, tx).await?;
    }
    let id = SubjectId::new(&app.key.id().fingerprint(), &format!("c-{}", keys::random_word(16)));
    let lang = credential.lang.clone();
    let party = credential.party.as_str().into();
    let org = kepu_store::create::party::find(tx, &party).await?.map_or_else(|| OrgId(String::new()), |party| party.org);
    let mut row = Row {
        origin: String::new(),
        number: credential.number.clone(),
        subject: id.clone(),
        party,
        org,
        issued: credential.issued,
        signer: app.key.id().clone(),
        n: 0,
        kind: credential.kind.clone(),
        reach: credential.reach,
        code: keys::random_word(12),
        record: String::new(),
    };
    let body = Body::Credential(Box::new(credential));
    let records = record::publish(app, tx, vec![Saying { subject: id.clone(), region, fields: vec![], lang, body }]).await?;
    if let Some(record) = records.first() {
        row.n = record.envelope.place.n;
        row.record = record.with_proof().to_string();
    }
    if !store::insert_once(tx, &row).await? {
        return Err(AppError::Record(format!("the certificate number {} is taken", row.number)));
    }
    Ok(id)
}

/// Says a credential of this node anew, such as with a later last day: the next version under the same subject.
pub async fn renew(app: &App, tx: &mut Tx, id: &SubjectId, region: Region, credential: Credential) -> Result<(), AppError> {
    let lang = credential.lang.clone();
    let body = Body::Credential(Box::new(credential));
    record::publish(app, tx, vec![Saying { subject: id.clone(), region, fields: vec![], lang, body }]).await.map(drop)
}

/// Revokes a credential of this node inside the caller's transaction: the revocation travels before everything else. Revoking twice
/// does nothing.
pub async fn revoke(app: &App, tx: &mut Tx, id: &SubjectId, region: Region, reason: &str, by: &str) -> Result<(), AppError> {
    let (key, through) = match store::find_by_subject(tx, id).await? {
        Some(row) if revocation(app, tx, &row).await?.is_some() => return Ok(()),
        Some(row) => (row.signer, row.n),
        None => match subject::find(tx, id).await?.filter(|row| row.standing == subject::Standing::Public) {
            Some(row) => (row.signer, row.n),
            None => return Ok(()),
        },
    };
    let retraction = Retraction { key, through, reason: reason.to_owned(), by: by.to_owned() };
    let saying = Saying { subject: id.clone(), region, fields: vec![], lang: String::new(), body: Body::Retraction(retraction) };
    record::publish(app, tx, vec![saying]).await.map(drop)
}

/// That a certificate no longer holds, in the words of its issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// Why.
    pub reason: String,
    /// Who decided.
    pub by: String,
    /// When, as the issuer wrote.
    pub at: Timestamp,
}

/// Whether a kept certificate was revoked, as far as this node has heard: withdrawn, or its key ended before its number.
pub async fn revocation(app: &App, tx: &mut Tx, row: &Row) -> Result<Option<Revoked>, AppError> {
    let trust = app.trust(tx).await?;
    let place = Place { key: row.signer.clone(), stream: Stream::Lib, n: row.n };
    let said = kepu_store::record::list_by_subjects(tx, std::slice::from_ref(&row.subject)).await?;
    for other in said.into_iter().filter(|other| other.refusal.is_empty() && other.kind == "retraction") {
        let Some(Record { body: Ok(Body::Retraction(retraction)), envelope, .. }) = record::read_row(other) else { continue };
        if covers(&retraction, &place, &trust) {
            return Ok(Some(Revoked { reason: retraction.reason, by: retraction.by, at: envelope.modified }));
        }
    }
    match trust.check_place(&place) {
        Ok(_) => Ok(None),
        Err(refusal) => Ok(Some(Revoked { reason: refusal.to_string(), by: String::new(), at: Timestamp::UNIX_EPOCH })),
    }
}

/// The signed record of a kept certificate; none if its body was erased.
pub fn record_of(row: &Row) -> Option<Record> {
    let (doc, signature) = kepu_sync::record::split_proof(row.record.as_bytes()).ok()?;
    kepu_sync::record::verify(doc, signature).ok()
}

/// What a kept certificate says; none if its body was erased.
pub fn read(row: &Row) -> Option<Credential> {
    match record_of(row)?.body {
        Ok(Body::Credential(credential)) => Some(*credential),
        _ => None,
    }
}

/// Whether everybody may read it.
pub fn is_public(row: &Row) -> bool {
    row.reach == Reach::Public
}
