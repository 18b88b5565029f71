//! Whole rounds through the operations, with a clock that is moved: every refusal, and what a decision brings about.

use super::*;
use crate::create::round::{after, apply, assign, judge, object, office, proof};
use crate::desk::{Clock, RoundStep, Task, desk};
use crate::{Options, keys::NodeKey, node};
use kepu_domain::access::{Membership, Role};
use kepu_domain::account::Account;
use kepu_domain::create::party::{Consent, PartyKind, Qualification, Verified};
use kepu_domain::create::round::{AppStage, Concern, Evidence, JudgementStage, RoundError};
use kepu_domain::ids::ApplicationId;
use kepu_domain::org::Org;
use kepu_store::account::Row;
use kepu_store::create::party::Entry;
use kepu_store::subject::{self, Standing};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// 2026-12-01 09:00 in China.
const START: i64 = 1_796_086_800;
const DAY: i64 = 86_400;

struct Ground {
    app: App,
    now: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("time")
}

impl Ground {
    /// A node with an office, houses of applicants and judges; the clock stands at [`START`].
    async fn new() -> Ground {
        let folder = tempfile::tempdir().expect("folder");
        let init = node::Init { name: "测试".into(), region: Region::NATION, suite: kepu_sync::suite::Suite::Ed25519, database: None };
        drop(node::init(folder.path(), init).await.expect("node"));
        let now = Arc::new(AtomicI64::new(START));
        let clock = now.clone();
        let key = NodeKey::load(folder.path()).expect("key");
        let options = Options { data: folder.path().to_owned(), database: None, index: false };
        let app = App::open_with(options, key, Box::new(move || at(clock.load(Ordering::SeqCst)))).await.expect("opens");
        let ground = Ground { app, now, _folder: folder };
        ground.people().await;
        ground
    }

    async fn people(&self) {
        let org = |id: &str| Org {
            id: id.into(),
            name: format!("示例{id}"),
            name_en: String::new(),
            kind: OrgKind::Sector,
            parent: Some("000000".into()),
            region: Region::NATION,
            sample: true,
        };
        let orgs: Vec<Org> = ["office", "guild", "a", "b", "c", "j0", "j1", "j2", "j3", "j4", "j5"].map(org).to_vec();
        let mut entries = Vec::new();
        for (id, house) in [("ann", "a"), ("bob", "b"), ("cai", "c"), ("j0", "j0"), ("j1", "j1"), ("j2", "j2"), ("j3", "j3"), ("j4", "j4"), ("j5", "j5")] {
            entries.push(entry(person(id, house)));
        }
        let hall = Party { kind: PartyKind::Venue, name: "示例科技馆".into(), consents: vec![], qualifications: vec![], ..person("hall", "a") };
        entries.push(entry(hall));
        let mut tx = self.app.db.write().await.expect("tx");
        kepu_store::org::insert_many(&mut tx, &orgs).await.expect("orgs");
        parties::upsert_many(&mut tx, &entries).await.expect("parties");
        for id in ["ann", "bob", "cai", "j0", "j1", "j2", "j3", "j4", "j5", "chief", "clerk", "guild", "far", "keeper"] {
            let party = entries.iter().any(|e| e.party.id.0 == id).then(|| PartyId::from(id));
            let account = Account { id: id.into(), login: id.into(), name: id.into(), party, has_totp: false, disabled: false, must_change: false };
            let row = Row {
                account,
                login_fold: id.into(),
                pass_hash: "x".into(),
                totp_secret: None,
                totp_last: 0,
                created_at: at(START),
                last_seen: None,
                version: 1,
            };
            kepu_store::account::insert(&mut tx, &row).await.expect("account");
        }
        tx.commit().await.expect("commit");
    }

    fn go(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }
    fn stand(&self, second: i64) {
        self.now.store(second, Ordering::SeqCst);
    }

    async fn round(&self, kind: &str, change: impl FnOnce(&mut Call)) -> RoundId {
        let mut new = Call {
            kind: kind.into(),
            org: "office".into(),
            title: "示例轮次".into(),
            call: "请按要求提交材料，逾期不收。".into(),
            opens: at(START),
            closes: at(START + 10 * DAY),
            region: Region::NATION,
            panel: ["j0", "j1", "j2", "j3", "j4", "j5"].map(PartyId::from).to_vec(),
            ceiling: Some(50),
            ..Call::default()
        };
        change(&mut new);
        call(&self.app, &steward("chief", "office"), new).await.expect("called")
    }

    async fn get(&self, id: &RoundId) -> Round {
        store::get(&mut self.app.db.read().await.expect("tx"), id).await.expect("round")
    }
    async fn application(&self, id: &ApplicationId) -> Application {
        store::get_application(&mut self.app.db.read().await.expect("tx"), id).await.expect("application")
    }
    async fn judgements(&self, id: &RoundId) -> Vec<kepu_domain::create::round::Judgement> {
        store::list_judgements(&mut self.app.db.read().await.expect("tx"), id, 1_000).await.expect("judgements")
    }
    async fn party(&self, id: &str) -> Party {
        parties::get(&mut self.app.db.read().await.expect("tx"), &id.into()).await.expect("party")
    }
    async fn put(&self, party: Party) {
        let mut tx = self.app.db.write().await.expect("tx");
        let mut old = parties::find_entry(&mut tx, &party.id).await.expect("find").expect("entry");
        old.party = party;
        parties::update(&mut tx, &old, "test").await.expect("update");
        tx.commit().await.expect("commit");
    }

    /// A work of `who`, written and handed in.
    async fn work(&self, round: &RoundId, who: &str, title: &str) -> ApplicationId {
        let me = own(who);
        let id = apply::begin(&self.app, &me, round, &who.into()).await.expect("begun");
        let version = self.application(&id).await.version;
        apply::save(&self.app, &me, &id, version, written(title)).await.expect("saved");
        apply::submit(&self.app, &me, &id).await.expect("handed in");
        id
    }
    async fn complete(&self, id: &ApplicationId) {
        let version = self.application(id).await.version;
        office::complete(&self.app, &steward("chief", "office"), id, version).await.expect("complete");
    }
    async fn assign(&self, round: &RoundId) -> engine::Planned {
        let version = self.get(round).await.version;
        assign::assign(&self.app, &steward("chief", "office"), round, version).await.expect("assigned")
    }
    async fn score_all(&self, round: &RoundId, value: impl Fn(&ApplicationId, &PartyId) -> i64) {
        for j in self.judgements(round).await.into_iter().filter(|j| j.stage == JudgementStage::Assigned) {
            let kind = kind_of(&self.app, &self.get(round).await).expect("kind");
            let scores = kind.judged.iter().map(|item| (item.id.clone(), value(&j.application, &j.judge).min(item.max))).collect();
            judge::score(&self.app, &own(j.judge.as_str()), &j.application, scores, "好").await.expect("scored");
        }
    }
    async fn propose(&self, round: &RoundId) -> Result<(), AppError> {
        office::propose(&self.app, &steward("clerk", "office"), round, self.get(round).await.version).await
    }
    async fn decide(&self, round: &RoundId) -> Result<usize, AppError> {
        office::decide(&self.app, &steward("clerk", "office"), round, self.get(round).await.version).await
    }
    /// Two works, judged and proposed: the first one wins.
    async fn proposed(&self) -> (RoundId, [ApplicationId; 2]) {
        let round = self.round("works-prize", |call| call.quota = Some(1)).await;
        let works = [self.work(&round, "ann", "甲书").await, self.work(&round, "bob", "乙书").await];
        for work in &works {
            self.complete(work).await;
        }
        self.stand(START + 10 * DAY);
        self.assign(&round).await;
        self.score_all(&round, |work, _| if *work == works[0] { 9 } else { 6 }).await;
        self.propose(&round).await.expect("proposed");
        (round, works)
    }
}

fn person(id: &str, house: &str) -> Party {
    let seen = Verified { by: "x".into(), on: jiff::civil::date(2026, 1, 1) };
    Party {
        id: id.into(),
        name: format!("{id}示例"),
        org: house.into(),
        title: "研究员".into(),
        fields: vec!["health".into()],
        qualifications: vec![Qualification {
            what: "执业医师".into(),
            until: Some(jiff::civil::date(2026, 12, 15)),
            verified: Some(seen),
            ..Qualification::default()
        }],
        monthly_ceiling: 8,
        available: true,
        consents: vec![Consent { purpose: "public_card".into(), version: 1, given: at(START), withdrawn: None }],
        confirmed: Some(jiff::civil::date(2026, 11, 1)),
        registers: vec!["experts".into()],
        sample: true,
        ..Party::default()
    }
}
fn entry(party: Party) -> Entry {
    Entry { name_fold: kepu_text::fold(&party.name), party, changed_at: START * 1000, version: 1 }
}
fn actor(id: &str, memberships: Vec<Membership>) -> Actor {
    Actor::Person { account: id.into(), name: id.into(), memberships }
}
fn own(id: &str) -> Actor {
    actor(id, vec![])
}
fn steward(id: &str, org: &str) -> Actor {
    actor(id, vec![Membership { org: org.into(), role: Role::Steward }])
}
fn written(title: &str) -> apply::Written {
    let answers = [("work", title), ("abstract", "ann示例 写给孩子的书"), ("authors", "ann示例")].map(|(id, text)| (id.to_owned(), Value::from(text)));
    apply::Written { answers: answers.to_vec(), ..apply::Written::default() }
}
fn is<T: std::fmt::Debug>(result: Result<T, AppError>, wanted: &RoundError) {
    match result {
        Err(AppError::Round(found)) => assert_eq!(found, *wanted),
        other => panic!("{other:?} instead of {wanted:?}"),
    }
}
fn field<T: std::fmt::Debug>(result: Result<T, AppError>) -> (String, String) {
    match result {
        Err(AppError::Invalid(list)) => (list[0].field.clone(), list[0].key.clone()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_prize_goes_from_the_call_to_a_certificate_that_everybody_can_check() {
    let g = Ground::new().await;
    let (round, [first, second]) = g.proposed().await;
    let lost = g.application(&second).await.stage;
    assert!(matches!(&lost, AppStage::NotProposed { rank: Some(2), reason, .. } if reason.contains("超出本轮名额")), "{lost:?}");
    let line = view(&g.app, &Actor::Visitor, &round).await.expect("public").lines.remove(0);
    assert_eq!((line.label.as_str(), line.name.as_str(), line.rank, line.total), ("甲书", "ann示例", Some(1), Some(9_000)));

    is(g.decide(&round).await, &RoundError::InPublicity(at(START + 17 * DAY)));
    g.stand(START + 17 * DAY);
    // The licence that ann showed has lapsed on the 15th: noticed and said, until the office looks at it.
    is(g.decide(&round).await, &RoundError::Concerns(1));
    let concerns = apply::view(&g.app, &own("ann"), &first).await.expect("view").concerns;
    assert_eq!(concerns, [Concern::QualificationLapsed { what: "执业医师".into() }]);
    let version = g.application(&first).await.version;
    assert_eq!(field(office::note(&g.app, &steward("chief", "office"), &first, version, 0, " ").await).0, "note");
    office::note(&g.app, &steward("chief", "office"), &first, version, 0, "作品奖不要求执业资格").await.expect("noted");
    assert_eq!(g.decide(&round).await.expect("decided"), 1);

    let AppStage::Granted { credential, until: None, .. } = g.application(&first).await.stage else { panic!("granted for good") };
    let row = subject::find(&mut g.app.db.read().await.expect("tx"), &credential).await.expect("find").expect("public");
    assert_eq!((row.standing, row.kind.as_str(), row.title.as_str()), (Standing::Public, "credential", "优秀科普作品"));
    assert_eq!(g.party("ann").await.honours[0].credential, credential.0);

    // Taken away again: the record is withdrawn, the registry forgets it.
    let version = g.application(&first).await.version;
    after::revoke(&g.app, &steward("chief", "office"), &first, version, "材料不实").await.expect("revoked");
    let row = subject::find(&mut g.app.db.read().await.expect("tx"), &credential).await.expect("find").expect("kept");
    assert_eq!((row.standing, row.reason.as_str()), (Standing::Withdrawn, "材料不实"));
    assert!(g.party("ann").await.honours.is_empty());
    let log = kepu_store::log::verify(&mut g.app.db.read().await.expect("tx")).await.expect("log");
    assert!(matches!(log, kepu_store::log::Verdict::Whole { .. }));
}

#[tokio::test]
async fn a_second_after_the_deadline_is_too_late_and_the_draft_is_kept() {
    let g = Ground::new().await;
    let round = g.round("works-prize", |_| {}).await;
    let ann = own("ann");
    let id = apply::begin(&g.app, &ann, &round, &"ann".into()).await.expect("begun");
    g.stand(START + 10 * DAY - 1);
    assert_eq!(apply::save(&g.app, &ann, &id, 1, written("甲书")).await.expect("saved"), 2);
    g.go(1);
    assert_eq!(apply::save(&g.app, &ann, &id, 2, written("甲书，改好了")).await.expect("a draft can be saved at any time"), 3);
    is(apply::submit(&g.app, &ann, &id).await, &RoundError::TooLate(at(START + 10 * DAY)));
    assert_eq!(g.application(&id).await.answers["work"], "甲书，改好了");
    is(apply::begin(&g.app, &own("bob"), &round, &"bob".into()).await, &RoundError::TooLate(at(START + 10 * DAY)));
    g.go(-1);
    apply::submit(&g.app, &ann, &id).await.expect("in time to the second");
}

#[tokio::test]
async fn two_writers_of_one_application_do_not_overwrite_each_other() {
    let g = Ground::new().await;
    let round = g.round("works-prize", |_| {}).await;
    let id = apply::begin(&g.app, &own("ann"), &round, &"ann".into()).await.expect("begun");
    apply::save(&g.app, &own("ann"), &id, 1, written("甲书")).await.expect("saved");
    let other = apply::save(&g.app, &steward("keeper", "a"), &id, 1, written("乙书")).await;
    assert!(matches!(other, Err(AppError::Stale { .. })));
    let stale = office::propose(&g.app, &steward("chief", "office"), &round, 9).await;
    assert!(matches!(stale, Err(AppError::Stale { .. })));
}

#[tokio::test]
async fn what_is_missing_is_named_and_strangers_learn_nothing() {
    let g = Ground::new().await;
    let round = g.round("works-prize", |_| {}).await;
    let id = apply::begin(&g.app, &own("ann"), &round, &"ann".into()).await.expect("begun");
    is(apply::submit(&g.app, &own("ann"), &id).await, &RoundError::Incomplete(vec!["work".into(), "abstract".into()]));
    let too_long = apply::Written { answers: vec![("work".into(), "长".repeat(81).into())], ..apply::Written::default() };
    assert_eq!(field(apply::save(&g.app, &own("ann"), &id, 1, too_long).await), ("work".into(), "long".into()));
    let unknown = apply::Written { answers: vec![("price".into(), "1".into())], ..apply::Written::default() };
    assert_eq!(field(apply::save(&g.app, &own("ann"), &id, 1, unknown).await).1, "unknown_field");
    for stranger in [own("bob"), steward("far", "c"), Actor::Visitor] {
        assert!(matches!(apply::view(&g.app, &stranger, &id).await, Err(AppError::NotFound { .. })), "{stranger:?}");
        assert!(matches!(apply::begin(&g.app, &stranger, &round, &"ann".into()).await, Err(AppError::NotFound { .. })), "{stranger:?}");
    }
    // The office sees what was handed in, not drafts; a steward elsewhere runs nothing here.
    assert!(matches!(apply::view(&g.app, &steward("chief", "office"), &id).await, Err(AppError::NotFound { .. })));
    assert!(matches!(office::view(&g.app, &steward("far", "c"), &round).await, Err(AppError::Denied(_))));
    let foreign = Call { kind: "works-prize".into(), org: "office".into(), ..Call::default() };
    assert!(matches!(call(&g.app, &steward("far", "c"), foreign).await, Err(AppError::Denied(_))));
}

#[tokio::test]
async fn an_impossible_call_is_refused_field_by_field() {
    let g = Ground::new().await;
    let new = Call {
        kind: "nothing".into(),
        org: "office".into(),
        opens: at(START),
        closes: at(START),
        quota: Some(0),
        panel: vec!["hall".into()],
        ..Call::default()
    };
    let Err(AppError::Invalid(list)) = call(&g.app, &steward("chief", "office"), new).await else { panic!("refused") };
    let fields: Vec<&str> = list.iter().map(|e| e.field.as_str()).collect();
    assert_eq!(fields, ["title", "call", "kind", "closes", "closes", "quota", "panel"]);
}

#[tokio::test]
async fn a_judge_who_is_a_colleague_gets_nothing_and_one_who_steps_back_is_replaced() {
    let g = Ground::new().await;
    let round = g.round("works-prize", |call| call.judges = Some(3)).await;
    // j0 works where ann works; j1 is named among the authors of bob's book.
    g.put(Party { org: "a".into(), ..g.party("j0").await }).await;
    let (ann, bob) = (g.work(&round, "ann", "甲书").await, g.work(&round, "bob", "乙书").await);
    let mut named = g.application(&bob).await;
    named.answers.insert("authors".into(), "bob示例、j1示例".into());
    let mut tx = g.app.db.write().await.expect("tx");
    store::update_application(&mut tx, &named).await.expect("named");
    tx.commit().await.expect("commit");
    g.complete(&ann).await;
    g.complete(&bob).await;
    is(assign::assign(&g.app, &steward("chief", "office"), &round, 1).await.map(|_| ()), &RoundError::NotYet(at(START + 10 * DAY)));
    g.stand(START + 10 * DAY);
    let planned = g.assign(&round).await;
    assert_eq!((planned.given.len(), planned.short.len(), planned.groups), (6, 0, 1));
    let given = |application: &ApplicationId, list: &[kepu_domain::create::round::Judgement]| {
        let open = list.iter().filter(|j| j.application == *application && j.stage == JudgementStage::Assigned);
        open.map(|j| j.judge.0.clone()).collect::<Vec<_>>()
    };
    let before = g.judgements(&round).await;
    assert!(!given(&ann, &before).contains(&"j0".to_owned()) && !given(&bob, &before).contains(&"j1".to_owned()));

    let back = given(&ann, &before)[0].clone();
    let rest = given(&bob, &before);
    judge::recuse(&g.app, &own(&back), &ann).await.expect("stepped back");
    let after = g.judgements(&round).await;
    let now = given(&ann, &after);
    assert!(now.len() == 3 && !now.contains(&back), "{now:?}");
    assert_eq!(given(&bob, &after), rest, "what stood stays");
    assert!(matches!(judge::view(&g.app, &own(&back), &ann).await, Err(AppError::NotFound { .. })));
    assert!(matches!(judge::score(&g.app, &own(&back), &ann, Default::default(), "").await, Err(AppError::NotFound { .. })));

    // Somebody who moves to the applicant's house in the middle cannot score any more, and the work is not left alone.
    let mover = given(&ann, &after)[0].clone();
    g.put(Party { org: "a".into(), ..g.party(&mover).await }).await;
    let refused = judge::score(&g.app, &own(&mover), &ann, Default::default(), "").await;
    assert!(matches!(refused, Err(AppError::Round(RoundError::Recused { .. }))), "{refused:?}");
    let last = given(&ann, &g.judgements(&round).await);
    assert!(last.len() == 3 && !last.contains(&mover), "{last:?}");
    // The office states an interest for a judge.
    let third = last[0].clone();
    assign::declare(&g.app, &steward("chief", "office"), &round, &third.as_str().into(), &ann).await.expect("stated");
    let all = given(&ann, &g.judgements(&round).await);
    assert!(!all.contains(&third) && all.len() == 2, "nobody is left who may: {all:?}");
}

#[tokio::test]
async fn a_blind_judge_sees_no_name_and_scores_within_the_scale() {
    let g = Ground::new().await;
    let round = g.round("works-prize", |call| call.judges = Some(1)).await;
    let work = g.work(&round, "ann", "ann示例自选集").await;
    g.complete(&work).await;
    g.stand(START + 10 * DAY);
    g.assign(&round).await;
    let j = g.judgements(&round).await.remove(0).judge;
    let seen = judge::view(&g.app, &own(j.as_str()), &work).await.expect("view");
    assert!(seen.party.is_none());
    let text = format!("{} {:?}", seen.label, seen.answers);
    assert!(!text.contains("ann示例") && text.contains(judge::HIDDEN), "{text}");
    assert!(!seen.answers.iter().any(|(field, _)| field.id == "authors"));
    let scores = |n: i64| kind_scores(n);
    assert_eq!(field(judge::score(&g.app, &own(j.as_str()), &work, scores(11), "").await).0, "score-science");
    is(g.propose(&round).await, &RoundError::TooFewJudgements { have: 0, need: 1 });
    judge::score(&g.app, &own(j.as_str()), &work, scores(8), "很好").await.expect("scored");
    judge::score(&g.app, &own(j.as_str()), &work, scores(9), "更好").await.expect("changed before the proposal");
    g.propose(&round).await.expect("proposed");
    is(judge::score(&g.app, &own(j.as_str()), &work, scores(1), "").await, &RoundError::WrongStage { stage: "publicity", attempted: "scored" });
}

fn kind_scores(n: i64) -> BTreeMap<String, i64> {
    ["science", "reading", "craft", "new"].map(|id| (id.to_owned(), n)).into()
}

#[tokio::test]
async fn objections_hold_the_decision_and_are_answered_by_somebody_else() {
    let g = Ground::new().await;
    let (round, [first, second]) = g.proposed().await;
    assert_eq!(field(object::object(&g.app, "10.0.0.1", &round, &first, "太短", "").await).0, "objection");
    let id = object::object(&g.app, "10.0.0.1", &round, &first, "第三章与另一本书雷同，请核对。", "").await.expect("made");
    assert_eq!(view(&g.app, &Actor::Visitor, &round).await.expect("view").lines[0].objections, (1, 1));
    g.stand(START + 17 * DAY);
    is(object::object(&g.app, "10.0.0.2", &round, &first, "来晚了的异议，应当不收。", "").await.map(|_| ()), &RoundError::TooLate(at(START + 17 * DAY)));
    is(g.decide(&round).await, &RoundError::OpenObjections(1));
    is(object::answer(&g.app, &steward("clerk", "office"), &id, "核对过，不成立", false).await.map(|_| ()), &RoundError::SamePerson);
    assert!(matches!(object::answer(&g.app, &steward("far", "c"), &id, "不成立", false).await, Err(AppError::Denied(_))));
    object::answer(&g.app, &steward("chief", "office"), &id, "核对过，确有雷同，取消推荐", true).await.expect("answered");
    assert!(matches!(object::answer(&g.app, &steward("chief", "office"), &id, "再答", false).await, Err(AppError::Stale { .. })));
    is(office::decide(&g.app, &steward("chief", "office"), &round, g.get(&round).await.version).await, &RoundError::SamePerson);
    let out = g.application(&first).await.stage;
    assert!(matches!(&out, AppStage::NotProposed { reason, next: None, .. } if reason.contains("雷同")), "{out:?}");
    // The next one takes the place, and stands in public as long as the first one did.
    assert_eq!(g.application(&second).await.stage, AppStage::Proposed { rank: 2, total: Some(6_000) });
    is(g.decide(&round).await, &RoundError::InPublicity(at(START + 24 * DAY)));
    g.stand(START + 24 * DAY);
    is(g.decide(&round).await, &RoundError::Concerns(1));
    let version = g.application(&second).await.version;
    office::note(&g.app, &steward("chief", "office"), &second, version, 0, "执业证已续，原件看过").await.expect("what lapsed meanwhile was looked at");
    assert_eq!(g.decide(&round).await.expect("decided"), 1);
    assert!(matches!(g.application(&second).await.stage, AppStage::Granted { .. }));
}

#[tokio::test]
async fn a_consent_withdrawn_in_the_middle_hides_the_name_and_stops_the_grant() {
    let g = Ground::new().await;
    let (round, [first, second]) = g.proposed().await;
    crate::create::party::consent(&g.app, &own("ann"), &"ann".into(), "public_card", false).await.expect("withdrawn");
    let line = view(&g.app, &Actor::Visitor, &round).await.expect("view").lines.remove(0);
    assert_eq!((line.label.as_str(), line.name.as_str()), ("", ""), "the name is gone from the public list at once");
    g.stand(START + 17 * DAY);
    is(g.decide(&round).await, &RoundError::Concerns(1));
    let version = g.application(&first).await.version;
    let concerns = office::view(&g.app, &steward("clerk", "office"), &round)
        .await
        .expect("office")
        .rows
        .into_iter()
        .find(|r| r.application.id == first)
        .expect("row")
        .concerns;
    assert!(concerns.contains(&Concern::ConsentWithdrawn { purpose: "public_card".into() }));
    let place = concerns.iter().position(|c| !c.can_be_noted()).expect("there");
    assert!(matches!(
        office::note(&g.app, &steward("chief", "office"), &first, version, place, "继续").await,
        Err(AppError::Round(RoundError::WrongStage { .. }))
    ));
    office::decline(&g.app, &steward("chief", "office"), &first, version, "申报人撤回公开同意").await.expect("taken out");
    is(g.decide(&round).await, &RoundError::InPublicity(at(START + 24 * DAY)));
    apply::withdraw(&g.app, &own("bob"), &second).await.expect("whoever moved up may leave as well");
    assert_eq!(office::view(&g.app, &steward("clerk", "office"), &round).await.expect("office").rows.len(), 2);
    g.stand(START + 24 * DAY);
    assert_eq!(g.decide(&round).await.expect("decided"), 0, "and nobody is left");
}

#[tokio::test]
async fn a_base_is_held_against_criteria_confirmed_every_year_and_ends_by_itself() {
    let g = Ground::new().await;
    let round = g.round("base-county", |_| {}).await;
    let keeper = steward("keeper", "a");
    let mut hall = g.party("hall").await;
    for (id, value) in [("opening_days", 310.into()), ("visits", 31_000.into()), ("renewal", "16.0".into())] {
        hall.set(id, value).expect("set");
    }
    g.put(hall.clone()).await;
    let apply_for = async |name: &str| {
        let id = apply::begin(&g.app, &keeper, &round, &"hall".into()).await.expect("begun");
        let answers = vec![("statement".to_owned(), Value::from(name))];
        let version = g.application(&id).await.version;
        apply::save(&g.app, &keeper, &id, version, apply::Written { answers, ..Default::default() }).await.expect("saved");
        apply::submit(&g.app, &keeper, &id).await.expect("handed in");
        id
    };
    let id = apply_for("常年开放").await;
    let seen = apply::view(&g.app, &keeper, &id).await.expect("view");
    assert!(!seen.assessments[0].1.met, "the display area is not there yet");
    // The office sends it back, the keeper fills the gap, and it comes again.
    let chief = steward("chief", "office");
    office::send_back(&g.app, &chief, &id, g.application(&id).await.version, "请补展示面积").await.expect("sent back");
    assert!(desk(&g.app, &keeper).await.expect("desk").due.rows.iter().any(|row| row.note == "请补展示面积"));
    hall.set("area_indoor", 1_200.into()).expect("set");
    g.put(hall).await;
    apply::submit(&g.app, &keeper, &id).await.expect("again");
    g.complete(&id).await;
    g.stand(START + 10 * DAY);
    g.propose(&round).await.expect("by criteria");
    g.go(5 * DAY);
    assert_eq!(g.decide(&round).await.expect("decided"), 1);
    let hall = g.party("hall").await;
    assert_eq!((hall.honours[0].kind.as_str(), hall.honours[0].until), ("base-county", Some(jiff::civil::date(2029, 12, 16))));

    // The year passes: the end of it is announced once, reported on, confirmed.
    g.go(310 * DAY);
    assert_eq!(after::daily(&g.app).await.expect("look"), (1, 0));
    assert_eq!(after::daily(&g.app).await.expect("look"), (0, 0));
    let due = desk(&g.app, &keeper).await.expect("desk").due.rows;
    assert!(due.iter().any(|row| matches!(row.task, Task::Applicant(_, RoundStep::Report)) && matches!(row.clock, Clock::By(_))), "{due:?}");
    apply::report(&g.app, &keeper, &id, "开放 312 天，接待 3.2 万人次").await.expect("reported");
    assert!(desk(&g.app, &chief).await.expect("desk").waiting.rows.iter().any(|row| matches!(row.task, Task::Office(_, RoundStep::Confirm, 1))));
    after::confirm(&g.app, &chief, &id, g.application(&id).await.version).await.expect("confirmed");
    assert_eq!(g.party("hall").await.honours[0].until, Some(jiff::civil::date(2029, 12, 16)), "a yearly check is no new term");

    // Near the end of the term one confirmation renews it, and the certificate says so anew.
    g.stand(START + 1_000 * DAY);
    after::confirm(&g.app, &chief, &id, g.application(&id).await.version).await.expect("renewed");
    let renewed = g.party("hall").await.honours[0].clone();
    assert_eq!(renewed.until, Some(jiff::civil::date(2032, 8, 27)));
    let row = subject::find(&mut g.app.db.read().await.expect("tx"), &renewed.credential.as_str().into()).await.expect("find").expect("row");
    assert_eq!(row.expires.as_deref(), Some("2032-08-27"));
    // Nobody confirms the next one: it ends.
    g.go(6 * 366 * DAY);
    assert_eq!(after::daily(&g.app).await.expect("look"), (0, 1));
    assert!(g.party("hall").await.honours.is_empty() && g.application(&id).await.ended.is_some());
    assert!(matches!(after::confirm(&g.app, &chief, &id, g.application(&id).await.version).await, Err(AppError::Round(_))));
}

#[tokio::test]
async fn a_national_base_is_recommended_by_another_body() {
    let g = Ground::new().await;
    let round = g.round("base-nation", |_| {}).await;
    let keeper = steward("keeper", "a");
    let mut hall = g.party("hall").await;
    for (id, value) in [("opening_days", 310.into()), ("address", "示例路1号".into())] {
        hall.set(id, value).expect("set");
    }
    g.put(hall).await;
    let id = apply::begin(&g.app, &keeper, &round, &"hall".into()).await.expect("begun");
    let write =
        |recommender: &str| apply::Written {
            answers: vec![("statement".into(), "三年工作".into())], recommender: recommender.into(), ..Default::default()
        };
    assert_eq!(field(apply::save(&g.app, &keeper, &id, 1, write("没有这家")).await).1, "org_unknown");
    assert_eq!(field(apply::save(&g.app, &keeper, &id, 1, write("示例a")).await).1, "recommender_self");
    apply::save(&g.app, &keeper, &id, 1, write("")).await.expect("a draft may lack it");
    assert_eq!(field(apply::submit(&g.app, &keeper, &id).await), ("recommender".into(), "required".into()));
    apply::save(&g.app, &keeper, &id, 2, write("示例guild")).await.expect("saved");
    apply::submit(&g.app, &keeper, &id).await.expect("handed in");
    let chief = steward("chief", "office");
    let version = g.application(&id).await.version;
    is(office::complete(&g.app, &chief, &id, version).await, &RoundError::Incomplete(vec!["recommended".into()]));
    assert!(matches!(apply::recommend(&g.app, &chief, &id, "好").await, Err(AppError::Denied(_)) | Err(AppError::Invalid(_))));
    let guild = steward("guild", "guild");
    assert!(desk(&g.app, &guild).await.expect("desk").waiting.rows.iter().any(|row| matches!(row.task, Task::Applicant(_, RoundStep::Recommend))));
    apply::recommend(&g.app, &guild, &id, "连续三年合格，同意推荐").await.expect("recommended");
    office::complete(&g.app, &chief, &id, version + 1).await.expect("complete");
}

#[tokio::test]
async fn an_outreach_task_is_honoured_for_what_was_delivered() {
    let g = Ground::new().await;
    let round = g.round("project-outreach", |_| {}).await;
    let ann = own("ann");
    let id = apply::begin(&g.app, &ann, &round, &"ann".into()).await.expect("begun");
    let answers = [("project", Value::from("示例项目")), ("secret", Value::Bool(false)), ("outputs", 3.into())].map(|(id, v)| (id.to_owned(), v)).to_vec();
    apply::save(&g.app, &ann, &id, 1, apply::Written { answers, ..Default::default() }).await.expect("saved");
    apply::submit(&g.app, &ann, &id).await.expect("handed in");
    g.complete(&id).await;
    g.stand(START + 10 * DAY);
    g.propose(&round).await.expect("proposed");
    let version = g.application(&id).await.version;
    let chief = steward("chief", "office");
    // Nothing was public for long here: no publicity period, the licence still stands.
    assert_eq!(g.decide(&round).await.expect("decided"), 1);
    assert!(g.party("ann").await.honours.is_empty(), "no honour for a plan");
    is(apply::deliver(&g.app, &ann, &id, vec![]).await, &RoundError::Incomplete(vec!["outputs_done".into()]));
    let done = vec![("outputs_done".to_owned(), 3.into()), ("work_ids".to_owned(), Value::from("kepu:aaaaaaaaaa/r-1"))];
    apply::deliver(&g.app, &ann, &id, done.clone()).await.expect("delivered");
    assert_eq!(g.application(&id).await.delivery.expect("there").counted, 0, "nothing of that name is public here");
    assert_eq!(field(after::check_delivery(&g.app, &chief, &id, version + 2, false, "").await).0, "remark");
    after::check_delivery(&g.app, &chief, &id, version + 2, false, "请写已公开作品的标识").await.expect("sent back");
    apply::deliver(&g.app, &ann, &id, done).await.expect("again");
    after::check_delivery(&g.app, &chief, &id, version + 4, true, "").await.expect("accepted");
    assert_eq!(g.party("ann").await.honours[0].title, "项目科普任务验收");
}

#[tokio::test]
async fn a_round_called_off_takes_nothing_more_and_says_why() {
    let g = Ground::new().await;
    let round = g.round("works-prize", |_| {}).await;
    assert_eq!(field(cancel(&g.app, &steward("chief", "office"), &round, 1, "").await).0, "reason");
    cancel(&g.app, &steward("chief", "office"), &round, 1, "经费未落实").await.expect("called off");
    is(apply::begin(&g.app, &own("ann"), &round, &"ann".into()).await.map(|_| ()), &RoundError::WrongStage { stage: "cancelled", attempted: "applied for" });
    let list = list(&g.app, &Wanted { state: "over".into(), ..Wanted::default() }).await.expect("list");
    assert!(matches!(&list[0].0.stage, RoundStage::Cancelled { reason, .. } if reason == "经费未落实"));
}

#[tokio::test]
async fn a_proof_is_handed_in_once_and_opens_for_nobody_else() {
    let g = Ground::new().await;
    let round = g.round("works-prize", |_| ()).await;
    let begin = async |round: &RoundId| apply::begin(&g.app, &own("ann"), round, &"ann".into()).await.expect("begun");
    let id = begin(&round).await;
    let said = |kind: &str, until| proof::Said { title: "出版合同".into(), kind: kind.into(), until };
    let pdf = b"%PDF-1.7 contract";
    assert_eq!(field(proof::add(&g.app, &own("ann"), &id, b"", said("work", None)).await), ("file".into(), "required".into()));
    assert_eq!(field(proof::add(&g.app, &own("ann"), &id, b"<script>", said("work", None)).await), ("file".into(), "proof_kind".into()));
    assert_eq!(field(proof::add(&g.app, &own("ann"), &id, pdf, proof::Said::default()).await), ("title".into(), "required".into()));
    assert!(matches!(proof::add(&g.app, &own("bob"), &id, pdf, said("work", None)).await, Err(AppError::NotFound { .. })));
    proof::add(&g.app, &own("ann"), &id, pdf, said("work", None)).await.expect("kept");
    proof::add(&g.app, &own("ann"), &id, b"%PDF-1.7 old", said("work", Some(jiff::civil::date(2026, 12, 31)))).await.expect("kept");
    let named = g.application(&id).await.evidence;
    assert_eq!(named.iter().map(|e| e.title.as_str()).collect::<Vec<_>>(), ["出版合同", "出版合同"]);
    let hash = named[0].media.clone();

    // Of a form that names a file of somebody else nothing but the words is kept.
    let foreign = apply::begin(&g.app, &own("bob"), &round, &"bob".into()).await.expect("begun");
    let evidence = vec![Evidence { kind: "work".into(), title: "别人的合同".into(), media: hash.clone(), until: None }];
    apply::save(&g.app, &own("bob"), &foreign, 1, apply::Written { evidence, ..written("丙书") }).await.expect("saved");
    assert_eq!(g.application(&foreign).await.evidence[0].media, "");

    // Read by whoever may see the application, once it was handed in; the office not before.
    let office = steward("clerk", "office");
    assert!(matches!(proof::read(&g.app, &office, &id, &hash).await, Err(AppError::NotFound { .. })));
    assert!(matches!(proof::read(&g.app, &own("bob"), &id, &hash).await, Err(AppError::NotFound { .. })));
    let version = g.application(&id).await.version;
    let kept = apply::Written { evidence: named, ..written("甲书") };
    apply::save(&g.app, &own("ann"), &id, version, kept).await.expect("saved");
    apply::submit(&g.app, &own("ann"), &id).await.expect("handed in");
    let (_, path) = proof::read(&g.app, &office, &id, &hash).await.expect("read");
    assert_eq!(std::fs::read(&path).expect("bytes"), pdf);
    assert!(crate::media::open(&g.app, &hash).await.expect("looked").is_none(), "no public address leads to it");

    // A later application begins with what still holds.
    g.go(400 * DAY);
    let later = g.round("works-prize", |call| (call.opens, call.closes) = (at(START + 400 * DAY), at(START + 410 * DAY))).await;
    let second = begin(&later).await;
    assert_eq!(g.application(&second).await.evidence.iter().map(|e| e.media.clone()).collect::<Vec<_>>(), std::slice::from_ref(&hash));
    assert_eq!(proof::kept(&g.app, &own("ann"), &second).await.expect("kept").len(), 2);

    proof::delete(&g.app, &own("ann"), &second, &hash).await.expect("deleted");
    assert!(!path.exists(), "the bytes are gone");
    assert!(matches!(proof::read(&g.app, &office, &id, &hash).await, Err(AppError::NotFound { .. })));
    assert_eq!(g.application(&id).await.evidence.len(), 2, "what was handed in still says that there was one");
    let left = media_files(&g.app);
    crate::create::party::delete(&g.app, &own("ann"), &"ann".into()).await.expect("deleted");
    assert_eq!((left, media_files(&g.app)), (1, 0));
}

fn media_files(app: &crate::App) -> usize {
    let folders = std::fs::read_dir(app.data.join("media")).expect("folder").filter_map(Result::ok);
    folders.filter_map(|folder| std::fs::read_dir(folder.path()).ok()).map(Iterator::count).sum()
}
