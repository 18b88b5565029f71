//! Steps about what is heard: inlets, signals, topics.

use crate::{RARE, at, read, write};
use kepu_domain::ids::TopicId;
use kepu_domain::listen::inlet::{Inlet, Kind, Plan, State};
use kepu_domain::listen::sighting::Channel;
use kepu_domain::listen::signal::{Counts, Signal, State as SignalState};
use kepu_domain::listen::topic::{Phase, Topic};
use kepu_domain::org::Region;
use kepu_store::listen::topic::Heard;
use kepu_store::listen::{inlet, signal, topic};
use kepu_store::{Db, StoreError};

fn list(id: &str, due: Option<i64>) -> Inlet {
    Inlet {
        id: id.into(),
        kind: Kind::List,
        org: "o".into(),
        name: RARE.into(),
        region: Region::NATION,
        plan: Plan { address: RARE.into(), every_minutes: 60, ..Plan::default() },
        state: State::On,
        nonce: "n".into(),
        due_at: due.map(at),
        last_at: None,
        good_at: None,
        failures: 0,
        trouble: String::new(),
        version: 1,
    }
}

pub async fn inlets(db: &Db) {
    for (id, due) in [("i1", Some(10)), ("i2", Some(5)), ("i3", None)] {
        write!(db, tx => inlet::insert(tx, &list(id, due))).expect("insert");
    }
    let due = read!(db, tx => inlet::list_due(tx, at(10), 9)).expect("due");
    assert_eq!(due.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(), ["i2", "i1"]);
    assert_eq!(read!(db, tx => inlet::count_due(tx, at(5))).expect("count"), 1);
    let paused = due[0].clone().paused(at(11), RARE);
    write!(db, tx => inlet::update(tx, &paused)).expect("update");
    assert_eq!(read!(db, tx => inlet::get(tx, &"i2".into())).expect("get"), Inlet { version: 2, ..paused.clone() });
    let mut tx = db.write().await.expect("begin");
    assert!(matches!(inlet::update(&mut tx, &paused).await, Err(StoreError::Stale { .. })));
    assert!(matches!(inlet::get(&mut tx, &"none".into()).await, Err(StoreError::NotFound { .. })));
    drop(tx);
    write!(db, tx => inlet::heard(tx, &"i3".into(), at(7))).expect("heard");
    assert_eq!(read!(db, tx => inlet::find(tx, &"i3".into())).expect("find").expect("there").good_at, Some(at(7)));
    let entries: Vec<String> = (0..700).map(|n| format!("e{n}")).collect();
    write!(db, tx => inlet::add_seen(tx, &"i1".into(), &entries[..600], at(3))).expect("seen");
    write!(db, tx => inlet::add_seen(tx, &"i1".into(), &entries[..1], at(8))).expect("seen again");
    assert_eq!(read!(db, tx => inlet::list_seen(tx, &"i1".into(), &entries)).expect("seen").into_iter().collect::<std::collections::BTreeSet<_>>().len(), 600);
    assert!(read!(db, tx => inlet::list_seen(tx, &"i2".into(), &entries)).expect("seen").is_empty(), "each list has its own");
    assert_eq!(write!(db, tx => inlet::purge_seen(tx, at(8))).expect("purge"), 599);
    let counts = Counts { taken: 3, refused: 1, matched: 1, asked: 0, nothing: 2 };
    for (name, hour) in [("i1", 7), ("i1", 7), ("i1", 8), ("files", 8)] {
        write!(db, tx => inlet::add_counts(tx, name, hour, counts)).expect("count");
    }
    let sums = read!(db, tx => inlet::counts(tx, 7, 9)).expect("sums");
    assert_eq!((sums["i1"].taken, sums["i1"].nothing, sums["files"].refused), (9, 6, 1));
    assert_eq!(read!(db, tx => inlet::taken_by_hour(tx, 7)).expect("hours"), [(7, 6), (8, 6)]);
    assert_eq!(write!(db, tx => inlet::purge_counts(tx, 8)).expect("purge"), 1);
    write!(db, tx => inlet::delete(tx, &"i1".into())).expect("delete");
    assert_eq!(read!(db, tx => inlet::list(tx, 9)).expect("list").len(), 2);
}

fn heard(text: &str, got: i64, state: SignalState) -> Signal {
    Signal {
        seq: 0,
        at: at(got - 1),
        got_at: at(got),
        inlet: "i".into(),
        channel: Channel::Tipline,
        region: Region::NATION,
        text: text.into(),
        weight: 1.5,
        state,
        topic: None,
    }
}

pub async fn signals(db: &Db) {
    let mut list = vec![heard(RARE, 10, SignalState::Waiting), heard("b", 20, SignalState::Open), heard("c", 30, SignalState::Waiting)];
    write!(db, tx => signal::insert_many(tx, &mut list)).expect("insert");
    assert_eq!(list.iter().map(|s| s.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(read!(db, tx => signal::list_after(tx, 0, i64::MAX, 9)).expect("list"), list);
    assert_eq!(read!(db, tx => signal::list_after(tx, 1, 2, 9)).expect("list").len(), 1);
    assert_eq!(read!(db, tx => signal::count_after(tx, 1)).expect("count"), 2);
    assert_eq!(read!(db, tx => signal::waiting_by_inlet(tx, 1)).expect("waiting"), [("i".to_owned(), 2, at(20))]);
    assert_eq!(read!(db, tx => signal::find_last(tx)).expect("last"), 3);
    write!(db, tx => signal::set_open(tx, &[1, 3])).expect("open");
    write!(db, tx => signal::set_topic(tx, 3, &TopicId::from("t"))).expect("topic");
    let of = read!(db, tx => signal::list_by_topic(tx, &"t".into(), 9)).expect("list");
    assert_eq!(of.iter().map(|s| (s.seq, s.state)).collect::<Vec<_>>(), [(3, SignalState::Open)]);
    write!(db, tx => signal::delete_many(tx, &[2])).expect("delete");
    assert_eq!(write!(db, tx => signal::purge(tx, at(30))).expect("purge"), 1);
    assert_eq!(write!(db, tx => signal::purge_below(tx, 3)).expect("purge"), 0);
    assert_eq!(write!(db, tx => signal::purge_below(tx, 4)).expect("purge"), 1);
    assert_eq!(read!(db, tx => signal::find_last(tx)).expect("last"), 0);
    let mut more = vec![heard("d", 40, SignalState::Open)];
    write!(db, tx => signal::insert_many(tx, &mut more)).expect("insert");
    assert_eq!(more[0].seq, 4, "no number is given twice");
}

pub async fn topics(db: &Db) {
    let begun = |id: &str, last: i64, phase: Phase| Topic {
        id: id.into(),
        label: RARE.into(),
        phase,
        since: at(1),
        last_at: at(last),
        raised_at: (phase == Phase::Rising).then(|| at(2)),
        score: 7.25,
        total: 3,
        wordings: 2,
        case: None,
        merged_into: None,
        split_from: None,
        dropped: false,
        version: 1,
    };
    for (id, last, phase) in [("t1", 10, Phase::Rising), ("t2", 20, Phase::Asked), ("t3", 30, Phase::Over)] {
        write!(db, tx => topic::insert(tx, &begun(id, last, phase))).expect("insert");
    }
    let live = read!(db, tx => topic::list_live(tx, 9)).expect("live");
    assert_eq!(live.iter().map(|t| t.id.as_str()).collect::<Vec<_>>(), ["t2", "t1"]);
    assert_eq!(live[1], begun("t1", 10, Phase::Rising));
    assert_eq!(read!(db, tx => topic::list_since(tx, at(20), 9)).expect("since").len(), 2);
    let merged = Topic { merged_into: Some("t1".into()), case: Some("c".into()), dropped: true, ..live[0].clone() };
    let now = write!(db, tx => topic::update(tx, merged.clone())).expect("update");
    assert_eq!(read!(db, tx => topic::get(tx, &"t2".into())).expect("get"), now);
    let mut tx = db.write().await.expect("begin");
    assert!(matches!(topic::update(&mut tx, merged).await, Err(StoreError::Stale { .. })));
    let bad = Topic { raised_at: None, ..begun("t4", 1, Phase::Rising) };
    assert!(topic::insert(&mut tx, &bad).await.is_err(), "what rises has been said");
    drop(tx);
    let county = Region::parse("411525").expect("region");
    for (id, n) in [("t1", 2), ("t1", 3), ("t2", 4)] {
        write!(db, tx => topic::add_heard(tx, &id.into(), 5, Channel::List, county, n)).expect("heard");
    }
    let sums = read!(db, tx => topic::list_heard(tx, &["t1".into(), "t2".into()], 5, 9)).expect("heard");
    assert_eq!(sums, [Heard { hour: 5, channel: Channel::List, region: county, count: 9 }]);
    assert!(read!(db, tx => topic::list_heard(tx, &[], 0, 9)).expect("none").is_empty());
    assert_eq!(write!(db, tx => topic::purge_heard(tx, 6)).expect("purge"), 2);
    assert_eq!(write!(db, tx => topic::purge_labels(tx, at(31))).expect("purge"), 1);
    assert_eq!(read!(db, tx => topic::get(tx, &"t3".into())).expect("get").label, "");
}
