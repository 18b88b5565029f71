//! Steps about what changed in public, and about packs.

use crate::{RARE, at, read, write};
use kepu_domain::deliver::pack::{Month, Pack, PackItem, Reason, Wish};
use kepu_domain::org::Region;
use kepu_domain::record::DocHash;
use kepu_store::deliver::change::{self, Asked};
use kepu_store::deliver::pack::{self, Got};
use kepu_store::deliver::recall;
use kepu_store::subject::{Row, Standing};
use kepu_store::{Db, StoreError};

fn row(id: &str, kind: &str, version: u8, standing: Standing, fields: &[&str]) -> Row {
    Row {
        id: id.into(),
        kind: kind.into(),
        standing,
        doc_hash: Some(DocHash([version; 32])),
        signer: "did:key:z".into(),
        n: 1,
        title: RARE.into(),
        title_en: String::new(),
        summary: String::new(),
        type_: String::new(),
        verdict: String::new(),
        region: Region::NATION,
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        audience: vec![],
        lang: String::new(),
        hazard: String::new(),
        date: String::new(),
        modified: 5,
        expires: None,
        notice: String::new(),
        reason: String::new(),
        withdrawn_by: String::new(),
        withdrawn_at: (standing == Standing::Withdrawn).then_some(9),
        corrected: 0,
        sample: false,
        same_as: String::new(),
        held: None,
        seq: 1,
    }
}

async fn listed(db: &Db, asked: &Asked) -> Vec<(String, i64, bool)> {
    let list = read!(db, tx => change::list(tx, asked, None, 100)).expect("list");
    assert_eq!(read!(db, tx => change::count(tx, asked)).expect("count"), list.len() as i64);
    list.into_iter().map(|change| (change.id.0, change.at, change.gone)).collect()
}

pub async fn what_changed_in_public(db: &Db) {
    assert_eq!((read!(db, tx => change::last(tx)).expect("last"), read!(db, tx => change::first(tx)).expect("first")), (0, None));
    let (a, b) = (row("kepu:a/1", "resource", 1, Standing::Public, &["health", "food"]), row("kepu:a/2", "claim", 1, Standing::Public, &["it"]));
    let card = row("kepu:a/3", "party", 1, Standing::Public, &["it"]);
    write!(db, tx => change::note(tx, &[a.clone(), b.clone(), card], &["kepu:a/never".into()], 100)).expect("note");
    // The same again is no change; a clock that was set back hides nothing.
    write!(db, tx => change::note(tx, &[a.clone(), Row { doc_hash: Some(DocHash([2; 32])), ..b.clone() }], &[], 50)).expect("note");
    write!(db, tx => change::note(tx, &[Row { doc_hash: Some(DocHash([3; 32])), ..b.clone() }], &[], 300)).expect("note");
    let all = Asked::default();
    assert_eq!(listed(db, &all).await, [("kepu:a/1".into(), 100, false), ("kepu:a/2".into(), 300, false)]);
    assert_eq!(listed(db, &Asked { from: Some(101), ..all.clone() }).await.len(), 1);
    assert_eq!(listed(db, &Asked { before: Some(300), ..all.clone() }).await.len(), 1);
    assert_eq!(listed(db, &Asked { field: Some("food".into()), ..all.clone() }).await.len(), 1);
    assert_eq!(listed(db, &Asked { field: Some("foo".into()), ..all.clone() }).await.len(), 0);
    // Withdrawn with its body: what it was about is still known to whoever asks for that field.
    let gone = Row { fields: vec![], ..row("kepu:a/1", "resource", 1, Standing::Withdrawn, &[]) };
    write!(db, tx => change::note(tx, &[gone], &[], 400)).expect("note");
    assert_eq!(listed(db, &Asked { field: Some("food".into()), ..all.clone() }).await, [("kepu:a/1".into(), 400, true)]);
    assert_eq!(listed(db, &Asked { shown: true, ..all.clone() }).await, [("kepu:a/2".into(), 300, false)]);
    // The signer lost the right: the row is gone, and that is told; a withdrawal of something never shown is not.
    let nameless = row("kepu:a/9", "", 1, Standing::Withdrawn, &[]);
    write!(db, tx => change::note(tx, &[nameless], &["kepu:a/2".into(), "kepu:a/never".into()], 500)).expect("note");
    assert_eq!(listed(db, &all).await, [("kepu:a/1".into(), 400, true), ("kepu:a/2".into(), 500, true)]);
    write!(db, tx => change::note(tx, &[b], &[], 600)).expect("note");
    assert_eq!(read!(db, tx => change::list(tx, &all, Some((400, "kepu:a/1".into())), 1)).expect("list")[0].at, 600);
    assert_eq!(read!(db, tx => change::list_shown(tx, 0, 10)).expect("page").len(), 1);
    assert_eq!(read!(db, tx => change::list_shown(tx, 1, 10)).expect("page").len(), 0);
    assert_eq!((read!(db, tx => change::last(tx)).expect("last"), read!(db, tx => change::first(tx)).expect("first")), (600, Some(400)));
}

fn pack(id: &str, region: &str, month: &str, items: usize) -> Pack {
    let item = |n: usize| PackItem { subject: format!("kepu:a/{n}").as_str().into(), title: RARE.into(), reasons: vec![Reason::Crop { word: RARE.into() }] };
    let wish = Wish {
        region: Region::parse(region).expect("code"),
        month: Month::parse(month).expect("month"),
        lang: "zh-Hans".into(),
        audience: String::new(),
        crops: vec![],
    };
    Pack { id: id.into(), wish, point: None, org: "o".into(), items: (0..items).map(item).collect(), dropped: vec![], made_at: at(7), version: 1 }
}

pub async fn packs_and_receipts(db: &Db) {
    let (a, b, c) = (pack("a", "411525", "2026-11", 4), pack("b", "540102", "2026-11", 6), pack("c", "411525", "2026-05", 4));
    for one in [&a, &b, &c] {
        assert!(write!(db, tx => pack::insert_once(tx, one)).expect("insert"));
    }
    assert!(!write!(db, tx => pack::insert_once(tx, &pack("z", "411525", "2026-11", 1))).expect("insert"), "one pack for one wish");
    assert_eq!(read!(db, tx => pack::find(tx, &"a".into())).expect("find"), Some(a.clone()));
    assert_eq!(read!(db, tx => pack::find_by_key(tx, &a.key())).expect("find"), Some(a.clone()));
    assert_eq!(read!(db, tx => pack::find(tx, &"z".into())).expect("find"), None);
    let fuller = Pack { items: pack("a", "411525", "2026-11", 5).items, ..a.clone() };
    write!(db, tx => pack::update(tx, &fuller)).expect("update");
    assert!(matches!(write!(db, tx => pack::update(tx, &fuller)), Err(StoreError::Stale { .. })));
    let ids = |list: Vec<Pack>| list.into_iter().map(|pack| pack.id.0).collect::<Vec<_>>();
    assert_eq!(ids(read!(db, tx => pack::list(tx, None, None, 9)).expect("list")), ["a", "b", "c"]);
    assert_eq!(ids(read!(db, tx => pack::list(tx, Month::parse("2026-11"), Some(b.wish.region), 9)).expect("list")), ["b"]);
    let between = |from: &str, before: &str| (Month::parse(from).expect("month"), Month::parse(before).expect("month"));
    let (from, before) = between("2026-05", "2026-11");
    assert_eq!(ids(read!(db, tx => pack::list_between(tx, a.wish.region, from, before)).expect("list")), ["c"]);
    assert!(write!(db, tx => pack::insert_receipt(tx, &a.id, &"x".into(), at(1))).expect("receipt"));
    assert!(!write!(db, tx => pack::insert_receipt(tx, &a.id, &"x".into(), at(2))).expect("receipt"), "once for each person");
    assert!(write!(db, tx => pack::insert_receipt(tx, &a.id, &"y".into(), at(3))).expect("receipt"));
    assert!(read!(db, tx => pack::has_receipt(tx, &a.id, &"x".into())).expect("has"));
    assert!(!read!(db, tx => pack::has_receipt(tx, &b.id, &"x".into())).expect("has"));
    assert_eq!(read!(db, tx => pack::count_receipts(tx, &a.id)).expect("count"), 2);
    // Recall: who put it up, and who took something down again.
    let posted = |one: &recall::Posted| (one.pack.id.0.clone(), one.account.0.clone(), one.at);
    let from = Month::parse("2026-06").expect("month");
    let list = read!(db, tx => recall::list_posted(tx, from, None, None, 9)).expect("posted");
    assert_eq!(list.iter().map(posted).collect::<Vec<_>>(), [("a".into(), "x".into(), at(1)), ("a".into(), "y".into(), at(3))]);
    assert_eq!(read!(db, tx => recall::list_posted(tx, from, Some(&"y".into()), None, 9)).expect("posted").len(), 1);
    let naming = |id: &str| kepu_domain::ids::SubjectId::from(id);
    assert_eq!(read!(db, tx => recall::list_posted(tx, from, None, Some(&naming("kepu:a/1")), 9)).expect("posted").len(), 2);
    assert_eq!(read!(db, tx => recall::list_posted(tx, from, None, Some(&naming("kepu:a/%")), 9)).expect("posted").len(), 0, "an id is no pattern");
    let receipt = |ms: i64| recall::Receipt { pack: a.id.clone(), account: "y".into(), at: at(ms) };
    for ms in [5, 9] {
        write!(db, tx => recall::put(tx, &"kepu:a/1".into(), &receipt(ms))).expect("put");
    }
    assert_eq!(read!(db, tx => recall::list(tx, &"kepu:a/1".into(), 9)).expect("list"), [receipt(9)]);
    let got = |region: Region, packs, items, receipts| Got { region, packs, items, receipts };
    assert_eq!(read!(db, tx => pack::list_got(tx, a.wish.month)).expect("got"), [got(a.wish.region, 1, 5, 2), got(b.wish.region, 1, 6, 0)]);
}
