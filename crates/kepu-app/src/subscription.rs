//! What a node takes from the nodes above it: place, fields and languages. Limits for files are in `media`.

use crate::account::log;
use crate::error::AppError;
use crate::{App, record, sync};
use kepu_domain::access::{Action, Actor};
use kepu_domain::deliver::scope::Scope;
use kepu_store::peer::{self as peers, Direction};

/// Sets the scope towards every parent. What lay outside the old one is missing until the next exchange, which brings it or
/// says that it lies outside the new one as well.
///
/// May: system administrators. Writes: peer, heads, log.
pub async fn subscribe(app: &App, who: &Actor, scope: &Scope) -> Result<(), AppError> {
    who.may(Action::ManageNodes, None)?;
    let mut tx = app.db.write().await?;
    let text = sync::scope_text(scope);
    for parent in peers::list(&mut tx, Some(Direction::Parent), 100).await? {
        peers::set_scope(&mut tx, &parent.id, &text).await?;
    }
    record::reopen_skips(&mut tx).await?;
    sync::offer_vector_next(&mut tx).await?;
    log(app, &mut tx, &who.log_name(), "node.subscribed", &text, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// The scope towards the first parent; everything, for a node without one.
pub async fn current(app: &App) -> Result<Scope, AppError> {
    let mut tx = app.db.read().await?;
    let parents = peers::list(&mut tx, Some(Direction::Parent), 1).await?;
    Ok(parents.first().map_or_else(Scope::all, |parent| sync::read_scope(&parent.scope)))
}
