//! Steps about rounds of applications.

use crate::{RARE, at, read, write};
use kepu_domain::create::round::{AppStage, Application, Interest, Judgement, JudgementStage, Round, RoundStage};
use kepu_domain::ids::{ApplicationId, PartyId};
use kepu_domain::org::Region;
use kepu_store::create::proof::{self, Proof};
use kepu_store::create::round::{self, Objection};
use kepu_store::{Db, StoreError};

fn prize(id: &str, closes: i64) -> Round {
    Round {
        id: id.into(),
        kind: "works-prize".into(),
        title: RARE.into(),
        call: "来".into(),
        org: "o".into(),
        opens: at(1),
        closes: at(closes),
        quota: Some(1),
        least: None,
        region: Region::NATION,
        panel: vec!["j".into()],
        judges: None,
        ceiling: None,
        declared: vec![],
        proposer: None,
        sample: true,
        stage: RoundStage::Called,
        version: 1,
    }
}

pub async fn rounds_and_applications(db: &Db) {
    for (id, closes) in [("r1", 10), ("r2", 20)] {
        write!(db, tx => round::insert(tx, &prize(id, closes))).expect("insert");
    }
    let list = read!(db, tx => round::list(tx, 9)).expect("list");
    assert_eq!(list.iter().map(|r| (r.id.as_str(), r.title.as_str())).collect::<Vec<_>>(), [("r2", RARE), ("r1", RARE)]);
    let judging = Round { stage: RoundStage::Judging, ..list[1].clone() };
    write!(db, tx => round::update(tx, &judging)).expect("update");
    let mut tx = db.write().await.expect("begin");
    assert!(matches!(round::update(&mut tx, &judging).await, Err(StoreError::Stale { .. })), "the version it read is gone");
    drop(tx);

    for (id, party, owner) in [("a1", "p", "x"), ("a2", "q", "x"), ("a3", "p", "y")] {
        let application = Application::begin(id.into(), &prize("r1", 10), party.into(), owner.into());
        write!(db, tx => round::insert_application(tx, &application)).expect("insert");
    }
    let ids = |list: Vec<Application>| list.into_iter().map(|a| a.id.0).collect::<Vec<_>>();
    assert_eq!(ids(read!(db, tx => round::list_applications(tx, &"r1".into(), "a1", 1)).expect("list")), ["a2"]);
    assert_eq!(ids(read!(db, tx => round::list_by_party(tx, &"p".into(), 9)).expect("list")), ["a3", "a1"]);
    assert_eq!(ids(read!(db, tx => round::list_by_owner(tx, &"x".into(), 9)).expect("list")), ["a2", "a1"]);
    let mut a1 = read!(db, tx => round::get_application(tx, &"a1".into())).expect("get");
    a1.answers.insert("work".into(), RARE.into());
    a1.stage = AppStage::Submitted { at: at(5) };
    write!(db, tx => round::update_application(tx, &a1)).expect("update");
    let again = read!(db, tx => round::get_application(tx, &"a1".into())).expect("get");
    assert_eq!((again.version, again.answers["work"].as_str()), (2, Some(RARE)));
    let mut tx = db.write().await.expect("begin");
    assert!(matches!(round::update_application(&mut tx, &a1).await, Err(StoreError::Stale { .. })));
    drop(tx);
    assert_eq!(ids(read!(db, tx => round::list_in_stage(tx, "writing", "", 9)).expect("list")), ["a2", "a3"]);
    let counts = read!(db, tx => round::count_by_stage(tx, &"r1".into())).expect("count");
    assert_eq!(counts, [("submitted".to_owned(), 1), ("writing".to_owned(), 2)]);
}

pub async fn judgements_and_objections(db: &Db) {
    let given = |application: &str, judge: &str| Judgement { application: application.into(), judge: judge.into(), stage: JudgementStage::Assigned };
    let list = [given("a1", "j"), given("a2", "j"), given("a1", "k")];
    write!(db, tx => round::put_judgements(tx, &"r".into(), &list)).expect("put");
    assert_eq!(read!(db, tx => round::loads(tx)).expect("loads"), [(PartyId::from("j"), 2), (PartyId::from("k"), 1)]);
    let recused = list[0].clone().recuse(Interest::Stated, at(3));
    write!(db, tx => round::put_judgements(tx, &"r".into(), std::slice::from_ref(&recused))).expect("put again");
    assert_eq!(read!(db, tx => round::find_judgement(tx, &"a1".into(), &"j".into())).expect("find"), Some(recused.clone()));
    assert_eq!(read!(db, tx => round::list_judgements(tx, &"r".into(), 9)).expect("list").len(), 3);
    assert_eq!(read!(db, tx => round::list_by_application(tx, &"a1".into(), 9)).expect("list"), [recused, given("a1", "k")]);
    assert_eq!(read!(db, tx => round::count_assigned(tx, &"r".into())).expect("count"), 2);
    let mine = read!(db, tx => round::list_by_judge(tx, &"j".into(), 9)).expect("list");
    assert_eq!(mine.iter().map(|j| j.application.clone()).collect::<Vec<_>>(), [ApplicationId::from("a2"), ApplicationId::from("a1")]);
    assert_eq!(read!(db, tx => round::loads(tx)).expect("loads"), [(PartyId::from("j"), 1), (PartyId::from("k"), 1)]);

    let objection = Objection {
        id: "o1".into(),
        round: "r".into(),
        application: "a1".into(),
        at: at(4),
        words: RARE.into(),
        contact: "a@example.org".into(),
        answer: String::new(),
        upheld: false,
        answered_at: None,
        answered_by: None,
    };
    write!(db, tx => round::insert_objection(tx, &objection)).expect("insert");
    assert_eq!(read!(db, tx => round::count_open_objections(tx, &"r".into())).expect("count"), 1);
    assert!(write!(db, tx => round::answer_objection(tx, &"o1".into(), "不成立", false, "acc", at(6))).expect("answer"));
    assert!(!write!(db, tx => round::answer_objection(tx, &"o1".into(), "再答", true, "acc", at(7))).expect("answer"), "once");
    let found = read!(db, tx => round::get_objection(tx, &"o1".into())).expect("get");
    assert_eq!((found.answer.as_str(), found.upheld, found.answered_by), ("不成立", false, Some("acc".into())));
    assert_eq!(write!(db, tx => round::purge_contacts(tx, at(6))).expect("purge"), 0, "answered then, not before");
    assert_eq!(write!(db, tx => round::purge_contacts(tx, at(7))).expect("purge"), 1);
    assert_eq!(read!(db, tx => round::list_objections(tx, &"r".into(), 9)).expect("list")[0].contact, "");
    assert_eq!(read!(db, tx => round::count_open_objections(tx, &"r".into())).expect("count"), 0);
}

pub async fn proofs(db: &Db) {
    let kept = |party: &str, hash: &str, second: i64| Proof {
        party: party.into(),
        hash: hash.into(),
        title: RARE.into(),
        kind: "space".into(),
        media_type: "application/pdf".into(),
        size: 9,
        until: Some(jiff::civil::date(2027, 1, 1)),
        at: at(second),
    };
    for one in [kept("p1", "aa", 1), kept("p1", "bb", 2), kept("p2", "aa", 3)] {
        write!(db, tx => proof::put(tx, &one)).expect("put");
    }
    let renamed = Proof { title: "新名称".into(), until: None, ..kept("p1", "aa", 9) };
    write!(db, tx => proof::put(tx, &renamed)).expect("again");
    let found = read!(db, tx => proof::find(tx, &"p1".into(), "aa")).expect("find");
    assert_eq!(found, Some(Proof { at: at(1), ..renamed }), "when it was first handed in stays");
    let list = read!(db, tx => proof::list(tx, &"p1".into(), 9)).expect("list");
    assert_eq!(list.iter().map(|p| p.hash.as_str()).collect::<Vec<_>>(), ["bb", "aa"]);
    assert_eq!(read!(db, tx => proof::list_hashes(tx, "", 9)).expect("hashes"), [("aa".to_owned(), 9), ("bb".to_owned(), 9)]);
    write!(db, tx => proof::move_party(tx, &"p2".into(), &"p1".into())).expect("move");
    assert_eq!(read!(db, tx => proof::find(tx, &"p1".into(), "aa")).expect("find").map(|p| p.title), Some("新名称".to_owned()));
    write!(db, tx => proof::put(tx, &kept("p2", "aa", 3))).expect("put");
    write!(db, tx => proof::delete(tx, &"p1".into(), "aa")).expect("delete");
    assert_eq!(read!(db, tx => proof::count_uses(tx, "aa")).expect("count"), 1, "another party keeps the same bytes");
    assert_eq!(read!(db, tx => proof::find(tx, &"p1".into(), "aa")).expect("find"), None);
}
