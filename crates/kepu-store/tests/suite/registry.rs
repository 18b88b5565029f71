//! Steps about the registry: names that stand twice, what entries said before, changes in their order.

use crate::{RARE, read, write};
use kepu_domain::create::party::{Party, PartyKind};
use kepu_store::Db;
use kepu_store::create::party::{self, Entry};

fn entry(id: &str, name: &str, kind: PartyKind, changed_at: i64) -> Entry {
    let party = Party { id: id.into(), name: name.into(), kind, org: "o".into(), title: RARE.into(), ..Party::default() };
    Entry { name_fold: name.into(), party, changed_at, version: 1 }
}

pub async fn names_that_stand_twice(db: &Db) {
    let mut list = vec![
        entry("a", "林", PartyKind::Person, 1),
        entry("b", "林", PartyKind::Person, 2),
        entry("c", "林", PartyKind::Venue, 3),
        entry("d", RARE, PartyKind::Person, 4),
        entry("e", RARE, PartyKind::Person, 5),
        entry("f", "孤", PartyKind::Person, 6),
    ];
    list[4].party.merged_into = Some("d".into());
    write!(db, tx => party::upsert_many(tx, &list)).expect("stored");
    let doubles = async |after: &str| read!(db, tx => party::list_doubles(tx, after, 9)).expect("list");
    assert_eq!(doubles("").await, [(PartyKind::Person, "林".to_owned())], "another kind and a merged entry are no doubles");
    assert_eq!(doubles("林").await, []);
    let named = read!(db, tx => party::list_named(tx, &["林".to_owned(), "林".to_owned(), "无".to_owned()])).expect("named");
    let mut ids: Vec<String> = named.into_iter().map(|(id, ..)| id.0).collect();
    ids.sort();
    assert_eq!(ids, ["a", "b", "c"]);
}

pub async fn what_entries_said_before(db: &Db) {
    write!(db, tx => party::upsert_many(tx, &[entry("a", "旧名", PartyKind::Person, 1), entry("b", "乙", PartyKind::Team, 1)])).expect("stored");
    // An import keeps what it replaces, a form too; versions go on.
    write!(db, tx => party::keep_many(tx, &["a".into(), "nobody".into()], 7, "operator")).expect("kept");
    write!(db, tx => party::upsert_many(tx, &[entry("a", RARE, PartyKind::Person, 7)])).expect("stored");
    let now = read!(db, tx => party::find_entry(tx, &"a".into())).expect("find").expect("entry");
    assert_eq!((now.version, now.party.name.as_str()), (2, RARE));
    let named = Entry { party: Party { name: "三名".into(), ..now.party.clone() }, changed_at: 9, ..now.clone() };
    write!(db, tx => party::update(tx, &named, "account:x")).expect("updated");
    let mut tx = db.write().await.expect("begin");
    assert!(matches!(party::update(&mut tx, &named, "account:y").await, Err(kepu_store::StoreError::Stale { .. })), "somebody saved in between");
    drop(tx);
    let history = read!(db, tx => party::list_history(tx, &"a".into(), 9)).expect("history");
    let told: Vec<_> = history.iter().map(|(version, at, who, party)| (*version, *at, who.as_str(), party.name.as_str())).collect();
    assert_eq!(told, [(2, 9, "account:x", RARE), (1, 7, "operator", "旧名")]);
    let changed = read!(db, tx => party::list_changed(tx, 1, "", 9)).expect("changed");
    assert_eq!(changed.iter().map(|e| e.party.id.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    write!(db, tx => party::delete(tx, &"a".into())).expect("deleted");
    assert_eq!(read!(db, tx => party::list_history(tx, &"a".into(), 9)).expect("history"), [], "history goes with the entry");
}
