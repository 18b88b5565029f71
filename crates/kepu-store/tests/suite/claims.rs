//! Steps about claims as they are heard: sightings, wordings that wait, merges; and what lists leave out.

use crate::{RARE, at, read, write};
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::claim::{Merge, MergeStage};
use kepu_domain::listen::placement::{PlaceKind, Placement};
use kepu_domain::listen::sighting::{Channel, Sighting};
use kepu_domain::listen::usefulness::{ReaderKind, Tally, Vote};
use kepu_domain::org::Region;
use kepu_domain::record::DocHash;
use kepu_store::listen::{merge, placement, sighting, usefulness, wording};
use kepu_store::{Db, StoreError};

fn id(local: &str) -> SubjectId {
    SubjectId::new("abcdefgh23", local)
}

fn seen(claim: &str, hour: i64, channel: Channel, region: &str, count: i64) -> Sighting {
    Sighting { claim: id(claim), hour, channel, region: Region::parse(region).expect("code"), count }
}

pub async fn sightings_add_up(db: &Db) {
    let rows = [seen("a", 10, Channel::Page, "411525", 2), seen("a", 10, Channel::Api, "411525", 1), seen("b", 11, Channel::Page, "000000", 4)];
    write!(db, tx => sighting::add(tx, &rows)).expect("add");
    write!(db, tx => sighting::add(tx, &rows[..1])).expect("again");
    write!(db, tx => sighting::add(tx, &[])).expect("nothing");
    let both = [id("a"), id("b")];
    assert_eq!(read!(db, tx => sighting::by_hour(tx, &both)).expect("hours"), [(10, 5), (11, 4)]);
    assert_eq!(read!(db, tx => sighting::by_hour(tx, &[])).expect("none"), []);
    assert_eq!(read!(db, tx => sighting::by_channel(tx, &both[..1])).expect("channels"), [(Channel::Api, 1), (Channel::Page, 4)]);
    let nation = Region::NATION;
    let county = Region::parse("411525").expect("code");
    assert_eq!(read!(db, tx => sighting::by_region(tx, &both)).expect("places"), [(nation, 4), (county, 5)]);
    assert_eq!(read!(db, tx => sighting::list_since(tx, 0, 9)).expect("list"), [(id("a"), 5), (id("b"), 4)]);
    assert_eq!(read!(db, tx => sighting::list_since(tx, 11, 9)).expect("list"), [(id("b"), 4)]);
    let old = read!(db, tx => sighting::list_before(tx, 11, 9)).expect("before");
    assert_eq!(old, [seen("a", 10, Channel::Api, "411525", 1), seen("a", 10, Channel::Page, "411525", 4)]);
    write!(db, tx => sighting::remove(tx, &old[1])).expect("remove");
    assert_eq!(read!(db, tx => sighting::by_hour(tx, &both[..1])).expect("hours"), [(10, 1)]);
}

pub async fn wordings_wait_and_go(db: &Db) {
    let note = async |text: &str, digest: u8, ms: i64| write!(db, tx => wording::note(tx, &id("a"), &[digest; 32], text, at(ms))).expect("note");
    note(RARE, 1, 100).await;
    note("另一种说法", 2, 200).await;
    note("另一种说法", 2, 300).await;
    let list = read!(db, tx => wording::list(tx, &id("a"), 9)).expect("list");
    assert_eq!(list.iter().map(|one| (one.digest[0], one.times, one.first_at)).collect::<Vec<_>>(), [(2, 2, at(200)), (1, 1, at(100))]);
    assert_eq!(list[1].text, RARE);
    assert_eq!(read!(db, tx => wording::count(tx, &id("a"))).expect("count"), 2);
    assert!(write!(db, tx => wording::remove(tx, &id("a"), &[2; 32])).expect("remove"));
    assert!(!write!(db, tx => wording::remove(tx, &id("a"), &[2; 32])).expect("remove again"));
    assert_eq!(write!(db, tx => wording::purge(tx, at(100))).expect("purge"), 0);
    assert_eq!(write!(db, tx => wording::purge(tx, at(101))).expect("purge"), 1);
}

pub async fn merges_are_decided_once(db: &Db) {
    let asked = Merge {
        id: "m1".into(),
        claim: id("a"),
        into: id("b"),
        reason: RARE.into(),
        asked_by: "account:1".into(),
        asked_at: at(5),
        stage: MergeStage::Waiting,
        decided_by: String::new(),
        decided_at: None,
    };
    write!(db, tx => merge::insert(tx, &asked)).expect("insert");
    assert_eq!(read!(db, tx => merge::get(tx, "m1")).expect("get"), asked);
    assert_eq!(read!(db, tx => merge::list(tx, &id("b"), 9)).expect("list"), std::slice::from_ref(&asked));
    assert_eq!(read!(db, tx => merge::list(tx, &id("c"), 9)).expect("list"), []);
    let done = Merge { stage: MergeStage::Done, decided_by: "account:2".into(), decided_at: Some(at(6)), ..asked };
    write!(db, tx => merge::decide(tx, &done, MergeStage::Waiting)).expect("decide");
    assert_eq!(read!(db, tx => merge::get(tx, "m1")).expect("get"), done);
    assert!(matches!(write!(db, tx => merge::decide(tx, &done, MergeStage::Waiting)), Err(StoreError::Stale { .. })));
    assert!(matches!(read!(db, tx => merge::get(tx, "m2")), Err(StoreError::NotFound { .. })));
}

pub async fn votes_are_counts_and_a_ticket_is_spent_once(db: &Db) {
    assert!(write!(db, tx => usefulness::spend(tx, &[7; 32])).expect("spend"));
    assert!(!write!(db, tx => usefulness::spend(tx, &[7; 32])).expect("again"));
    for vote in [Vote::Useful, Vote::Useful, Vote::Useless] {
        write!(db, tx => usefulness::count(tx, &id("a"), ReaderKind::Public, vote)).expect("count");
    }
    write!(db, tx => usefulness::count(tx, &id("b"), ReaderKind::Scientist, Vote::Useful)).expect("count");
    let a = Tally { claim: id("a"), kind: ReaderKind::Public, useful: 2, useless: 1 };
    let b = Tally { claim: id("b"), kind: ReaderKind::Scientist, useful: 1, useless: 0 };
    assert_eq!(read!(db, tx => usefulness::list(tx, None, 9)).expect("list"), [a.clone(), b.clone()]);
    assert_eq!(read!(db, tx => usefulness::list(tx, Some(&id("a")), 9)).expect("list"), [b]);
    assert_eq!(read!(db, tx => usefulness::of(tx, &id("a"))).expect("of"), [a]);
}

pub async fn a_place_is_remembered_once_with_its_latest_version(db: &Db) {
    let at_place =
        |place: &str, version: u8, ms: i64| Placement { claim: id("a"), kind: PlaceKind::Embed, place: place.into(), doc: DocHash([version; 32]), at: at(ms) };
    for one in [at_place("b.example", 1, 10), at_place("a.example", 1, 20), at_place("b.example", 2, 30)] {
        write!(db, tx => placement::put(tx, &one)).expect("put");
    }
    let list = read!(db, tx => placement::list(tx, &id("a"), 9)).expect("list");
    assert_eq!(list, [at_place("a.example", 1, 20), at_place("b.example", 2, 30)]);
    assert_eq!(read!(db, tx => placement::count(tx, &id("a"))).expect("count"), 2);
    assert_eq!(read!(db, tx => placement::list(tx, &id("b"), 9)).expect("list"), []);
}
