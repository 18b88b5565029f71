//! Slow or outside work: queued in the transaction of the change, done under a lease, at least once.
//! What the kinds of jobs do is in `kepu-app`; doing one twice must not harm.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, args, must, number, one, run, run_versioned};
use jiff::Timestamp;
use kepu_domain::ids::JobId;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Waits for its time.
    Queued,
    /// Somebody works on it until the lease ends.
    Running,
    /// Done.
    Done,
    /// Given up.
    Failed,
    /// Called off by a person. Stored as failed with the time of the call.
    Cancelled,
}

/// Every state.
pub const STATES: [State; 5] = [State::Queued, State::Running, State::Done, State::Failed, State::Cancelled];

impl State {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Running => "running",
            State::Done => "done",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        STATES.into_iter().find(|state| state.as_str() == text)
    }
}

/// A job to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Random id, ordered by time.
    pub id: JobId,
    /// What to do.
    pub kind: String,
    /// With what, JSON.
    pub payload: String,
    /// Not before.
    pub run_at: Timestamp,
    /// Attempts before it is given up, from 1.
    pub max_attempts: i64,
    /// Now.
    pub created_at: Timestamp,
}

/// A job of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Id.
    pub id: JobId,
    /// What to do.
    pub kind: String,
    /// With what, JSON.
    pub payload: String,
    /// Where it stands.
    pub state: State,
    /// Not before.
    pub run_at: Timestamp,
    /// Attempts begun; names the attempt in [`finish`], [`fail`] and [`extend`].
    pub attempts: i64,
    /// Attempts before it is given up.
    pub max_attempts: i64,
    /// While running: until when others leave it alone.
    pub lease_until: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: String,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it was done or given up.
    pub finished_at: Option<Timestamp>,
    /// Words about how far it is.
    pub progress: String,
    /// When somebody called it off; a running job ends when its worker notices.
    pub cancelled_at: Option<Timestamp>,
}

macro_rules! columns {
    () => {
        "id, kind, payload, state, run_at, attempts, max_attempts, lease_until, last_error, created_at, finished_at, progress, cancelled_at"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Job, StoreError> {
    let job = Job {
        id: c.id()?,
        kind: c.text()?,
        payload: c.text()?,
        state: c.word(State::parse)?,
        run_at: c.time()?,
        attempts: c.int()?,
        max_attempts: c.int()?,
        lease_until: c.opt_time()?,
        last_error: c.text()?,
        created_at: c.time()?,
        finished_at: c.opt_time()?,
        progress: c.text()?,
        cancelled_at: c.opt_time()?,
    };
    let state = if job.state == State::Failed && job.cancelled_at.is_some() { State::Cancelled } else { job.state };
    Ok(Job { state, ..job })
}

/// Pause before attempt number `attempts` + 1: 20 s, 40 s, 80 s … at most an hour.
pub fn backoff_ms(attempts: i64) -> i64 {
    (10_000_i64 << attempts.clamp(0, 9)).min(3_600_000)
}

/// Queues a job; `false` if a job with this id is there already, which then stays as it is.
pub async fn enqueue(tx: &mut Tx, job: &NewJob) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO job (id, kind, payload, state, run_at, attempts, max_attempts, lease_until, last_error, created_at, finished_at, progress)
        VALUES ($1, $2, $3, 'queued', $4, 0, $5, NULL, '', $6, NULL, '') ON CONFLICT (id) DO NOTHING";
    let args = args![job.id.as_str(), job.kind.as_str(), job.payload.as_str(), job.run_at, job.max_attempts, job.created_at];
    Ok(run(tx, "queue a job", SQL, args).await? == 1)
}

/// Adds the condition that a job of one of `kinds` is due at `now`.
fn due<'a>(query: &mut Built<'a>, now: Timestamp, kinds: &[&'a str]) {
    query.push("((state = 'queued' AND run_at <= {}) OR (state = 'running' AND lease_until < {})) AND kind IN (", args![now, now]);
    for (at, kind) in kinds.iter().enumerate() {
        query.push(if at == 0 { "{}" } else { ", {}" }, args![*kind]);
    }
    query.push(")", vec![]);
}

/// Whether [`claim`] would find something: cheap to ask often, because it only reads. `kinds` must not be empty.
pub async fn is_due(tx: &mut Tx, now: Timestamp, kinds: &[&str]) -> Result<bool, StoreError> {
    let mut query = Built::new("SELECT COUNT(*) FROM job WHERE ");
    due(&mut query, now, kinds);
    let (sql, args) = query.done();
    Ok(number(tx, "look for a job", sql, args).await? > 0)
}

/// Takes the job of one of `kinds` that is due longest, for `lease_ms`; a job whose lease ran out is due again. What this
/// program cannot do stays for one that can. `kinds` must not be empty.
///
/// Two claimers never get the same job. `None` may also mean that another claimer was quicker: ask again soon.
pub async fn claim(tx: &mut Tx, now: Timestamp, lease_ms: i64, kinds: &[&str]) -> Result<Option<Job>, StoreError> {
    const LOST: &str = "
        UPDATE job SET state = 'failed', lease_until = NULL, finished_at = $1, last_error = 'the lease ran out'
        WHERE state = 'running' AND lease_until < $1 AND (attempts >= max_attempts OR cancelled_at IS NOT NULL)";
    let action = "claim a job";
    run(tx, action, LOST, args![now]).await?;
    let mut query = Built::new("UPDATE job SET state = 'running', attempts = attempts + 1, lease_until = ");
    query.push("{} WHERE id = (SELECT id FROM job WHERE ", args![now.as_millisecond().saturating_add(lease_ms)]);
    due(&mut query, now, kinds);
    // The conditions stand twice because the inner query may have seen the row before another claimer changed it.
    query.push(" ORDER BY run_at, id LIMIT 1) AND ", vec![]);
    due(&mut query, now, kinds);
    query.push(concat!(" RETURNING ", columns!()), vec![]);
    let (sql, args) = query.done();
    one(tx, action, sql, args, read).await
}

const EXISTS: &str = "SELECT COUNT(*) FROM job WHERE id = $1";

/// Ends the claimed `job` well. `Stale` if the lease ran out and somebody else took it.
pub async fn finish(tx: &mut Tx, job: &Job, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE job SET state = 'done', lease_until = NULL, finished_at = $3, last_error = ''
        WHERE id = $1 AND attempts = $2 AND state = 'running'";
    run_versioned(tx, "finish a job", "job", job.id.as_str(), SQL, args![job.id.as_str(), job.attempts, now], EXISTS).await
}

/// Ends this attempt at the claimed `job` badly: queued again after [`backoff_ms`], or given up after `max_attempts`.
pub async fn fail(tx: &mut Tx, job: &Job, error: &str, now: Timestamp) -> Result<(), StoreError> {
    const AGAIN: &str = "
        UPDATE job SET state = 'queued', lease_until = NULL, last_error = $3, run_at = $4
        WHERE id = $1 AND attempts = $2 AND state = 'running'";
    const GIVE_UP: &str = "
        UPDATE job SET state = 'failed', lease_until = NULL, last_error = $3, finished_at = $4
        WHERE id = $1 AND attempts = $2 AND state = 'running'";
    let (sql, at) = match job.attempts < job.max_attempts {
        true => (AGAIN, now.as_millisecond().saturating_add(backoff_ms(job.attempts))),
        false => (GIVE_UP, now.as_millisecond()),
    };
    run_versioned(tx, "note that a job failed", "job", job.id.as_str(), sql, args![job.id.as_str(), job.attempts, error, at], EXISTS).await
}

/// Holds the claimed `job` until `until`.
pub async fn extend(tx: &mut Tx, job: &Job, until: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE job SET lease_until = $3 WHERE id = $1 AND attempts = $2 AND state = 'running'";
    run_versioned(tx, "hold a job longer", "job", job.id.as_str(), SQL, args![job.id.as_str(), job.attempts, until], EXISTS).await
}

/// Gives the claimed `job` back as if this attempt had not begun: its worker was told to stop.
pub async fn release(tx: &mut Tx, job: &Job, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE job SET state = 'queued', lease_until = NULL, run_at = $3, attempts = attempts - 1
        WHERE id = $1 AND attempts = $2 AND state = 'running'";
    run_versioned(tx, "give a job back", "job", job.id.as_str(), SQL, args![job.id.as_str(), job.attempts, now], EXISTS).await
}

/// Calls a job off: a queued one ends at once, a running one when its worker notices. `Stale` if it is over.
pub async fn cancel(tx: &mut Tx, id: &JobId, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE job SET cancelled_at = $2, finished_at = CASE WHEN state = 'queued' THEN $2 ELSE finished_at END,
                       state = CASE WHEN state = 'queued' THEN 'failed' ELSE state END
        WHERE id = $1 AND state IN ('queued', 'running')";
    run_versioned(tx, "call a job off", "job", id.as_str(), SQL, args![id.as_str(), now], EXISTS).await
}

/// Ends the claimed `job` that was called off while it ran.
pub async fn end_cancelled(tx: &mut Tx, job: &Job, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE job SET state = 'failed', lease_until = NULL, finished_at = $3
        WHERE id = $1 AND attempts = $2 AND state = 'running' AND cancelled_at IS NOT NULL";
    run_versioned(tx, "end a job that was called off", "job", job.id.as_str(), SQL, args![job.id.as_str(), job.attempts, now], EXISTS).await
}

/// Makes a queued or failed job due at once, with all its attempts again. `Stale` if it is running or done.
pub async fn retry_now(tx: &mut Tx, id: &JobId, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE job SET state = 'queued', run_at = $2, attempts = 0, finished_at = NULL, cancelled_at = NULL
        WHERE id = $1 AND state IN ('queued', 'failed')";
    run_versioned(tx, "retry a job", "job", id.as_str(), SQL, args![id.as_str(), now], EXISTS).await
}

/// Makes a job that stands for itself due at once, if it is over; one that somebody called off stays so. Says whether it was over.
pub async fn wake(tx: &mut Tx, id: &JobId, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "
        UPDATE job SET state = 'queued', run_at = $2, attempts = 0, finished_at = NULL, created_at = $2
        WHERE id = $1 AND state IN ('done', 'failed') AND cancelled_at IS NULL";
    Ok(run(tx, "wake a job", SQL, args![id.as_str(), now]).await? == 1)
}

/// Says how far a job is.
pub async fn set_progress(tx: &mut Tx, id: &JobId, progress: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE job SET progress = $2 WHERE id = $1";
    run_versioned(tx, "note a job's progress", "job", id.as_str(), SQL, args![id.as_str(), progress], EXISTS).await
}

/// One job.
pub async fn find(tx: &mut Tx, id: &JobId) -> Result<Option<Job>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM job WHERE id = $1");
    one(tx, "find a job", SQL, args![id.as_str()], read).await
}

/// One job that must be there.
pub async fn get(tx: &mut Tx, id: &JobId) -> Result<Job, StoreError> {
    must(find(tx, id).await?, "job", id)
}

/// Jobs in `state` (`None`: all) that were queued before `before`, newest first, at most `limit`.
pub async fn list(tx: &mut Tx, state: Option<State>, before: Option<(Timestamp, &JobId)>, limit: u32) -> Result<Vec<Job>, StoreError> {
    let mut query = Built::new(concat!("SELECT ", columns!(), " FROM job WHERE TRUE"));
    match state {
        Some(State::Cancelled) => drop(query.push(" AND state = 'failed' AND cancelled_at IS NOT NULL", vec![])),
        Some(State::Failed) => drop(query.push(" AND state = 'failed' AND cancelled_at IS NULL", vec![])),
        Some(state) => drop(query.push(" AND state = {}", args![state.as_str()])),
        None => {}
    }
    if let Some((at, id)) = before {
        query.push(" AND (created_at, id) < ({}, {})", args![at, id.as_str()]);
    }
    query.push(" ORDER BY created_at DESC, id DESC LIMIT {}", args![limit]);
    let (sql, args) = query.done();
    all(tx, "list jobs", sql, args, read).await
}

/// How many jobs of `kind` are queued or running: to queue no second one.
pub async fn count_waiting(tx: &mut Tx, kind: &str) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM job WHERE state IN ('queued', 'running') AND kind = $1";
    number(tx, "count waiting jobs", SQL, args![kind]).await
}

/// How many jobs stand where; states without jobs are left out.
pub async fn counts_by_state(tx: &mut Tx) -> Result<Vec<(State, i64)>, StoreError> {
    const SQL: &str = "
        SELECT word, COUNT(*) FROM
            (SELECT CASE WHEN state = 'failed' AND cancelled_at IS NOT NULL THEN 'cancelled' ELSE state END AS word FROM job) AS j
        GROUP BY word ORDER BY word";
    all(tx, "count jobs", SQL, vec![], |c| Ok((c.word(State::parse)?, c.int()?))).await
}

/// Forgets jobs that were done or called off before `before`; what failed stays until somebody looked at it.
pub async fn purge_done(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM job WHERE finished_at < $1 AND (state = 'done' OR cancelled_at IS NOT NULL)";
    run(tx, "forget finished jobs", SQL, args![before]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_an_hour() {
        assert_eq!([1, 2, 3, 8, 9, 60].map(backoff_ms), [20_000, 40_000, 80_000, 2_560_000, 3_600_000, 3_600_000]);
    }
}
