//! Steps about subjects and their state hash.

use crate::{RARE, raw, read, write};
use kepu_domain::ids::SubjectId;
use kepu_domain::org::Region;
use kepu_domain::record::DocHash;
use kepu_store::subject::{Filter, Order, Row, Standing};
use kepu_store::{Db, subject};

fn row(id: &str, modified: i64) -> Row {
    Row {
        id: SubjectId(format!("kepu:abcdefgh23/{id}")),
        kind: "resource".into(),
        standing: Standing::Public,
        doc_hash: Some(DocHash([9; 32])),
        signer: "did:key:zA".into(),
        n: 3,
        title: format!("{RARE}{id}"),
        title_en: "Title".into(),
        summary: "简介".into(),
        type_: "article".into(),
        verdict: String::new(),
        region: Region::NATION,
        fields: vec!["health".into(), "food".into()],
        audience: vec!["elder".into()],
        lang: "zh-Hans".into(),
        hazard: String::new(),
        date: "2026-11-24".into(),
        modified,
        expires: Some("2027-11-24".into()),
        notice: String::new(),
        reason: String::new(),
        withdrawn_by: String::new(),
        withdrawn_at: None,
        corrected: 0,
        sample: false,
        same_as: String::new(),
        held: None,
        seq: modified,
    }
}

fn sample_rows() -> Vec<Row> {
    vec![
        row("a", 1),
        Row { kind: "claim".into(), verdict: "false".into(), type_: String::new(), corrected: 50, ..row("b", 2) },
        Row { standing: Standing::Withdrawn, withdrawn_at: Some(70), reason: RARE.into(), withdrawn_by: "编辑部".into(), doc_hash: None, ..row("c", 3) },
        Row { standing: Standing::Hidden, doc_hash: None, expires: None, sample: true, ..row("d", 4) },
        Row { region: Region::parse("411525").expect("code"), fields: vec!["physics".into()], audience: vec![], hazard: "flood".into(), ..row("E", 5) },
        Row { lang: "bo".into(), fields: vec![], corrected: 60, notice: "更正".into(), ..row("é", 5) },
    ]
}

fn names(rows: &[Row]) -> Vec<&str> {
    rows.iter().filter_map(|row| row.id.0.rsplit('/').next()).collect()
}

pub async fn subjects_and_filters(db: &Db) {
    let rows = sample_rows();
    write!(db, tx => subject::upsert_many(tx, &rows)).expect("insert");
    for one in &rows {
        assert_eq!(read!(db, tx => subject::find(tx, &one.id)).expect("find").as_ref(), Some(one));
    }
    let asked = [rows[2].id.clone(), "kepu:abcdefgh23/none".into(), rows[0].id.clone()];
    assert_eq!(names(&read!(db, tx => subject::find_many(tx, &asked)).expect("many")), ["c", "a"]);

    let ask = async |filter: Filter| {
        let found = read!(db, tx => subject::list(tx, &filter, Order::Newest, None, 99)).expect("list");
        assert_eq!(read!(db, tx => subject::count(tx, &filter)).expect("count"), found.len() as i64, "{filter:?}");
        names(&found).join(" ")
    };
    let text = |word: &str| Some(word.to_owned());
    assert_eq!(ask(Filter::default()).await, "é E d c b a");
    assert_eq!(ask(Filter { kind: text("claim"), ..Filter::default() }).await, "b");
    assert_eq!(ask(Filter { standing: Some(Standing::Public), ..Filter::default() }).await, "é E b a");
    assert_eq!(ask(Filter { verdict: text("false"), ..Filter::default() }).await, "b");
    assert_eq!(ask(Filter { field: text("food"), standing: Some(Standing::Public), ..Filter::default() }).await, "b a");
    assert_eq!(ask(Filter { field: text("foo"), ..Filter::default() }).await, "");
    assert_eq!(ask(Filter { field: text("%"), ..Filter::default() }).await, "");
    assert_eq!(ask(Filter { audience: text("elder"), ..Filter::default() }).await, "é d c b a");
    assert_eq!(ask(Filter { type_: text("article"), kind: text("resource"), ..Filter::default() }).await, "é E d c a");
    assert_eq!(ask(Filter { hazard: text("flood"), ..Filter::default() }).await, "E");
    assert_eq!(ask(Filter { lang: text("zh"), ..Filter::default() }).await, "E d c b a");
    assert_eq!(ask(Filter { region_chain: vec![Region::NATION], ..Filter::default() }).await, "é d c b a");
    assert_eq!(ask(Filter { region_chain: Region::parse("411525").expect("code").chain(), ..Filter::default() }).await, "é E d c b a");
    assert_eq!(ask(Filter { signer: Some("did:key:zB".into()), ..Filter::default() }).await, "");
    assert_eq!(ask(Filter { sample: Some(true), ..Filter::default() }).await, "d");
    assert_eq!(ask(Filter { sample: Some(false), corrected_only: true, ..Filter::default() }).await, "é b");

    let counts = read!(db, tx => subject::list_by_field_counts(tx, None)).expect("counts");
    assert_eq!(counts, [("food".to_owned(), 2), ("health".to_owned(), 2), ("physics".to_owned(), 1)]);
    let claims = read!(db, tx => subject::list_by_field_counts(tx, Some("claim"))).expect("counts");
    assert_eq!(claims, [("food".to_owned(), 1), ("health".to_owned(), 1)]);

    let changed = Row { title: "新".into(), seq: 99, ..rows[0].clone() };
    write!(db, tx => subject::upsert_many(tx, &[rows[0].clone(), changed.clone()])).expect("the last of two counts");
    assert_eq!(read!(db, tx => subject::find(tx, &changed.id)).expect("find"), Some(changed.clone()));
    assert_eq!(names(&read!(db, tx => subject::list_changed(tx, 4, 9)).expect("changed")), ["E", "é", "a"]);
    assert_eq!(names(&read!(db, tx => subject::list_changed(tx, 4, 1)).expect("changed")), ["E"]);
    assert_eq!(write!(db, tx => subject::delete_many(tx, &asked)).expect("delete"), 2);
    write!(db, tx => subject::clear(tx)).expect("clear");
    assert_eq!(read!(db, tx => subject::count(tx, &Filter::default())).expect("count"), 0);

    let naked = Row { doc_hash: None, ..rows[0].clone() };
    let mut tx = db.write().await.expect("begin");
    assert!(subject::upsert_many(&mut tx, &[naked]).await.is_err(), "nothing is public without a version");
}

pub async fn merged_claims_stand_in_no_list(db: &Db) {
    let rows = [Row { kind: "claim".into(), ..row("a", 1) }, Row { kind: "claim".into(), same_as: "kepu:abcdefgh23/a".into(), ..row("b", 2) }];
    write!(db, tx => subject::upsert_many(tx, &rows)).expect("store");
    let public = Filter { kind: Some("claim".into()), standing: Some(Standing::Public), ..Filter::default() };
    let listed = read!(db, tx => subject::list(tx, &public, Order::Newest, None, 9)).expect("list");
    assert_eq!(listed.iter().map(|row| &row.id).collect::<Vec<_>>(), [&rows[0].id]);
    assert_eq!(read!(db, tx => subject::count(tx, &public)).expect("count"), 1);
    assert_eq!(read!(db, tx => subject::find(tx, &rows[1].id)).expect("find").map(|row| row.same_as), Some("kepu:abcdefgh23/a".into()));
    let changed = read!(db, tx => subject::list_changed_of(tx, "claim", 0, 9)).expect("changed");
    assert_eq!(changed.len(), 2);
    assert_eq!(read!(db, tx => subject::list_changed_of(tx, "resource", 0, 9)).expect("changed").len(), 0);
}

pub async fn pages_in_every_order(db: &Db) {
    write!(db, tx => subject::upsert_many(tx, &sample_rows())).expect("insert");
    for (order, expected) in [(Order::Newest, 6), (Order::Title, 6), (Order::Corrected, 2), (Order::Withdrawn, 1)] {
        let whole = read!(db, tx => subject::list(tx, &Filter::default(), order, None, 99)).expect("list");
        assert_eq!(whole.len(), expected, "{order:?}");
        let (mut after, mut pages) = (None, Vec::new());
        loop {
            let page = read!(db, tx => subject::list(tx, &Filter::default(), order, after.clone(), 1)).expect("page");
            let Some(last) = page.last() else { break };
            let number = match order {
                Order::Corrected => last.corrected,
                Order::Withdrawn => last.withdrawn_at.expect("withdrawn"),
                Order::Newest | Order::Title => last.modified,
            };
            after = Some((number, last.id.0.clone()));
            pages.extend(page);
        }
        assert_eq!(names(&pages), names(&whole), "{order:?}");
    }
}

pub async fn state_is_a_function_of_the_rows(db: &Db) {
    let rows = sample_rows();
    let hash = async || read!(db, tx => subject::hash_state(tx)).expect("hash");
    let empty = hash().await;
    assert_eq!(empty, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    write!(db, tx => subject::upsert_many(tx, &rows)).expect("insert");
    let full = hash().await;
    write!(db, tx => subject::clear(tx)).expect("clear");
    for one in rows.iter().rev() {
        let later = Row { seq: one.seq + 100, ..one.clone() };
        write!(db, tx => subject::upsert_many(tx, &[later])).expect("insert in another order, with other change numbers");
    }
    assert_eq!(hash().await, full);
    raw(db, "UPDATE subject SET summary = 'x' WHERE id LIKE '%/a'").await.expect("change");
    assert_ne!(hash().await, full);
}

pub async fn state_is_the_same_on_both_engines(one: &Db, other: &Db) {
    let mut rows = sample_rows();
    // More than one page, with ids that languages sort otherwise than bytes do.
    rows.extend((0..2_500).map(|n| row(&format!("{}{n}-{}", if n % 2 == 0 { "Z" } else { "z" }, n % 7), n)));
    for db in [one, other] {
        write!(db, tx => subject::upsert_many(tx, &rows)).expect("insert");
    }
    let first = read!(one, tx => subject::hash_state(tx)).expect("hash");
    assert_eq!(first, read!(other, tx => subject::hash_state(tx)).expect("hash"));
}

pub async fn what_must_be_looked_at_again(db: &Db) {
    let due = |id: &str, day: &str| Row { expires: Some(day.into()), ..row(id, 1) };
    let rows = [
        due("later", "2027-01-01"),
        due("soon", "2026-12-01"),
        due("over", "2025-12-01"),
        Row { expires: None, ..row("never", 1) },
        Row { standing: Standing::Withdrawn, withdrawn_at: Some(2), ..due("gone", "2025-01-01") },
        Row { signer: "did:key:zB".into(), ..due("theirs", "2025-01-01") },
    ];
    write!(db, tx => subject::upsert_many(tx, &rows)).expect("insert");
    let found = read!(db, tx => subject::list_expiring(tx, &"did:key:zA".into(), "2026-12-24", 9)).expect("list");
    assert_eq!(names(&found), ["over", "soon"]);
    assert_eq!(names(&read!(db, tx => subject::list_expiring(tx, &"did:key:zA".into(), "2026-12-24", 1)).expect("list")), ["over"]);
}
