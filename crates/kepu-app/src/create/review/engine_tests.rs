//! Nobody reviews what something bars them from, work is shared as people offered, and small queues are proved best by trying everything.

use super::*;
use jiff::civil::date;
use kepu_domain::create::party::{Qualification, Verified};

const DAY: Date = date(2026, 11, 26);

fn reviewer(id: &str, org: &str, fields: &[&str], ceiling: i64) -> Reviewer {
    let seen = Verified { by: "x".into(), on: date(2026, 1, 1) };
    let party = Party {
        id: id.into(),
        org: org.into(),
        fields: fields.iter().map(|f| (*f).to_owned()).collect(),
        qualifications: vec![Qualification { what: "执业医师".into(), until: Some(date(2027, 1, 1)), verified: Some(seen), ..Qualification::default() }],
        monthly_ceiling: ceiling,
        available: true,
        ..Party::default()
    };
    Reviewer { party, held: 0, quiet: false, roster: false }
}

fn text(id: &str, fields: &[&str], needs: usize) -> Waiting {
    Waiting {
        draft: id.into(),
        title: id.into(),
        fields: fields.iter().map(|f| (*f).to_owned()).collect(),
        needs,
        qualified: false,
        qualifications: vec![],
        authors: vec!["author".into()],
        orgs: vec!["house".into()],
        same_org: SameOrg::Allowed,
        same_org_taken: false,
        asked: HashSet::new(),
        urgent: false,
    }
}

fn names(plan: &Plan, people: &[Reviewer]) -> Vec<String> {
    plan.given.iter().map(|(task, at)| format!("{task}{}", people[*at].party.id)).collect()
}

#[test]
fn what_bars_somebody_is_named() {
    let text = Waiting { same_org: SameOrg::Refused, urgent: true, asked: ["asked".into()].into(), ..text("t", &["health"], 1) };
    let ask = |person: Reviewer, interests: &[(&str, &str)]| {
        fit(&text, &person, &interests.iter().map(|(who, what)| (PartyId::from(*who), (*what).to_owned())).collect(), DAY)
    };
    assert_eq!(ask(reviewer("a", "elsewhere", &["health"], 4), &[]), Ok(1.0));
    assert_eq!(ask(reviewer("a", "elsewhere", &["physics"], 4), &[]), Err(Barred::NotCompetent));
    assert_eq!(ask(reviewer("author", "elsewhere", &["health"], 4), &[]), Err(Barred::Author));
    assert_eq!(ask(reviewer("asked", "elsewhere", &["health"], 4), &[]), Err(Barred::Asked));
    assert_eq!(ask(reviewer("a", "house", &["health"], 4), &[]), Err(Barred::SameOrg));
    assert_eq!(ask(reviewer("a", "elsewhere", &["health"], 4), &[("a", "author")]), Err(Barred::Interest));
    assert_eq!(ask(reviewer("a", "elsewhere", &["health"], 4), &[("a", "house")]), Err(Barred::Interest));
    let night = Reviewer { quiet: true, ..reviewer("a", "elsewhere", &["health"], 4) };
    assert_eq!(ask(night.clone(), &[]), Err(Barred::Quiet), "what cannot wait goes to the roster at night");
    assert_eq!(ask(Reviewer { roster: true, ..night.clone() }, &[]), Ok(1.0));
    let mut ended = reviewer("a", "elsewhere", &["health"], 4);
    ended.party.qualifications[0].until = Some(date(2026, 11, 25));
    assert_eq!(ask(ended, &[]), Err(Barred::NotCompetent));
}

#[test]
fn of_the_authors_institution_one_is_enough_and_only_if_the_others_do_not_suffice() {
    let one = Waiting { same_org: SameOrg::One, ..text("t", &["health"], 2) };
    let people = [reviewer("a", "house", &["health"], 4), reviewer("b", "house", &["health"], 4), reviewer("c", "other", &["health"], 4)];
    let found = plan(std::slice::from_ref(&one), &people, &Interests::new(), DAY).expect("plan");
    assert_eq!(names(&found, &people), ["0a", "0c"]);
    let people = [people.to_vec(), vec![reviewer("d", "other", &["health"], 4)]].concat();
    let found = plan(&[one], &people, &Interests::new(), DAY).expect("plan");
    assert_eq!(names(&found, &people), ["0c", "0d"]);
}

#[test]
fn places_kept_for_qualified_people_go_to_them_first() {
    let text = Waiting { qualified: true, qualifications: vec!["医师".into()], ..text("t", &["health"], 2) };
    let mut lay = reviewer("a", "x", &["health"], 9);
    lay.party.qualifications[0].what = "讲师".into();
    let people = [lay.clone(), reviewer("b", "y", &["health"], 9), reviewer("c", "z", &["health"], 9)];
    let found = plan(std::slice::from_ref(&text), &people, &Interests::new(), DAY).expect("plan");
    assert_eq!(names(&found, &people), ["0b", "0c"]);
    let people = [lay, reviewer("b", "y", &["health"], 9)];
    let found = plan(&[text], &people, &Interests::new(), DAY).expect("plan");
    assert_eq!(names(&found, &people), ["0a", "0b"], "one qualified, and another for the free place");
}

#[test]
fn work_is_shared_in_proportion_to_what_people_offered() {
    let people = [reviewer("a", "x", &["health"], 8), reviewer("b", "y", &["health"], 4), Reviewer { held: 4, ..reviewer("c", "z", &["health"], 4) }];
    let texts: Vec<Waiting> = (0..6).map(|n| text(&format!("t{n}"), &["health"], 1)).collect();
    let found = plan(&texts, &people, &Interests::new(), DAY).expect("plan");
    let of = |who: usize| found.given.iter().filter(|(_, at)| *at == who).count();
    assert_eq!((of(0), of(1), of(2)), (4, 2, 0), "nobody beyond the ceiling");
    assert!(found.optimal && found.short.is_empty());
    let full = plan(&(0..20).map(|n| text(&format!("t{n}"), &["health"], 1)).collect::<Vec<_>>(), &people, &Interests::new(), DAY).expect("plan");
    assert_eq!((full.given.len(), full.unfilled()), (12, 8));
    assert!(full.short.iter().all(|(_, _, cause)| *cause == Cause::Full));
}

/// Every way to give the places, for queues so small that all can be tried: the least cost of those that fill most places.
fn try_everything(found: &Plan) -> (usize, f64) {
    #[expect(clippy::too_many_arguments, reason = "each is where the search stands")]
    fn walk(problem: &Problem, task: usize, slot: u32, from: usize, load: &mut [u32], cost: f64, filled: usize, best: &mut (usize, f64)) {
        if task == problem.tasks.len() {
            if filled > best.0 || (filled == best.0 && cost < best.1) {
                *best = (filled, cost);
            }
            return;
        }
        if slot == problem.tasks[task].needs {
            return walk(problem, task + 1, 0, 0, load, cost, filled, best);
        }
        // The place stays empty.
        walk(problem, task + 1, 0, 0, load, cost, filled, best);
        for person in from..problem.people.len() {
            let Some(pair) = problem.pairs.iter().find(|pair| (pair.task as usize, pair.person as usize) == (task, person)) else { continue };
            let one = problem.people[person];
            if one.held + load[person] >= one.ceiling {
                continue;
            }
            let square = |n: u32| f64::from(n) * f64::from(n);
            let (now, next) = (one.held + load[person], one.held + load[person] + 1);
            let step = (square(next) - square(now)) / (2.0 * one.target.unwrap_or(1.0)) - pair.fit;
            load[person] += 1;
            walk(problem, task, slot + 1, person + 1, load, cost + step, filled + 1, best);
            load[person] -= 1;
        }
    }
    let mut best = (0, 0.0);
    walk(&found.problem, 0, 0, 0, &mut vec![0; found.problem.people.len()], 0.0, 0, &mut best);
    best
}

#[test]
fn no_small_queue_has_a_better_assignment_than_the_one_found() {
    let fields = ["health", "food", "physics"];
    let mut state = 7_u64;
    let mut dice = move |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    for round in 0..60 {
        let people: Vec<Reviewer> = (0..4)
            .map(|n| {
                let own: Vec<&str> = fields.iter().copied().filter(|_| dice(2) == 0).collect();
                let house = format!("h{}", dice(3));
                Reviewer { held: dice(2) as u32, ..reviewer(&format!("p{n}"), &house, &own, 1 + dice(3) as i64) }
            })
            .collect();
        let texts: Vec<Waiting> = (0..4)
            .map(|n| {
                let own: Vec<&str> = fields.iter().copied().filter(|_| dice(2) == 0).collect();
                let own = if own.is_empty() { vec!["health"] } else { own };
                let rule = [SameOrg::Allowed, SameOrg::One, SameOrg::Refused][dice(3) as usize];
                Waiting { same_org: rule, orgs: vec![OrgId(format!("h{}", dice(3)))], ..text(&format!("t{n}"), &own, 1 + dice(2) as usize) }
            })
            .collect();
        let found = plan(&texts, &people, &Interests::new(), DAY).expect("plan");
        let (filled, cost) = try_everything(&found);
        assert_eq!(found.given.len(), filled, "round {round}");
        assert!((found.cost - cost).abs() < 1e-3 && found.optimal, "round {round}: {} instead of {cost}", found.cost);
    }
}

#[derive(serde::Deserialize)]
struct Golden {
    people: Vec<GoldenPerson>,
    texts: Vec<GoldenText>,
    interests: Vec<(String, String)>,
    unfilled: usize,
    cost: f64,
}
#[derive(serde::Deserialize)]
struct GoldenPerson {
    id: String,
    org: String,
    fields: Vec<String>,
    ceiling: i64,
    held: u32,
}
#[derive(serde::Deserialize)]
struct GoldenText {
    id: String,
    fields: Vec<String>,
    needs: usize,
    authors: Vec<PartyId>,
    orgs: Vec<OrgId>,
    same_org: SameOrg,
}

#[test]
fn the_cost_is_that_of_a_solver_of_others() {
    let golden: Golden = serde_json::from_str(include_str!("golden_queue.json")).expect("golden");
    fn words(list: &[String]) -> Vec<&str> {
        list.iter().map(String::as_str).collect()
    }
    let people: Vec<Reviewer> = golden.people.iter().map(|p| Reviewer { held: p.held, ..reviewer(&p.id, &p.org, &words(&p.fields), p.ceiling) }).collect();
    let texts: Vec<Waiting> = golden
        .texts
        .into_iter()
        .map(|t| Waiting { authors: t.authors, orgs: t.orgs, same_org: t.same_org, ..text(&t.id, &words(&t.fields), t.needs) })
        .collect();
    let interests = golden.interests.into_iter().map(|(who, what)| (PartyId(who), what)).collect();
    let found = plan(&texts, &people, &interests, DAY).expect("plan");
    assert_eq!((found.unfilled(), found.optimal), (golden.unfilled, true));
    assert!((found.cost - golden.cost).abs() < 1e-3, "{} instead of {}", found.cost, golden.cost);
}
