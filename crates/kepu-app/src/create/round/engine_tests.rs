//! Nobody judges what they must not, whatever is recused and assigned again; harsh judges do not decide who comes first.

use super::*;
use kepu_domain::create::round::built_in;
use kepu_domain::ids::AccountId;
use proptest::prelude::*;

fn prize() -> RoundKind {
    let file = built_in().into_iter().find(|f| f.name == "works-prize.json").expect("file");
    RoundKind::read(&file).expect("kind")
}
fn day() -> Date {
    jiff::civil::date(2026, 11, 25)
}
fn seat(n: usize, org: usize, ceiling: u32) -> Seat {
    let org = OrgId(format!("o{org}"));
    let party = Party { id: PartyId(format!("j{n}")), name: format!("评委{n}"), org: org.clone(), available: true, ..Party::default() };
    Seat { party, line: vec![org, "up".into()], held: 0, ceiling }
}
fn entrant(n: usize, org: usize) -> Entrant {
    let org = OrgId(format!("o{org}"));
    let id = ApplicationId(format!("a{n:04}"));
    let party = Party { id: PartyId(format!("p{n}")), name: format!("作者{n}"), org: org.clone(), ..Party::default() };
    let round = kepu_domain::create::round::Round {
        id: "r".into(),
        kind: "works-prize".into(),
        title: String::new(),
        call: String::new(),
        org: "office".into(),
        opens: Timestamp::UNIX_EPOCH,
        closes: Timestamp::MAX,
        quota: None,
        least: None,
        region: kepu_domain::org::Region::NATION,
        panel: vec![],
        judges: None,
        ceiling: None,
        declared: vec![],
        proposer: None,
        sample: true,
        stage: kepu_domain::create::round::RoundStage::Planned,
        version: 1,
    };
    Entrant { application: Application::begin(id, &round, party.id.clone(), AccountId::from("x")), party, line: vec![org, "up".into()] }
}
fn scored(application: usize, judge: usize, value: i64) -> Judgement {
    let scores = prize().judged.iter().map(|j| (j.id.clone(), value)).collect();
    Judgement {
        application: ApplicationId(format!("a{application:04}")),
        judge: PartyId(format!("j{judge}")),
        stage: JudgementStage::Scored { scores, comment: String::new(), at: Timestamp::UNIX_EPOCH },
    }
}

#[test]
fn what_stands_is_kept_and_only_the_open_places_are_filled() {
    let seats: Vec<Seat> = (0..6).map(|n| seat(n, n, 20)).collect();
    let entrants: Vec<Entrant> = (0..8).map(|n| entrant(n, 10 + n)).collect();
    let mut standing = plan(3, &[], &seats, &entrants, &[], day()).expect("first").given;
    assert_eq!(standing.len(), 24);
    let before = standing.clone();
    standing[5] = standing[5].clone().recuse(Interest::Stated, Timestamp::UNIX_EPOCH);
    let again = plan(3, &[], &seats, &entrants, &standing, day()).expect("again");
    assert_eq!(again.given.len(), 1);
    assert_eq!(again.given[0].application, before[5].application);
    assert!(again.given[0].judge != before[5].judge && again.groups == 1);
}

#[test]
fn a_place_that_nobody_may_take_is_named() {
    let seats = vec![seat(0, 1, 5), seat(1, 2, 5)];
    let entrants = vec![entrant(0, 1)];
    let planned = plan(2, &[], &seats, &entrants, &[], day()).expect("planned");
    assert_eq!(planned.given.len(), 1);
    assert_eq!(planned.short, [(ApplicationId("a0000".into()), 1, Cause::TooFew { possible: 1 })]);
}

#[test]
fn a_harsh_panel_does_not_cost_the_better_work_its_place() {
    // Judges 0 to 2 are harsh by three points; they saw the better half, judges 3 to 5 the other one, and two works were seen by all.
    let mut judgements = Vec::new();
    let quality = |work: usize| 9 - (work as i64) / 2;
    for work in 0..12_usize {
        for judge in 0..6 {
            let shared = work % 6 == 0;
            if shared || (judge < 3) == (work < 6) {
                let harsh = if judge < 3 { 3 } else { 0 };
                judgements.push(scored(work, judge, (quality(work) - harsh).max(0)));
            }
        }
    }
    let entries: Vec<(ApplicationId, Timestamp)> = (0..12).map(|n| (ApplicationId(format!("a{n:04}")), Timestamp::UNIX_EPOCH)).collect();
    let found = ranking(&prize(), &entries, &judgements).expect("ranking");
    assert_eq!((found.by, found.groups, found.converged), (By::Adjusted, 1, true));
    let place = |n: usize| found.places.iter().find(|p| p.application.0 == format!("a{n:04}")).expect("place");
    assert!(place(2).raw < place(7).raw, "raw means favour the mild panel");
    assert!(place(2).adjusted > place(7).adjusted && place(2).rank < place(7).rank);
    assert!(found.judges[0].harshness > 0.0 && found.judges[5].harshness < 0.0);
}

#[test]
fn judges_with_few_scores_are_not_corrected_and_raw_means_decide() {
    let entries: Vec<(ApplicationId, Timestamp)> = (0..3).map(|n| (ApplicationId(format!("a{n:04}")), Timestamp::UNIX_EPOCH)).collect();
    let judgements: Vec<Judgement> = (0..3).flat_map(|work| [scored(work, 0, 4 + work as i64), scored(work, 1, 8 + work as i64 / 2)]).collect();
    let found = ranking(&prize(), &entries, &judgements).expect("ranking");
    assert_eq!(found.by, By::Raw);
    assert!(found.judges.iter().all(|j| j.standing == JudgeStanding::TooFew));
    assert_eq!(found.places[0].application.0, "a0002");
}

#[test]
fn ties_fall_as_the_kind_says_and_a_tie_at_the_quota_is_not_cut() {
    let at = |n: i64| Timestamp::from_second(n).expect("time");
    let entries: Vec<(ApplicationId, Timestamp)> = (0..3).map(|n| (ApplicationId(format!("a{n:04}")), at(100 - n))).collect();
    let judgements: Vec<Judgement> = (0..3).map(|work| scored(work, 0, 7)).collect();
    let found = ranking(&prize(), &entries, &judgements).expect("ranking");
    assert_eq!(
        found.places.iter().map(|p| (p.application.0.as_str(), p.rank, p.decided_by.as_str())).collect::<Vec<_>>(),
        [("a0002", 1, ""), ("a0001", 2, "earlier"), ("a0000", 3, "earlier")]
    );
    assert_eq!(chosen(&found, Some(2), None), Ok(2));
    assert_eq!(chosen(&found, None, Some(7_001)), Ok(0));
    let same = entries.iter().map(|(id, _)| (id.clone(), at(1))).collect::<Vec<_>>();
    let tied = ranking(&prize(), &same, &judgements).expect("ranking");
    assert_eq!(chosen(&tied, Some(2), None), Err(1));
    assert_eq!(chosen(&tied, Some(3), None), Ok(3));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_recusal_is_ever_broken_by_assigning_or_assigning_again(
        judges in prop::collection::vec((0..5_usize, 1..12_u32), 2..9),
        works in prop::collection::vec(0..5_usize, 1..12),
        declared in prop::collection::vec((0..9_usize, 0..12_usize), 0..6),
        recusals in prop::collection::vec(0..40_usize, 0..12),
        each in 1..4_usize,
    ) {
        let seats: Vec<Seat> = judges.iter().enumerate().map(|(n, (org, ceiling))| seat(n, *org, *ceiling)).collect();
        let entrants: Vec<Entrant> = works.iter().enumerate().map(|(n, org)| entrant(n, *org)).collect();
        let mut declared: Vec<Declared> = declared.iter().map(|(j, p)| Declared { judge: PartyId(format!("j{j}")), applicant: PartyId(format!("p{p}")) }).collect();
        let mut standing: Vec<Judgement> = plan(each, &declared, &seats, &entrants, &[], day()).expect("plan").given;
        let seat_of = |id: &PartyId| seats.iter().find(|s| s.party.id == *id).expect("seat");
        let entrant_of = |id: &ApplicationId| entrants.iter().find(|e| e.application.id == *id).expect("entrant");
        for pick in recusals {
            let given = |j: &Judgement| matches!(j.stage, JudgementStage::Assigned);
            let open: Vec<usize> = (0..standing.len()).filter(|at| given(&standing[*at])).collect();
            if open.is_empty() { break }
            let at = open[pick % open.len()];
            let recused = standing[at].clone();
            declared.push(Declared { judge: recused.judge.clone(), applicant: entrant_of(&recused.application).party.id.clone() });
            standing[at] = recused.clone().recuse(Interest::Stated, Timestamp::UNIX_EPOCH);
            let kept: Vec<Judgement> = standing.clone();
            let again = plan(each, &declared, &seats, &entrants, &standing, day()).expect("again");
            prop_assert!(!again.given.iter().any(|j| j.application == recused.application && j.judge == recused.judge));
            standing.extend(again.given);
            prop_assert_eq!(&standing[..kept.len()], &kept[..], "what stood stays");
        }
        let mut seen = HashSet::new();
        for judgement in &standing {
            prop_assert!(seen.insert((judgement.application.clone(), judgement.judge.clone())), "nobody twice");
            if matches!(judgement.stage, JudgementStage::Assigned) {
                let (seat, entrant) = (seat_of(&judgement.judge), entrant_of(&judgement.application));
                prop_assert_eq!(interest_of(seat, entrant, &declared), None);
            }
        }
        for seat in &seats {
            let load = standing.iter().filter(|j| j.judge == seat.party.id && matches!(j.stage, JudgementStage::Assigned)).count();
            prop_assert!(load <= seat.ceiling as usize);
        }
    }
}
