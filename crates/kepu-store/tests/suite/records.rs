//! Steps about records, heads and forks.

use crate::{RARE, read, write};
use kepu_domain::history::Compared;
use kepu_domain::ids::{KeyId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::record::{DocHash, ForkProof, Place, Stream, Stub};
use kepu_store::record::{HeadCheck, Light, RegionFilter, Row, SkipRow, StreamHead, Taken};
use kepu_store::{Db, StoreError, counter, record};

pub fn row(key: &str, stream: Stream, n: i64, arrival: i64) -> Row {
    let mut hash = [0_u8; 32];
    hash[..8].copy_from_slice(&n.to_be_bytes());
    hash[8] = stream.code();
    hash[9..9 + key.len().min(20)].copy_from_slice(&key.as_bytes()[..key.len().min(20)]);
    Row {
        key: key.into(),
        stream,
        n,
        arrival,
        doc_hash: DocHash(hash),
        modified: "2026-11-24T08:00:00.123456Z".into(),
        sig: vec![7; 64],
        doc: Some(format!("{{\"n\":{n},\"name\":\"{RARE}\"}}").into_bytes()),
        kind: "resource".into(),
        subject: SubjectId(format!("kepu:abcdefgh23/{key}-{n}")),
        region: Region::NATION,
        fields: vec!["health".into(), "food".into()],
        lang: "zh-Hans".into(),
        source: String::new(),
        refusal: String::new(),
    }
}

fn places(rows: &[Row]) -> Vec<(String, i64)> {
    rows.iter().map(|row| (row.key.0.clone(), row.n)).collect()
}

pub async fn round_trip(db: &Db) {
    let rows = [
        row("a", Stream::Lib, 1, 1),
        Row { doc: None, fields: vec![], source: "did:key:zPeer".into(), refusal: "no grant".into(), ..row("b", Stream::Trust, 1, 2) },
        Row { doc: Some(vec![0, 159, 146, 150]), kind: RARE.into(), ..row("a", Stream::Alert, (1 << 53) - 1, i64::MAX) },
    ];
    write!(db, tx => record::insert_many(tx, &rows)).expect("insert");
    for one in &rows {
        assert_eq!(read!(db, tx => record::find(tx, &one.place())).expect("find").as_ref(), Some(one));
        assert_eq!(read!(db, tx => record::find_by_hash(tx, &one.doc_hash)).expect("find").as_ref(), Some(one));
    }
    assert_eq!(read!(db, tx => record::find(tx, &row("c", Stream::Lib, 1, 0).place())).expect("find"), None);
    assert_eq!(read!(db, tx => record::count(tx)).expect("count"), 3);
    assert_eq!(read!(db, tx => record::max_arrival(tx, Stream::Trust)).expect("max"), 2);
    assert_eq!(read!(db, tx => record::max_arrival(tx, Stream::Up)).expect("max"), 0);
    write!(db, tx => record::insert_many(tx, &[])).expect("nothing is fine");
}

pub async fn duplicates_are_rejected(db: &Db) {
    write!(db, tx => record::insert_many(tx, &[row("a", Stream::Lib, 1, 1)])).expect("insert");
    let mut tx = db.write().await.expect("begin");
    let error = record::insert_many(&mut tx, &[row("a", Stream::Lib, 2, 2), row("a", Stream::Lib, 1, 3)]).await.expect_err("the place is taken");
    assert!(error.is_duplicate() && !error.is_retryable(), "{error:?}");
    drop(tx);
    assert_eq!(read!(db, tx => record::count(tx)).expect("count"), 1, "nothing of the batch stays");
    let bad = Row { n: 0, ..row("a", Stream::Lib, 5, 5) };
    let mut tx = db.write().await.expect("begin");
    assert!(matches!(record::insert_many(&mut tx, &[bad]).await, Err(StoreError::Query { .. })), "numbers begin with 1");
}

pub async fn existing_and_lists(db: &Db) {
    let mut rows: Vec<Row> = (1..=450).map(|n| row("a", Stream::Lib, n, n)).collect();
    rows.push(Row { subject: rows[0].subject.clone(), ..row("b", Stream::Lib, 1, 451) });
    rows.push(Row { kind: "certificate".into(), ..row("root", Stream::Trust, 1, 452) });
    rows.push(Row { kind: "fork".into(), ..row("b", Stream::Alert, 1, 453) });
    rows.push(Row { kind: "retraction".into(), ..row("b", Stream::Alert, 2, 454) });
    write!(db, tx => record::insert_many(tx, &rows)).expect("insert");

    let mut asked: Vec<Place> = rows.iter().map(Row::place).collect();
    asked.push(Place { key: "a".into(), stream: Stream::Lib, n: 451 });
    asked.push(Place { key: "stranger".into(), stream: Stream::Lib, n: 1 });
    asked.push(asked[0].clone());
    let known = read!(db, tx => record::existing(tx, &asked)).expect("existing");
    assert_eq!(known.len(), rows.len());
    for one in &rows {
        assert_eq!(known.get(&one.place()), Some(&Taken { hash: one.doc_hash, whole: true }), "{}", one.place());
    }
    assert!(read!(db, tx => record::existing(tx, &[])).expect("existing").is_empty());

    let subjects: Vec<SubjectId> = rows.iter().map(|row| row.subject.clone()).collect();
    assert_eq!(read!(db, tx => record::list_by_subjects(tx, &subjects)).expect("list").len(), rows.len());
    let both = read!(db, tx => record::list_by_subjects(tx, &subjects[..1])).expect("list");
    assert_eq!(places(&both), [("a".into(), 1), ("b".into(), 1)]);
    assert_eq!(places(&read!(db, tx => record::list_trust(tx)).expect("trust")), [("root".into(), 1), ("b".into(), 1)]);
    let said = read!(db, tx => record::list_by_signer(tx, &"b".into())).expect("list");
    assert_eq!(said.len(), 3, "two alerts about b's own subjects, one record about a's");
    assert!(read!(db, tx => record::list_by_signer(tx, &"root".into())).expect("trust is left out").is_empty());
    let hashes = read!(db, tx => record::list_doc_hashes(tx, &"a".into(), Stream::Lib, 0, 9_999)).expect("hashes");
    let some = read!(db, tx => record::list_doc_hashes(tx, &"a".into(), Stream::Lib, 7, 2)).expect("hashes");
    assert_eq!(some, hashes[7..9]);
    assert!(hashes.len() == 450 && hashes.iter().zip(1..).all(|((n, hash), at)| *n == at && *hash == row("a", Stream::Lib, at, 0).doc_hash));

    let (mut after, mut all) = (None, Vec::new());
    loop {
        let page = read!(db, tx => record::list_all(tx, after, 100)).expect("page");
        let Some((signer, last)) = page.last() else { break };
        after = Some((*signer, last.stream, last.n));
        all.extend(page.into_iter().map(|(_, row)| row));
    }
    let sorted = |mut list: Vec<Row>| {
        list.sort_by_key(Row::place);
        list
    };
    assert_eq!(sorted(all), sorted(rows));
}

pub async fn arrivals_by_region(db: &Db) {
    let codes = ["000000", "410000", "411500", "411525", "420000"];
    let rows: Vec<Row> = codes.iter().zip(1..).map(|(code, n)| Row { region: Region::parse(code).expect("code"), ..row("a", Stream::Lib, n, n) }).collect();
    write!(db, tx => record::insert_many(tx, &rows)).expect("insert");
    let list = async |filter: RegionFilter, after, up_to, limit, down| {
        let found = read!(db, tx => record::list_arrivals(tx, Stream::Lib, after, up_to, &filter, limit, down)).expect("list");
        found.iter().map(|row| row.arrival).collect::<Vec<_>>()
    };
    let county = RegionFilter { chain: Region::parse("411525").expect("code").chain(), below_prefix: None };
    let province = RegionFilter { chain: Region::parse("410000").expect("code").chain(), below_prefix: Some("41".into()) };
    let prefecture = RegionFilter { chain: vec![], below_prefix: Some("4115".into()) };
    assert_eq!(list(RegionFilter::default(), 0, 99, 99, false).await, [1, 2, 3, 4, 5]);
    assert_eq!(list(RegionFilter::default(), 1, 4, 99, true).await, [4, 3, 2]);
    assert_eq!(list(RegionFilter::default(), 0, 99, 2, true).await, [5, 4]);
    assert_eq!(list(county, 0, 99, 99, false).await, [1, 2, 3, 4]);
    assert_eq!(list(province.clone(), 0, 99, 99, false).await, [1, 2, 3, 4]);
    assert_eq!(list(prefecture, 0, 99, 99, false).await, [3, 4]);
    assert_eq!(list(RegionFilter { chain: vec![Region::NATION], below_prefix: Some(String::new()) }, 2, 99, 99, false).await, [3, 4, 5]);
    assert_eq!(list(RegionFilter { chain: vec![Region::NATION], below_prefix: None }, 0, 99, 99, false).await, [1]);
}

pub async fn refusals_and_erasure(db: &Db) {
    let rows: Vec<Row> = (1..=20).map(|n| row("a", Stream::Lib, n, n)).collect();
    write!(db, tx => record::insert_many(tx, &rows)).expect("insert");
    let mut refusals: Vec<(Place, String)> = rows[..12].iter().map(|row| (row.place(), format!("why {RARE} {}", row.n))).collect();
    refusals.push((row("stranger", Stream::Lib, 1, 1).place(), "not held".into()));
    write!(db, tx => record::set_refusal(tx, &refusals)).expect("refuse");
    let refused = read!(db, tx => record::list_refused(tx, 5)).expect("list");
    assert_eq!(refused.iter().map(|row| row.n).collect::<Vec<_>>(), [12, 11, 10, 9, 8]);
    assert!(refused.iter().all(|row| row.refusal == format!("why {RARE} {}", row.n)));
    let lifted: Vec<(Place, String)> = rows.iter().map(|row| (row.place(), String::new())).collect();
    write!(db, tx => record::set_refusal(tx, &lifted)).expect("lift");
    assert!(read!(db, tx => record::list_refused(tx, 5)).expect("list").is_empty());

    write!(db, tx => record::erase(tx, &rows[0].place())).expect("erase");
    assert_eq!(read!(db, tx => record::find(tx, &rows[0].place())).expect("find"), Some(Row { doc: None, ..rows[0].clone() }));
    let nowhere = row("a", Stream::Lib, 99, 1).place();
    assert!(matches!(write!(db, tx => record::erase(tx, &nowhere)), Err(StoreError::NotFound { .. })));

    let place = rows[0].place();
    let known = read!(db, tx => record::existing(tx, std::slice::from_ref(&place))).expect("existing");
    assert_eq!(known.get(&place), Some(&Taken { hash: rows[0].doc_hash, whole: false }));
    let other = Row { doc_hash: DocHash([9; 32]), arrival: 77, ..rows[0].clone() };
    assert!(matches!(write!(db, tx => record::restore(tx, &other)), Err(StoreError::NotFound { .. })), "another document");
    assert!(matches!(write!(db, tx => record::restore(tx, &rows[1])), Err(StoreError::NotFound { .. })), "its body is here");
    let back = Row { arrival: 77, refusal: "late".into(), ..rows[0].clone() };
    write!(db, tx => record::restore(tx, &back)).expect("restore");
    assert_eq!(read!(db, tx => record::find(tx, &place)).expect("find"), Some(back));
}

pub async fn parts_of_streams(db: &Db) {
    let mut rows: Vec<Row> = (1..=9).map(|n| row("a", Stream::Lib, n, n)).collect();
    rows[3].source = "did:key:zPeer".into();
    rows[4].region = Region::parse("411525").expect("code");
    write!(db, tx => record::insert_many(tx, &rows)).expect("insert");
    let numbers = |rows: Vec<Row>| rows.iter().map(|row| row.n).collect::<Vec<_>>();
    assert_eq!(numbers(read!(db, tx => record::list_range(tx, &"a".into(), Stream::Lib, 3, 7, 3)).expect("range")), [7, 6, 5]);
    assert!(read!(db, tx => record::list_range(tx, &"b".into(), Stream::Lib, 1, 9, 9)).expect("range").is_empty());
    let news = read!(db, tx => record::list_news(tx, Stream::Lib, 1, 6, &"did:key:zPeer".into(), 3)).expect("news");
    assert_eq!(numbers(news), [2, 3, 5], "number 4 came from the peer");
    let mut light = read!(db, tx => record::list_light(tx, Stream::Lib, 3, 5)).expect("light");
    light.sort_by_key(|one| one.n);
    let names = read!(db, tx => record::names_of(tx, &[light[0].signer, 99])).expect("names");
    assert_eq!((names.len(), names.get(&light[0].signer)), (1, Some(&KeyId::from("a"))));
    let fields = vec!["health".to_owned(), "food".to_owned()];
    assert_eq!(light[1], Light { n: 5, region: rows[4].region, fields, lang: "zh-Hans".into(), ..light[0].clone() });
}

pub async fn what_lies_outside_the_scope(db: &Db) {
    let skip = |key: &str, low, high, arrival| SkipRow { key: key.into(), stream: Stream::Lib, low, high, arrival };
    assert!(!read!(db, tx => record::has_skips(tx)).expect("none"));
    let rows = [skip("a", 1, 4, 10), skip("a", 9, 9, 11), skip("b", 2, 1 << 40, 12)];
    write!(db, tx => record::insert_skips(tx, &rows)).expect("insert");
    assert!(read!(db, tx => record::has_skips(tx)).expect("some"));
    let list = async |from, to| read!(db, tx => record::list_skips(tx, &"a".into(), Stream::Lib, from, to)).expect("list");
    assert_eq!(list(4, 8).await, rows[..1]);
    assert!(list(5, 8).await.is_empty());
    assert_eq!(list(1, 99).await, rows[..2]);
    let asked: Vec<(KeyId, Stream, i64)> = [("a", 3), ("a", 5), ("a", 2), ("b", 7), ("c", 1)].map(|(key, n)| (key.into(), Stream::Lib, n)).to_vec();
    assert_eq!(read!(db, tx => record::find_skips(tx, &asked)).expect("find"), [rows[0].clone(), rows[2].clone()]);
    assert_eq!(read!(db, tx => record::list_skip_arrivals(tx, Stream::Lib, 10, 12)).expect("list"), rows[1..]);
    let counts = read!(db, tx => record::count_skips(tx)).expect("count");
    assert_eq!(counts.get(&("a".into(), Stream::Lib)), Some(&5));
    write!(db, tx => record::delete_skips(tx, &rows[..1])).expect("delete");
    assert_eq!(list(1, 99).await, rows[1..2]);
    assert_eq!(write!(db, tx => record::take_skips(tx)).expect("take"), rows[1..]);
    assert!(!read!(db, tx => record::has_skips(tx)).expect("none"));
}

pub async fn compared_heads(db: &Db) {
    let check = |key: &str, n, outcome| HeadCheck {
        key: key.into(),
        stream: Stream::Alert,
        n,
        root: "ab".repeat(32),
        said_at: crate::at(1_000 + n),
        outcome,
        tree: format!("{n}:"),
    };
    let first = [check("b", 3, Compared::Missing), check("a", 9, Compared::Agrees), check("c", 0, Compared::Differs)];
    write!(db, tx => record::put_checks(tx, &first)).expect("put");
    let keys = |list: Vec<HeadCheck>| list.into_iter().map(|one| one.key.0).collect::<Vec<_>>();
    assert_eq!(keys(read!(db, tx => record::list_checks(tx)).expect("all")), ["a", "b", "c"]);
    assert_eq!(keys(read!(db, tx => record::list_open_checks(tx)).expect("open")), ["b", "c"]);
    let later = check("b", 4, Compared::Partial);
    write!(db, tx => record::put_checks(tx, std::slice::from_ref(&later))).expect("put over");
    assert_eq!(read!(db, tx => record::find_check(tx, &"b".into(), Stream::Alert)).expect("find"), Some(later));
    assert_eq!(read!(db, tx => record::find_check(tx, &"b".into(), Stream::Lib)).expect("find"), None);
}

pub async fn heads_and_forks(db: &Db) {
    let head = |key: &str, stream, high, holes: &[(i64, i64)]| StreamHead { key: key.into(), stream, high, holes: holes.to_vec() };
    let first = [head("b", Stream::Lib, 9, &[(3, 4), (6, 6)]), head("a", Stream::Lib, 1, &[])];
    write!(db, tx => record::put_heads(tx, &first)).expect("put");
    let second = [head("a", Stream::Lib, 2, &[]), head("a", Stream::Trust, 5, &[(1, 4)])];
    write!(db, tx => record::put_heads(tx, &second)).expect("put over");
    let all = read!(db, tx => record::heads(tx)).expect("heads");
    assert_eq!(all, [second[1].clone(), second[0].clone(), first[0].clone()]);
    assert_eq!(read!(db, tx => record::open_heads(tx)).expect("heads"), [second[1].clone(), first[0].clone()]);
    let asked = [(KeyId::from("b"), Stream::Lib), ("b".into(), Stream::Up), ("c".into(), Stream::Lib), ("b".into(), Stream::Lib)];
    assert_eq!(read!(db, tx => record::get_heads(tx, &asked)).expect("get"), [first[0].clone()]);

    let stub = |n| Stub { modified: format!("2026-11-24T00:00:0{n}Z"), doc: DocHash([n; 32]), signature: vec![n; 64] };
    let proof = ForkProof { place: row("a", Stream::Lib, 3, 0).place(), stubs: [stub(1), stub(2)] };
    assert!(write!(db, tx => record::insert_fork(tx, &proof)).expect("insert"));
    let other = ForkProof { stubs: [stub(1), stub(3)], ..proof.clone() };
    assert!(!write!(db, tx => record::insert_fork(tx, &other)).expect("the first proof stays"));
    assert_eq!(read!(db, tx => record::find_fork(tx, &proof.place)).expect("find"), Some(proof.clone()));
    assert_eq!(read!(db, tx => record::list_forks(tx, 9)).expect("list"), [proof]);
}

pub async fn no_arrival_is_seen_before_those_below_it(db: &Db) {
    const EACH: i64 = 40;
    let writer = |key: &'static str| {
        let db = db.clone();
        tokio::spawn(async move {
            for n in 1..=EACH {
                let mut tx = db.write().await.expect("begin");
                let arrival = counter::take(&mut tx, counter::ARRIVAL, 1).await.expect("take");
                tokio::task::yield_now().await;
                record::insert_many(&mut tx, &[row(key, Stream::Lib, n, arrival)]).await.expect("insert");
                tx.commit().await.expect("commit");
            }
        })
    };
    let writers = [writer("a"), writer("b")];
    let mut seen = 0;
    while seen < 2 * EACH {
        let mut tx = db.read().await.expect("begin");
        let (max, count) = (record::max_arrival(&mut tx, Stream::Lib).await.expect("max"), record::count(&mut tx).await.expect("count"));
        assert_eq!(max, count, "who sees arrival {max} must see every one below it");
        assert!(max >= seen, "what was seen stays");
        seen = max;
        tokio::task::yield_now().await;
    }
    for one in writers {
        one.await.expect("joined");
    }
}

pub async fn two_writers_meet_the_same_new_key(db: &Db) {
    let writers: Vec<_> = (1..=8)
        .map(|n| {
            let db = db.clone();
            tokio::spawn(async move {
                let keys = ["x".into(), "y".into(), KeyId(format!("own-{n}"))];
                write!(db, tx => record::signer_ids(tx, &keys)).expect("ids")
            })
        })
        .collect();
    let mut answers = Vec::new();
    for one in writers {
        answers.push(one.await.expect("joined"));
    }
    for answer in &answers {
        assert_eq!(answer.len(), 3);
        assert_eq!(answer.get(&KeyId::from("x")), answers[0].get(&KeyId::from("x")));
    }
    let mut ids: Vec<i64> = answers.iter().flat_map(|answer| answer.values().copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 10);
}
