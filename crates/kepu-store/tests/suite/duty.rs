//! Steps about duty rosters, absences and calls.

use crate::{at, house, read, write};
use jiff::civil::date;
use kepu_domain::ids::PartyId;
use kepu_domain::listen::duty::{Absence, Answer, Call, Post, Rota, Why};
use kepu_store::listen::duty;
use kepu_store::{Db, StoreError};

fn rota(id: &str, org: &str, post: Post, people: &[&str]) -> Rota {
    Rota {
        id: id.into(),
        org: org.into(),
        post,
        begins: date(2026, 3, 2),
        turn_days: 7,
        hour: 8,
        people: people.iter().map(|id| PartyId::from(*id)).collect(),
        ends: None,
        version: 1,
    }
}

pub async fn rotas(db: &Db) {
    house(db).await;
    let first = rota("r1", "below", Post::Officer, &["p_1", "p2"]);
    for one in [&first, &rota("r2", "above", Post::Expert, &["p2"]), &rota("r3", "aside", Post::Officer, &["px1"])] {
        write!(db, tx => duty::insert(tx, one)).expect("insert");
    }
    let ids = |list: Vec<Rota>| list.into_iter().map(|rota| rota.id.0).collect::<Vec<_>>();
    assert_eq!(read!(db, tx => duty::get(tx, &"r1".into())).expect("get"), first);
    assert_eq!(ids(read!(db, tx => duty::list_of(tx, &["below".into(), "above".into()])).expect("of")), ["r2", "r1"]);
    assert_eq!(ids(read!(db, tx => duty::list_below(tx, &["above".into()], 9)).expect("below")), ["r2", "r1"]);
    assert_eq!(ids(read!(db, tx => duty::list_below(tx, &[], 9)).expect("all")), ["r2", "r3", "r1"]);
    assert_eq!(ids(read!(db, tx => duty::list_with(tx, &"p_1".into())).expect("with")), ["r1"], "an underscore stands for itself");
    let changed = Rota { people: vec!["p2".into()], ends: Some(date(2026, 9, 1)), hour: 0, ..first.clone() };
    write!(db, tx => duty::update(tx, &changed)).expect("update");
    assert_eq!(read!(db, tx => duty::get(tx, &"r1".into())).expect("get"), Rota { version: 2, ..changed.clone() });
    let mut tx = db.write().await.expect("begin");
    assert!(matches!(duty::update(&mut tx, &changed).await, Err(StoreError::Stale { .. })));
    assert!(matches!(duty::get(&mut tx, &"none".into()).await, Err(StoreError::NotFound { .. })));
    drop(tx);
    write!(db, tx => duty::delete(tx, &"r3".into())).expect("delete");
    assert_eq!(ids(read!(db, tx => duty::list_below(tx, &[], 9)).expect("all")), ["r2", "r1"]);
}

pub async fn absences(db: &Db) {
    let away = |party: &str, from: i8, to: i8, instead: Option<&str>| Absence {
        party: party.into(),
        from: date(2026, 3, from),
        to: date(2026, 3, to),
        instead: instead.map(PartyId::from),
    };
    for one in [away("a", 4, 5, Some("b")), away("a", 4, 9, None), away("a", 20, 21, Some("b")), away("b", 1, 2, None)] {
        write!(db, tx => duty::put_absence(tx, &one)).expect("put");
    }
    let people: [PartyId; 2] = ["a".into(), "b".into()];
    let list = read!(db, tx => duty::list_absences(tx, &people, date(2026, 3, 3))).expect("list");
    assert_eq!(list, [away("a", 4, 9, None), away("a", 20, 21, Some("b"))], "the same first day is the same absence");
    write!(db, tx => duty::delete_absence(tx, &"a".into(), date(2026, 3, 4))).expect("delete");
    write!(db, tx => duty::forget(tx, &"b".into())).expect("forget");
    assert_eq!(read!(db, tx => duty::list_absences(tx, &people, date(2026, 1, 1))).expect("list"), [away("a", 20, 21, None)]);
    assert_eq!(write!(db, tx => duty::purge_absences(tx, date(2026, 3, 21))).expect("purge"), 0);
    assert_eq!(write!(db, tx => duty::purge_absences(tx, date(2026, 3, 22))).expect("purge"), 1);
}

pub async fn calls(db: &Db) {
    let call = |n: i64, party: &str, ms: i64| Call {
        case: "c".into(),
        n,
        party: party.into(),
        org: "o".into(),
        why: Why::Open,
        at: at(ms),
        answer: Answer::Waiting,
        answered_at: None,
    };
    assert!(write!(db, tx => duty::add_call(tx, &call(1, "a", 5))).expect("call"));
    assert!(!write!(db, tx => duty::add_call(tx, &call(1, "b", 6))).expect("call"), "a second process with the same number");
    assert!(write!(db, tx => duty::add_call(tx, &call(2, "b", 7))).expect("call"));
    assert!(write!(db, tx => duty::answer(tx, &"c".into(), 1, Answer::Cannot, at(8))).expect("answer"));
    assert!(!write!(db, tx => duty::answer(tx, &"c".into(), 1, Answer::Taken, at(9))).expect("answer"), "it is answered");
    let list = read!(db, tx => duty::list_calls(tx, &"c".into())).expect("list");
    assert_eq!(list, [Call { answer: Answer::Cannot, answered_at: Some(at(8)), ..call(1, "a", 5) }, call(2, "b", 7)]);
    assert_eq!(read!(db, tx => duty::list_waiting(tx, Some(&"b".into()))).expect("waiting"), [call(2, "b", 7)]);
    assert!(read!(db, tx => duty::list_waiting(tx, Some(&"a".into()))).expect("waiting").is_empty());
    write!(db, tx => duty::forget(tx, &"b".into())).expect("forget");
    assert!(read!(db, tx => duty::list_waiting(tx, None)).expect("waiting").is_empty());
}
