//! Numbers that are missing here, and whom to ask for them. Not every hour: what nobody has stays missing, and is shown.

use crate::error::AppError;
use crate::{App, record};
use jiff::{SignedDuration, Timestamp};
use kepu_domain::ids::KeyId;
use kepu_domain::record::Stream;
use kepu_store::{Tx, meta};
use kepu_sync::session::{WANTS_MAX, Want};
use sha2::{Digest, Sha256};

/// The same numbers are asked of the same node once a day.
const AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// What to ask a parent for: everything that is missing.
pub(super) async fn of_parent(app: &App, parent: &KeyId) -> Result<Vec<Want>, AppError> {
    let mut tx = app.db.read().await?;
    let missing = missing(&mut tx, |_| true).await?;
    drop(tx);
    unless_asked(app, parent, missing).await
}

/// What to ask a child for: what it said itself, what nodes below it said, and what of this node's own came back.
pub(super) async fn of_child(app: &App, child: &KeyId) -> Result<Vec<Want>, AppError> {
    let mut tx = app.db.read().await?;
    let trust = app.trust(&mut tx).await?;
    let mut missing = missing(&mut tx, |key| key == child || trust.is_above(child, key)).await?;
    if let Some(relearn) = crate::relearn::find(&mut tx).await?
        && let Some(seen) = relearn.said.get(child)
    {
        let own = super::frames::vector_of(&mut tx, app.key.id()).await?;
        for (stream, seen) in [Stream::Trust, Stream::Alert, Stream::Lib].into_iter().zip(seen) {
            let unknown = own.unknown(app.key.id(), stream, 1, *seen);
            missing.extend(unknown.into_iter().map(|(from, to)| Want { key: app.key.id().clone(), stream, from, to }));
        }
    }
    drop(tx);
    unless_asked(app, child, missing).await
}

/// Whether it is time to look for missing numbers although nothing new came.
pub(super) async fn is_due(app: &App, peer: &KeyId) -> Result<bool, AppError> {
    let mut tx = app.db.read().await?;
    Ok(asked(&mut tx, peer).await?.is_none_or(|(_, at)| app.now().duration_since(at) >= AGAIN))
}

async fn missing(tx: &mut Tx, of: impl Fn(&KeyId) -> bool) -> Result<Vec<Want>, AppError> {
    let holes = record::has_holes(tx).await?.into_iter().filter(|((key, _), _)| of(key));
    let wants = holes.flat_map(|((key, stream), list)| list.into_iter().map(move |(from, to)| Want { key: key.clone(), stream, from, to }));
    // Withdrawals first: they may be more than fit into one request.
    let mut wants: Vec<Want> = wants.collect();
    wants.sort_by(|a, b| (a.stream, &a.key, a.from).cmp(&(b.stream, &b.key, b.from)));
    wants.truncate(WANTS_MAX);
    Ok(wants)
}

fn name(peer: &KeyId) -> String {
    format!("asked/{}", peer.fingerprint())
}

async fn asked(tx: &mut Tx, peer: &KeyId) -> Result<Option<(String, Timestamp)>, AppError> {
    let text = meta::find(tx, &name(peer)).await?;
    Ok(text.and_then(|text| text.split_once(' ').and_then(|(digest, at)| Some((digest.to_owned(), at.parse().ok()?)))))
}

async fn unless_asked(app: &App, peer: &KeyId, wants: Vec<Want>) -> Result<Vec<Want>, AppError> {
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(format!("{wants:?}"))[..8]);
    let mut tx = app.db.read().await?;
    let last = asked(&mut tx, peer).await?;
    drop(tx);
    if last.is_some_and(|(before, at)| before == digest && app.now().duration_since(at) < AGAIN) {
        return Ok(vec![]);
    }
    let mut tx = app.db.write().await?;
    meta::set(&mut tx, &name(peer), &format!("{digest} {}", app.now())).await?;
    tx.commit().await?;
    Ok(wants)
}
