//! Official warnings: taken in from known sources, passed on as records, shown with guidance while they hold.
//!
//! | question | where |
//! |---|---|
//! | what becomes of a message that comes, and who decides about one of an unknown issuer? | `take` |
//! | how does a message come: pushed, fetched, as a file? | `source` |
//! | which cards stand beside a warning, and why? | `guidance` |
//! | what is done when a warning begins and ends, without anybody asking? | `follow` |
//! | how long did it take? | `figures` |
//!
//! What is in force is asked here. It is compared with the clock each time it is asked.

pub mod figures;
pub mod follow;
pub mod guidance;
pub mod source;
pub mod take;
#[cfg(test)]
mod tests;

use crate::App;
use crate::error::AppError;
use jiff::{SignedDuration, Timestamp};
use kepu_domain::deliver::warning::{CLEAR_HOURS, Name, Stands, Warning, stands};
use kepu_domain::ids::SubjectId;
use kepu_domain::org::Region;
use kepu_store::deliver::warning as store;
use kepu_store::{Tx, counter};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

/// Warnings kept in memory at most; the newest of them.
const OPEN_MAX: u32 = 5_000;

/// A warning that may hold.
#[derive(Clone, Debug)]
pub struct Open {
    /// Its subject.
    pub subject: SubjectId,
    /// What it says.
    pub warning: Warning,
    /// The institution that passes it on.
    pub by: String,
}

/// A warning as it stands at the moment of asking.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The warning.
    pub open: Arc<Open>,
    /// How it stands; never `Over`.
    pub stands: Stands,
}

/// All warnings that are open.
type Opened = Arc<Vec<Arc<Open>>>;

/// What [`App`] keeps of warnings.
#[derive(Debug, Default)]
pub struct Kept {
    open: Mutex<Option<(i64, Opened)>>,
    /// Messages whose end this process has seen: the clock may be set back before it is written down.
    over: Mutex<HashSet<Name>>,
    pub(crate) cards: guidance::Kept,
    pub(crate) followed: Mutex<Option<follow::Reached>>,
}

fn locked<T>(slot: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    match slot.lock() {
        Ok(slot) => slot,
        Err(poisoned) => poisoned.into_inner(),
    }
}

/// All warnings that may hold. Read again when the table changed.
pub(crate) async fn open(app: &App, tx: &mut Tx) -> Result<Arc<Vec<Arc<Open>>>, AppError> {
    let version = counter::last(tx, counter::WARNING).await?;
    if let Some((at, list)) = &*locked(&app.warnings.open)
        && *at == version
    {
        return Ok(list.clone());
    }
    let now = app.now();
    let since = now.checked_sub(SignedDuration::from_hours(CLEAR_HOURS)).unwrap_or(Timestamp::MIN);
    let trust = app.trust(tx).await?;
    let mut by_name: BTreeMap<Name, Open> = BTreeMap::new();
    for row in store::list_open(tx, now, since, OPEN_MAX).await? {
        let by = trust.grant(&row.signer).map(|grant| grant.holder.clone()).unwrap_or_default();
        let one = Open { subject: row.subject, warning: row.warning, by };
        // Several nodes may pass on one message. Each for its own place, so their places add up; of two texts the later counts, else that of the smaller id.
        match by_name.get_mut(&one.warning.name) {
            None => drop(by_name.insert(one.warning.name.clone(), one)),
            Some(held) => {
                let later = (one.warning.sent, &held.subject) > (held.warning.sent, &one.subject);
                let (mut best, other) = if later { (one, held.clone()) } else { (held.clone(), one) };
                best.warning.places.extend(other.warning.places);
                best.warning.places.sort();
                best.warning.places.dedup();
                *held = best;
            }
        }
    }
    let list: Arc<Vec<Arc<Open>>> = Arc::new(by_name.into_values().map(Arc::new).collect());
    *locked(&app.warnings.open) = Some((version, list.clone()));
    Ok(list)
}

/// How a warning stands now, and remembers its end.
fn standing(app: &App, warning: &Warning) -> Stands {
    let mut over = locked(&app.warnings.over);
    let found = stands(warning, false, over.contains(&warning.name), app.now());
    if found == Stands::Over {
        over.insert(warning.name.clone());
    }
    found
}

/// What stands for a place: in force, the worst first; what comes; what was ended a short while ago. `region`: everything that touches it.
pub async fn here(app: &App, region: Region) -> Result<Vec<Shown>, AppError> {
    let mut tx = app.db.read().await?;
    here_in(app, &mut tx, region).await
}

/// [`here`] within a transaction.
pub async fn here_in(app: &App, tx: &mut Tx, region: Region) -> Result<Vec<Shown>, AppError> {
    let list = open(app, tx).await?;
    let touching = list.iter().filter(|one| one.warning.touches(region));
    let mut shown: Vec<Shown> =
        touching.map(|one| Shown { open: one.clone(), stands: standing(app, &one.warning) }).filter(|one| one.stands != Stands::Over).collect();
    shown.sort_by(|a, b| {
        let key = |one: &Shown| (one.stands, one.open.warning.level, std::cmp::Reverse(one.open.warning.sent));
        (key(a), &a.open.warning.name).cmp(&(key(b), &b.open.warning.name))
    });
    Ok(shown)
}

/// One warning by its subject, however it stands, with whether it holds. Not found if no record that counts passes it on.
pub async fn find(app: &App, id: &SubjectId) -> Result<(Arc<Open>, Stands), AppError> {
    let mut tx = app.db.read().await?;
    standing_of(app, &mut tx, id).await?.ok_or_else(|| AppError::NotFound { what: "warning", id: id.0.clone() })
}

/// [`find`] within a transaction.
pub(crate) async fn standing_of(app: &App, tx: &mut Tx, id: &SubjectId) -> Result<Option<(Arc<Open>, Stands)>, AppError> {
    let Some(row) = store::find_many(tx, std::slice::from_ref(id)).await?.pop() else { return Ok(None) };
    let seen = store::is_over(tx, &row.warning.name).await?;
    let by = app.trust(tx).await?.grant(&row.signer).map(|grant| grant.holder.clone()).unwrap_or_default();
    let stands = if row.ended || seen { Stands::Over } else { standing(app, &row.warning) };
    Ok(Some((Arc::new(Open { subject: row.subject, warning: row.warning, by }), stands)))
}

/// When what is shown for a place changes next by itself: the next beginning or end.
pub fn next_change(shown: &[Shown], now: Timestamp) -> Option<Timestamp> {
    let moments = shown.iter().flat_map(|one| [one.open.warning.effective, one.open.warning.expires]);
    moments.filter(|at| *at > now).min()
}
