//! Slow or outside work. A deed queues a job in its own transaction; a worker claims it under a lease, does it, and notes how
//! it ended. Doing one twice must not harm. The table is in `kepu-store::job`.
//!
//! A new kind of job is a variant of [`Kind`], its word, and its line in [`perform`].

pub mod expire;

use crate::account::log;
use crate::create::{import, lane, recheck, review, round};
use crate::deliver::{push, warning};
use crate::error::AppError;
use crate::listen::intake;
use crate::{App, index, keys, sync};
use jiff::{SignedDuration, Timestamp};
use kepu_domain::access::{Action, Actor};
use kepu_domain::ids::{ImportId, JobId};
use kepu_store::job::{self as store, Job, NewJob, State};
use kepu_store::{StoreError, Tx};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What jobs do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Takes a file in.
    Import,
    /// Removes what has been kept long enough. Queued every day.
    Expire,
    /// Makes the full-text index anew.
    Reindex,
    /// Exchanges with all parents.
    Exchange,
    /// Looks through honours: announces ends, takes out what has ended. Queued every day.
    Rounds,
    /// Gives the review queue away, looks whether what was said is still right. Queued every day.
    Reviews,
    /// Calls the points that a warning is pushed to.
    Push,
    /// Reads lists, matches what was heard, looks at topics. Woken whenever there is something.
    Listen,
}

/// Every kind.
pub const KINDS: [Kind; 8] = [Kind::Import, Kind::Expire, Kind::Reindex, Kind::Exchange, Kind::Rounds, Kind::Reviews, Kind::Push, Kind::Listen];

impl Kind {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Import => "import",
            Kind::Expire => "expire",
            Kind::Reindex => "reindex",
            Kind::Exchange => "exchange",
            Kind::Rounds => "rounds",
            Kind::Reviews => "reviews",
            Kind::Push => "push",
            Kind::Listen => "listen",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Attempts before a job is given up: with the pauses between them about an hour.
const ATTEMPTS: i64 = 7;
/// How long a worker may be silent before another one takes its job.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How often a worker looks whether its job was called off.
const LOOK: Duration = Duration::from_millis(500);
/// How often a worker that has nothing to do looks for work of other processes.
const IDLE: Duration = Duration::from_secs(1);

/// Queues a job within `tx`.
pub(crate) async fn queue(app: &App, tx: &mut Tx, kind: Kind, payload: &Value) -> Result<JobId, AppError> {
    let id = JobId(format!("{:012x}{}", app.now().as_millisecond(), keys::random_word(6)));
    store::enqueue(tx, &new_job(app, id.clone(), kind, payload)).await?;
    Ok(id)
}

pub(crate) fn new_job(app: &App, id: JobId, kind: Kind, payload: &Value) -> NewJob {
    let now = app.now();
    NewJob { id, kind: kind.as_str().into(), payload: payload.to_string(), run_at: now, max_attempts: ATTEMPTS, created_at: now }
}

/// Queues a job that stands for itself, unless one of its kind waits already.
///
/// May: system administrators. Writes: job, log.
pub async fn ask_for(app: &App, who: &Actor, kind: Kind) -> Result<(), AppError> {
    who.may(Action::ManageJobs, None)?;
    let mut tx = app.db.write().await?;
    if matches!(kind, Kind::Import | Kind::Listen | Kind::Push) || store::count_waiting(&mut tx, kind.as_str()).await? > 0 {
        return Err(AppError::Stale { what: "job", id: kind.as_str().into() });
    }
    let id = queue(app, &mut tx, kind, &json!({})).await?;
    log(app, &mut tx, &who.log_name(), "job.queued", &format!("{} {id}", kind.as_str()), "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// Jobs as the page shows them: newest first, with how many stand where.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// How many stand where.
    pub counts: Vec<(State, i64)>,
}

/// Jobs in `state` that were queued before `before`. May: system administrators.
pub async fn list(app: &App, who: &Actor, state: Option<State>, before: Option<(Timestamp, JobId)>, limit: u32) -> Result<Overview, AppError> {
    who.may(Action::ManageJobs, None)?;
    let mut tx = app.db.read().await?;
    let jobs = store::list(&mut tx, state, before.as_ref().map(|(at, id)| (*at, id)), limit).await?;
    Ok(Overview { jobs, counts: store::counts_by_state(&mut tx).await? })
}

/// Makes a queued, failed or cancelled job due at once. May: system administrators. Writes: job, log.
pub async fn retry(app: &App, who: &Actor, id: &JobId) -> Result<(), AppError> {
    who.may(Action::ManageJobs, None)?;
    let mut tx = app.db.write().await?;
    store::retry_now(&mut tx, id, app.now()).await?;
    log(app, &mut tx, &who.log_name(), "job.retried", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// Calls a job off; what it has done stays. May: system administrators. Writes: job, log.
pub async fn cancel(app: &App, who: &Actor, id: &JobId) -> Result<(), AppError> {
    who.may(Action::ManageJobs, None)?;
    let mut tx = app.db.write().await?;
    store::cancel(&mut tx, id, app.now()).await?;
    log(app, &mut tx, &who.log_name(), "job.cancelled", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// The kinds that this process can do: the index is open in one process only.
fn kinds(app: &App) -> Vec<&'static str> {
    KINDS.into_iter().filter(|kind| *kind != Kind::Reindex || app.index.is_some()).map(Kind::as_str).collect()
}

/// Works until `stop` becomes true: claims jobs, does one at a time, queues the daily ones. Start it several times for
/// several jobs at once. A job under way when `stop` comes is given back at once; nothing of it is half done.
pub async fn work(app: App, mut stop: watch::Receiver<bool>) {
    let mut changed = app.watch();
    let mut scheduled = None;
    while !*stop.borrow() {
        let today = app.today();
        if scheduled != Some(today) {
            match schedule(&app).await {
                Ok(()) => scheduled = Some(today),
                Err(error) => tracing::error!(error = chain(&error), "the daily jobs could not be queued"),
            }
        }
        match claim(&app).await {
            Ok(Some(job)) => attend(&app, job, &mut stop).await,
            Ok(None) => {
                if let Err(error) = warning::follow::follow(&app).await {
                    tracing::warn!(error = chain(&error), "warnings could not be followed");
                }
                if let Err(error) = intake::tick(&app).await {
                    tracing::warn!(error = chain(&error), "it could not be looked whether there is something to listen to");
                }
                tokio::select! {
                    _ = stop.wait_for(|stop| *stop) => {}
                    _ = tokio::time::timeout(IDLE, changed.changed()) => {}
                }
            }
            Err(error) => {
                tracing::error!(error = chain(&error), "no job could be claimed");
                tokio::time::sleep(IDLE).await;
            }
        }
    }
}

/// Queues what is done once a day; whoever comes first that day does it.
async fn schedule(app: &App) -> Result<(), AppError> {
    for kind in [Kind::Expire, Kind::Rounds, Kind::Reviews] {
        let id = JobId(format!("{}-{}", kind.as_str(), app.today()));
        let mut tx = app.db.read().await?;
        if store::find(&mut tx, &id).await?.is_some() {
            continue;
        }
        drop(tx);
        let mut tx = app.db.write().await?;
        store::enqueue(&mut tx, &new_job(app, id, kind, &json!({}))).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn claim(app: &App) -> Result<Option<Job>, AppError> {
    let (now, kinds) = (app.now(), kinds(app));
    let mut tx = app.db.read().await?;
    if !store::is_due(&mut tx, now, &kinds).await? {
        return Ok(None);
    }
    drop(tx);
    let mut tx = app.db.write().await?;
    let job = store::claim(&mut tx, now, i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX), &kinds).await?;
    tx.commit().await?;
    Ok(job)
}

/// Does the next due job, if there is one, to its end. For tests and for commands that wait.
pub async fn run_one(app: &App) -> Result<bool, AppError> {
    let Some(job) = claim(app).await? else { return Ok(false) };
    let (_never, mut stop) = watch::channel(false);
    attend(app, job, &mut stop).await;
    Ok(true)
}

/// What befell a job while it ran.
enum End {
    Over(Result<(), Failure>),
    CalledOff,
    Lost,
    Stopped,
}

/// Why a job did not succeed.
struct Failure {
    why: String,
    /// Whether another attempt may go better.
    again: bool,
}

/// Does a claimed job under its lease and notes how it ended. A fault in the job ends the job, not the worker.
async fn attend(app: &App, job: Job, stop: &mut watch::Receiver<bool>) {
    tracing::info!(job.id = %job.id, job.kind = %job.kind, job.attempt = job.attempts, "a job begins");
    let mut deed = tokio::spawn({
        let (app, job) = (app.clone(), job.clone());
        async move { perform(&app, &job).await }
    });
    let end = watch_over(app, &job, &mut deed, stop).await;
    if !matches!(end, End::Over(_)) {
        deed.abort();
        // Its transaction must have been rolled back before the job is given to somebody else.
        let _ = (&mut deed).await;
    }
    if let Err(error) = note_end(app, &job, end).await {
        tracing::error!(job.id = %job.id, error = chain(&error), "the end of a job could not be noted; its lease will run out");
    }
}

async fn watch_over(app: &App, job: &Job, deed: &mut JoinHandle<Result<(), Failure>>, stop: &mut watch::Receiver<bool>) -> End {
    let mut extended = app.now();
    loop {
        tokio::select! {
            result = &mut *deed => return End::Over(result.unwrap_or_else(|fault| Err(Failure { why: fault.to_string(), again: true }))),
            _ = stop.wait_for(|stop| *stop) => return End::Stopped,
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = app.now();
        match still_mine(app, job, now.duration_since(extended) > LEASE / 3).await {
            Ok(Some(false)) => {}
            Ok(Some(true)) => return End::CalledOff,
            Ok(None) => return End::Lost,
            // The store may be busy; the lease is long enough to look again.
            Err(error) => tracing::warn!(job.id = %job.id, error = chain(&error), "a lease could not be looked at"),
        }
        if now.duration_since(extended) > LEASE / 3 {
            extended = now;
        }
    }
}

/// Whether the job was called off; `None` if somebody else has it now.
async fn still_mine(app: &App, job: &Job, extend: bool) -> Result<Option<bool>, AppError> {
    let mut tx = app.db.read().await?;
    let found = store::find(&mut tx, &job.id).await?;
    drop(tx);
    let Some(now) = found.filter(|found| found.state == State::Running && found.attempts == job.attempts) else { return Ok(None) };
    if extend {
        let mut tx = app.db.write().await?;
        store::extend(&mut tx, job, crate::account::later(app.now(), LEASE)).await?;
        tx.commit().await?;
    }
    Ok(Some(now.cancelled_at.is_some()))
}

async fn note_end(app: &App, job: &Job, end: End) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let now = app.now();
    let result = match end {
        End::Over(Ok(())) => store::finish(&mut tx, job, now).await,
        End::Over(Err(failure)) => {
            tracing::warn!(job.id = %job.id, job.kind = %job.kind, error = failure.why, "a job failed");
            let last = if failure.again { job.max_attempts } else { job.attempts };
            store::fail(&mut tx, &Job { max_attempts: last, ..job.clone() }, &failure.why, now).await
        }
        End::CalledOff => store::end_cancelled(&mut tx, job, now).await,
        End::Stopped => store::release(&mut tx, job, now).await,
        End::Lost => Ok(()),
    };
    match result {
        // Somebody else has it by now: the end is theirs to note.
        Err(StoreError::Stale { .. } | StoreError::NotFound { .. }) => Ok(()),
        other => {
            other?;
            Ok(tx.commit().await?)
        }
    }
}

/// Says how far a job is. Failing to say so does not fail the job.
async fn say(app: &App, id: &JobId, words: &str) {
    let note = async {
        let mut tx = app.db.write().await?;
        store::set_progress(&mut tx, id, words).await?;
        tx.commit().await
    };
    if let Err(error) = note.await {
        tracing::warn!(job.id = %id, error = chain(&error), "the progress of a job could not be noted");
    }
}

/// Progress that a page can draw: how many of how many.
fn share(done: i64, of: i64) -> String {
    format!("{done}/{of}")
}

/// What each kind of job does.
async fn perform(app: &App, job: &Job) -> Result<(), Failure> {
    let done = match Kind::parse(&job.kind) {
        Some(Kind::Import) => take_file_in(app, job).await,
        Some(Kind::Expire) => expire::run(app).await.map(drop),
        Some(Kind::Reindex) => make_index(app, job).await,
        Some(Kind::Exchange) => exchange(app, job).await,
        Some(Kind::Rounds) => round::after::daily(app).await.map(drop),
        Some(Kind::Reviews) => reviews(app).await,
        Some(Kind::Push) => call_points(app, job).await,
        Some(Kind::Listen) => listen_to(app, job).await,
        None => Err(AppError::NotFound { what: "kind of job", id: job.kind.clone() }),
    };
    done.map_err(|error| Failure { again: may_go_better(&error), why: chain(&error) })
}

/// Whether another attempt may go better: not if the input or a right is at fault.
fn may_go_better(error: &AppError) -> bool {
    !matches!(error, AppError::Denied(_) | AppError::Invalid(_) | AppError::NotFound { .. } | AppError::Record(_) | AppError::TooLarge { .. })
}

async fn reviews(app: &App) -> Result<(), AppError> {
    lane::mend(app).await?;
    recheck::nightly(app).await?;
    review::queue::nightly(app).await.map(drop)
}

async fn call_points(app: &App, job: &Job) -> Result<(), AppError> {
    let payload: Value = serde_json::from_str(&job.payload).map_err(|e| AppError::Record(e.to_string()))?;
    let done = push::call(app, payload["push"].as_i64().unwrap_or_default()).await?;
    say(app, &job.id, &format!("+{done}")).await;
    Ok(())
}

async fn listen_to(app: &App, job: &Job) -> Result<(), AppError> {
    let done = intake::run(app).await?;
    say(app, &job.id, &format!("+{}", done.matched)).await;
    Ok(())
}

async fn take_file_in(app: &App, job: &Job) -> Result<(), AppError> {
    let payload: Value = serde_json::from_str(&job.payload).map_err(|e| AppError::Record(e.to_string()))?;
    let id = ImportId(payload["import"].as_str().unwrap_or_default().to_owned());
    let (words, heard) = watch::channel(String::new());
    let report = |counts: &kepu_domain::create::import::Counts| drop(words.send(share(counts.done, counts.rows)));
    alongside(app, job, heard, import::run(app, &id, &report)).await.map(drop)
}

async fn make_index(app: &App, job: &Job) -> Result<(), AppError> {
    let mut tx = app.db.read().await?;
    let all = kepu_store::subject::count(&mut tx, &kepu_store::subject::Filter::default()).await?;
    drop(tx);
    let (words, heard) = watch::channel(String::new());
    let mut report = |done: usize| drop(words.send(share(i64::try_from(done).unwrap_or(i64::MAX), all)));
    alongside(app, job, heard, index::start_over(app, &mut report)).await.map(drop)
}

async fn exchange(app: &App, job: &Job) -> Result<(), AppError> {
    let list = sync::run(app, 0).await?;
    let sum = |part: fn(&sync::Exchanged) -> usize| list.iter().map(part).sum::<usize>();
    say(app, &job.id, &format!("+{} −{}", sum(|e| e.pulled), sum(|e| e.pushed))).await;
    match list.into_iter().find_map(|done| Some((done.parent, done.error?))) {
        Some((peer, cause)) => Err(AppError::Peer { peer, cause }),
        None => Ok(()),
    }
}

/// Runs `deed` and writes down the latest words heard from it, about twice a second.
///
/// Both are driven side by side: the note waits for the store's one writer, which the deed may hold, so the deed must go on
/// meanwhile.
async fn alongside<T>(app: &App, job: &Job, mut heard: watch::Receiver<String>, deed: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    let mut last = heard.clone();
    let notes = async {
        while heard.changed().await.is_ok() {
            let words = heard.borrow_and_update().clone();
            say(app, &job.id, &words).await;
            tokio::time::sleep(LOOK).await;
        }
        // The deed has let go of its end and is about to return.
        std::future::pending::<Infallible>().await
    };
    let result = tokio::select! {
        result = deed => result,
        never = notes => match never {},
    };
    let words = last.borrow_and_update().clone();
    if !words.is_empty() {
        say(app, &job.id, &words).await;
    }
    result
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(cause) = at {
        text = format!("{text}: {cause}");
        at = cause.source();
    }
    text
}
