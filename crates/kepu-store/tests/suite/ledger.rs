//! Steps about the ledger of contributions and the certificates drawn from it.

use crate::{RARE, at, house, read, write};
use jiff::civil::date;
use kepu_domain::create::credential::Reach;
use kepu_domain::ids::OrgId;
use kepu_domain::measure::contribution::{Contribution, Stage};
use kepu_store::create::credential::{self, Row};
use kepu_store::measure::contribution::{self, Total};
use kepu_store::{Db, StoreError};

fn line(id: &str, party: &str, object: &str, host: &str) -> Contribution {
    Contribution {
        id: id.into(),
        party: party.into(),
        kind: "talk".into(),
        title: RARE.into(),
        object: object.into(),
        host: host.into(),
        day: date(2026, 5, 1),
        count: 2,
        minutes: 90,
        stage: Stage::Claimed,
        version: 1,
    }
}

pub async fn contributions(db: &Db) {
    house(db).await;
    let (a, b, c) = (line("a", "p1", "deed:1", "below"), line("b", "p2", "deed:1", "below"), line("c", "p1", "deed:2", "aside"));
    for one in [&a, &b, &c] {
        assert!(write!(db, tx => contribution::insert_once(tx, one)).expect("insert"));
    }
    assert!(!write!(db, tx => contribution::insert_once(tx, &line("z", "p1", "deed:1", "aside"))).expect("insert"), "one deed stands once");
    assert_eq!(read!(db, tx => contribution::get(tx, &"a".into())).expect("get"), a);
    assert_eq!(read!(db, tx => contribution::list_by_object(tx, &"p1".into(), "deed:1")).expect("list"), std::slice::from_ref(&a));
    let above = [OrgId::from("above")];
    let waiting = |hosts: Option<Vec<OrgId>>| async move { read!(db, tx => contribution::list_claimed(tx, hosts.as_deref(), 9)).expect("list").len() };
    assert_eq!((waiting(Some(above.to_vec())).await, waiting(None).await, waiting(Some(vec![])).await), (2, 3, 0));
    assert_eq!(read!(db, tx => contribution::count_claimed(tx, Some(&above))).expect("count"), 2);
    let done = a.clone().confirm("主办方", None, at(5)).expect("legal");
    write!(db, tx => contribution::update(tx, &done)).expect("update");
    assert!(matches!(write!(db, tx => contribution::update(tx, &done)), Err(StoreError::Stale { .. })));
    assert!(matches!(write!(db, tx => contribution::delete(tx, &done)), Err(StoreError::Stale { .. })), "read in an earlier version");
    write!(db, tx => contribution::delete(tx, &c)).expect("delete");
    assert!(matches!(write!(db, tx => contribution::delete(tx, &c)), Err(StoreError::NotFound { .. })));
    let lines = read!(db, tx => contribution::list_by_party(tx, &"p1".into(), date(2026, 1, 1), date(2026, 12, 31), 9)).expect("list");
    assert!(lines.len() == 1 && lines[0].counts());
    let totals = async |until| read!(db, tx => contribution::totals(tx, date(2026, 1, 1), until)).expect("totals");
    assert_eq!(totals(date(2026, 12, 31)).await, [Total { kind: "talk".into(), lines: 1, parties: 1, units: 2, minutes: 90 }]);
    assert_eq!(totals(date(2026, 4, 30)).await, []);
    assert!(write!(db, tx => contribution::insert_once(tx, &line("d", "p1", "deed:3", "aside"))).expect("insert"));
    write!(db, tx => contribution::move_party(tx, &"p1".into(), &"p2".into())).expect("move");
    let lines = async |party: &str| read!(db, tx => contribution::list_by_party(tx, &party.into(), date(2026, 1, 1), date(2026, 12, 31), 9)).expect("list");
    let held = lines("p2").await;
    assert_eq!(
        held.iter().map(|l| (l.object.as_str(), l.party.0.as_str())).collect::<Vec<_>>(),
        [("deed:1", "p2"), ("deed:3", "p2")],
        "a deed of both stands once"
    );
    assert!(lines("p1").await.is_empty());
    write!(db, tx => contribution::delete_by_party(tx, &"p2".into())).expect("delete");
    assert!(lines("p2").await.is_empty());
}

pub async fn certificates(db: &Db) {
    house(db).await;
    let row = |origin: &str, number: &str, org: &str| Row {
        origin: origin.into(),
        number: number.into(),
        subject: format!("kepu:aaaaaaaaaa/c-{origin}{number}").into(),
        party: "p1".into(),
        org: org.into(),
        issued: date(2026, 5, 1),
        signer: "did:key:z1".into(),
        n: 7,
        kind: "contribution".into(),
        reach: Reach::Holder,
        code: "code".into(),
        record: RARE.into(),
    };
    let (own, other, foreign) = (row("", "A-1", "below"), row("", "A-2", "aside"), row("bbbbbbbbbb", "A-1", "below"));
    for one in [&own, &other, &foreign] {
        assert!(write!(db, tx => credential::insert_once(tx, one)).expect("insert"));
        assert!(!write!(db, tx => credential::insert_once(tx, one)).expect("insert"), "once");
    }
    let taken = Row { subject: "kepu:aaaaaaaaaa/c-new".into(), ..own.clone() };
    assert!(!write!(db, tx => credential::insert_once(tx, &taken)).expect("insert"), "the number is taken");
    assert_eq!(read!(db, tx => credential::find(tx, "A-1")).expect("find"), Some(own.clone()));
    assert_eq!(read!(db, tx => credential::find_by_subject(tx, &foreign.subject)).expect("find"), Some(foreign.clone()));
    assert_eq!(read!(db, tx => credential::list_by_party(tx, &"p1".into(), 9)).expect("list").len(), 3);
    let above = [OrgId::from("above")];
    assert_eq!(read!(db, tx => credential::list_issued(tx, Some(&above), 0, 9)).expect("list"), std::slice::from_ref(&own));
    assert_eq!(read!(db, tx => credential::list_issued(tx, None, 1, 9)).expect("list"), [own]);
    assert_eq!(read!(db, tx => credential::count_issued(tx, Some(&above))).expect("count"), 1);
    assert_eq!(read!(db, tx => credential::count_issued(tx, None)).expect("count"), 2);
    assert_eq!(write!(db, tx => credential::erase_bodies(tx, &"p1".into())).expect("erase"), 3);
    assert_eq!(read!(db, tx => credential::find(tx, "A-2")).expect("find").map(|row| row.record), Some(String::new()));
    write!(db, tx => credential::move_party(tx, &"p1".into(), &"p2".into())).expect("move");
    assert_eq!(read!(db, tx => credential::list_by_party(tx, &"p2".into(), 9)).expect("list").len(), 3);
}
