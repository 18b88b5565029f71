//! What this node says: numbered, signed and applied in one transaction.

use super::apply;
use super::numbers::counter_name;
use crate::error::AppError;
use crate::{App, relearn};
use kepu_domain::ids::SubjectId;
use kepu_domain::org::Region;
use kepu_domain::record::{Body, Envelope, Place};
use kepu_store::{Tx, counter};
use kepu_sync::record::{Record, RecordError};

/// Something to say.
#[derive(Clone, Debug)]
pub struct Saying {
    /// What it is about.
    pub subject: SubjectId,
    /// Where it is meant for.
    pub region: Region,
    /// Fields.
    pub fields: Vec<String>,
    /// Language.
    pub lang: String,
    /// What is said.
    pub body: Body,
}

/// Numbers, signs and applies what this node says, within `tx`. Refused by the node's own certificate before anything is signed.
pub async fn publish(app: &App, tx: &mut Tx, sayings: Vec<Saying>) -> Result<Vec<Record>, AppError> {
    relearn::check(app, tx).await?;
    let trust = app.trust(tx).await?;
    let now = app.now();
    let mut records = Vec::with_capacity(sayings.len());
    for saying in sayings {
        let stream = saying.body.stream().ok_or_else(|| AppError::Record("a record of an unknown kind cannot be written".into()))?;
        let n = counter::take(tx, &counter_name(app, stream), 1).await?;
        let place = Place { key: app.key.id().clone(), stream, n };
        let envelope = Envelope { place, modified: now, subject: saying.subject, region: saying.region, fields: saying.fields, lang: saying.lang };
        if !matches!(saying.body, Body::Trust(_)) {
            trust.check(&envelope, &saying.body)?;
        }
        records.push(kepu_sync::record::sign(app.key.signing(), envelope, &saying.body).map_err(|e: RecordError| AppError::Record(e.to_string()))?);
    }
    apply(app, tx, records.clone(), "").await?;
    Ok(records)
}
