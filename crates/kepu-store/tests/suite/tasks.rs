//! Steps about tasks.

use crate::{RARE, at, read, write};
use kepu_domain::ids::OrgId;
use kepu_domain::listen::task::{Of, Stage, Task};
use kepu_domain::org::{Org, OrgKind, Region};
use kepu_store::listen::task;
use kepu_store::{Db, StoreError, org};

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
    let house = |id: &str, parent: Option<&str>| Org {
        id: id.into(),
        name: id.into(),
        name_en: String::new(),
        kind: OrgKind::Sector,
        parent: parent.map(OrgId::from),
        region: Region::NATION,
        sample: false,
    };
    write!(db, tx => org::insert_many(tx, &[house("above", None), house("below", Some("above")), house("aside", None)])).expect("orgs");
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
