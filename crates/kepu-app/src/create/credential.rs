//! Credentials: issued and revoked. What one says is in `kepu-domain::create::credential`; which decision or which lines of the
//! ledger it stands on is known by whoever calls.

use crate::error::AppError;
use crate::record::{self, Saying};
use crate::{App, keys};
use kepu_domain::create::credential::Credential;
use kepu_domain::ids::SubjectId;
use kepu_domain::org::Region;
use kepu_domain::record::{Body, Retraction};
use kepu_store::{Tx, subject};

/// Signs and publishes a credential inside the caller's transaction, which also writes the log. Returns its subject.
pub async fn issue(app: &App, tx: &mut Tx, region: Region, credential: Credential) -> Result<SubjectId, AppError> {
    let id = SubjectId::new(&app.key.id().fingerprint(), &format!("c-{}", keys::random_word(16)));
    let lang = credential.lang.clone();
    let body = Body::Credential(Box::new(credential));
    record::publish(app, tx, vec![Saying { subject: id.clone(), region, fields: vec![], lang, body }]).await?;
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
    let Some(row) = subject::find(tx, id).await?.filter(|row| row.standing == subject::Standing::Public) else { return Ok(()) };
    let retraction = Retraction { key: row.signer.clone(), through: row.n, reason: reason.to_owned(), by: by.to_owned() };
    let saying = Saying { subject: id.clone(), region, fields: vec![], lang: String::new(), body: Body::Retraction(retraction) };
    record::publish(app, tx, vec![saying]).await.map(drop)
}
