//! Warnings through a node's own path: order of messages, unknown issuers, clocks that are set back, what drills never show.

use super::take::{self, Taken};
use super::{follow, guidance, here};
use crate::listen::intake::inlet::{self, Typed};
use crate::listen::order::{self, Start};
use crate::listen::task::{self as tasks, Deed};
use crate::listen::tests::{Hand, begin, member, operator};
use crate::{App, AppError, bundle, record};
use kepu_domain::access::{Actor, Role};
use kepu_domain::deliver::scope::Scope;
use kepu_domain::deliver::warning::Stands;
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::inlet::{Inlet, Kind, Plan};
use kepu_domain::listen::order::Mode;
use kepu_domain::org::Region;
use kepu_store::deliver::warning::State;
use kepu_store::subject;

/// 2026-07-20T15:00:00+08:00.
const SENT: i64 = 1_784_530_800;

struct Ground {
    app: App,
    hand: Hand,
    source: Inlet,
    _folder: tempfile::TempDir,
}

async fn ground() -> Ground {
    let folder = tempfile::tempdir().expect("folder");
    let hand = Hand::at(SENT + 60);
    let app = begin(folder.path(), &hand).await;
    let plan = Plan { issuers: vec!["*@nmc.example.org".into()], ..Plan::default() };
    let typed = Typed { name: "气象台".into(), region: Region::NATION, plan, org: "000000".into() };
    let id = inlet::add(&app, &operator(), Kind::Warning, typed).await.expect("source");
    let source = inlet::get(&app, &operator(), &id).await.expect("source");
    Ground { app, hand, source, _folder: folder }
}

/// A message of minute `minute` after `SENT` that holds three hours.
fn cap(id: &str, minute: i64, kind: &str, references: &str, change: impl Fn(String) -> String) -> String {
    let time = |second: i64| {
        jiff::tz::Offset::constant(8).to_datetime(jiff::Timestamp::from_second(second).expect("time")).strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
    };
    let sent = time(SENT + minute * 60);
    let refs = if references.is_empty() { String::new() } else { format!("<references>w@nmc.example.org,{references},{sent}</references>") };
    change(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>{id}</identifier><sender>w@nmc.example.org</sender>\
         <sent>{sent}</sent><status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>{refs}<info><language>zh-CN</language><category>Met</category>\
         <event>暴雨</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty><eventCode><valueName>KEPU:hazard</valueName><value>N-RAIN</value></eventCode>\
         <expires>{}</expires><senderName>示例台</senderName><headline>暴雨{id}</headline><instruction>远离低洼处</instruction>\
         <area><areaDesc>郑州市</areaDesc><geocode><valueName>GB/T 2260</valueName><value>410100</value></geocode></area></info></alert>",
        time(SENT + minute * 60 + 3 * 3_600),
    ))
}

impl Ground {
    async fn take(&self, text: &str) -> Taken {
        take::take(&self.app, "test", Some(&self.source), text.as_bytes()).await.expect("taken")
    }
    /// What stands in Zhengzhou: headline and how.
    async fn shown(&self) -> Vec<(String, Stands)> {
        let region = Region::parse("410102").expect("code");
        here(&self.app, region).await.expect("here").iter().map(|one| (one.open.warning.words("zh-Hans").headline, one.stands)).collect()
    }
    fn after(&self, minute: i64) {
        self.hand.set(SENT + minute * 60);
    }
}

#[tokio::test]
async fn the_order_in_which_messages_come_never_matters() {
    let messages = [cap("1", 0, "Alert", "", |t| t), cap("2", 1, "Update", "1", |t| t), cap("3", 2, "Cancel", "2", |t| t)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
        let g = ground().await;
        g.after(3);
        for at in order {
            assert!(matches!(g.take(&messages[at]).await, Taken::Passed(_)));
        }
        assert_eq!(g.shown().await, [("暴雨3".to_owned(), Stands::Clear)], "{order:?}");
        assert_eq!(g.take(&messages[0]).await, Taken::Duplicate);
        assert_eq!(g.take(&messages[0].replace("示例台", "示例台 ")).await, Taken::Duplicate, "the same message in other bytes");
    }
    let g = ground().await;
    g.take(&messages[1]).await;
    assert_eq!(g.shown().await, [("暴雨2".to_owned(), Stands::InForce)]);
    g.take(&messages[0]).await;
    assert_eq!(g.shown().await, [("暴雨2".to_owned(), Stands::InForce)], "the first comes late and does not come back");
}

#[tokio::test]
async fn a_warning_ends_by_its_own_time_and_no_clock_brings_it_back() {
    let g = ground().await;
    g.take(&cap("1", 0, "Alert", "", |t| t)).await;
    assert_eq!(g.shown().await, [("暴雨1".to_owned(), Stands::InForce)]);
    g.after(180);
    assert!(g.shown().await.is_empty());
    g.after(60);
    assert!(g.shown().await.is_empty(), "seen over by this process");
    g.after(181);
    follow::follow(&g.app).await.expect("followed");
    // Another process with a clock that was set back.
    let folder = g.app.data().to_owned();
    let late = crate::listen::tests::open(&folder, &Hand::at(SENT + 60)).await;
    assert!(here(&late, Region::NATION).await.expect("here").is_empty(), "seen over and written down");
    let rebuilt = record::rebuild(&g.app).await.expect("rebuilt");
    assert_eq!(rebuilt.before, rebuilt.after);
    assert!(here(&late, Region::NATION).await.expect("here").is_empty());
}

#[tokio::test]
async fn unknown_issuers_wait_for_an_officer_and_are_never_public_before() {
    let g = ground().await;
    let text = cap("1", 0, "Alert", "", |t| t.replace("w@nmc.example.org", "w@example.net"));
    let Taken::Held(hash) = g.take(&text).await else { panic!("held") };
    assert!(g.shown().await.is_empty());
    let officer = member("one", "000000", Role::DutyOfficer);
    for stranger in [Actor::Visitor, member("far", "420000", Role::DutyOfficer), member("pen", "000000", Role::Contributor)] {
        assert!(matches!(take::let_through(&g.app, &stranger, &hash, 1).await, Err(AppError::Denied(_))));
        assert!(matches!(take::messages(&g.app, &stranger, None, 9).await, Err(AppError::Denied(_))));
    }
    let other = member("other", "000000", Role::DutyOfficer);
    let id = take::let_through(&g.app, &officer, &hash, 1).await.expect("through");
    assert!(matches!(take::refuse(&g.app, &other, &hash, 1, "不认得").await, Err(AppError::Stale { .. })), "the second officer was slower");
    assert_eq!(g.shown().await, [("暴雨1".to_owned(), Stands::InForce)]);
    take::take_back(&g.app, &officer, &id, "后来核实不是预警").await.expect("back");
    assert!(g.shown().await.is_empty());
    let Taken::Held(hash) = g.take(&cap("2", 0, "Alert", "", |t| t.replace("w@nmc.example.org", "w@example.net"))).await else { panic!("held") };
    take::refuse(&g.app, &officer, &hash, 1, "不认得").await.expect("refused");
    assert!(g.shown().await.is_empty());
    assert_eq!(take::messages(&g.app, &officer, Some(State::Refused), 9).await.expect("list")[0].message.why, "不认得");
}

#[tokio::test]
async fn tests_drafts_and_exercises_are_never_shown() {
    let g = ground().await;
    for status in ["Test", "System", "Draft"] {
        assert_eq!(g.take(&cap(status, 0, "Alert", "", |t| t.replace("Actual", status))).await, Taken::Nothing("status".into()));
    }
    assert!(matches!(g.take(&cap("e", 0, "Alert", "", |t| t.replace("Actual", "Exercise"))).await, Taken::Exercise(_)));
    assert!(g.shown().await.is_empty());
    for hostile in [
        cap("x", 0, "Alert", "", |t| t.replace("cap:1.2", "cap:1.1")),
        cap("x", 0, "Alert", "", |t| t.replace("<alert", "<!DOCTYPE a [<!ENTITY b \"b\">]><alert")),
        cap("x", 0, "Alert", "", |t| t.replace("<geocode>", "<polygon>113,34 114,34 114,35 113,34</polygon><geocode>")),
    ] {
        assert!(matches!(g.take(&hostile).await, Taken::Invalid(_)), "{hostile}");
    }
    let crossed = cap("8", 0, "Alert", "", |t| {
        t.replace(
            "<geocode><valueName>GB/T 2260</valueName><value>410100</value></geocode>",
            "<polygon>34.5,113.4 35.0,114.0 35.0,113.4 34.5,114.0 34.5,113.4</polygon>",
        )
    });
    assert!(matches!(g.take(&crossed).await, Taken::Passed(_)), "a polygon that crosses itself holds what a ray crosses once");
    let nowhere = cap("9", 0, "Alert", "", |t| t.replace("410100", "999999"));
    assert!(matches!(g.take(&nowhere).await, Taken::Nothing(_)));
}

#[tokio::test]
async fn guidance_stands_beside_a_warning_at_once_and_its_time_is_noted() {
    let g = ground().await;
    crate::seed::publish(&g.app).await.expect("seed");
    g.take(&cap("1", 0, "Alert", "", |t| t)).await;
    let shown = here(&g.app, Region::NATION).await.expect("here");
    let advice = guidance::beside(&g.app, &shown[0].open.warning, Region::NATION, &guidance::For::default()).await.expect("advice");
    assert!(!advice.is_empty(), "the sample cards have something for rain");
    let lines = super::figures::figures(&g.app).await.expect("figures");
    assert_eq!((lines.len(), lines[0].warnings, lines[0].from_sent_s), (1, 1, Some((60, 60))));
}

async fn drill(g: &Ground) -> (Actor, kepu_domain::ids::OrderId, SubjectId) {
    let officer = member("one", "000000", Role::DutyOfficer);
    let start =
        Start {
            mode: Mode::Drill, plan: "rainstorm".into(), warning: None, hazard: String::new(), level: 2, title: "秘密演练".into(), org: "000000".into()
        };
    let id = order::start(&g.app, &officer, start).await.expect("started");
    let drill = order::view(&g.app, &officer, &id).await.expect("view").order.about.expect("drill");
    (officer, id, drill)
}

#[tokio::test]
async fn a_drill_stands_in_no_table_bundle_or_list_of_the_public() {
    let g = ground().await;
    let (officer, id, drill) = drill(&g).await;
    let mut tx = g.app.db.read().await.expect("tx");
    assert!(subject::find(&mut tx, &drill).await.expect("find").is_none());
    assert_eq!(subject::count(&mut tx, &subject::Filter::default()).await.expect("count"), 0);
    assert_eq!(kepu_store::deliver::change::count(&mut tx, &Default::default()).await.expect("count"), 0);
    assert!(kepu_store::listen::case::list(&mut tx, &Default::default(), None, 9).await.expect("cases").is_empty());
    drop(tx);
    for scope in [None, Some(Scope { drills: true, ..Scope::all() })] {
        let plays = scope.is_some();
        let what = bundle::Make { scope, ask: None, files: false, bytes_max: u64::MAX };
        let (made, _) = bundle::make(&g.app, what, Vec::new(), |_| {}).await.expect("bundle");
        let mut tx = g.app.db.read().await.expect("tx");
        let all = kepu_store::record::list_all(&mut tx, None, 99).await.expect("records");
        let drills = all.iter().filter(|(_, row)| row.kind == "drill").count();
        assert_eq!((made.records, drills), (all.len() - if plays { 0 } else { drills }, 1), "{plays}");
    }
    assert!(matches!(order::view(&g.app, &member("far", "420000", Role::DutyOfficer), &id).await, Err(AppError::NotFound { .. })));
    assert!(matches!(order::view(&g.app, &Actor::Visitor, &id).await, Err(AppError::NotFound { .. })));
    // One task in time, one blocked; the end closes the others.
    let list = order::view(&g.app, &officer, &id).await.expect("view").tasks;
    tasks::act(&g.app, &officer, &list[0].task.id, 1, Deed::Done("https://example.org/1".into())).await.expect("done");
    tasks::act(&g.app, &officer, &list[1].task.id, 1, Deed::Block("没有电".into())).await.expect("blocked");
    g.after(60);
    order::end(&g.app, &officer, &id, 1, "下次先查电源").await.expect("ended");
    assert!(matches!(order::end(&g.app, &officer, &id, 1, "再结束一次").await, Err(AppError::Stale { .. })));
    let view = order::view(&g.app, &officer, &id).await.expect("view");
    let play = view.play.expect("play");
    assert!(view.tasks.iter().all(|one| one.task.is_over()) && play.ended_at.is_some());
    assert_eq!((play.score.in_time, play.score.late), (1, 0));
    assert!(play.score.missed > 0 && !play.weak.is_empty());
    let rebuilt = record::rebuild(&g.app).await.expect("rebuilt");
    assert_eq!(rebuilt.before, rebuilt.after);
    let again = order::view(&g.app, &officer, &id).await.expect("view").play.expect("play");
    assert_eq!(again.score, play.score, "made again from the records");
}

#[tokio::test]
async fn a_real_order_opens_one_case_with_tasks_by_the_minute() {
    let g = ground().await;
    let Taken::Passed(warning) = g.take(&cap("1", 0, "Alert", "", |t| t)).await else { panic!("passed") };
    let officer = member("one", "000000", Role::DutyOfficer);
    let start = |plan: &str| Start {
        mode: Mode::Real,
        plan: plan.into(),
        warning: Some(warning.clone()),
        hazard: String::new(),
        level: 0,
        title: String::new(),
        org: "000000".into(),
    };
    assert!(matches!(order::start(&g.app, &officer, start("heat")).await, Err(AppError::Invalid(_))), "a plan for another hazard");
    assert!(matches!(order::start(&g.app, &member("pen", "000000", Role::Contributor), start("rainstorm")).await, Err(AppError::Denied(_))));
    let id = order::start(&g.app, &officer, start("rainstorm")).await.expect("started");
    assert_eq!(order::start(&g.app, &member("two", "000000", Role::DutyOfficer), start("rainstorm")).await.expect("the same"), id);
    let view = order::view(&g.app, &officer, &id).await.expect("view");
    assert!(view.tasks.len() >= 9 && view.order.case.is_some());
    assert_eq!(view.tasks[0].task.due, kepu_domain::listen::order::minutes_after(g.app.now(), 10));
    assert_eq!(order::years(&g.app, &officer).await.expect("years")[0].real, 1);
    g.after(200);
    assert!(matches!(order::start(&g.app, &officer, start("typhoon")).await, Err(AppError::Invalid(_))), "the warning is over");
}

fn speaker(n: usize, address: &str) -> kepu_domain::deliver::point::Point {
    kepu_domain::deliver::point::Point {
        id: format!("p{n}").into(),
        n: 0,
        org: "000000".into(),
        name: format!("点{n}"),
        channel: kepu_domain::deliver::point::Channel::Chat,
        address: address.into(),
        region: Region::parse("410102").expect("code"),
        hazards: vec![],
        level: 4,
        lang: "zh-Hans".into(),
        audience: String::new(),
        nonce: "n".into(),
        on: true,
        version: 1,
    }
}

/// A house that answers every call with 204.
async fn house() -> std::net::SocketAddr {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = vec![0; 8_192];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_thousand_points_those_who_cannot_be_reached_hold_nobody_up() {
    use kepu_domain::deliver::point::State as Stands;
    use kepu_store::deliver::point as points;
    let g = ground().await;
    g.app.allow_intranet(true);
    let address = house().await;
    let mut list: Vec<_> =
        (0..10_000).map(|n| speaker(n, &if n % 2 == 0 { format!("http://{address}/hook") } else { "http://127.0.0.1:9/hook".to_owned() })).collect();
    let mut tx = g.app.db.write().await.expect("tx");
    points::insert_many(&mut tx, &mut list).await.expect("points");
    tx.commit().await.expect("commit");
    g.take(&cap("1", 0, "Alert", "", |t| t)).await;
    for minute in [2, 3, 5, 9, 20] {
        g.after(minute);
        while crate::job::run_one(&g.app).await.expect("job") {}
    }
    let mut tx = g.app.db.read().await.expect("tx");
    let push = points::list_pushes(&mut tx, false, 1).await.expect("pushes").remove(0);
    let counts = points::counts(&mut tx, push.n).await.expect("counts");
    let of = |state| counts.iter().filter(|(s, ..)| *s == state).map(|(.., n)| n).sum::<i64>();
    assert_eq!((push.points, of(Stands::Confirmed), of(Stands::Failed)), (10_000, 5_000, 5_000), "{counts:?}");
    assert!(counts.iter().all(|(state, why, _)| (*state == Stands::Failed) != why.is_empty()), "every failure has its reason: {counts:?}");
}

#[tokio::test]
async fn a_change_overtakes_what_waits_and_reaches_those_who_were_told() {
    use crate::deliver::point as deeds;
    use kepu_domain::deliver::point::State as Stands;
    use kepu_store::deliver::point as points;
    let g = ground().await;
    let mut list = [speaker(1, ""), speaker(2, "")];
    let mut tx = g.app.db.write().await.expect("tx");
    points::insert_many(&mut tx, &mut list).await.expect("points");
    tx.commit().await.expect("commit");
    let secret = |n: usize| deeds::secret(&g.app, &list[n]);
    let (one, two) = (list[0].id.clone(), list[1].id.clone());
    g.take(&cap("1", 0, "Alert", "", |t| t)).await;
    let letters = deeds::collect(&g.app, &one, &secret(0)).await.expect("letters");
    assert_eq!((letters.len(), letters[0].headline.as_str()), (1, "暴雨1"));
    assert!(letters[0].text.starts_with("【橙色预警】暴雨1") && letters[0].because.contains("中原区"), "{:?}", letters[0]);
    assert_eq!(deeds::confirm(&g.app, &one, &secret(0), &[letters[0].push]).await.expect("confirmed"), 1);
    assert!(matches!(deeds::collect(&g.app, &one, &secret(1)).await, Err(AppError::Stranger)));
    // The second has not asked yet; the update is for another city, but the first was told and must hear of it.
    g.after(5);
    g.take(&cap("2", 4, "Update", "1", |t| t.replace("410100", "410700"))).await;
    assert_eq!(deeds::collect(&g.app, &one, &secret(0)).await.expect("letters")[0].headline, "暴雨2");
    assert!(deeds::collect(&g.app, &two, &secret(1)).await.expect("letters").is_empty(), "never the older one");
    let mut tx = g.app.db.read().await.expect("tx");
    let old = points::list_pushes(&mut tx, false, 9).await.expect("pushes").pop().expect("first");
    let counts = points::counts(&mut tx, old.n).await.expect("counts");
    assert_eq!(counts.iter().map(|(state, _, n)| (*state, *n)).collect::<Vec<_>>(), [(Stands::Confirmed, 1), (Stands::Overtaken, 1)]);
    drop(tx);
    deeds::leave(&g.app, &one, &secret(0)).await.expect("left");
    g.take(&cap("9", 5, "Alert", "", |t| t)).await;
    assert!(deeds::collect(&g.app, &one, &secret(0)).await.expect("letters").is_empty(), "who left hears nothing");
    // What is over is not handed over any more.
    g.after(500);
    assert!(deeds::collect(&g.app, &two, &secret(1)).await.expect("letters").is_empty());
}
