//! What arrives, from a connection or a bundle, goes in here: checked, applied and noted in one transaction a frame.

use crate::App;
use crate::error::AppError;
use crate::record::{self, Report};
use kepu_domain::ids::KeyId;
use kepu_store::peer as peers;
use kepu_sync::frame::Records;

/// Where a frame comes from.
pub(crate) struct From<'a> {
    /// The peer, as rows name it.
    pub(crate) source: &'a str,
    /// Whether it is a parent, whose word counts for what lies outside this node's scope. Of a node that takes everything nothing can.
    pub(crate) knows_scope: bool,
    /// The cursor to store with what arrived.
    pub(crate) cursor: Option<(&'a KeyId, String)>,
}

/// Applies one frame: a cut loses at most the frame under way.
pub(crate) async fn take(app: &App, frame: Records, from: From<'_>) -> Result<Report, AppError> {
    let Records { items, skips, .. } = frame;
    let (genuine, rejected) = tokio::task::spawn_blocking(move || record::check(items)).await.map_err(|e| AppError::Record(e.to_string()))?;
    let mut tx = app.db.write().await?;
    let mut report = record::apply(app, &mut tx, genuine, from.source).await?;
    if from.knows_scope && !skips.is_empty() {
        record::note_skips(&mut tx, skips).await?;
    }
    if let Some((peer, cursor)) = from.cursor {
        peers::set_cursor(&mut tx, peer, &cursor).await?;
    }
    tx.commit().await?;
    app.notify();
    if report.erased > 0 {
        app.db.forget_deleted().await?;
    }
    report.rejected.extend(rejected);
    Ok(report)
}
