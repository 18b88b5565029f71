//! Listening through a node's own path: a day with bursts and a restart in the middle, a flood, lists that change, files that break off.

use super::intake::{self, Fresh, inlet};
use super::topic::{act, desk};
use crate::create::import::{self, Brought};
use crate::{App, AppError, Options, keys, node};
use jiff::Timestamp;
use kepu_domain::access::{Actor, Membership, Role};
use kepu_domain::create::import::{Kind as FileKind, Plan as FilePlan};
use kepu_domain::listen::inlet::{FILES, Format, Kind, Plan, State as InletState};
use kepu_domain::listen::sighting::Channel;
use kepu_domain::listen::signal::State;
use kepu_domain::listen::topic::{Phase, Topic};
use kepu_domain::org::Region;
use kepu_search::topics::rehearsal::{self, Part, Plan as Day};
use kepu_store::listen::{inlet as inlets, signal as signals, topic as topics};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The clock of a test, in seconds.
#[derive(Clone)]
pub(crate) struct Hand(Arc<AtomicI64>);

impl Hand {
    pub(crate) fn at(seconds: i64) -> Self {
        Self(Arc::new(AtomicI64::new(seconds)))
    }
    pub(crate) fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

const START: i64 = 1_772_294_400;

pub(crate) async fn begin(folder: &Path, hand: &Hand) -> App {
    let init = node::Init { name: "测试".into(), region: Region::NATION, suite: kepu_sync::suite::Suite::Ed25519, database: None };
    node::init(folder, init).await.expect("node");
    open(folder, hand).await
}

pub(crate) async fn open(folder: &Path, hand: &Hand) -> App {
    let key = keys::NodeKey::load(folder).expect("key");
    let hand = hand.clone();
    let clock = move || Timestamp::from_second(hand.0.load(Ordering::Relaxed)).expect("time");
    App::open_with(Options { data: folder.to_owned(), database: None, index: false }, key, Box::new(clock)).await.expect("opens")
}

pub(crate) fn operator() -> Actor {
    Actor::Node { name: "operator".into() }
}

fn person(role: Role) -> Actor {
    Actor::Person { account: "a".into(), name: "甲".into(), memberships: vec![Membership { org: "000000".into(), role }] }
}

/// Somebody with a role in an organisation.
pub(crate) fn member(account: &str, org: &str, role: Role) -> Actor {
    Actor::Person { account: account.into(), name: account.into(), memberships: vec![Membership { org: org.into(), role }] }
}

async fn hear(app: &App, said: impl IntoIterator<Item = (i64, String)>) {
    let fresh: Vec<Fresh> = said
        .into_iter()
        .map(|(at, text)| Fresh { text, at: Timestamp::from_second(at).expect("time"), region: Region::NATION, weight: 1.0, state: State::Waiting })
        .collect();
    let mut tx = app.db.write().await.expect("tx");
    assert_eq!(intake::put(app, &mut tx, &FILES.into(), Channel::File, fresh).await.expect("put"), 0, "there is room");
    tx.commit().await.expect("commit");
}

async fn all_topics(app: &App) -> Vec<Topic> {
    let mut tx = app.db.read().await.expect("tx");
    topics::list_since(&mut tx, Timestamp::MIN, 10_000).await.expect("topics")
}

/// Titles of twelve letters, each once.
fn titles(count: usize) -> Vec<String> {
    const LETTERS: &str = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜金生丽水玉出昆冈剑号巨阙珠称夜光果珍李柰菜重芥姜海咸河淡鳞潜羽翔龙师火帝鸟官人皇始制文字乃服衣裳推位让国有虞陶唐吊民伐罪周发殷汤坐朝问道垂拱平章爱育黎首臣伏戎羌遐迩一体率宾归王鸣凤在竹白驹食场化被草木赖及万方";
    let letters: Vec<char> = LETTERS.chars().collect();
    let mut state = 7u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        letters[(state >> 33) as usize % letters.len()]
    };
    (0..count).map(|_| (0..12).map(|_| letter()).collect()).collect()
}

#[tokio::test]
async fn a_day_with_bursts_gives_one_alert_each_although_the_node_is_started_anew_in_the_middle() {
    let folder = tempfile::tempdir().expect("folder");
    let hand = Hand::at(START);
    let mut app = begin(folder.path(), &hand).await;
    let plan = Day { posts: 6_000, bursts: 8, decoys: 8, seed: 3, wordings: 3 };
    let day = rehearsal::day(&titles(7_000), plan);
    let mut of_seq = Vec::new();
    for hour in 0..24 {
        let posts: Vec<_> = day.iter().filter(|post| post.time / 3_600 == hour).collect();
        hand.set(START + (hour + 1) * 3_600);
        of_seq.extend(posts.iter().map(|post| post.part));
        hear(&app, posts.iter().map(|post| (START + post.time, post.text.clone()))).await;
        intake::run(&app).await.expect("listened");
        // Another process, as after a crash, several times while topics rise.
        if hour % 6 == 5 {
            drop(app);
            hand.set(START + (hour + 1) * 3_600 + 60);
            app = open(folder.path(), &hand).await;
        }
    }
    let mut alerts: BTreeMap<Option<usize>, usize> = BTreeMap::new();
    for topic in all_topics(&app).await.into_iter().filter(|topic| topic.raised_at.is_some()) {
        let mut tx = app.db.read().await.expect("tx");
        let mut votes: BTreeMap<usize, usize> = BTreeMap::new();
        let members = signals::list_by_topic(&mut tx, &topic.id, 10_000).await.expect("members");
        for member in &members {
            if let Part::Burst(n) = of_seq[usize::try_from(member.seq - 1).expect("number")] {
                *votes.entry(n).or_default() += 1;
            }
        }
        let burst = votes.into_iter().max_by_key(|(_, votes)| *votes).filter(|(_, votes)| votes * 2 > members.len()).map(|(n, _)| n);
        *alerts.entry(burst).or_default() += 1;
    }
    assert_eq!(alerts.keys().flatten().count(), 8, "every burst alerts: {alerts:?}");
    assert!(alerts.iter().all(|(burst, n)| burst.is_none() || *n == 1), "and once: {alerts:?}");
    assert!(alerts.get(&None).copied().unwrap_or_default() <= 1, "what is said all day does not: {alerts:?}");
    let mut tx = app.db.read().await.expect("tx");
    let raised =
        kepu_store::log::list(&mut tx, &kepu_store::log::Filter { action: Some("topic.raised".into()), ..Default::default() }, None, 100).await.expect("log");
    assert_eq!(raised.len(), alerts.values().sum::<usize>(), "each alert stands once in the log");
}

/// A quiet day before, so that something can rise.
async fn chatter(app: &App, hand: &Hand) {
    let titles = titles(1_500);
    for hour in 0..10 {
        hand.set(START + (hour + 1) * 3_600);
        let part = titles.iter().skip(usize::try_from(hour).expect("hour") * 150).take(150).enumerate();
        hear(app, part.map(|(n, text)| (START + hour * 3_600 + i64::try_from(n).expect("number") * 24, text.clone()))).await;
        intake::run(app).await.expect("listened");
    }
}

#[tokio::test]
async fn a_flood_of_one_text_alerts_nobody_until_others_say_it_in_their_words() {
    let folder = tempfile::tempdir().expect("folder");
    let hand = Hand::at(START);
    let app = begin(folder.path(), &hand).await;
    chatter(&app, &hand).await;
    let base = START + 10 * 3_600;
    hand.set(base + 1_200);
    hear(&app, (0..300).map(|n| (base + n * 2, "自来水被投毒了千万不要喝".to_owned()))).await;
    intake::run(&app).await.expect("listened");
    let flood: Vec<Topic> = all_topics(&app).await.into_iter().filter(|topic| topic.label.contains("投毒")).collect();
    assert_eq!(flood.len(), 1, "{flood:?}");
    assert_eq!((flood[0].phase, flood[0].raised_at, flood[0].total, flood[0].case.clone()), (Phase::Held, None, 300, None));
    let seen = desk::desk(&app, &operator()).await.expect("desk");
    assert!(seen.rising.is_empty() && seen.unanswered.iter().any(|row| row.topic.id == flood[0].id), "a person looks at it");
    hear(&app, [(base + 700, "听说自来水被人投毒了，千万不要喝".to_owned()), (base + 710, "自来水被投毒，家里的水千万不要喝".to_owned())]).await;
    intake::run(&app).await.expect("listened");
    let now = all_topics(&app).await.into_iter().find(|topic| topic.id == flood[0].id).expect("topic");
    assert!(now.raised_at.is_some(), "{now:?}");
    assert!(now.case.is_some(), "it may cost lives: a case opens by itself");
    // The same claim never opens two cases.
    let again = act::open_case(&app, &operator(), &now.id).await.expect("case");
    assert_eq!(Some(again), now.case);
    assert!(matches!(act::open_case(&app, &person(Role::Contributor), &now.id).await, Err(AppError::Denied(_))));
}

#[tokio::test]
async fn topics_are_put_together_taken_apart_and_back_again() {
    let folder = tempfile::tempdir().expect("folder");
    let hand = Hand::at(START);
    let app = begin(folder.path(), &hand).await;
    chatter(&app, &hand).await;
    let base = START + 10 * 3_600;
    hand.set(base + 3_000);
    let words = ["全市明天停水三天大家快储水", "快储水，全市明天停水三天", "全市明天起停水三天赶紧储水"];
    hear(&app, (0..60).map(|n| (base + n * 20, words[usize::try_from(n % 3).expect("n")].to_owned()))).await;
    let other = ["超市的大米是塑料做的不能吃", "塑料做的大米进了超市不能吃"];
    hear(&app, (0..60).map(|n| (base + 1_300 + n * 20, other[usize::try_from(n % 2).expect("n")].to_owned()))).await;
    intake::run(&app).await.expect("listened");
    let find = async |word: &str| all_topics(&app).await.into_iter().find(|topic| topic.label.contains(word) && topic.split_from.is_none()).expect("topic");
    let (water, rice) = (find("停水").await, find("大米").await);
    let who = operator();
    assert!(matches!(act::merge(&app, &who, &rice.id, &rice.id).await, Err(AppError::Invalid(_))), "not with itself");
    act::merge(&app, &who, &rice.id, &water.id).await.expect("merged");
    assert!(matches!(act::merge(&app, &who, &water.id, &rice.id).await, Err(AppError::Invalid(_))), "no ring");
    let row = desk::whole(&app, &who, &water.id).await.expect("topic");
    assert_eq!((row.row.total, row.row.merged, row.parts.len()), (120, 1, 1));
    act::undo(&app, &who, &rice.id).await.expect("undone");
    assert_eq!(desk::whole(&app, &who, &water.id).await.expect("topic").row.total, 60);
    assert!(matches!(act::undo(&app, &who, &rice.id).await, Err(AppError::Invalid(_))), "nothing left to undo");
    // One wording is about something else.
    let all: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    assert!(matches!(act::split(&app, &who, &water.id, &all).await, Err(AppError::Invalid(_))), "something must stay");
    assert!(matches!(act::split(&app, &who, &water.id, &[]).await, Err(AppError::Invalid(_))));
    let part = act::split(&app, &who, &water.id, &all[1..2]).await.expect("split");
    let counted = async |id: &kepu_domain::ids::TopicId| desk::whole(&app, &who, id).await.expect("topic").row.total;
    assert_eq!((counted(&water.id).await, counted(&part).await), (40, 20));
    // What comes later goes to what it is nearer to.
    hand.set(base + 4_000);
    hear(&app, [(base + 3_900, words[1].to_owned())]).await;
    intake::run(&app).await.expect("listened");
    assert_eq!((counted(&water.id).await, counted(&part).await), (40, 21));
    act::undo(&app, &who, &part).await.expect("back");
    assert_eq!(counted(&water.id).await, 61);
    act::drop(&app, &who, &water.id).await.expect("set aside");
    assert!(desk::desk(&app, &who).await.expect("desk").rising.iter().all(|row| row.topic.id != water.id));
    let mut tx = app.db.read().await.expect("tx");
    let log = kepu_store::log::list(&mut tx, &kepu_store::log::Filter::default(), None, 200).await.expect("log");
    let done: BTreeSet<&str> = log.iter().map(|entry| entry.action.as_str()).filter(|action| action.starts_with("topic.")).collect();
    for action in ["topic.merged", "topic.unmerged", "topic.split", "topic.unsplit", "topic.dropped"] {
        assert!(done.contains(action), "{action} is in the log: {done:?}");
    }
}

fn plan(format: Format, column: &str, name: &str) -> Plan {
    Plan {
        address: format!("file:{name}"),
        format,
        columns: [("text".to_owned(), column.to_owned())].into(),
        every_minutes: 60,
        repeats: false,
        issuers: vec![],
    }
}

#[tokio::test]
async fn a_list_that_changes_its_format_is_paused_with_the_reason_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("folder");
    let hand = Hand::at(START);
    let app = begin(folder.path(), &hand).await;
    let path = app.folder("lists").expect("folder").join("hot.csv");
    std::fs::write(&path, "标题\n全市停水三天\n塑料大米\n").expect("list");
    let typed = inlet::Typed { name: "热榜".into(), region: Region::NATION, plan: plan(Format::Csv, "标题", "hot.csv"), org: "000000".into() };
    assert!(matches!(inlet::add(&app, &person(Role::DutyOfficer), Kind::List, typed.clone()).await, Err(AppError::Denied(_))), "lists are for editors");
    assert!(matches!(inlet::add(&app, &person(Role::Editor), Kind::Tipline, typed.clone()).await, Err(AppError::Denied(_))), "tiplines are for stewards");
    let id = inlet::add(&app, &person(Role::Editor), Kind::List, typed.clone()).await.expect("added");
    let get = async || {
        let mut tx = app.db.read().await.expect("tx");
        inlets::get(&mut tx, &id).await.expect("inlet")
    };
    let heard = async || {
        let mut tx = app.db.read().await.expect("tx");
        signals::list_after(&mut tx, 0, i64::MAX, 100).await.expect("signals").into_iter().map(|signal| signal.text).collect::<Vec<_>>()
    };
    intake::run(&app).await.expect("read");
    assert_eq!(heard().await, ["全市停水三天", "塑料大米"]);
    hand.set(START + 3_700);
    intake::run(&app).await.expect("read again");
    assert_eq!(heard().await.len(), 2, "nothing twice");
    // The site is being mended and says so in HTML.
    std::fs::write(&path, "<html><body>维护中</body></html>").expect("list");
    hand.set(START + 2 * 3_700);
    intake::run(&app).await.expect("read");
    let paused = get().await;
    assert!(matches!(&paused.state, InletState::Paused(why) if why.contains("file_xml_kind")), "{paused:?}");
    assert_eq!(paused.due_at, None);
    std::fs::write(&path, "题目\n塑料大米\n水库要溃坝\n").expect("list");
    hand.set(START + 3 * 3_700);
    intake::run(&app).await.expect("left alone");
    assert_eq!((heard().await.len(), get().await.state.name()), (2, "paused"), "nothing is read until somebody has looked");
    inlet::switch(&app, &operator(), &id, true).await.expect("on");
    intake::run(&app).await.expect("read");
    assert!(matches!(&get().await.state, InletState::Paused(why) if why.contains("inlet-no-column")));
    let version = get().await.version;
    assert!(matches!(inlet::save(&app, &operator(), &id, version - 1, typed.clone()).await, Err(AppError::Stale { .. })));
    inlet::save(&app, &operator(), &id, version, inlet::Typed { plan: plan(Format::Csv, "题目", "hot.csv"), ..typed }).await.expect("saved");
    intake::run(&app).await.expect("read");
    assert_eq!(heard().await, ["全市停水三天", "塑料大米", "水库要溃坝"]);
    assert_eq!((get().await.state, get().await.failures), (InletState::On, 0));
    std::fs::remove_file(&path).expect("gone");
    hand.set(START + 5 * 3_700);
    intake::run(&app).await.expect("read");
    assert_eq!((get().await.state, get().await.failures), (InletState::On, 1), "what cannot be reached is tried again later");
    assert!(get().await.due_at.expect("due") > app.now());
}

#[tokio::test]
async fn only_what_a_steward_allowed_is_fetched_and_nothing_inside_the_house() {
    let folder = tempfile::tempdir().expect("folder");
    let hand = Hand::at(START);
    let app = begin(folder.path(), &hand).await;
    let site = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port");
    let host = site.local_addr().expect("address").to_string();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let answers = [
            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 22\r\n\r\n{\"t\":\"停水三天\"}\n\n",
        ];
        for answer in answers {
            let (mut stream, _) = site.accept().await.expect("caller");
            let mut asked = [0_u8; 1_024];
            let _ = stream.read(&mut asked).await.expect("request");
            stream.write_all(answer.as_bytes()).await.expect("answer");
        }
    });
    let address = format!("http://{host}/list");
    let typed = inlet::Typed { name: "单子".into(), region: Region::NATION, plan: Plan { address, ..plan(Format::Json, "t", "x") }, org: "000000".into() };
    let refused = inlet::add(&app, &operator(), Kind::List, typed.clone()).await.expect_err("not allowed yet");
    assert!(matches!(refused, AppError::Invalid(list) if list[0].key == "inlet_host"));
    assert!(matches!(inlet::set_hosts(&app, &person(Role::Editor), std::slice::from_ref(&host)).await, Err(AppError::Denied(_))), "hosts are for stewards");
    assert!(matches!(inlet::set_hosts(&app, &operator(), &["a b".into()]).await, Err(AppError::Invalid(_))));
    inlet::set_hosts(&app, &person(Role::Steward), &[host]).await.expect("allowed");
    let id = inlet::add(&app, &operator(), Kind::List, typed).await.expect("added");
    let trouble = async || {
        let mut tx = app.db.read().await.expect("tx");
        inlets::get(&mut tx, &id).await.expect("inlet").trouble
    };
    intake::run(&app).await.expect("listened");
    assert!(trouble().await.contains("inlet-private"), "{}", trouble().await);
    app.allow_intranet(true);
    for expected in ["inlet-moved", ""] {
        inlet::switch(&app, &operator(), &id, true).await.expect("on");
        intake::run(&app).await.expect("listened");
        assert!(trouble().await.contains(expected) && (expected.is_empty() == trouble().await.is_empty()), "{}", trouble().await);
    }
    let mut tx = app.db.read().await.expect("tx");
    assert_eq!(signals::list_after(&mut tx, 0, i64::MAX, 9).await.expect("signals").len(), 1);
}

fn file(rows: usize) -> String {
    let mut text: String = titles(rows).iter().map(|title| format!("{{\"text\":\"{title}\",\"time\":\"{}\",\"region\":\"000000\"}}\n", START - 60)).collect();
    text.push_str("{\"time\":\"1\"}\n{\"text\":\"x\",\"region\":\"云岭\"}\n{oops\n");
    text
}

fn brought(bytes: &[u8]) -> Brought<'_> {
    let plan = FilePlan { kind: FileKind::Signal, signed_by: "示例".into(), ..FilePlan::default() };
    Brought { name: "heard.jsonl", bytes, plan, org: "000000".into() }
}

#[tokio::test]
async fn a_file_that_breaks_off_goes_on_where_it_stopped_and_nothing_enters_twice() {
    let folder = tempfile::tempdir().expect("folder");
    let hand = Hand::at(START);
    let app = begin(folder.path(), &hand).await;
    let text = file(2_600);
    // The process dies after the second batch: its future is simply never asked again.
    let batches = std::sync::atomic::AtomicUsize::new(0);
    let enough = tokio::sync::Notify::new();
    let report = |_: &kepu_domain::create::import::Counts| {
        if batches.fetch_add(1, Ordering::Relaxed) == 1 {
            enough.notify_one();
        }
    };
    let who = operator();
    tokio::select! {
        biased;
        () = enough.notified() => {}
        _ = import::take_in(&app, &who, brought(text.as_bytes()), &report) => panic!("it should have been cut off"),
    }
    let count = async || {
        let mut tx = app.db.read().await.expect("tx");
        signals::count_after(&mut tx, 0).await.expect("count")
    };
    let half = count().await;
    assert!((1_000..2_600).contains(&half), "{half}");
    let done = import::take_in(&app, &who, brought(text.as_bytes()), &|_| {}).await.expect("taken in");
    assert_eq!((done.counts.done, done.counts.published, done.counts.refused), (2_603, 2_600, 3));
    assert_eq!(count().await, 2_600, "nothing twice, nothing lost");
    let refused = import::lines(&app, &done, kepu_store::create::import::LineKind::Refused, 0, 9).await.expect("lines");
    assert_eq!(
        refused.iter().map(|(line, reason)| (*line, reason.key.as_str())).collect::<Vec<_>>(),
        [(2_601, "error-import_missing"), (2_602, "error-import_region"), (2_603, "error-import_json")]
    );
    let again = import::take_in(&app, &who, brought(text.as_bytes()), &|_| {}).await.expect("known");
    assert_eq!((again.id, count().await), (done.id, 2_600), "the same file again is the file that was heard");
    assert!(matches!(import::bring(&app, &who, brought(text.as_bytes())).await, Err(AppError::Invalid(_))));
}

#[tokio::test]
async fn a_full_queue_refuses_and_words_go_after_two_days() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::create_dir_all(folder.path().join("definitions/policy")).expect("folder");
    let small = kepu_domain::listen::worth::BUILT_IN.text.replace("\"queue_max\": 50000", "\"queue_max\": 100");
    std::fs::write(folder.path().join("definitions/policy/listen.json"), small).expect("policy");
    let hand = Hand::at(START);
    let app = begin(folder.path(), &hand).await;
    let fresh = |n: i64| Fresh {
        text: format!("第{n}句话 13800138000"),
        at: Timestamp::from_second(START).expect("time"),
        region: Region::NATION,
        weight: f64::NAN,
        state: State::Waiting,
    };
    let put = async |count: i64| {
        let mut tx = app.db.write().await.expect("tx");
        let over = intake::put(&app, &mut tx, &FILES.into(), Channel::File, (0..count).map(fresh).collect()).await.expect("put");
        tx.commit().await.expect("commit");
        over
    };
    assert_eq!((put(60).await, put(60).await, put(1).await), (0, 20, 1));
    intake::run(&app).await.expect("listened");
    assert_eq!(put(1).await, 0, "there is room again");
    let stored = async || {
        let mut tx = app.db.read().await.expect("tx");
        signals::list_after(&mut tx, 0, i64::MAX, 1_000).await.expect("signals")
    };
    assert!(stored().await.iter().all(|signal| !signal.text.contains("138") && signal.text.contains("号码") && signal.weight == 1.0));
    hand.set(START + 49 * 3_600);
    intake::run(&app).await.expect("listened");
    assert!(stored().await.is_empty(), "no words after two days");
    let mut tx = app.db.read().await.expect("tx");
    let counts = inlets::counts(&mut tx, 0, i64::MAX).await.expect("counts")[FILES];
    assert_eq!((counts.taken, counts.refused, counts.nothing), (101, 21, 101));
}
