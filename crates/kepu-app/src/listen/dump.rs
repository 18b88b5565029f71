//! All public claims with evidence, life and coarse counts, page by page: what anybody may copy, match against and check. Whole signed records are at `/records`.

use crate::App;
use crate::error::AppError;
use crate::listen::{hear, known};
use crate::record::read_row;
use jiff::Timestamp;
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::claim::{ClaimReview, Verdict};
use kepu_domain::listen::sighting::Heard;
use kepu_domain::record::{Body, DocHash};
use kepu_store::listen::sighting as sightings;
use kepu_store::subject::{self, Filter, Order, Row, Standing};
use std::collections::HashMap;

/// One version as the dump names it.
#[derive(Clone, Debug)]
pub struct Version {
    /// When it was signed.
    pub at: Timestamp,
    /// What was found.
    pub verdict: Verdict,
    /// Its record.
    pub doc: DocHash,
}

/// One claim of the dump.
#[derive(Clone, Debug)]
pub struct Dumped {
    /// Its public row.
    pub row: Row,
    /// What is public of it.
    pub claim: ClaimReview,
    /// Its versions, oldest first.
    pub versions: Vec<Version>,
    /// How often it was met, with those merged into it; nothing below the minimum.
    pub heard: Heard,
    /// The institution that signed it.
    pub holder: String,
}

/// Where a page of the dump ends.
pub type Cursor = (i64, String);

/// The next page of public claims, the newest first; merged ones are told by those that answer for them.
pub async fn page(app: &App, after: Option<Cursor>, limit: u32) -> Result<(Vec<Dumped>, Option<Cursor>), AppError> {
    known::refresh(app).await?;
    hear::settle(app).await?;
    let mut tx = app.db.read().await?;
    let trust = app.trust(&mut tx).await?;
    let filter = Filter { kind: Some("claim".into()), standing: Some(Standing::Public), ..Filter::default() };
    let rows = subject::list(&mut tx, &filter, Order::Newest, after, limit).await?;
    let next = rows.last().filter(|_| rows.len() == limit as usize).map(|row| (row.modified, row.id.0.clone()));
    let ids: Vec<SubjectId> = rows.iter().map(|row| row.id.clone()).collect();
    let mut versions: HashMap<SubjectId, Vec<(Version, ClaimReview)>> = HashMap::new();
    for record in kepu_store::record::list_by_subjects(&mut tx, &ids).await?.into_iter().filter(|row| row.refusal.is_empty()).filter_map(read_row) {
        if let Ok(Body::Claim(claim)) = record.body {
            let version = Version { at: record.envelope.modified, verdict: claim.verdict, doc: record.hash };
            versions.entry(record.envelope.subject).or_default().push((version, *claim));
        }
    }
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        let mut versions = versions.remove(&row.id).unwrap_or_default();
        versions.sort_by_key(|(version, _)| (version.at, version.doc));
        let Some(claim) = versions.iter().find(|(version, _)| Some(version.doc) == row.doc_hash).map(|(_, claim)| claim.clone()) else { continue };
        let heard = Heard::of(sightings::by_hour(&mut tx, &app.claims.family(&row.id)).await?);
        let holder = trust.grant(&row.signer).map(|grant| grant.holder.clone()).unwrap_or_default();
        list.push(Dumped { row, claim, versions: versions.into_iter().map(|(version, _)| version).collect(), heard, holder });
    }
    Ok((list, next))
}
