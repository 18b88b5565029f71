//! Intake: what is heard without a visitor at a page comes into one bounded queue, masked, and waits there for a short while. A job reads the lists that
//! are due, asks of everything that waits whether a claim answers it, and hands the rest to `topic`.
//!
//! | question | where |
//! |---|---|
//! | who sets an inlet up, and what may be fetched? | `inlet` |
//! | what is in a list that is due? | `list` |
//! | what does a house say that calls us? | `tipline` |
//! | what is in a file that somebody brought? | `file` |
//! | what does a picture or a link say that somebody shows? | `shown` |
//! | what is in a stream of another queue? | `stream` |
//! | how does intake stand? | `overview` |

pub mod file;
pub mod inlet;
pub mod list;
pub mod overview;
pub mod shown;
pub mod stream;
pub mod tipline;

use crate::error::AppError;
use crate::job;
use crate::listen::topic;
use crate::{App, listen};
use jiff::{SignedDuration, Timestamp};
use kepu_domain::ids::{InletId, JobId};
use kepu_domain::listen::question::mask_personal;
use kepu_domain::listen::sighting::{Channel, hour_of};
use kepu_domain::listen::signal::{Counts, Signal, State, TEXT_MAX, WEIGHT_MAX};
use kepu_domain::org::Region;
use kepu_domain::retention::SIGNAL_HOURS;
use kepu_store::listen::{inlet as inlets, signal as store};
use kepu_store::{Tx, job as jobs, meta};
use std::time::Duration;

/// The one job of listening; it is woken, never queued twice.
pub(crate) const JOB: &str = "listen";
/// Where matching has arrived.
pub(crate) const UPTO: &str = "listen.upto";
/// How often topics are looked at although nothing new was heard.
const LOOK: SignedDuration = SignedDuration::from_mins(10);
/// When topics were last looked at.
const LOOKED: &str = "listen.looked";
/// Signals that topics look back on, at most: so many full queues.
const REMEMBERED: i64 = 10;
/// How long somebody who found the queue full should wait.
pub const FULL_SECONDS: i64 = 30;

/// One thing said, on its way into the queue.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// What was said, as it came.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// County at most.
    pub region: Region,
    /// How much it counts.
    pub weight: f64,
    /// Whether somebody has asked already if a claim answers it.
    pub state: State,
}

/// How many signals can be taken in now.
pub(crate) async fn room(app: &App, tx: &mut Tx) -> Result<i64, AppError> {
    let upto = number(tx, UPTO).await?;
    Ok((app.definitions().listen.queue_max - store::count_after(tx, upto).await?).max(0))
}

/// Puts signals into the queue, cleaned and masked, as far as there is room; returns how many found none. What says nothing is left out.
///
/// Writes: signal, inlet_hour, job.
pub(crate) async fn put(app: &App, tx: &mut Tx, inlet: &InletId, channel: Channel, fresh: Vec<Fresh>) -> Result<usize, AppError> {
    let now = app.now();
    let mut signals: Vec<Signal> = fresh.into_iter().filter_map(|one| signal(inlet, channel, one, now)).collect();
    let room = usize::try_from(room(app, tx).await?).unwrap_or_default();
    let over = signals.len().saturating_sub(room);
    signals.truncate(room);
    let counts = Counts { taken: count(signals.len()), refused: count(over), ..Counts::default() };
    inlets::add_counts(tx, inlet.as_str(), hour_of(now), counts).await?;
    if !signals.is_empty() {
        store::insert_many(tx, &mut signals).await?;
        wake(app, tx).await?;
    }
    Ok(over)
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn signal(inlet: &InletId, channel: Channel, fresh: Fresh, now: Timestamp) -> Option<Signal> {
    let text = clean(&fresh.text);
    let weight = if fresh.weight.is_finite() { fresh.weight.clamp(0.01, WEIGHT_MAX) } else { 1.0 };
    (!text.is_empty()).then(|| Signal {
        seq: 0,
        // Nobody speaks tomorrow: a clock that is ahead must not move all the others.
        at: fresh.at.min(now),
        got_at: now,
        inlet: inlet.clone(),
        channel,
        region: fresh.region,
        text,
        weight,
        state: fresh.state,
        topic: None,
    })
}

/// A text as it is kept: cleaned, cut, masked. The cut comes before the mask, so that no half of a number is left over.
pub(crate) fn clean(text: &str) -> String {
    // Bytes first: one user character can be a hundred kilobytes of accents.
    let bounded = &text[..text.floor_char_boundary(TEXT_MAX * 16)];
    mask_personal(kepu_text::truncate(&kepu_text::clean_text(bounded), TEXT_MAX)).0
}

/// Makes the job of listening due, within the transaction of whatever there is to listen to.
pub(crate) async fn wake(app: &App, tx: &mut Tx) -> Result<(), AppError> {
    let id = JobId(JOB.into());
    if !jobs::wake(tx, &id, app.now()).await? {
        jobs::enqueue(tx, &job::new_job(app, id, job::Kind::Listen, &serde_json::json!({}))).await?;
    }
    Ok(())
}

/// Wakes the job if anything waits that it was not woken for: a list that has become due, what came in while it was just ending, the hour that passes.
/// Workers call it while they have nothing else to do.
pub(crate) async fn tick(app: &App) -> Result<(), AppError> {
    let mut tx = app.db.read().await?;
    let now = app.now();
    let upto = number(&mut tx, UPTO).await?;
    let waits = store::find_last(&mut tx).await? > upto || inlets::count_due(&mut tx, now).await? > 0;
    let looked = number(&mut tx, LOOKED).await?;
    if !waits && now.as_millisecond() - looked < i64::try_from(LOOK.as_millis()).unwrap_or(i64::MAX) {
        return Ok(());
    }
    drop(tx);
    let mut tx = app.db.write().await?;
    wake(app, &mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// A number kept under a name of the node; 0 if there is none.
pub(crate) async fn number(tx: &mut Tx, name: &str) -> Result<i64, AppError> {
    Ok(meta::find(tx, name).await?.and_then(|text| text.parse().ok()).unwrap_or_default())
}

/// What the job of listening did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listened {
    /// Lists that were read.
    pub lists: usize,
    /// Signals that were matched.
    pub matched: usize,
}

/// Reads what is due, matches what waits, looks how topics stand, and forgets words that were kept long enough.
///
/// Writes: inlet, inlet_seen, inlet_hour, signal, topic, topic_hour, case, log.
pub async fn run(app: &App) -> Result<Listened, AppError> {
    let lists = list::read_due(app).await?;
    let matched = topic::stream::drain(app).await?;
    topic::stream::look(app).await?;
    let mut tx = app.db.write().await?;
    let before = app.now().checked_sub(SignedDuration::from_hours(SIGNAL_HOURS)).unwrap_or(Timestamp::MIN);
    store::purge(&mut tx, before).await?;
    let oldest = number(&mut tx, UPTO).await? - REMEMBERED * app.definitions().listen.queue_max;
    store::purge_below(&mut tx, oldest).await?;
    meta::set(&mut tx, LOOKED, &app.now().as_millisecond().to_string()).await?;
    tx.commit().await?;
    listen::hear::settle(app).await?;
    Ok(Listened { lists, matched })
}

/// Waits until there is room in the queue, matching what is in it meanwhile; for whoever brings much and can wait.
pub(crate) async fn make_room(app: &App, wanted: i64) -> Result<(), AppError> {
    loop {
        let mut tx = app.db.read().await?;
        if room(app, &mut tx).await? >= wanted {
            return Ok(());
        }
        drop(tx);
        // Nothing was done if another process is at it.
        if topic::stream::drain(app).await? == 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}
