//! Slow or outside work: queued in the transaction of the change, done under a lease, at least once.
//! What the kinds of jobs do is in `kepu-app`; doing one twice must not harm.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, args, must, one, run, run_versioned};
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
}

/// Every state.
pub const STATES: [State; 4] = [State::Queued, State::Running, State::Done, State::Failed];

impl State {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Running => "running",
            State::Done => "done",
            State::Failed => "failed",
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
}

macro_rules! columns {
    () => {
        "id, kind, payload, state, run_at, attempts, max_attempts, lease_until, last_error, created_at, finished_at, progress"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Job, StoreError> {
    Ok(Job {
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
    })
}

/// Pause before attempt number `attempts` + 1: 20 s, 40 s, 80 s … at most an hour.
pub fn backoff_ms(attempts: i64) -> i64 {
    (10_000_i64 << attempts.clamp(0, 9)).min(3_600_000)
}

/// Queues a job.
pub async fn enqueue(tx: &mut Tx, job: &NewJob) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO job (id, kind, payload, state, run_at, attempts, max_attempts, lease_until, last_error, created_at, finished_at, progress)
        VALUES ($1, $2, $3, 'queued', $4, 0, $5, NULL, '', $6, NULL, '')";
    let args = args![job.id.as_str(), job.kind.as_str(), job.payload.as_str(), job.run_at, job.max_attempts, job.created_at];
    run(tx, "queue a job", SQL, args).await.map(drop)
}

/// Takes the job that is due longest, for `lease_ms`; a job whose lease ran out is due again.
///
/// Two claimers never get the same job. `None` may also mean that another claimer was quicker: ask again soon.
pub async fn claim(tx: &mut Tx, now: Timestamp, lease_ms: i64) -> Result<Option<Job>, StoreError> {
    const LOST: &str = "
        UPDATE job SET state = 'failed', lease_until = NULL, finished_at = $1, last_error = 'the lease ran out'
        WHERE state = 'running' AND lease_until < $1 AND attempts >= max_attempts";
    // The conditions stand twice because the inner query may have seen the row before another claimer changed it.
    const SQL: &str = concat!(
        "UPDATE job SET state = 'running', attempts = attempts + 1, lease_until = $2
         WHERE id = (SELECT id FROM job
                     WHERE (state = 'queued' AND run_at <= $1) OR (state = 'running' AND lease_until < $1)
                     ORDER BY run_at, id LIMIT 1)
           AND ((state = 'queued' AND run_at <= $1) OR (state = 'running' AND lease_until < $1))
         RETURNING ",
        columns!()
    );
    let action = "claim a job";
    run(tx, action, LOST, args![now]).await?;
    one(tx, action, SQL, args![now, now.as_millisecond().saturating_add(lease_ms)], read).await
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

/// Makes a queued or failed job due at once, with all its attempts again. `Stale` if it is running or done.
pub async fn retry_now(tx: &mut Tx, id: &JobId, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE job SET state = 'queued', run_at = $2, attempts = 0, finished_at = NULL
        WHERE id = $1 AND state IN ('queued', 'failed')";
    run_versioned(tx, "retry a job", "job", id.as_str(), SQL, args![id.as_str(), now], EXISTS).await
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
    if let Some(state) = state {
        query.push(" AND state = {}", args![state.as_str()]);
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
    crate::sql::number(tx, "count waiting jobs", SQL, args![kind]).await
}

/// How many jobs stand where; states without jobs are left out.
pub async fn counts_by_state(tx: &mut Tx) -> Result<Vec<(State, i64)>, StoreError> {
    const SQL: &str = "SELECT state, COUNT(*) FROM job GROUP BY state ORDER BY state";
    all(tx, "count jobs", SQL, vec![], |c| Ok((c.word(State::parse)?, c.int()?))).await
}

/// Forgets jobs that were done before `before`; what failed stays until somebody looked at it.
pub async fn purge_done(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    run(tx, "forget finished jobs", "DELETE FROM job WHERE state = 'done' AND finished_at < $1", args![before]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_an_hour() {
        assert_eq!([1, 2, 3, 8, 9, 60].map(backoff_ms), [20_000, 40_000, 80_000, 2_560_000, 3_600_000, 3_600_000]);
    }
}
