//! Jobs: who may see them, done again and called off, stopped in the middle, given up, and the daily removal with its proof.

use super::{Node, Person, open, person, request, seeded, send, submit, text};
use axum::Router;
use axum::http::{Method, StatusCode};
use jiff::SignedDuration;
use kepu_app::create::import::{self, Brought};
use kepu_app::{App, job};
use kepu_domain::access::{Actor, Role};
use kepu_domain::create::import::{Plan, Stage};
use kepu_domain::ids::JobId;
use kepu_domain::org::Region;
use kepu_store::job::{self as store, NewJob, State};
use tokio::sync::watch;

async fn house() -> (Node, Router, Person) {
    let (node, site, _) = seeded().await;
    let admin = person(&node.web, "xitong1", None, &[("000000", Role::SystemAdmin)]).await;
    (node, site, admin)
}

fn operator() -> Actor {
    Actor::Node { name: "operator".into() }
}

async fn jobs(app: &App) -> Vec<store::Job> {
    let mut tx = app.db.read().await.expect("tx");
    store::list(&mut tx, None, None, 50).await.expect("jobs")
}

/// Queues a job that cannot succeed: its import does not exist.
async fn hopeless(app: &App) -> JobId {
    let mut tx = app.db.write().await.expect("tx");
    let now = app.now();
    let new = NewJob { id: "hopeless".into(), kind: "import".into(), payload: "{\"import\":\"none\"}".into(), run_at: now, max_attempts: 7, created_at: now };
    store::enqueue(&mut tx, &new).await.expect("queued");
    tx.commit().await.expect("commit");
    new.id
}

#[tokio::test]
async fn administrators_see_repeat_and_call_off_and_nobody_else_does() {
    let (node, site, admin) = house().await;
    let app = &node.web.app;
    assert!(text(open(&site, &admin, "/jobs").await).await.contains("没有任务"));
    let id = hopeless(app).await;
    assert!(job::run_one(app).await.expect("job"));
    let page = text(open(&site, &admin, "/jobs").await).await;
    assert!(page.contains("没做成") && page.contains("there is no import") && page.contains("/jobs/hopeless/retry"), "{page}");
    let answer = submit(&site, &admin, "/jobs/hopeless/retry", &[]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(jobs(app).await[0].state, State::Queued);
    assert_eq!(submit(&site, &admin, "/jobs/hopeless/cancel", &[]).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(jobs(app).await[0].state, State::Cancelled);
    assert_eq!(submit(&site, &admin, "/jobs/hopeless/cancel", &[]).await.status(), StatusCode::CONFLICT, "it is over");
    assert_eq!(submit(&site, &admin, "/jobs/none/retry", &[]).await.status(), StatusCode::NOT_FOUND);
    let page = text(open(&site, &admin, "/jobs?state=cancelled").await).await;
    assert!(page.contains("hopeless"));
    assert!(text(open(&site, &admin, "/jobs?state=done").await).await.contains("没有这种状态的任务"));

    let api = open(&site, &admin, "/api/jobs?state=cancelled").await;
    let value: serde_json::Value = serde_json::from_str(&text(api).await).expect("json");
    assert_eq!((value["items"][0]["id"].as_str(), value["items"][0]["state"].as_str()), (Some("hopeless"), Some("cancelled")));
    assert_eq!(open(&site, &admin, "/api/jobs?state=nonsense").await.status(), StatusCode::BAD_REQUEST);
    let editor = person(&node.web, "bianji1", None, &[("org-nat", Role::Editor)]).await;
    for path in ["/jobs", "/api/jobs"] {
        assert_eq!(open(&site, &editor, path).await.status(), StatusCode::FORBIDDEN);
        assert_eq!(send(&site, request(Method::GET, path, "", "")).await.status(), StatusCode::UNAUTHORIZED);
    }
    for path in ["/jobs/hopeless/retry", "/jobs/hopeless/cancel", "/jobs"] {
        assert_eq!(submit(&site, &editor, path, &[("kind", "expire")]).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    let _ = id;
}

#[tokio::test]
async fn what_can_be_asked_for_is_asked_for_once() {
    let (node, site, admin) = house().await;
    let ask = async |kind: &str| submit(&site, &admin, "/jobs", &[("kind", kind)]).await.status();
    assert_eq!(ask("expire").await, StatusCode::SEE_OTHER);
    assert_eq!(ask("expire").await, StatusCode::CONFLICT, "one waits already");
    assert_eq!(ask("import").await, StatusCode::CONFLICT, "a file is started on its own page");
    assert_eq!(ask("format-disk").await, StatusCode::NOT_FOUND);
    assert_eq!(ask("reindex").await, StatusCode::SEE_OTHER);
    assert_eq!(ask("exchange").await, StatusCode::SEE_OTHER);
    let app = &node.web.app;
    while job::run_one(app).await.expect("job") {}
    let list = jobs(app).await;
    let state = |kind: &str| list.iter().find(|job| job.kind == kind).map(|job| job.state);
    assert_eq!((state("expire"), state("exchange")), (Some(State::Done), Some(State::Done)));
    // This process has no index: the job waits for the one that has.
    assert_eq!(state("reindex"), Some(State::Queued));
}

#[tokio::test]
async fn what_fails_for_the_moment_is_tried_again_later() {
    let (node, site, admin) = house().await;
    let app = &node.web.app;
    let mut tx = app.db.write().await.expect("tx");
    let peer = kepu_store::peer::Peer {
        id: "did:key:zGone".into(),
        name: "够不着的上级".into(),
        direction: kepu_store::peer::Direction::Parent,
        // Nothing listens at port 1.
        url: "http://127.0.0.1:1".into(),
        holder: "够不着的上级".into(),
        scope: String::new(),
        cursor: String::new(),
        push_cursor: 0,
        acked: 0,
        joined_at: app.now(),
        last_seen: None,
        last_result: String::new(),
    };
    kepu_store::peer::upsert(&mut tx, &peer).await.expect("peer");
    tx.commit().await.expect("commit");
    submit(&site, &admin, "/jobs", &[("kind", "exchange")]).await;
    assert!(job::run_one(app).await.expect("job"));
    let waiting = jobs(app).await.remove(0);
    assert_eq!((waiting.state, waiting.attempts), (State::Queued, 1));
    assert!(waiting.run_at > app.now() && waiting.last_error.contains("cannot be reached"), "{waiting:?}");
    assert!(!job::run_one(app).await.expect("none"), "not before the pause is over");
    let page = text(open(&site, &admin, "/jobs").await).await;
    assert!(page.contains("再试") && page.contains("cannot be reached") && page.contains("现在重做"), "{page}");
    let page = text(open(&site, &admin, "/nodes").await).await;
    assert!(page.contains("上次没有成功") && page.contains("够不着的上级") && page.contains("正在交换"), "{page}");
    submit(&site, &admin, &format!("/jobs/{}/retry", waiting.id), &[]).await;
    assert!(job::run_one(app).await.expect("job"));
    assert_eq!(jobs(app).await[0].attempts, 1, "all its attempts again");
}

#[tokio::test]
async fn long_lists_of_jobs_page() {
    let (node, site, admin) = house().await;
    let app = &node.web.app;
    let mut tx = app.db.write().await.expect("tx");
    for n in 0..60 {
        let at = app.now() - SignedDuration::from_secs(n);
        let new = NewJob { id: JobId(format!("j{n:02}")), kind: "later".into(), payload: "{}".into(), run_at: at, max_attempts: 1, created_at: at };
        store::enqueue(&mut tx, &new).await.expect("queued");
    }
    tx.commit().await.expect("commit");
    let page = text(open(&site, &admin, "/jobs").await).await;
    assert!(page.contains("j00") && page.contains("j49") && !page.contains("j50"));
    let next = page.split("rel=\"next\"").next().and_then(|head| head.rsplit("href=\"").next()).and_then(|href| href.split('"').next()).expect("next");
    let page = text(open(&site, &admin, next).await).await;
    assert!(page.contains(">j50<") && page.contains(">j59<") && !page.contains(">j49<"), "{next}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_told_to_stop_gives_its_job_back_and_another_one_ends_it() {
    let (node, _site, _) = house().await;
    let app = &node.web.app;
    let rows: String = (0..3_000).map(|n| format!("{{\"title\":\"停下再做第{n}号\",\"text\":\"这是第{n}条说明，用来看停下以后是不是接着做。\"}}\n")).collect();
    let mut plan = Plan { signed_by: "示例".into(), ..Plan::default() };
    plan.fixed.insert("licence".into(), "CC0-1.0".into());
    let brought = import::bring(app, &operator(), Brought { name: "x.jsonl", bytes: rows.as_bytes(), plan, org: "000000".into() }).await.expect("brought");
    import::start(app, &operator(), &brought.id, brought.version).await.expect("started");
    let count = async || {
        let mut tx = app.db.read().await.expect("tx");
        kepu_store::create::import::get(&mut tx, &brought.id).await.expect("import")
    };
    let (stop, stopped) = watch::channel(false);
    let worker = tokio::spawn(job::work(app.clone(), stopped));
    while count().await.counts.done == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    stop.send(true).expect("worker");
    worker.await.expect("ended");
    let half = count().await;
    assert!((200..3_000).contains(&half.counts.done) && half.counts.done % 200 == 0, "whole batches only: {:?}", half.counts);
    let list = jobs(app).await;
    let given_back = list.iter().find(|job| job.kind == "import").expect("job");
    assert_eq!((given_back.state, given_back.attempts), (State::Queued, 0), "as if nobody had begun it");
    while job::run_one(app).await.expect("job") {}
    let done = count().await;
    assert!(matches!(done.stage, Stage::Done { .. }));
    assert_eq!((done.counts.published, done.counts.known), (3_000, 0));
    let mut tx = app.db.read().await.expect("tx");
    let filter = kepu_store::subject::Filter { kind: Some("resource".into()), ..Default::default() };
    let words = kepu_store::subject::list(&mut tx, &filter, kepu_store::subject::Order::Newest, None, 5_000).await.expect("list");
    assert_eq!(words.iter().filter(|row| row.title.starts_with("停下再做")).count(), 3_000, "nothing is missing, nothing twice");
    assert!(list.iter().any(|job| job.kind == "expire"), "the worker queued the daily job");
}

#[tokio::test]
async fn what_was_kept_long_enough_goes_and_the_log_proves_it() {
    let (node, site, admin) = house().await;
    let app = &node.web.app;
    let old = app.now() - SignedDuration::from_hours(24 * 181);
    let words = "去年问过的一句话，早就答复了";
    let ask = kepu_app::listen::question::Ask {
        text: words.into(),
        region: Region::NATION,
        anyway: true,
        channel: kepu_domain::listen::sighting::Channel::Page,
        address: String::new(),
    };
    let kepu_app::listen::question::Asked::Opened { question } = kepu_app::listen::question::ask(app, ask).await.expect("asked") else { panic!("opened") };
    let mut tx = app.db.write().await.expect("tx");
    let asked = kepu_store::listen::question::get(&mut tx, &question).await.expect("question");
    let kepu_domain::listen::question::Stage::Open { case } = asked.stage.clone() else { panic!("open") };
    let closed = kepu_domain::listen::question::Stage::Closed { reason: "已由别处答复".into(), at: old };
    kepu_store::listen::question::update(&mut tx, &kepu_domain::listen::question::Question { stage: closed, ..asked }).await.expect("closed");
    let held = kepu_store::listen::case::get(&mut tx, &case).await.expect("case").close("已由别处答复", old).expect("close");
    kepu_store::listen::case::update(&mut tx, held).await.expect("closed");
    kepu_store::once::claim(&mut tx, "/ask old", old).await.expect("once");
    kepu_store::once::claim(&mut tx, "/ask new", app.now()).await.expect("once");
    tx.commit().await.expect("commit");
    let file = kepu_app::blob::put(app, b"a,b\n1,2\n").expect("blob");
    let path = app.data().join("blobs").join(&file[..2]).join(&file);
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 24 * 3600);
    std::fs::File::options().write(true).open(&path).and_then(|f| f.set_modified(long_ago)).expect("aged");

    submit(&site, &admin, "/jobs", &[("kind", "expire")]).await;
    // The question woke another job too.
    while job::run_one(app).await.expect("job") {}
    let mut tx = app.db.read().await.expect("tx");
    let filter = kepu_store::log::Filter { action: Some("data.expired".into()), ..Default::default() };
    let proof = kepu_store::log::list(&mut tx, &filter, None, 9).await.expect("log");
    let detail: serde_json::Value = serde_json::from_str(&proof[0].detail).expect("json");
    let removed = &detail["removed"];
    assert_eq!(
        (removed["questions"].as_i64(), removed["cases"].as_i64(), removed["forms"].as_i64(), removed["files"].as_i64()),
        (Some(1), Some(1), Some(1), Some(1)),
        "{detail}"
    );
    assert!(!proof[0].detail.contains("去年问过"), "the proof repeats nothing");
    assert_eq!(kepu_store::listen::question::get(&mut tx, &question).await.expect("still there").text, "");
    assert!(matches!(kepu_store::log::verify(&mut tx).await.expect("log"), kepu_store::log::Verdict::Whole { .. }));
    drop(tx);
    assert!(!path.exists());
    let ticket = text(send(&site, request(Method::GET, &format!("/q/{}", question.0), "", "")).await).await;
    assert!(ticket.contains("已由别处答复") && !ticket.contains(words), "the ticket still says how it ended: {ticket}");
    let case_page = text(send(&site, request(Method::GET, &format!("/case/{}", case.0), "", "")).await).await;
    assert!(case_page.contains("原话已按期删除") && !case_page.contains(words));
    // Twice the same day removes nothing more.
    submit(&site, &admin, "/jobs", &[("kind", "expire")]).await;
    assert!(job::run_one(app).await.expect("job"));
    let mut tx = app.db.read().await.expect("tx");
    let proof = kepu_store::log::list(&mut tx, &filter, None, 9).await.expect("log");
    assert!(proof[0].detail.contains("\"questions\":0"), "{}", proof[0].detail);
}
