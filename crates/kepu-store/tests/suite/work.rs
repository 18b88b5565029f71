//! Steps about the work of people.

use crate::jobs::new_job;
use crate::{RARE, at, raw, read, write};
use jiff::civil::date;
use kepu_domain::create::check::Excuse;
use kepu_domain::create::draft::{Draft, Matter, Stage as DraftStage};
use kepu_domain::create::party::{Party, Qualification};
use kepu_domain::create::review::{Decision, Review, Said, Stage as ReviewStage};
use kepu_domain::ids::OrgId;
use kepu_domain::listen::case::{Case, Stage as CaseStage, Step};
use kepu_domain::listen::question::{Question, Stage as QuestionStage};
use kepu_domain::log::Break;
use kepu_domain::org::{Org, OrgKind, Region};
use kepu_store::create::draft::Seen;
use kepu_store::create::party::Entry;
use kepu_store::create::{comment, draft, party, recheck, review};
use kepu_store::listen::case::Steps;
use kepu_store::listen::{case, question};
use kepu_store::log::Verdict;
use kepu_store::{Db, Engine, StoreError, Tx, Value, bulk, job, log, meta};
use std::collections::HashMap;

pub async fn log_is_a_chain(db: &Db) {
    assert!(matches!(read!(db, tx => log::verify(tx)).expect("verify"), Verdict::Whole { entries: 0, .. }));
    assert_eq!(read!(db, tx => log::last(tx)).expect("last"), None);
    let mut entries = Vec::new();
    for n in 1..=5 {
        let (who, object) = (format!("account:{}", n % 2), format!("draft:{n}"));
        let result = if n == 3 { "refused" } else { "ok" };
        entries.push(write!(db, tx => log::append(tx, at(n), &who, "draft.submitted", &object, result, RARE)).expect("append"));
    }
    assert_eq!(entries.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let stored = read!(db, tx => log::list_after(tx, 0, 9)).expect("list");
    assert_eq!(stored.iter().map(|s| s.entry.clone()).collect::<Vec<_>>(), entries);
    let head = stored[4].hash.clone();
    assert_eq!(read!(db, tx => log::verify(tx)).expect("verify"), Verdict::Whole { entries: 5, head });
    let ask = async |filter: log::Filter, before, limit| {
        let found = read!(db, tx => log::list(tx, &filter, before, limit)).expect("list");
        found.iter().map(|entry| entry.seq).collect::<Vec<_>>()
    };
    assert_eq!(ask(log::Filter::default(), None, 2).await, [5, 4]);
    assert_eq!(ask(log::Filter::default(), Some(4), 9).await, [3, 2, 1]);
    assert_eq!(ask(log::Filter { who: Some("account:1".into()), ..Default::default() }, None, 9).await, [5, 3, 1]);
    assert_eq!(ask(log::Filter { object: Some("draft:2".into()), action: Some("draft.submitted".into()), ..Default::default() }, None, 9).await, [2]);
    assert_eq!(ask(log::Filter { result: Some("refused".into()), ..Default::default() }, None, 9).await, [3]);
    assert_eq!(ask(log::Filter { since: Some(at(2)), until: Some(at(4)), ..Default::default() }, None, 9).await, [3, 2]);
    assert_eq!(read!(db, tx => log::find(tx, 2)).expect("find"), Some(stored[1].clone()));
    assert_eq!(read!(db, tx => log::find(tx, 6)).expect("find"), None);
    assert_eq!(read!(db, tx => log::last(tx)).expect("last"), Some(stored[4].clone()));
    let mut tx = db.write().await.expect("begin");
    assert!(log::append(&mut tx, at(9), "x", "y", "z", "perhaps", "").await.is_err(), "a result is ok or refused");
}

pub async fn log_shows_tampering(db: &Db) {
    let append = async |n: i64| write!(db, tx => log::append(tx, at(n), "operator", "a", "b", "ok", "{}")).expect("append");
    for n in 1..=4 {
        append(n).await;
    }
    let verdict = async || read!(db, tx => log::verify(tx)).expect("verify");
    raw(db, "UPDATE log SET detail = '{\"x\":1}' WHERE seq = 2").await.expect("tamper");
    assert_eq!(verdict().await, Verdict::Broken { seq: 2, cause: Break::Changed });
    raw(db, "UPDATE log SET detail = '{}' WHERE seq = 2").await.expect("mend");
    assert!(matches!(verdict().await, Verdict::Whole { entries: 4, .. }));
    raw(db, "UPDATE log SET prev_hash = hash WHERE seq = 3").await.expect("tamper");
    assert_eq!(verdict().await, Verdict::Broken { seq: 3, cause: Break::Detached });
    raw(db, "DELETE FROM log WHERE seq = 3").await.expect("tamper");
    assert_eq!(verdict().await, Verdict::Broken { seq: 3, cause: Break::Missing });
    raw(db, "DELETE FROM log WHERE seq > 2").await.expect("tamper");
    assert_eq!(verdict().await, Verdict::Broken { seq: 3, cause: Break::Missing }, "a cut end shows too");
    let mut tx = db.write().await.expect("begin");
    assert!(matches!(log::append(&mut tx, at(5), "operator", "a", "b", "ok", "").await, Err(StoreError::Corrupt { .. })));
}

pub async fn log_has_no_branches(db: &Db) {
    let writers: Vec<_> = (0..4)
        .map(|who| {
            let db = db.clone();
            tokio::spawn(async move {
                for n in 0..10 {
                    write!(db, tx => log::append(tx, at(n), &format!("job:{who}"), "a", "b", "ok", "")).expect("append");
                }
            })
        })
        .collect();
    for one in writers {
        one.await.expect("joined");
    }
    assert!(matches!(read!(db, tx => log::verify(tx)).expect("verify"), Verdict::Whole { entries: 40, .. }));
}

pub async fn what_people_typed_is_forgotten(db: &Db) {
    let asked =
        |id: &str| Question { id: id.into(), text: RARE.into(), region: Region::NATION, asked_at: at(1), stage: QuestionStage::Open { case: "c".into() } };
    for id in ["open", "old", "new"] {
        write!(db, tx => question::insert(tx, &asked(id))).expect("insert");
    }
    for (id, ended) in [("old", 5), ("new", 10)] {
        let closed = Question { stage: QuestionStage::Closed { reason: "r".into(), at: at(ended) }, ..asked(id) };
        write!(db, tx => question::update(tx, &closed)).expect("close");
        write!(db, tx => case::insert(tx, &open_case(id, 1))).expect("insert");
        write!(db, tx => case::update(tx, open_case(id, 1).close("r", at(ended)).expect("close"))).expect("close");
        for public in [true, false] {
            write!(db, tx => case::add_step(tx, &id.into(), &Step { at: at(2), kind: "note".into(), text: "t".into(), public })).expect("step");
        }
    }
    assert_eq!(write!(db, tx => question::purge_texts(tx, at(10))).expect("purge"), 1);
    assert_eq!(write!(db, tx => case::purge_texts(tx, at(10))).expect("purge"), (1, 1));
    assert_eq!(write!(db, tx => question::purge_texts(tx, at(10))).expect("purge"), 0, "once is enough");
    assert_eq!(write!(db, tx => case::purge_texts(tx, at(10))).expect("purge"), (0, 0));
    let words = async |id: &str| read!(db, tx => question::get(tx, &id.into())).expect("get").text;
    assert_eq!((words("open").await, words("old").await, words("new").await), (RARE.into(), String::new(), RARE.into()));
    assert_eq!(read!(db, tx => case::get(tx, &"old".into())).expect("get").title, "");
    let steps = read!(db, tx => case::list_steps(tx, &"old".into(), Steps::All, 9)).expect("steps");
    assert_eq!(steps.iter().map(|step| step.text.as_str()).collect::<Vec<_>>(), ["t", ""], "what was public stays");
}

pub async fn questions(db: &Db) {
    let open = |id: &str, asked| Question {
        id: id.into(),
        text: RARE.into(),
        region: Region::parse("411525").expect("code"),
        asked_at: at(asked),
        stage: QuestionStage::Open { case: "c".into() },
    };
    for (id, asked) in [("a", 1), ("b", 2), ("c", 2)] {
        write!(db, tx => question::insert(tx, &open(id, asked))).expect("insert");
    }
    assert_eq!(read!(db, tx => question::get(tx, &"a".into())).expect("get"), open("a", 1));
    assert_eq!(read!(db, tx => question::count_open(tx)).expect("count"), 3);
    let answered = Question { stage: QuestionStage::Answered { claim: "kepu:abcdefgh23/x".into(), at: at(9) }, ..open("a", 1) };
    write!(db, tx => question::update(tx, &answered)).expect("answer");
    let closed = Question { stage: QuestionStage::Closed { reason: "不是科学问题".into(), at: at(9) }, ..open("b", 2) };
    write!(db, tx => question::update(tx, &closed)).expect("close");
    assert!(matches!(write!(db, tx => question::update(tx, &closed)), Err(StoreError::Stale { .. })), "it was closed before");
    assert_eq!(read!(db, tx => question::get(tx, &"a".into())).expect("get"), answered);
    assert_eq!(read!(db, tx => question::get(tx, &"b".into())).expect("get"), closed);
    assert_eq!(read!(db, tx => question::list_by_case(tx, &"c".into(), 9)).expect("list"), [open("c", 2)]);
    assert_eq!(read!(db, tx => question::list_by_claim(tx, &"kepu:abcdefgh23/x".into(), 9)).expect("list"), std::slice::from_ref(&answered));
    let ids = |list: Vec<Question>| list.into_iter().map(|q| q.id.0).collect::<Vec<_>>();
    assert_eq!(ids(read!(db, tx => question::list_recent(tx, None, 9)).expect("list")), ["c", "b", "a"]);
    assert_eq!(ids(read!(db, tx => question::list_recent(tx, Some((at(2), &"c".into())), 9)).expect("list")), ["b", "a"]);
}

fn open_case(id: &str, opened: i64) -> Case {
    Case {
        id: id.into(),
        kind: "rumour".into(),
        level: 2,
        title: RARE.into(),
        fields: vec!["health".into()],
        region: Region::NATION,
        org: "410000".into(),
        subject: "kepu:abcdefgh23/c".into(),
        opened_at: at(opened),
        held_at: None,
        stage: CaseStage::Open,
        version: 1,
    }
}

pub async fn cases(db: &Db) {
    write!(db, tx => case::insert(tx, &open_case("a", 1))).expect("insert");
    write!(db, tx => case::insert(tx, &open_case("b", 2))).expect("insert");
    let read_back = async |id: &str| read!(db, tx => case::get(tx, &id.into())).expect("get");
    assert_eq!(read_back("a").await, open_case("a", 1));
    let taken = read_back("a").await.take("anna".into()).expect("take");
    let taken = write!(db, tx => case::update(tx, taken)).expect("update");
    assert_eq!((taken.version, &taken), (2, &read_back("a").await));
    let late = open_case("a", 1).close("重复", at(5)).expect("close");
    assert!(matches!(write!(db, tx => case::update(tx, late)), Err(StoreError::Stale { .. })));
    let asked = taken.ask_expert("p".into(), "d".into()).expect("ask").held(at(7)).expect("held");
    let asked = write!(db, tx => case::update(tx, asked)).expect("update");
    assert_eq!(asked, read_back("a").await);
    assert_eq!(read!(db, tx => case::loads(tx)).expect("loads"), HashMap::from([("p".into(), 1)]));
    let done = write!(db, tx => case::update(tx, asked.answer(at(9)).expect("answer"))).expect("update");
    assert!(read!(db, tx => case::loads(tx)).expect("loads").is_empty(), "answered");
    assert_eq!(done, read_back("a").await);
    let closed = write!(db, tx => case::update(tx, open_case("b", 2).close(RARE, at(5)).expect("close"))).expect("update");
    assert_eq!(closed, read_back("b").await);
    assert!(matches!(write!(db, tx => case::update(tx, open_case("z", 2))), Err(StoreError::NotFound { .. })));

    write!(db, tx => case::insert(tx, &open_case("c", 2))).expect("insert");
    let ask = async |filter: case::Filter| {
        let found = read!(db, tx => case::list(tx, &filter, None, 9)).expect("list");
        assert_eq!(read!(db, tx => case::count(tx, &filter)).expect("count"), found.len() as i64);
        found.iter().map(|case| case.id.0.clone()).collect::<String>()
    };
    assert_eq!(ask(case::Filter::default()).await, "cba");
    assert_eq!(ask(case::Filter { stage: Some("active".into()), ..Default::default() }).await, "c");
    assert_eq!(ask(case::Filter { stage: Some("answered".into()), owner: Some("anna".into()), ..Default::default() }).await, "a");
    assert_eq!(ask(case::Filter { org: Some("420000".into()), ..Default::default() }).await, "");
    assert_eq!(ask(case::Filter { kind: Some("rumour".into()), ..Default::default() }).await, "cba");
    for (place, found) in [("000000", "cba"), ("410000", ""), ("100000", "")] {
        assert_eq!(ask(case::Filter { within: Region::parse(place).ok(), ..Default::default() }).await, found, "{place}");
    }
    write!(db, tx => case::insert(tx, &Case { region: Region::parse("411525").expect("code"), ..open_case("x", 0) })).expect("insert");
    for (place, found) in [("410000", "x"), ("411500", "x"), ("411525", "x"), ("411526", ""), ("411000", "")] {
        assert_eq!(ask(case::Filter { within: Region::parse(place).ok(), ..Default::default() }).await, found, "{place}");
    }
    let active = async |orgs: &[OrgId]| {
        let list = read!(db, tx => case::list_active(tx, orgs, 9)).expect("active");
        list.iter().map(|case| case.id.0.clone()).collect::<String>()
    };
    assert_eq!((active(&[]).await, active(&["nobody".into()]).await), ("xc".into(), String::new()));
    let page = read!(db, tx => case::list(tx, &case::Filter::default(), Some((at(2), &"c".into())), 1)).expect("page");
    assert_eq!(page, [closed]);
    assert_eq!(read!(db, tx => case::find_by_subject(tx, &"kepu:abcdefgh23/c".into())).expect("find").expect("one").id.as_str(), "c");

    let step = |n, public| Step { at: at(n), kind: "note".into(), text: RARE.into(), public };
    for (n, public) in [(3, true), (1, false), (2, true)] {
        write!(db, tx => case::add_step(tx, &"a".into(), &step(n, public))).expect("step");
    }
    assert_eq!(read!(db, tx => case::list_steps(tx, &"a".into(), Steps::All, 9)).expect("steps"), [step(3, true), step(1, false), step(2, true)]);
    assert_eq!(read!(db, tx => case::list_steps(tx, &"a".into(), Steps::Public, 9)).expect("steps"), [step(3, true), step(2, true)]);
}

fn party(id: &str, fields: &[&str]) -> Entry {
    let party = Party {
        id: id.into(),
        name: RARE.into(),
        org: "o".into(),
        fields: fields.iter().map(|f| (*f).to_owned()).collect(),
        qualifications: vec![Qualification { what: "博士".into(), ..Qualification::default() }],
        languages: vec!["zh-Hans".into(), "bo".into()],
        monthly_ceiling: 4,
        available: true,
        values: [("about".to_owned(), RARE.into())].into(),
        ..Party::default()
    };
    Entry { party, name_fold: "王".into(), changed_at: 7, version: 1 }
}

pub async fn parties(db: &Db) {
    let mut list = [party("a", &["health", "food"]), party("b", &["physics"]), party("c", &["health"])];
    list[2].party = Party { available: false, org: "p".into(), ..list[2].party.clone() };
    write!(db, tx => party::insert(tx, &list[0])).expect("insert");
    let mut tx = db.write().await.expect("begin");
    assert!(party::insert(&mut tx, &list[0]).await.expect_err("twice").is_duplicate());
    drop(tx);
    write!(db, tx => party::upsert_many(tx, &list)).expect("import");
    for one in &list {
        assert_eq!(read!(db, tx => party::get(tx, &one.party.id)).expect("get"), one.party);
    }
    assert_eq!(read!(db, tx => party::count(tx)).expect("count"), 3);
    let ids = |list: Vec<Party>| list.into_iter().map(|p| p.id.0).collect::<String>();
    assert_eq!(ids(read!(db, tx => party::list(tx, Some(&"a".into()), 9)).expect("list")), "bc");
    assert_eq!(ids(read!(db, tx => party::list_by_org(tx, &"o".into(), 9)).expect("list")), "ab");
    let field = |f: &str| vec![f.to_owned()];
    assert_eq!(ids(read!(db, tx => party::list_available(tx, &field("health"), 9)).expect("list")), "a");
    assert_eq!(ids(read!(db, tx => party::list_available(tx, &["physics".into(), "food".into()], 9)).expect("list")), "ab");
    assert_eq!(ids(read!(db, tx => party::list_available(tx, &[], 9)).expect("list")), "ab");
    assert_eq!(read!(db, tx => party::find_many(tx, &["c".into(), "z".into()])).expect("many"), [list[2].party.clone()]);
    let old = read!(db, tx => party::find_entry(tx, &"a".into())).expect("find").expect("there");
    assert_eq!(old.version, 2, "the import was a change");
    let new = Entry { party: Party { monthly_ceiling: 9, languages: vec![], ..old.party.clone() }, name_fold: "李".into(), changed_at: 9, ..old.clone() };
    write!(db, tx => party::update(tx, &new, "account:x")).expect("update");
    let mut tx = db.write().await.expect("begin");
    assert!(matches!(party::update(&mut tx, &new, "account:x").await, Err(StoreError::Stale { .. })));
    drop(tx);
    assert_eq!(read!(db, tx => party::get(tx, &"a".into())).expect("get"), new.party);
    assert_eq!(read!(db, tx => party::list_history(tx, &"a".into(), 9)).expect("history"), [(2, 9, "account:x".to_owned(), old.party)]);
    assert_eq!(ids(read!(db, tx => party::list_namesakes(tx, "王", 9)).expect("namesakes")), "bc");
    let changed = |since, after: &'static str| async move { read!(db, tx => party::list_changed(tx, since, after, 9)).expect("changed").len() };
    assert_eq!((changed(7, "b").await, changed(8, "").await, changed(9, "a").await), (2, 1, 0));
    write!(db, tx => party::delete(tx, &"a".into())).expect("delete");
    assert!(read!(db, tx => party::list_history(tx, &"a".into(), 9)).expect("history").is_empty());
}

fn matter(title: &str) -> Matter {
    let json = serde_json::json!({
        "kind": "resource", "title": title, "text": RARE, "type": "article", "fields": ["health"], "audience": ["public"],
        "sources": [], "licence": "CC-BY-4.0", "region": "411525", "date": "2026-11-24", "author": {"name": RARE}
    });
    serde_json::from_value(json).expect("matter")
}

fn new_draft(id: &str) -> Draft {
    Draft {
        id: id.into(),
        subject: "kepu:abcdefgh23/s".into(),
        org: "o".into(),
        owner: Some("anna".into()),
        case: None,
        matter: matter(RARE),
        correction: String::new(),
        excuses: vec![],
        version: 1,
        stage: DraftStage::Writing,
    }
}

pub async fn drafts(db: &Db) {
    write!(db, tx => draft::insert(tx, &new_draft("a"), at(1))).expect("insert");
    let stored = Draft {
        owner: None,
        case: Some("c".into()),
        correction: RARE.into(),
        excuses: vec![Excuse { key: "unit|140".into(), reason: RARE.into() }],
        org: "p".into(),
        ..new_draft("b")
    };
    write!(db, tx => draft::insert(tx, &stored, at(2))).expect("insert");
    assert_eq!(read!(db, tx => draft::get(tx, &"b".into())).expect("get"), stored);

    let read_a = read!(db, tx => draft::get(tx, &"a".into())).expect("get");
    let seen = Seen::from(&read_a);
    let edited = read_a.clone().edit(matter("新"), String::new()).expect("edit");
    write!(db, tx => draft::update(tx, seen, &edited, at(3))).expect("update");
    assert!(matches!(write!(db, tx => draft::update(tx, seen, &edited, at(3))), Err(StoreError::Stale { .. })), "changed since it was read");
    let seen = Seen::from(&edited);
    let submitted = Draft { stage: DraftStage::Submitted { at: at(4) }, ..edited.clone() };
    write!(db, tx => draft::update(tx, seen, &submitted, at(4))).expect("submit");
    let dropped = Draft { stage: DraftStage::Dropped { at: at(5) }, ..edited };
    assert!(matches!(write!(db, tx => draft::update(tx, seen, &dropped, at(5))), Err(StoreError::Stale { .. })), "same text, but another stage");
    assert_eq!(read!(db, tx => draft::get(tx, &"a".into())).expect("get"), submitted);
    let gone = new_draft("z");
    assert!(matches!(write!(db, tx => draft::update(tx, Seen::from(&gone), &gone, at(5))), Err(StoreError::NotFound { .. })));

    let ids = |list: Vec<draft::Listed>| list.into_iter().map(|l| l.draft.id.0).collect::<String>();
    assert_eq!(ids(read!(db, tx => draft::list(tx, &draft::Filter::default(), None, 9)).expect("list")), "ab");
    assert_eq!(ids(read!(db, tx => draft::list(tx, &draft::Filter::default(), Some((at(4), &"a".into())), 9)).expect("list")), "b");
    assert_eq!(ids(read!(db, tx => draft::list_by_owner(tx, &"anna".into(), 9)).expect("list")), "a");
    assert_eq!(ids(read!(db, tx => draft::list_by_org(tx, &"p".into(), Some("writing"), 9)).expect("list")), "b");
    let mine = read!(db, tx => draft::get(tx, &"b".into())).expect("get").subject;
    assert_eq!(read!(db, tx => draft::list_subjects(tx, &[mine.clone(), "kepu:abcdefgh23/none".into()])).expect("list"), [mine]);
    assert_eq!(ids(read!(db, tx => draft::list_submitted(tx, 9)).expect("list")), "a");
    let of_case = draft::Filter { case: Some("c".into()), stage: Some("active".into()), ..Default::default() };
    assert_eq!(ids(read!(db, tx => draft::list(tx, &of_case, None, 9)).expect("list")), "b");
    assert_eq!(read!(db, tx => draft::count(tx, &draft::Filter { subject: Some("kepu:abcdefgh23/s".into()), ..Default::default() })).expect("count"), 2);
    let oldest = draft::Filter { order: draft::Order::Oldest, ..Default::default() };
    assert_eq!(ids(read!(db, tx => draft::list(tx, &oldest, None, 9)).expect("list")), "ba");
    assert_eq!(ids(read!(db, tx => draft::list(tx, &oldest, Some((at(2), &"b".into())), 9)).expect("list")), "a");
    let org = |id: &str, parent: Option<&str>| Org {
        id: id.into(),
        name: RARE.into(),
        name_en: String::new(),
        kind: OrgKind::Sector,
        parent: parent.map(OrgId::from),
        region: Region::NATION,
        sample: true,
    };
    write!(db, tx => kepu_store::org::insert_many(tx, &[org("o", None), org("between", Some("o")), org("p", Some("between")), org("x", None)])).expect("orgs");
    for (orgs, found) in [(vec!["p".into(), "x".into()], "b"), (vec!["o".into()], "ab"), (vec!["between".into(), "o".into()], "ab"), (vec!["x".into()], "")] {
        let filter = draft::Filter { orgs, ..Default::default() };
        assert_eq!(ids(read!(db, tx => draft::list(tx, &filter, None, 9)).expect("list")), found);
        assert_eq!(read!(db, tx => draft::count(tx, &filter)).expect("count"), found.len() as i64);
    }
    assert_eq!(ids(read!(db, tx => draft::list(tx, &draft::Filter { kind: Some("claim".into()), ..Default::default() }, None, 9)).expect("list")), "");
    let listed = read!(db, tx => draft::list_submitted(tx, 1)).expect("list");
    assert_eq!((listed[0].created_at, listed[0].updated_at), (at(1), at(4)));
}

pub async fn reviews(db: &Db) {
    write!(db, tx => draft::insert(tx, &new_draft("d"), at(1))).expect("draft");
    let assigned = |id: &str, who: &str| Review {
        id: id.into(),
        draft: "d".into(),
        draft_version: 1,
        reviewer: who.into(),
        stage: ReviewStage::Assigned { due: date(2026, 12, 1) },
    };
    for (id, who, when) in [("a", "p", 10), ("b", "q", 20), ("c", "p", 30)] {
        write!(db, tx => review::insert(tx, &assigned(id, who), "", at(when))).expect("insert");
    }
    let mut tx = db.write().await.expect("begin");
    assert!(review::insert(&mut tx, &Review { draft: "none".into(), ..assigned("x", "p") }, "", at(1)).await.is_err(), "a review belongs to a draft");
    drop(tx);
    let decided = assigned("a", "p").decide(1, Said { decision: Decision::Return, conflict: "无", comment: RARE, checks: &[] }, at(40)).expect("decide");
    write!(db, tx => review::update(tx, &decided)).expect("update");
    assert!(matches!(write!(db, tx => review::update(tx, &decided)), Err(StoreError::Stale { .. })));
    let declined = assigned("b", "q").decline("忙", at(41)).expect("decline");
    write!(db, tx => review::update(tx, &declined)).expect("update");
    for one in [&decided, &declined, &assigned("c", "p")] {
        assert_eq!(read!(db, tx => review::get(tx, &one.id)).expect("get"), *one);
    }
    assert_eq!(read!(db, tx => review::list_by_draft(tx, &"d".into())).expect("list").len(), 3);
    assert_eq!(read!(db, tx => review::list_by_reviewer(tx, &"p".into(), Some("assigned"), 9)).expect("list"), [assigned("c", "p")]);
    assert_eq!(read!(db, tx => review::list_by_reviewer(tx, &"p".into(), None, 9)).expect("list"), [decided, assigned("c", "p")]);
    assert_eq!(read!(db, tx => review::find_last_conflict(tx, &"p".into())).expect("find").as_deref(), Some("无"));
    assert_eq!(read!(db, tx => review::find_last_conflict(tx, &"q".into())).expect("find"), None, "giving back states no interests");
    let loads = read!(db, tx => review::loads(tx, at(5))).expect("loads");
    assert_eq!(loads, HashMap::from([("p".into(), 2)]), "what was given back does not count");
    assert_eq!(read!(db, tx => review::loads(tx, at(30))).expect("loads"), HashMap::from([("p".into(), 1)]));
}

pub async fn a_queue_is_given_and_taken_back(db: &Db) {
    write!(db, tx => draft::insert(tx, &new_draft("d"), at(1))).expect("draft");
    let task = |id: &str, who: &str| Review {
        id: id.into(),
        draft: "d".into(),
        draft_version: 1,
        reviewer: who.into(),
        stage: ReviewStage::Assigned { due: date(2026, 12, 1) },
    };
    for (id, who, run) in [("a", "p", "run"), ("b", "q", "run"), ("c", "r", "")] {
        write!(db, tx => review::insert(tx, &task(id, who), run, at(10))).expect("insert");
    }
    let decided = task("a", "p").decide(1, Said { decision: Decision::Approve, conflict: "无", comment: "", checks: &[] }, at(20)).expect("decide");
    write!(db, tx => review::update(tx, &decided)).expect("update");
    let run = review::Run { id: "run".into(), at: at(10), who: "job:reviews".into(), figures: "{}".into(), undone_at: None };
    write!(db, tx => review::insert_run(tx, &run)).expect("run");
    assert_eq!(read!(db, tx => review::list_by_drafts(tx, &["d".into(), "x".into()])).expect("list").len(), 3);
    write!(db, tx => review::undo_run(tx, "run", at(30))).expect("undo");
    assert!(matches!(write!(db, tx => review::undo_run(tx, "run", at(31))), Err(StoreError::Stale { .. })), "once");
    assert_eq!(write!(db, tx => review::delete_batch(tx, "run")).expect("delete"), 1, "what is decided stays");
    assert_eq!(write!(db, tx => review::delete_batch(tx, "")).expect("delete"), 0, "what people gave is no run");
    let left = read!(db, tx => review::list_by_draft(tx, &"d".into())).expect("list").iter().map(|r| r.id.0.clone()).collect::<String>();
    assert_eq!(left, "ac");
    assert_eq!(read!(db, tx => review::list_runs(tx, 9)).expect("runs")[0].undone_at, Some(at(30)));
    for reason in ["老师", RARE] {
        write!(db, tx => review::put_interest(tx, &"p".into(), "author", reason, at(1))).expect("interest");
    }
    assert_eq!(read!(db, tx => review::list_interests(tx, 9)).expect("interests"), [("p".into(), "author".to_owned())]);
}

pub async fn remarks_and_rechecks(db: &Db) {
    write!(db, tx => draft::insert(tx, &new_draft("d"), at(1))).expect("draft");
    let remark = |id: &str, parent: &str, when| comment::Comment {
        id: id.into(),
        draft: "d".into(),
        parent: parent.into(),
        account: "anna".into(),
        name: RARE.into(),
        anchor: "00".into(),
        quote: RARE.into(),
        body: RARE.into(),
        voice: String::new(),
        made_at: at(when),
        resolved_at: None,
    };
    for (id, parent, when) in [("b", "a", 2), ("a", "", 1)] {
        write!(db, tx => comment::insert(tx, &remark(id, parent, when))).expect("insert");
    }
    let mut tx = db.write().await.expect("begin");
    assert!(comment::insert(&mut tx, &comment::Comment { body: String::new(), ..remark("x", "", 3) }).await.is_err(), "a remark says something");
    drop(tx);
    assert_eq!(read!(db, tx => comment::list(tx, &"d".into(), 9)).expect("list"), [remark("a", "", 1), remark("b", "a", 2)]);
    assert_eq!(read!(db, tx => comment::count(tx, &"d".into())).expect("count"), 2);
    write!(db, tx => comment::resolve(tx, "a", at(5))).expect("settle");
    assert!(matches!(write!(db, tx => comment::resolve(tx, "a", at(6))), Err(StoreError::Stale { .. })));
    assert_eq!(read!(db, tx => comment::get(tx, "a")).expect("get").resolved_at, Some(at(5)));
    let why = |detail: &str, when| recheck::Recheck { subject: "kepu:abcdefgh23/s".into(), reason: "guideline".into(), detail: detail.into(), since: at(when) };
    for one in [why("甲", 1), why("乙", 2), why("甲", 9)] {
        write!(db, tx => recheck::put(tx, &one)).expect("put");
    }
    assert_eq!(read!(db, tx => recheck::list(tx, 9)).expect("list"), [why("甲", 1), why("乙", 2)], "what is known keeps its day");
    write!(db, tx => recheck::remove(tx, &why("甲", 1))).expect("remove");
    assert_eq!(read!(db, tx => recheck::list_of(tx, &"kepu:abcdefgh23/s".into())).expect("list"), [why("乙", 2)]);
}

pub async fn tasks_follow_their_draft(db: &Db) {
    let draft = new_draft("d");
    write!(db, tx => draft::insert(tx, &draft, at(1))).expect("draft");
    let due = |id: &str, day| Review {
        id: id.into(),
        draft: "d".into(),
        draft_version: 1,
        reviewer: "p".into(),
        stage: ReviewStage::Assigned { due: date(2026, 12, day) },
    };
    for (id, day, when) in [("a", 9, 10), ("b", 2, 20), ("c", 5, 30)] {
        write!(db, tx => review::insert(tx, &due(id, day), "", at(when))).expect("insert");
    }
    let tasks = async |which| {
        let list = read!(db, tx => review::list_tasks(tx, &"p".into(), which, 9)).expect("tasks");
        assert_eq!(read!(db, tx => review::count_tasks(tx, &"p".into(), which)).expect("count"), list.len() as i64);
        assert!(list.iter().all(|task| task.title == RARE && task.kind == "resource" && task.org.0 == "o"));
        list.iter().map(|task| task.review.id.0.clone()).collect::<String>()
    };
    assert_eq!((tasks(review::Which::Open).await, tasks(review::Which::Done).await), (String::new(), "cba".into()), "a draft in the making waits for nobody");
    let submitted = Draft { stage: DraftStage::Submitted { at: at(40) }, ..draft.clone() };
    write!(db, tx => draft::update(tx, Seen::from(&draft), &submitted, at(40))).expect("submit");
    assert_eq!((tasks(review::Which::Open).await, tasks(review::Which::Done).await), ("bca".into(), String::new()), "the first due stands first");
    let decided =
        due("c", 5).decide(1, Said { decision: Decision::Approve, conflict: "无", comment: "", checks: &["number".to_owned()] }, at(50)).expect("decide");
    write!(db, tx => review::update(tx, &decided)).expect("update");
    assert_eq!((tasks(review::Which::Open).await, tasks(review::Which::Done).await), ("ba".into(), "c".into()));
    let changed = Draft { version: 2, ..submitted.clone() };
    write!(db, tx => draft::update(tx, Seen::from(&submitted), &changed, at(60))).expect("change");
    assert_eq!((tasks(review::Which::Open).await, tasks(review::Which::Done).await), (String::new(), "cba".into()), "another version needs another review");
}

pub async fn tables_refuse_impossible_stages(db: &Db) {
    write!(db, tx => draft::insert(tx, &new_draft("d"), at(1))).expect("draft");
    write!(db, tx => case::insert(tx, &open_case("c", 1))).expect("case");
    write!(db, tx => job::enqueue(tx, &new_job("j", 1))).expect("job");
    let task = Review { id: "r".into(), draft: "d".into(), draft_version: 1, reviewer: "p".into(), stage: ReviewStage::Assigned { due: date(2026, 1, 1) } };
    write!(db, tx => review::insert(tx, &task, "", at(1))).expect("review");
    for bad in [
        "UPDATE draft SET stage = 'published'",
        "UPDATE draft SET stage = 'nonsense', stage_at = 1",
        "UPDATE case_file SET stage = 'working'",
        "UPDATE case_file SET stage = 'closed', ended_at = 1",
        "UPDATE case_file SET owner = 'x'",
        "UPDATE job SET state = 'running'",
        "UPDATE job SET state = 'done'",
        "UPDATE review SET stage = 'decided', due = NULL, ended_at = 1, conflict = 'x'",
        "UPDATE review SET stage = 'decided', due = NULL, ended_at = 1, decision = 'approve'",
        "UPDATE review SET stage = 'decided', due = NULL, ended_at = 1, decision = 'return', conflict = 'x'",
    ] {
        assert!(raw(db, bad).await.is_err(), "{bad}");
    }
}

pub async fn failed_transactions_leave_nothing(db: &Db) {
    {
        let mut tx = db.write().await.expect("begin");
        meta::set(&mut tx, "a", "1").await.expect("set");
    }
    assert_eq!(read!(db, tx => meta::find(tx, "a")).expect("find"), None, "dropped without commit");
    let mut tx = db.read().await.expect("begin");
    assert!(meta::set(&mut tx, "a", "1").await.is_err(), "a reader cannot write");
    drop(tx);
    // A reader sees one moment, whatever is committed meanwhile.
    let mut reader = db.read().await.expect("begin");
    assert_eq!(meta::find(&mut reader, "a").await.expect("find"), None);
    write!(db, tx => meta::set(tx, "a", "2")).expect("set");
    assert_eq!(meta::find(&mut reader, "a").await.expect("find"), None);
    drop(reader);
    assert_eq!(read!(db, tx => meta::find(tx, "a")).expect("find").as_deref(), Some("2"));

    let tries = std::sync::atomic::AtomicU32::new(0);
    let result: Result<u32, &str> = db
        .with_retry(
            |error| *error == "busy",
            || async {
                match tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                    0 | 1 => Err("busy"),
                    n => Ok(n),
                }
            },
        )
        .await;
    assert_eq!(result, Ok(2));
}

pub async fn rows_of_many_batches(db: &Db) {
    let rows: Vec<i64> = (0..1_234).collect();
    let bind = |n: &i64, values: &mut Vec<Value<'_>>| values.extend([format!("k{n}").into(), n.to_string().into()]);
    let insert = "INSERT INTO meta (name, value) VALUES";
    let mut tx = db.write().await.expect("begin");
    assert_eq!(bulk::bulk_insert(&mut tx, "fill", insert, 2, "", &rows, bind).await.expect("insert"), 1_234);
    assert_eq!(bulk::bulk_insert(&mut tx, "fill", insert, 2, "ON CONFLICT (name) DO NOTHING", &rows, bind).await.expect("again"), 0);
    tx.commit().await.expect("commit");
    assert_eq!(read!(db, tx => meta::find(tx, "k1233")).expect("find").as_deref(), Some("1233"));
}

pub async fn what_is_in_the_way_is_retryable(db: &Db, url: &str) {
    match db.engine() {
        Engine::Sqlite => {
            // Another process holds the file; the busy timeout is five seconds.
            let other = Db::open(url).await.expect("open");
            let held = other.write().await.expect("begin");
            let error = db.write().await.expect_err("busy");
            assert!(error.is_retryable(), "{error:?}");
            drop(held);
            other.close().await;
            write!(db, tx => meta::set(tx, "a", "1")).expect("free again");
        }
        Engine::Postgres => {
            write!(db, tx => meta::set(tx, "a", "0")).expect("set");
            write!(db, tx => meta::set(tx, "b", "0")).expect("set");
            let (mut one, mut other) = (db.write().await.expect("begin"), db.write().await.expect("begin"));
            meta::set(&mut one, "a", "1").await.expect("set");
            meta::set(&mut other, "b", "1").await.expect("set");
            let crossed = async |mut tx: Tx, name: &str| {
                let result = meta::set(&mut tx, name, "2").await;
                if result.is_ok() { tx.commit().await } else { result }
            };
            let (first, second) = tokio::join!(crossed(one, "b"), crossed(other, "a"));
            let errors: Vec<StoreError> = [first, second].into_iter().filter_map(Result::err).collect();
            assert!(errors.len() == 1 && errors[0].is_retryable(), "one of two that wait for each other gives way: {errors:?}");
        }
    }
}
