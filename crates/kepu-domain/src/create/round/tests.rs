//! Rules of rounds, applications and judging.

use super::*;
use crate::create::party::tests::party;
use crate::create::party::{Consent, Party, Qualification, Verified};
use crate::create::register::Registers;
use crate::definition::File;
use crate::ids::ApplicationId;
use jiff::civil::Date;
use jiff::civil::date;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

fn kind() -> RoundKind {
    let text = r#"{"id": "prize", "zh": "奖", "en": "Prize", "applicants": ["person"], "judges": 3, "blind": true, "publicity_days": 7, "term_months": 60,
        "fields": [{"id": "work", "zh": "作品", "en": "Work", "type": "line", "required": true}], "registry": ["title"],
        "judged": [{"id": "science", "zh": "科学性", "en": "Science", "max": 10, "weight": 60}, {"id": "style", "zh": "表达", "en": "Style", "max": 5, "weight": 40}],
        "ties": ["judged:science", "earlier"], "honour_zh": "奖", "honour_en": "Prize"}"#;
    RoundKind::read(&File { name: "prize.json", text }).expect("kind")
}
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("time")
}
fn round() -> Round {
    Round {
        id: "r".into(),
        kind: "prize".into(),
        title: "奖".into(),
        call: String::new(),
        org: "o".into(),
        opens: at(100),
        closes: at(200),
        quota: Some(1),
        least: None,
        region: Region::NATION,
        panel: vec![],
        judges: None,
        ceiling: None,
        declared: vec![],
        proposer: None,
        sample: false,
        stage: RoundStage::Planned,
        version: 1,
    }
}
fn application() -> Application {
    let answers = [("work".to_owned(), Value::from("书"))].into();
    Application { answers, ..Application::begin(ApplicationId::from("a"), &round(), "p".into(), "x".into()) }
}
fn agreed() -> Consent {
    Consent { purpose: PUBLIC_CARD.into(), version: 1, given: at(1), withdrawn: None }
}
fn author() -> Party {
    Party { title: "作者".into(), consents: vec![agreed()], ..party("p", &[], 0) }
}
fn submit(application: Application, round: &Round, party: &Party, now: Timestamp) -> Result<Application, RoundError> {
    let registers = Registers::standard();
    let held = Held::of(party, &[], &registers, date(2026, 11, 25));
    application.submit(round, &kind(), party, &registers, held, now)
}

#[test]
fn every_kind_that_comes_with_the_program_loads() {
    for file in built_in() {
        let kind = RoundKind::read(&file).expect("kind");
        assert_eq!(file.name, format!("{}.json", kind.id));
    }
}

#[test]
fn a_second_after_the_deadline_is_too_late() {
    let round = round().call().expect("called");
    assert_eq!(submit(application(), &round, &author(), at(99)), Err(RoundError::NotYet(at(100))));
    assert!(submit(application(), &round, &author(), at(199)).is_ok());
    assert_eq!(submit(application(), &round, &author(), at(200)), Err(RoundError::TooLate(at(200))));
    let bare = Application { answers: BTreeMap::new(), ..application() };
    let missing = ["work", "title", "consent"].map(String::from).to_vec();
    assert_eq!(submit(bare, &round, &party("p", &[], 0), at(150)), Err(RoundError::Incomplete(missing)));
}

#[test]
fn nothing_is_decided_before_the_publicity_ends_or_over_open_objections() {
    let kind = kind();
    let round = round().call().expect("called");
    assert_eq!(round.clone().judge(at(199)), Err(RoundError::NotYet(at(200))));
    let proposed = round.judge(at(300)).expect("judging").propose(&kind, at(1_000)).expect("proposed");
    let end = at(1_000 + 7 * 86_400);
    assert!(proposed.takes_objections(at(1_001)).is_ok());
    assert_eq!(proposed.takes_objections(end), Err(RoundError::TooLate(end)));
    assert_eq!(proposed.clone().decide(0, at(2_000)), Err(RoundError::InPublicity(end)));
    assert_eq!(proposed.clone().decide(1, end), Err(RoundError::OpenObjections(1)));
    assert!(proposed.decide(0, end).is_ok());
}

#[test]
fn an_honour_is_renewed_by_one_confirmation_near_its_end_and_can_be_taken_away() {
    let kind = kind();
    let decided = Round { stage: RoundStage::Decided { at: at(9) }, ..round() };
    let proposed = Application { stage: AppStage::Proposed { rank: 1, total: None }, ..application() };
    let granted = proposed.grant(&decided, &kind, "kepu:abcdefgh23/h-1".into(), date(2021, 12, 1)).expect("granted");
    let early = granted.clone().confirm(&kind, date(2022, 12, 1)).expect("checked");
    assert!(matches!(early.stage, AppStage::Granted { until: Some(until), .. } if until == date(2026, 12, 1)));
    let renewed = early.confirm(&kind, date(2026, 11, 25)).expect("renewed");
    assert!(matches!(renewed.stage, AppStage::Granted { until: Some(until), .. } if until == date(2031, 11, 25)));
    assert_eq!(renewed.clone().revoke(" ", at(1)), Err(RoundError::NoReason));
    assert_eq!(renewed.revoke("材料不实", at(1)).expect("revoked").stage.name(), "revoked");
}

#[test]
fn totals_are_weighted_and_scores_bounded() {
    let kind = kind();
    let scores = |science, style| [("science".to_owned(), science), ("style".to_owned(), style)].into();
    assert_eq!(kind.total(&scores(10, 5)), Some(10_000));
    assert_eq!(kind.total(&scores(5, 0)), Some(3_000));
    assert_eq!(kind.total(&BTreeMap::new()), None);
    let judgement = Judgement { application: "a".into(), judge: "j".into(), stage: JudgementStage::Assigned };
    assert_eq!(judgement.clone().score(&kind, scores(11, 0), "", None, at(1)), Err(RoundError::Score("science".into())));
    let recused = judgement.clone().score(&kind, scores(1, 1), "", Some(Interest::Colleague), at(1));
    assert_eq!(recused, Err(RoundError::Recused { judge: "j".into(), why: Interest::Colleague }));
    assert!(judgement.recuse(Interest::Stated, at(1)).score(&kind, scores(1, 1), "", None, at(2)).is_err());
}

#[test]
fn a_definition_whose_weights_do_not_sum_up_is_refused_with_its_line() {
    let text = "{\"id\": \"p\", \"zh\": \"奖\", \"en\": \"P\", \"applicants\": [\"person\"], \"judges\": 3, \"publicity_days\": 7,\n\"judged\": [{\"id\": \"a\", \"zh\": \"甲\", \"en\": \"A\", \"max\": 10, \"weight\": 90}],\n\"ties\": [\"luck\"], \"honour_zh\": \"奖\", \"honour_en\": \"P\"}";
    let mistakes = RoundKind::read(&File { name: "p.json", text }).expect_err("two mistakes");
    assert_eq!(mistakes.iter().map(|m| m.line).collect::<Vec<_>>(), [2, 3], "{mistakes:?}");
}

proptest! {
    #[test]
    fn nobody_judges_their_own_house(judge_org in 0..6_usize, own_org in 0..6_usize, up_judge in 0..6_usize, up_own in 0..6_usize) {
        let org = |n: usize| OrgId(format!("o{n}"));
        let judge = Party { org: org(judge_org), ..party("j", &[], 0) };
        let applicant = Party { org: org(own_org), ..author() };
        let (line_judge, line_own) = ([org(judge_org), org(up_judge)], [org(own_org), org(up_own)]);
        let in_line = line_own.contains(&judge.org) || line_judge.contains(&applicant.org);
        prop_assert_eq!(interest(&judge, &applicant, &application(), &line_judge, &line_own, &[]).is_some(), in_line);
        prop_assert_eq!(interest(&applicant, &applicant, &application(), &line_judge, &line_own, &[]), Some(Interest::Own));
    }
}

#[test]
fn kin_co_authors_and_recommenders_do_not_judge() {
    let judge = Party { org: "far".into(), name: "林示例".into(), ..party("j", &[], 0) };
    let ask =
        |application: &Application, declared: &[Declared]| interest(&judge, &author(), application, &["far".into(), "far-up".into()], &["o".into()], declared);
    assert_eq!(ask(&application(), &[]), None);
    let mut with_authors = application();
    with_authors.answers.insert("authors".into(), "王示例、林示例".into());
    assert_eq!(ask(&with_authors, &[]), Some(Interest::Coauthor));
    assert_eq!(ask(&Application { signed_by: vec!["j".into()], ..application() }, &[]), Some(Interest::Coauthor));
    assert_eq!(ask(&Application { recommended: Some(("far-up".into(), "好".into(), at(1))), ..application() }, &[]), Some(Interest::Recommender));
    assert_eq!(ask(&application(), &[Declared { judge: "j".into(), applicant: "p".into() }]), Some(Interest::Stated));
    assert_eq!(ask(&application(), &[Declared { judge: "j".into(), applicant: "q".into() }]), None);
}

#[test]
fn what_lapses_or_is_withdrawn_before_the_decision_is_noticed() {
    let registers = Registers::standard();
    let until = |day: Date| Qualification {
        what: "执业医师".into(),
        until: Some(day),
        verified: Some(Verified { by: "x".into(), on: date(2026, 1, 1) }),
        ..Qualification::default()
    };
    let author = Party { qualifications: vec![until(date(2026, 12, 1))], ..author() };
    let handed_in = Application { held: Some(Held::of(&author, &[], &registers, date(2026, 11, 25))), ..application() };
    let concerns = |party: Option<&Party>, day| handed_in.concerns(party, &[], &registers, day);
    assert_eq!(concerns(Some(&author), date(2026, 11, 30)), []);
    let lapsed = Concern::QualificationLapsed { what: "执业医师".into() };
    assert_eq!(concerns(Some(&author), date(2026, 12, 2)), std::slice::from_ref(&lapsed));
    let silent = Party { consents: vec![Consent { withdrawn: Some(at(2)), ..agreed() }], ..author.clone() };
    let withdrawn = Concern::ConsentWithdrawn { purpose: PUBLIC_CARD.into() };
    assert_eq!(concerns(Some(&silent), date(2026, 11, 30)), std::slice::from_ref(&withdrawn));
    assert_eq!(concerns(None, date(2026, 11, 30)), [Concern::EntryGone]);
    let noted = handed_in.clone().note(lapsed, "已换新证，原件已核").expect("noted");
    assert_eq!(noted.concerns(Some(&author), &[], &registers, date(2026, 12, 2)), []);
    assert!(noted.note(withdrawn, "go on").is_err(), "nobody goes on over a withdrawn consent");
}

#[test]
fn a_secret_project_leaves_nothing_but_that_it_is_secret() {
    let file = built_in().into_iter().find(|f| f.name == "project-outreach.json").expect("file");
    let kind = RoundKind::read(&file).expect("kind");
    let mut secret = application();
    let answers = [("secret", Value::Bool(true)), ("project", "某项目".into()), ("task", "讲座".into())].map(|(id, value)| (id.to_owned(), value)).into();
    secret.answer(&kind, answers, vec![Evidence { kind: "task".into(), title: "材料".into(), media: String::new(), until: None }]).expect("answered");
    assert_eq!(secret.answers.keys().collect::<Vec<_>>(), ["secret"]);
    assert!(secret.evidence.is_empty() && secret.missing(&kind, &author(), &Registers::standard()).is_empty());
}

#[test]
fn a_test_is_passed_within_three_attempts_or_not() {
    let file = built_in().into_iter().find(|f| f.name == "training.json").expect("file");
    let kind = RoundKind::read(&file).expect("kind");
    let right: BTreeMap<String, String> = kind.test.iter().map(|q| (q.id.clone(), q.answer.clone())).collect();
    let mut learner = application();
    assert!(learner.missing(&kind, &author(), &Registers::standard()).contains(&"test".to_owned()));
    learner = learner.take_test(&kind, &BTreeMap::new()).expect("first");
    assert_eq!(learner.taken.as_ref().map(|t| (t.right, t.tries, t.wrong.len())), Some((0, 1, kind.test.len())));
    let passed = learner.clone().take_test(&kind, &right).expect("second");
    assert!(!passed.missing(&kind, &author(), &Registers::standard()).contains(&"test".to_owned()));
    assert!(passed.take_test(&kind, &right).is_err(), "who passed does not sit again");
    let failed = (0..2).fold(learner, |a, _| a.take_test(&kind, &BTreeMap::new()).expect("attempt"));
    assert!(failed.take_test(&kind, &right).is_err());
}

#[test]
fn proposing_answering_and_deciding_are_three_people() {
    let round = Round { proposer: Some("a".into()), ..round() };
    assert_eq!(round.may_answer(Some(&"a".into())), Err(RoundError::SamePerson));
    assert!(round.may_answer(Some(&"b".into())).is_ok() && round.may_answer(None).is_ok());
    assert_eq!(round.may_decide(&["b".into()], Some(&"b".into())), Err(RoundError::SamePerson));
    assert!(round.may_decide(&["b".into()], Some(&"a".into())).is_ok());
}

#[test]
fn checks_fall_due_every_year_and_at_the_end_of_the_term() {
    let yearly = RoundKind { yearly_check: true, ..kind() };
    let stage = AppStage::Granted { at: at(1), until: Some(date(2031, 11, 25)), credential: "c".into(), confirmed: date(2026, 11, 25) };
    let granted = Application { stage, ..application() };
    assert_eq!((granted.check_due(&yearly), granted.notice_days(&yearly)), (Some(date(2027, 11, 25)), 60));
    assert_eq!((granted.check_due(&kind()), granted.notice_days(&kind())), (Some(date(2031, 11, 25)), 180));
    assert!(granted.has_ended(date(2031, 11, 26)) && !granted.has_ended(date(2031, 11, 25)));
    assert_eq!(granted.clone().report(" ", at(2)), Err(RoundError::NoReason));
    assert!(granted.report("开放300天", at(2)).expect("reported").confirm(&yearly, date(2027, 11, 1)).expect("confirmed").report.is_none());
}

#[test]
fn places_that_fall_free_go_to_the_next_in_line_but_never_by_chance() {
    let waits = |id: &str, rank: u32| Application {
        id: id.into(),
        stage: AppStage::NotProposed { rank: Some(rank), reason: "名额".into(), next: Some((rank, None)) },
        ..application()
    };
    let held = Application { id: "held".into(), stage: AppStage::Proposed { rank: 1, total: None }, ..application() };
    let turned_down = Application { id: "out".into(), stage: AppStage::NotProposed { rank: Some(2), reason: "雷同".into(), next: None }, ..application() };
    let list = [waits("d", 4), held, turned_down, waits("c", 3), waits("e", 5), waits("f", 5)];
    let ids = |quota| moving_up(&list, quota).into_iter().map(|id| id.0).collect::<Vec<_>>();
    assert!(ids(Some(1)).is_empty(), "no place is free");
    assert_eq!(ids(Some(2)), ["c"]);
    assert_eq!(ids(Some(3)), ["c", "d"]);
    assert_eq!(ids(Some(4)), ["c", "d"], "two share the fifth place, and there is room for one");
    assert_eq!(ids(Some(5)), ["c", "d", "e", "f"]);
    assert!(ids(None).is_empty(), "without a quota nobody was kept out by it");
}
