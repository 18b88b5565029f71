//! Steps about tasks, what meetings and inspections ask, warnings that are passed on, and points that they are pushed to.

use crate::{RARE, at, house, read, write};
use kepu_domain::deliver::point::{Channel, Point, State};
use kepu_domain::deliver::warning::{Kind, Name, Warning, Words};
use kepu_domain::listen::decision::{Ask, Cause, Coordination, Decided, Outcome, Report, Said};
use kepu_domain::listen::inspection::{Entry, Inspection, Sample, Seen, Tick};
use kepu_domain::listen::task::{Of, Stage, Task};
use kepu_domain::org::Region;
use kepu_domain::record::DocHash;
use kepu_store::deliver::{point, warning};
use kepu_store::listen::{decision, inspection, task};
use kepu_store::{Db, StoreError};

fn one(id: &str, org: &str, due: i64) -> Task {
    Task {
        id: id.into(),
        of: Of::Order("o1".into()),
        key: "k".into(),
        title: RARE.into(),
        title_en: String::new(),
        org: org.into(),
        role: RARE.into(),
        owner: None,
        due: at(due),
        proof: "link".into(),
        given_at: at(1),
        stage: Stage::Open,
        version: 1,
    }
}

pub async fn tasks(db: &Db) {
    house(db).await;
    let list = [one("t1", "below", 30), one("t2", "above", 20), one("t3", "aside", 10)];
    write!(db, tx => task::insert_many(tx, &list)).expect("insert");
    let ids = |list: Vec<Task>| list.into_iter().map(|t| t.id.0).collect::<Vec<_>>();
    assert_eq!(ids(read!(db, tx => task::list_of(tx, &Of::Order("o1".into()), 9)).expect("of")), ["t3", "t2", "t1"]);
    assert!(read!(db, tx => task::list_of(tx, &Of::Case("o1".into()), 9)).expect("of").is_empty(), "the same id of another kind");
    assert_eq!(ids(read!(db, tx => task::list_open(tx, &["above".into()], None, 9)).expect("open")), ["t2", "t1"]);
    let taken = read!(db, tx => task::get(tx, &"t1".into())).expect("get").take("a".into(), at(5)).expect("taken");
    write!(db, tx => task::update(tx, &taken)).expect("update");
    let held = read!(db, tx => task::get(tx, &"t1".into())).expect("get");
    assert_eq!(held, Task { version: 2, ..taken.clone() });
    assert_eq!(ids(read!(db, tx => task::list_open(tx, &[], Some(&"a".into()), 9)).expect("mine")), ["t1"]);
    let mut tx = db.write().await.expect("begin");
    assert!(matches!(task::update(&mut tx, &taken).await, Err(StoreError::Stale { .. })));
    assert!(matches!(task::get(&mut tx, &"none".into()).await, Err(StoreError::NotFound { .. })));
    drop(tx);
    write!(db, tx => task::update(tx, &held.finish(RARE, at(6)).expect("done"))).expect("update");
    assert_eq!(ids(read!(db, tx => task::list_open(tx, &[], None, 9)).expect("open")), ["t3", "t2"]);
    assert_eq!(read!(db, tx => task::get(tx, &"t1".into())).expect("get").stage, Stage::Done { at: at(6), evidence: RARE.into() });
}

fn name(id: &str) -> Name {
    Name { sender: "a@example.org".into(), identifier: id.into() }
}

fn passed(subject: &str, id: &str, sent: i64, kind: Kind, references: &[&str]) -> warning::Row {
    let says = Warning {
        name: name(id),
        sent: at(sent),
        kind,
        references: references.iter().map(|id| name(id)).collect(),
        hazard: "N-RAIN".into(),
        level: 2,
        urgency: String::new(),
        certainty: String::new(),
        effective: at(sent),
        expires: at(sent + 1_000),
        ends: true,
        places: vec![Region::NATION],
        words: vec![Words { headline: RARE.into(), ..Words::default() }],
        web: String::new(),
        original: String::new(),
        taken_back: String::new(),
    };
    warning::Row { subject: subject.into(), signer: "did:key:z".into(), doc_hash: DocHash([7; 32]), warning: says, ended: false }
}

pub async fn warnings(db: &Db) {
    let before = read!(db, tx => kepu_store::subject::hash_state(tx)).expect("hash");
    let rows = [passed("kepu:abcdefgh23/w-1", "1", 10, Kind::Alert, &[]), passed("kepu:abcdefgh23/w-2", "2", 20, Kind::Update, &["1"])];
    write!(db, tx => warning::upsert_many(tx, &rows)).expect("stored");
    assert_ne!(read!(db, tx => kepu_store::subject::hash_state(tx)).expect("hash"), before);
    assert_eq!(read!(db, tx => warning::list_named(tx, &[name("1")])).expect("named").len(), 1);
    assert_eq!(read!(db, tx => warning::list_referring(tx, &[name("1")])).expect("referring")[0], rows[1]);
    write!(db, tx => warning::set_ended(tx, &[name("1")], true)).expect("ended");
    let open = read!(db, tx => warning::list_open(tx, at(100), at(0), 9)).expect("open");
    assert_eq!(open.iter().map(|row| row.warning.name.identifier.as_str()).collect::<Vec<_>>(), ["2"]);
    assert_eq!(read!(db, tx => warning::list_ending(tx, at(100), 9)).expect("ending"), [name("1")]);
    write!(db, tx => warning::put_over(tx, &[name("1"), name("2")], at(100))).expect("over");
    write!(db, tx => warning::put_over(tx, &[name("1")], at(200))).expect("again");
    assert!(
        read!(db, tx => warning::list_open(tx, at(100), at(0), 9)).expect("open").is_empty()
            && read!(db, tx => warning::is_over(tx, &name("2"))).expect("over")
    );
    write!(db, tx => warning::delete_many(tx, &["kepu:abcdefgh23/w-2".into()])).expect("deleted");
    assert!(read!(db, tx => warning::list_referring(tx, &[name("1")])).expect("referring").is_empty());
    write!(db, tx => warning::clear(tx)).expect("clear");
    assert_eq!(read!(db, tx => kepu_store::subject::hash_state(tx)).expect("hash"), before);
    let message = warning::Message {
        hash: "h".into(),
        inlet: String::new(),
        name: name("1"),
        headline: RARE.into(),
        sent: at(10),
        got_at: at(11),
        state: warning::State::Held,
        why: String::new(),
        original: RARE.into(),
        decided_by: String::new(),
        version: 1,
    };
    assert!(
        write!(db, tx => warning::insert_message(tx, &message)).expect("insert") && !write!(db, tx => warning::insert_message(tx, &message)).expect("again")
    );
    assert!(read!(db, tx => warning::has_message(tx, &name("1"), at(10))).expect("has"));
    let refused = warning::Message { state: warning::State::Refused, why: RARE.into(), ..message.clone() };
    write!(db, tx => warning::decide_message(tx, &refused)).expect("decided");
    let mut tx = db.write().await.expect("begin");
    assert!(matches!(warning::decide_message(&mut tx, &refused).await, Err(StoreError::Stale { .. })));
    drop(tx);
    assert_eq!(write!(db, tx => warning::purge_messages(tx, at(99))).expect("purge"), 1);
}

pub async fn points_and_pushes(db: &Db) {
    let one = |n: usize, code: &str, hazards: &[&str], level: i64, address: &str| Point {
        id: format!("p{n}").into(),
        n: 0,
        org: "o".into(),
        name: format!("{n}"),
        channel: Channel::Screen,
        address: address.into(),
        region: Region::parse(code).expect("code"),
        hazards: hazards.iter().map(|h| (*h).to_owned()).collect(),
        level,
        lang: "zh-Hans".into(),
        audience: String::new(),
        nonce: "n".into(),
        on: true,
        version: 1,
    };
    let mut list = [
        one(1, "410102", &[], 4, ""),
        one(2, "410102", &["N-HEAT"], 4, ""),
        one(3, "410000", &["N-RAIN"], 2, "http://x/"),
        one(4, "410702", &[], 4, ""),
        one(5, "410122", &[], 1, ""),
        one(6, "000000", &["N-RAIN", "N-FLOOD"], 4, ""),
    ];
    write!(db, tx => point::insert_many(tx, &mut list)).expect("points");
    let place = [Region::parse("410100").expect("code")];
    let subject = "kepu:abcdefgh23/w-1".into();
    let first = write!(db, tx => point::queue(tx, &subject, &name("1"), &place, ("N-RAIN", 2), &[], at(5))).expect("queued");
    // In the city, above it, not of another hazard, city or level.
    assert_eq!((first.points, first.called), (3, 1));
    let calls = read!(db, tx => point::list_calls(tx, first.n, at(5), 0, 9)).expect("calls");
    assert_eq!(calls.iter().map(|(p, tries)| (p.id.as_str(), *tries)).collect::<Vec<_>>(), [("p3", 0)]);
    let tried = point::Tried { point: list[2].n, state: State::Confirmed, due_at: at(6), tries: 1, why: String::new(), card: "c".into() };
    write!(db, tx => point::note(tx, first.n, &[tried], at(6))).expect("noted");
    assert_eq!(read!(db, tx => point::next_call(tx, first.n)).expect("next"), None);
    assert_eq!(read!(db, tx => point::list_for(tx, list[0].n, 9)).expect("for").len(), 1);
    // An update for another city: who was told hears of it, what waits is overtaken.
    let other = [Region::parse("410700").expect("code")];
    let second = write!(db, tx => point::queue(tx, &subject, &name("2"), &other, ("N-RAIN", 2), &[first.n], at(9))).expect("queued");
    assert_eq!(second.points, 3);
    assert_eq!(read!(db, tx => point::counts(tx, first.n)).expect("counts"), [(State::Confirmed, String::new(), 1), (State::Overtaken, "newer".into(), 2)]);
    assert!(read!(db, tx => point::list_for(tx, list[0].n, 9)).expect("for").is_empty());
    let off = Point { on: false, ..list[3].clone() };
    write!(db, tx => point::update(tx, &off)).expect("off");
    let third = write!(db, tx => point::queue(tx, &subject, &name("3"), &other, ("N-RAIN", 2), &[], at(9))).expect("queued");
    assert_eq!(third.points, 2);
    write!(db, tx => point::overtake(tx, third.n, "over")).expect("over");
    let overtaken = read!(db, tx => point::counts(tx, third.n)).expect("counts").into_iter().find(|(state, ..)| *state == State::Overtaken);
    assert_eq!(overtaken, Some((State::Overtaken, "over".to_owned(), 2)));
    assert_eq!(read!(db, tx => point::list_pushes(tx, true, 9)).expect("open").len(), 1);
    assert_eq!(read!(db, tx => point::list_unconfirmed(tx, second.n, 9)).expect("missing").len(), 3);
    assert_eq!(write!(db, tx => point::purge(tx, at(99))).expect("purge"), 8);
}

pub async fn decisions_and_their_tasks(db: &Db) {
    let asked = |key: &str, due: i64| Ask { key: key.into(), place: Region::NATION, what: RARE.into(), due: at(due), proof: "link".into() };
    let decided = |title: &str, when: i64| Decided {
        cause: Cause::Meeting,
        meeting: title.into(),
        day: jiff::civil::Date::constant(2026, 3, 1),
        words: RARE.into(),
        about: String::new(),
        level: 2,
        at: at(when),
        host: "省".into(),
        org: "org".into(),
        region: Region::NATION,
        asks: vec![asked("a1", 50)],
        changes: vec![],
        ended: None,
    };
    let word = |subject: &str, about: &str, when: i64, says: Coordination| decision::Word {
        subject: subject.into(),
        about: about.into(),
        signer: "did:key:z".into(),
        doc_hash: DocHash([7; 32]),
        at: at(when),
        says,
    };
    let said = vec![Said { outcome: Outcome::Done, at: at(9), words: RARE.into() }];
    let report = Report { decision: "d1".into(), ask: "a1".into(), place: Region::NATION, host: "县".into(), said };
    let list = [
        word("d1", "d1", 10, Coordination::Decided(decided("一", 10))),
        word("d2", "d2", 20, Coordination::Decided(decided("二", 20))),
        word("r1", "d1", 15, Coordination::Report(report)),
    ];
    write!(db, tx => decision::upsert_many(tx, &list)).expect("words");
    write!(db, tx => decision::upsert_many(tx, &list)).expect("twice");
    let ids = |list: Vec<decision::Word>| list.into_iter().map(|word| word.subject.0).collect::<Vec<_>>();
    assert_eq!(ids(read!(db, tx => decision::list_decided(tx, 9)).expect("decided")), ["d2", "d1"]);
    assert_eq!(ids(read!(db, tx => decision::list_reports(tx, 9)).expect("reports")), ["r1"]);
    assert_eq!(read!(db, tx => decision::list_of(tx, &"d1".into(), 9)).expect("of"), [list[0].clone(), list[2].clone()]);
    assert_eq!(read!(db, tx => decision::find(tx, &"r1".into())).expect("find"), Some(list[2].clone()));
    write!(db, tx => decision::insert_task(tx, &"d1".into(), "a1", &"t1".into(), "same")).expect("task");
    write!(db, tx => decision::insert_task(tx, &"d2".into(), "a1", &"t1".into(), "same")).expect("joins");
    assert_eq!(read!(db, tx => decision::find_task(tx, &"d2".into(), "a1")).expect("task"), Some("t1".into()));
    assert_eq!(read!(db, tx => decision::list_same(tx, "same", 9)).expect("same"), ["t1".into()]);
    assert_eq!(read!(db, tx => decision::list_asks(tx, &"t1".into())).expect("asks").len(), 2);
    assert_eq!(read!(db, tx => decision::list_tasks(tx, &"d1".into())).expect("tasks"), [("a1".to_owned(), "t1".into())]);
    let mut tx = db.write().await.expect("begin");
    assert!(decision::insert_task(&mut tx, &"d1".into(), "a1", &"t2".into(), "same").await.is_err(), "one letter never makes two tasks");
    drop(tx);
    write!(db, tx => decision::delete_many(tx, &["d2".into()])).expect("gone");
    write!(db, tx => decision::clear(tx)).expect("cleared");
    assert!(read!(db, tx => decision::list_decided(tx, 9)).expect("none").is_empty());
}

pub async fn inspections(db: &Db) {
    let entry = |key: &str| Entry { key: key.into(), place: Region::NATION, title: RARE.into(), host: RARE.into(), evidence: RARE.into(), at: at(3) };
    let one = Inspection {
        id: "i1".into(),
        title: RARE.into(),
        org: "org".into(),
        checklist: "evidence".into(),
        region: Region::NATION,
        word: RARE.into(),
        list_hash: "ab".into(),
        listed: 3,
        drawn: 1,
        drawn_at: at(5),
    };
    write!(db, tx => inspection::insert(tx, &one, &[(0, entry("a")), (1, entry("b")), (0, entry("c"))])).expect("insert");
    assert_eq!(read!(db, tx => inspection::get(tx, &"i1".into())).expect("get"), one);
    assert_eq!(read!(db, tx => inspection::list(tx, 9)).expect("list"), [one]);
    assert!(matches!(read!(db, tx => inspection::get(tx, &"none".into())), Err(StoreError::NotFound { .. })));
    assert_eq!(read!(db, tx => inspection::list_all(tx, &"i1".into(), 2)).expect("all").len(), 2);
    let drawn = read!(db, tx => inspection::list_drawn(tx, &"i1".into())).expect("drawn");
    assert_eq!(drawn, [Sample { n: 1, entry: entry("b"), seen: None }]);
    let seen = Seen { at: at(9), by: "a".into(), ticks: [("opens".to_owned(), Tick::No)].into(), finding: Some("kepu:abcdefgh23/f".into()) };
    write!(db, tx => inspection::see(tx, &"i1".into(), 1, &seen)).expect("seen");
    assert_eq!(read!(db, tx => inspection::list_drawn(tx, &"i1".into())).expect("drawn")[0].seen, Some(seen.clone()));
    let mut tx = db.write().await.expect("begin");
    for n in [0, 1, 7] {
        assert!(matches!(inspection::see(&mut tx, &"i1".into(), n, &seen).await, Err(StoreError::Stale { .. })), "{n}");
    }
}
