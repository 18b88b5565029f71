//! A record in one file with all that proves it: `{"records": [the record, certificates up to the root, withdrawals]}`.
//! Read back and judged in `files`, and in any browser by `kepu-web/static/verify.html`.

use crate::record::read_row;
use crate::{App, AppError};
use kepu_domain::ids::KeyId;
use kepu_domain::record::{Body, Stream};
use kepu_domain::trust::TrustDoc;
use kepu_store::Tx;
use kepu_store::record::RegionFilter;
use kepu_sync::record::Record;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Hands on what this node holds about keys and about withdrawals: all that decides whether somebody's file still counts.
pub async fn each_support(tx: &mut Tx, mut each: impl FnMut(Record)) -> Result<(), AppError> {
    const PAGE: u32 = 1_000;
    kepu_store::record::list_trust(tx).await?.into_iter().filter_map(read_row).for_each(&mut each);
    let mut after = 0;
    loop {
        let page = kepu_store::record::list_arrivals(tx, Stream::Alert, after, i64::MAX, &RegionFilter::default(), PAGE, false).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.arrival;
        page.into_iter().filter_map(read_row).for_each(&mut each);
    }
}

/// The file about `record`: itself first, then what this node holds about the keys from its author to the root (certificates,
/// rotations, revocations, forks), then withdrawals and corrections of its subject.
pub async fn of(app: &App, tx: &mut Tx, record: &Record) -> Result<Value, AppError> {
    let trust = app.trust(tx).await?;
    let root = app.root(tx).await?;
    let chain = trust.chain(&record.envelope.place.key);
    // A key that took over from another stands on the certificate of the first one of its line.
    let lines: BTreeSet<&KeyId> = chain.iter().filter_map(|key| trust.grant(key)).map(|grant| &grant.lineage).collect();
    let keys: BTreeSet<&KeyId> = trust.grants().filter(|(_, grant)| lines.contains(&grant.lineage)).map(|(key, _)| key).chain(&chain).collect();
    let about_them = kepu_store::record::list_trust(tx).await?.into_iter().filter_map(read_row).filter(|other| match &other.body {
        // A key's word about itself counts for the root only: there it gives the name.
        Ok(Body::Trust(TrustDoc::Certificate(certificate))) => {
            let issuer = &other.envelope.place.key;
            keys.contains(&certificate.key) && keys.contains(issuer) && (*issuer != certificate.key || *issuer == root)
        }
        Ok(Body::Trust(TrustDoc::Rotation { replaces, .. })) => keys.contains(replaces),
        Ok(Body::Trust(TrustDoc::Revocation { key, .. })) => keys.contains(key),
        Ok(Body::Fork(proof)) => keys.contains(&proof.place.key),
        _ => false,
    });
    let about_it = kepu_store::record::list_by_subjects(tx, std::slice::from_ref(&record.envelope.subject)).await?;
    let about_it = about_it.into_iter().filter_map(read_row).filter(|other| other.envelope.place.stream == Stream::Alert);
    let rest = about_them.chain(about_it).filter(|other| other.hash != record.hash);
    let records: Vec<Value> = std::iter::once(record.with_proof()).chain(rest.map(|other| other.with_proof())).collect();
    Ok(json!({ "records": records }))
}
