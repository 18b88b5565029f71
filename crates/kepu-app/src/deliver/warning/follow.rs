//! What is done about warnings without anybody asking: their ends are noted, so that no clock brings them back, they are put into the queue for points, and it
//! is noted when guidance stood beside each. Cheap to call often: it looks again only when a warning changed or a moment has come.

use super::guidance::{self, For};
use super::{Open, locked, open, standing, take};
use crate::App;
use crate::deliver::push;
use crate::error::AppError;
use jiff::Timestamp;
use kepu_domain::deliver::warning::{Kind, Stands};
use kepu_store::deliver::point as points;
use kepu_store::deliver::warning::{self as store, Guided};
use kepu_store::{Tx, counter};
use std::sync::Arc;

/// Ends noted in one go.
const ENDS: u32 = 1_000;

/// Up to where warnings were followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The number of the last change.
    pub version: i64,
    /// That of the library: a new card is new advice.
    pub library: i64,
    /// The next moment at which a warning ends by itself.
    pub next: Option<Timestamp>,
}

/// Follows the warnings held. Called when something was taken in, and by workers while they have nothing else to do.
///
/// Writes: warning_over, warning_guided, warning_push, delivery, job.
pub async fn follow(app: &App) -> Result<(), AppError> {
    let mut tx = app.db.read().await?;
    let (version, library) = (take::version(&mut tx).await?, counter::last(&mut tx, counter::SUBJECT).await?);
    let before = *locked(&app.warnings.followed);
    let now = app.now();
    if before.is_some_and(|reached| (reached.version, reached.library) == (version, library) && reached.next.is_none_or(|at| now < at)) {
        return Ok(());
    }
    let ending = store::list_ending(&mut tx, now, ENDS).await?;
    let fresh = fresh(app, &mut tx, now).await?;
    let list = open(app, &mut tx).await?;
    let next = list.iter().map(|one| one.warning.expires).filter(|at| *at > now).min();
    drop(tx);
    let unsent = unsent(app, &list, version, before).await?;
    if !ending.is_empty() || !fresh.is_empty() || !unsent.is_empty() {
        let mut tx = app.db.write().await?;
        store::put_over(&mut tx, &ending, now).await?;
        for one in &fresh {
            store::insert_guided(&mut tx, one).await?;
        }
        for name in &ending {
            if let Some(old) = points::find_push(&mut tx, name).await?.filter(|old| old.open) {
                points::overtake(&mut tx, old.n, "over").await?;
            }
        }
        for one in &unsent {
            push::queue(app, &mut tx, one).await?;
        }
        tx.commit().await?;
    }
    // A full batch of ends: there may be more.
    let next = if ending.len() as u32 == ENDS { Some(now) } else { next };
    *locked(&app.warnings.followed) = Some(Reached { version, library, next });
    Ok(())
}

/// Warnings that are not in the queue yet, the oldest first, so that a change follows what it changes.
async fn unsent(app: &App, list: &[Arc<Open>], version: i64, before: Option<Reached>) -> Result<Vec<Arc<Open>>, AppError> {
    if before.is_some_and(|reached| reached.version == version) {
        return Ok(vec![]);
    }
    let mut tx = app.db.read().await?;
    let mut out = Vec::new();
    for one in list {
        if standing(app, &one.warning) != Stands::Over && points::find_push(&mut tx, &one.warning.name).await?.is_none() {
            out.push(one.clone());
        }
    }
    out.sort_by_key(|one| one.warning.sent);
    Ok(out)
}

/// Warnings in force beside which guidance stands now for the first time, and those for which there is none: so that it is seen.
async fn fresh(app: &App, tx: &mut Tx, now: Timestamp) -> Result<Vec<Guided>, AppError> {
    let cards = guidance::cards(app, tx).await?;
    let mut list = Vec::new();
    for one in open(app, tx).await?.iter() {
        let warning = &one.warning;
        if warning.kind == Kind::Cancel || standing(app, warning) == Stands::Over || store::has_guided(tx, &warning.name).await? {
            continue;
        }
        let advice = guidance::advise(app, &cards, warning, warning.region(), &For::default());
        let got_at = store::find_got(tx, &warning.name).await?.unwrap_or(now).min(now);
        list.push(Guided {
            name: warning.name.clone(),
            hazard: warning.hazard.clone(),
            level: warning.level,
            sent: warning.sent,
            got_at,
            guided_at: now,
            cards: i64::try_from(advice.len()).unwrap_or(i64::MAX),
        });
    }
    Ok(list)
}
