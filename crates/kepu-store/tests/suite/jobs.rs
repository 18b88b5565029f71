//! Steps about jobs, and about the files that jobs take in.

use crate::{RARE, at, read, write};
use jiff::Timestamp;
use kepu_domain::create::import::{Counts, Import, Plan, Stage as ImportStage};
use kepu_domain::ids::JobId;
use kepu_store::create::import::{self, Line, LineKind};
use kepu_store::job::{self, Job, NewJob, State};
use kepu_store::{Db, StoreError};

pub fn new_job(id: &str, run_at: i64) -> NewJob {
    NewJob { id: id.into(), kind: "index".into(), payload: format!("\"{RARE}\""), run_at: at(run_at), max_attempts: 3, created_at: at(run_at) }
}

async fn claim(db: &Db, now: i64, lease_ms: i64) -> Option<Job> {
    write!(db, tx => job::claim(tx, at(now), lease_ms, &["other", "index"])).expect("claim")
}

pub async fn one_claimer_gets_the_job(db: &Db) {
    assert!(write!(db, tx => job::enqueue(tx, &new_job("one", 10))).expect("queue"));
    assert!(!write!(db, tx => job::enqueue(tx, &NewJob { payload: "2".into(), ..new_job("one", 1) })).expect("queue"), "the same job is queued once");
    assert_eq!(claim(db, 9, 100).await, None, "not before its time");
    let due = async |now, kind| read!(db, tx => job::is_due(tx, at(now), &[kind])).expect("due");
    assert_eq!((due(9, "index").await, due(10, "index").await, due(10, "other").await), (false, true, false));
    assert_eq!(write!(db, tx => job::claim(tx, at(10), 100, &["other"])).expect("claim"), None, "not by a program that cannot do it");
    let (a, b) = tokio::join!(claim(db, 10, 100), claim(db, 10, 100));
    assert_eq!(a.iter().chain(&b).count(), 1, "exactly one claimer gets it");
    let got = a.or(b).expect("one");
    assert_eq!((got.payload.as_str(), got.state, got.attempts, got.lease_until), (format!("\"{RARE}\"").as_str(), State::Running, 1, Some(at(110))));
    write!(db, tx => job::finish(tx, &got, at(20))).expect("finish");
    assert!(matches!(write!(db, tx => job::finish(tx, &got, at(21))), Err(StoreError::Stale { .. })));

    for n in 0..24 {
        write!(db, tx => job::enqueue(tx, &new_job(&format!("job-{n:02}"), 100 + n))).expect("queue");
    }
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut done = Vec::new();
                while read!(db, tx => job::count_waiting(tx, "index")).expect("count") > 0 {
                    if let Some(job) = claim(&db, 1_000, 60_000).await {
                        write!(db, tx => job::finish(tx, &job, at(1_001))).expect("finish");
                        done.push(job.id);
                    }
                }
                done
            })
        })
        .collect();
    let mut done = Vec::new();
    for one in workers {
        done.extend(one.await.expect("joined"));
    }
    done.sort();
    assert_eq!(done, (0..24).map(|n| JobId(format!("job-{n:02}"))).collect::<Vec<_>>(), "every job once");
    assert_eq!(read!(db, tx => job::counts_by_state(tx)).expect("counts"), [(State::Done, 25)]);
}

pub async fn jobs_back_off_and_end(db: &Db) {
    write!(db, tx => job::enqueue(tx, &new_job("j", 0))).expect("queue");
    let mut now = 0;
    for attempt in 1..=3 {
        let got = claim(db, now, 1_000).await.expect("due");
        assert_eq!(got.attempts, attempt);
        write!(db, tx => job::set_progress(tx, &got.id, "半")).expect("progress");
        write!(db, tx => job::extend(tx, &got, at(now + 5_000))).expect("extend");
        write!(db, tx => job::fail(tx, &got, RARE, at(now))).expect("fail");
        let stored = read!(db, tx => job::get(tx, &got.id)).expect("get");
        assert_eq!((stored.last_error.as_str(), stored.progress.as_str(), stored.lease_until), (RARE, "半", None));
        if attempt < 3 {
            let pause = job::backoff_ms(attempt);
            assert_eq!((stored.state, stored.run_at), (State::Queued, at(now + pause)));
            assert_eq!(claim(db, now + pause - 1, 1_000).await, None, "not before the pause is over");
            now += pause;
        } else {
            assert_eq!((stored.state, stored.finished_at), (State::Failed, Some(at(now))));
        }
    }
    assert_eq!(claim(db, i64::from(u32::MAX), 1_000).await, None);
    write!(db, tx => job::retry_now(tx, &"j".into(), at(now))).expect("retry");
    let again = claim(db, now, 1_000).await.expect("due again");
    assert_eq!(again.attempts, 1);
    assert!(matches!(write!(db, tx => job::retry_now(tx, &"j".into(), at(now))), Err(StoreError::Stale { .. })), "it is running");
    write!(db, tx => job::finish(tx, &again, at(now))).expect("finish");
    write!(db, tx => job::enqueue(tx, &new_job("k", 5))).expect("queue");
    let ids = |jobs: Vec<Job>| jobs.into_iter().map(|job| job.id.0).collect::<Vec<_>>();
    assert_eq!(ids(read!(db, tx => job::list(tx, None, None, 9)).expect("list")), ["k", "j"]);
    assert_eq!(ids(read!(db, tx => job::list(tx, None, Some((at(5), &"k".into())), 9)).expect("list")), ["j"]);
    assert_eq!(ids(read!(db, tx => job::list(tx, Some(State::Done), None, 9)).expect("list")), ["j"]);
    assert_eq!(write!(db, tx => job::purge_done(tx, Timestamp::MAX)).expect("purge"), 1);
    assert!(matches!(read!(db, tx => job::get(tx, &"j".into())), Err(StoreError::NotFound { .. })));
}

pub async fn a_lost_lease_is_taken_over(db: &Db) {
    write!(db, tx => job::enqueue(tx, &NewJob { max_attempts: 2, ..new_job("j", 0) })).expect("queue");
    let lost = claim(db, 0, 100).await.expect("first");
    assert_eq!(claim(db, 100, 100).await, None, "the lease still holds");
    let taken = claim(db, 101, 100).await.expect("second");
    assert_eq!(taken.attempts, 2);
    for result in [write!(db, tx => job::finish(tx, &lost, at(102))), write!(db, tx => job::fail(tx, &lost, "x", at(102)))] {
        assert!(matches!(result, Err(StoreError::Stale { .. })), "the first claimer came too late");
    }
    assert_eq!(claim(db, 500, 100).await, None, "no third attempt");
    assert_eq!(read!(db, tx => job::get(tx, &lost.id)).expect("get").state, State::Failed);
}

pub async fn a_job_is_called_off_or_given_back(db: &Db) {
    for id in ["waiting", "running", "stopped"] {
        write!(db, tx => job::enqueue(tx, &new_job(id, 0))).expect("queue");
    }
    write!(db, tx => job::cancel(tx, &"waiting".into(), at(1))).expect("cancel");
    let state = async |id: &str| read!(db, tx => job::get(tx, &id.into())).expect("get").state;
    assert_eq!(state("waiting").await, State::Cancelled);
    assert!(matches!(write!(db, tx => job::cancel(tx, &"waiting".into(), at(1))), Err(StoreError::Stale { .. })), "it is over");

    let running = claim(db, 2, 100).await.expect("due");
    assert_eq!(running.id.as_str(), "running");
    assert!(matches!(write!(db, tx => job::end_cancelled(tx, &running, at(2))), Err(StoreError::Stale { .. })), "nobody called it off");
    write!(db, tx => job::cancel(tx, &running.id, at(3))).expect("cancel");
    assert_eq!(state("running").await, State::Running, "its worker has not noticed yet");
    write!(db, tx => job::end_cancelled(tx, &running, at(4))).expect("end");
    assert_eq!(state("running").await, State::Cancelled);

    let stopped = claim(db, 5, 100).await.expect("due");
    write!(db, tx => job::release(tx, &stopped, at(6))).expect("release");
    let stored = read!(db, tx => job::get(tx, &stopped.id)).expect("get");
    assert_eq!((stored.state, stored.attempts, stored.run_at), (State::Queued, 0, at(6)));

    // Its worker died after the call: the lease ends it, and nobody begins it again.
    let dead = claim(db, 7, 100).await.expect("due");
    write!(db, tx => job::cancel(tx, &dead.id, at(8))).expect("cancel");
    assert_eq!(claim(db, 1_000, 100).await, None);
    assert_eq!(state("stopped").await, State::Cancelled);
    assert_eq!(read!(db, tx => job::counts_by_state(tx)).expect("counts"), [(State::Cancelled, 3)]);
    assert_eq!(read!(db, tx => job::list(tx, Some(State::Cancelled), None, 9)).expect("list").len(), 3);
    assert!(read!(db, tx => job::list(tx, Some(State::Failed), None, 9)).expect("list").is_empty());
    write!(db, tx => job::retry_now(tx, &"waiting".into(), at(9))).expect("retry");
    assert_eq!(state("waiting").await, State::Queued);
    assert_eq!(write!(db, tx => job::purge_done(tx, Timestamp::MAX)).expect("purge"), 2);
}

pub async fn files_are_taken_in(db: &Db) {
    let planned = Import {
        id: "i".into(),
        org: "410000".into(),
        account: None,
        file: "ab".into(),
        file_name: RARE.into(),
        size: 9,
        plan: Plan { columns: [("title".to_owned(), RARE.to_owned())].into(), signed_by: RARE.into(), ..Plan::default() },
        stage: ImportStage::Planned,
        created_at: at(1),
        counts: Counts { rows: 5, ..Counts::default() },
        version: 1,
    };
    write!(db, tx => import::insert(tx, &planned)).expect("insert");
    assert_eq!(read!(db, tx => import::get(tx, &planned.id)).expect("get"), planned);
    assert_eq!(read!(db, tx => import::list_abandoned(tx, at(2), 9)).expect("list"), std::slice::from_ref(&planned));
    assert!(read!(db, tx => import::find_unfinished(tx, "ab")).expect("find").is_empty(), "nothing was begun");
    let started = Import { stage: ImportStage::Started { job: None }, ..planned.clone() };
    let started = write!(db, tx => import::update(tx, started)).expect("start");
    assert!(matches!(write!(db, tx => import::update(tx, planned.clone())), Err(StoreError::Stale { .. })));
    assert_eq!(read!(db, tx => import::find_unfinished(tx, "ab")).expect("find"), std::slice::from_ref(&started));
    let counts = Counts { rows: 5, done: 4, published: 1, drafts: 1, known: 1, refused: 1, licence_filled: 1 };
    let half = write!(db, tx => import::update(tx, Import { counts, ..started })).expect("half");
    assert_eq!(half, read!(db, tx => import::get(tx, &planned.id)).expect("get"));
    let wrong = Import { counts: Counts { done: 5, ..counts }, ..half.clone() };
    let mut tx = db.write().await.expect("begin");
    assert!(import::update(&mut tx, wrong).await.is_err(), "every row looked at became one of four things");
    drop(tx);
    let line = |line, kind, text: &str| Line { line, kind, text: text.into() };
    let (refused, warning) = (LineKind::Refused, LineKind::Warning);
    write!(db, tx => import::add_lines(tx, &half.id, &[line(7, refused, RARE), line(3, refused, "a"), line(3, warning, "b")])).expect("lines");
    write!(db, tx => import::add_lines(tx, &half.id, &[])).expect("none");
    assert_eq!(read!(db, tx => import::list_lines(tx, &half.id, refused, 0, 9)).expect("lines"), [line(3, refused, "a"), line(7, refused, RARE)]);
    assert_eq!(read!(db, tx => import::list_lines(tx, &half.id, refused, 1, 9)).expect("lines"), [line(7, refused, RARE)]);
    assert_eq!(read!(db, tx => import::count_lines(tx, &half.id, warning)).expect("count"), 1);
    assert_eq!(read!(db, tx => import::count_needing(tx, "ab")).expect("count"), 1);
    let done = write!(db, tx => import::update(tx, Import { stage: ImportStage::Done { at: at(9) }, ..half })).expect("done");
    assert_eq!(read!(db, tx => import::list(tx, None, 9)).expect("list"), std::slice::from_ref(&done));
    assert!(read!(db, tx => import::list(tx, Some((at(1), &"i".into())), 9)).expect("list").is_empty());
    assert_eq!(read!(db, tx => import::count_needing(tx, "ab")).expect("count"), 0);
    write!(db, tx => import::delete(tx, &done.id)).expect("delete");
    assert_eq!(read!(db, tx => import::find(tx, &done.id)).expect("find"), None);
}
