//! Refusals, shortages, reasons and company, on problems small enough to see. What holds for all problems is in `tests/assign.rs`.

use super::*;

fn people(count: usize, ceiling: u32) -> Vec<Person> {
    vec![Person { ceiling, held: 0, target: None }; count]
}

fn tasks(count: usize, needs: u32) -> Vec<Task> {
    vec![Task { needs }; count]
}

fn pair(task: u32, person: u32, fit: f64) -> Pair {
    Pair { task, person, fit }
}

fn run(problem: &Problem) -> Assignment {
    let found = assign(problem, &Options::default()).expect("well formed");
    assert!(found.optimal);
    found
}

#[test]
fn bad_problems_are_refused_with_their_place() {
    let good = Problem { tasks: tasks(2, 1), people: people(2, 1), ..Problem::default() };
    let refused = |problem: &Problem| assign(problem, &Options::default()).expect_err("refused");
    let pairs = |pairs: &[Pair]| Problem { pairs: pairs.to_vec(), ..good.clone() };
    let unknown = |list, at, what, index| PlanError::Unknown { list, at, what, index, count: 2 };
    assert_eq!(refused(&pairs(&[pair(0, 0, 1.0), pair(2, 0, 1.0)])), unknown("pair", 1, "task", 2));
    assert_eq!(refused(&pairs(&[pair(0, 9, 1.0)])), unknown("pair", 0, "person", 9));
    assert_eq!(refused(&pairs(&[pair(1, 0, 0.1), pair(0, 1, 0.5), pair(1, 0, 0.1)])), PlanError::Twice { task: 1, person: 0 });
    assert_eq!(refused(&Problem { forbidden: vec![Forbidden { task: 0, person: 2 }], ..good.clone() }), unknown("forbidden pair", 0, "person", 2));
    for fit in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(refused(&pairs(&[pair(0, 0, fit)])), PlanError::OutOfRange { what: "fit", at: 0, .. }), "{fit}");
        assert!(matches!(refused(&Problem { unlisted: Some(fit), ..good.clone() }), PlanError::OutOfRange { what: "fit of unlisted pairs", .. }));
    }
    let greedy = Problem { tasks: vec![Task { needs: u32::MAX }], ..good.clone() };
    assert!(matches!(refused(&greedy), PlanError::OutOfRange { what: "needs of task", at: 0, .. }));
    for target in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let mut problem = good.clone();
        problem.people[1].target = Some(target);
        assert!(matches!(refused(&problem), PlanError::OutOfRange { what: "target", at: 1, .. }), "{target}");
    }
    for fairness in [-1.0, 101.0, f64::NAN] {
        let refused = assign(&good, &Options { fairness, ..Options::default() });
        assert!(matches!(refused, Err(PlanError::OutOfRange { what: "fairness", .. })), "{fairness}");
    }
}

#[test]
fn nothing_to_do_is_done() {
    let found = run(&Problem::default());
    assert_eq!((found.cost, found.unfilled, found.groups), (0.0, 0, 0));
    let found = run(&Problem { tasks: tasks(2, 0), people: people(2, 5), unlisted: Some(1.0), ..Problem::default() });
    assert!(found.tasks.iter().all(|task| task.people.is_empty() && task.shortage.is_none()));
    assert_eq!((found.balance.gini, found.balance.jain), (0.0, 1.0));
}

#[test]
fn a_task_without_anybody_says_why() {
    let problem = Problem {
        tasks: tasks(4, 2),
        people: people(3, 2),
        pairs: vec![pair(0, 0, 0.5), pair(2, 1, 0.5), pair(2, 2, 0.5), pair(3, 1, 0.5), pair(3, 2, 0.5), pair(1, 1, 0.1), pair(1, 2, 0.1)],
        forbidden: vec![Forbidden { task: 0, person: 0 }, Forbidden { task: 3, person: 2 }],
        ..Problem::default()
    };
    let found = run(&problem);
    let causes: Vec<Option<Cause>> = found.tasks.iter().map(|task| task.shortage.map(|shortage| shortage.cause)).collect();
    assert_eq!(causes, [Some(Cause::Nobody), Some(Cause::Full), None, Some(Cause::TooFew { possible: 1 })]);
    assert_eq!(found.unfilled, 4);
    assert_eq!(found.tasks[0].shortage, Some(Shortage { places: 2, cause: Cause::Nobody }));
}

#[test]
fn a_place_is_filled_even_if_that_moves_many() {
    // Person 0 alone can take task 2; each step of the chain costs nearly the whole scale of fit.
    let pairs = [(0, 0, 1.0), (0, 1, 0.0), (1, 1, 1.0), (1, 2, 0.0), (2, 0, 0.0)];
    let pairs = pairs.into_iter().map(|(task, person, fit)| pair(task, person, fit)).collect();
    let found = run(&Problem { tasks: tasks(3, 1), people: people(3, 1), pairs, ..Problem::default() });
    let given: Vec<&[usize]> = found.tasks.iter().map(|task| task.people.as_slice()).collect();
    assert_eq!((given, found.unfilled), (vec![&[1][..], &[2], &[0]], 0));
}

#[test]
fn load_goes_to_whoever_has_least_for_the_target() {
    let mut team = people(3, 20);
    team[0].held = 6;
    team[2].target = Some(2.0);
    team.iter_mut().take(2).for_each(|person| person.target = Some(6.0));
    let found = run(&Problem { tasks: tasks(8, 1), people: team, unlisted: Some(0.5), ..Problem::default() });
    let given: Vec<u32> = found.people.iter().map(|person| person.given).collect();
    assert_eq!(given, [0, 6, 2]);
    assert_eq!((found.balance.load_min, found.balance.load_max, found.balance.gini, found.balance.jain), (2, 6, 0.0, 1.0));
}

#[test]
fn nobody_above_the_ceiling_or_away_gets_anything() {
    let mut team = people(3, 3);
    team[0].held = 4;
    team[1].ceiling = 0;
    let found = run(&Problem { tasks: tasks(5, 1), people: team, unlisted: Some(1.0), ..Problem::default() });
    let given: Vec<u32> = found.people.iter().map(|person| person.given).collect();
    assert_eq!(given, [0, 0, 3]);
    assert_eq!((found.unfilled, found.balance.load_min, found.balance.load_max), (2, 3, 4));
}

#[test]
fn the_largest_figures_do_no_harm() {
    let mut team = people(2, u32::MAX);
    team[1].held = u32::MAX;
    team[0].target = Some(0.001);
    let problem = Problem { tasks: tasks(3, 10_000), people: team, unlisted: Some(1.0), ..Problem::default() };
    let found = assign(&problem, &Options { fairness: 100.0, ..Options::default() }).expect("well formed");
    assert_eq!((found.optimal, found.people[0].given, found.people[1].given), (true, 3, 0));
}

#[test]
fn balance_figures_are_those_of_the_books() {
    // Loads 1, 2, 3 and 4 of equal targets: Gini 0.25, Jain 100 / 120.
    let mut team = people(4, 4);
    team.iter_mut().zip(1..).for_each(|(person, held)| person.held = held);
    let balance = run(&Problem { people: team, ..Problem::default() }).balance;
    assert!((balance.gini - 0.25).abs() < 1e-12 && (balance.jain - 100.0 / 120.0).abs() < 1e-12);
    assert_eq!((balance.load_min, balance.load_max, balance.load_mean), (1, 4, 2.5));
}

#[test]
fn every_person_has_a_reason() {
    let problem = Problem {
        tasks: tasks(2, 1),
        people: people(5, 1),
        pairs: vec![pair(0, 0, 0.9), pair(0, 1, 0.7), pair(0, 2, 1.0), pair(0, 4, 1.0), pair(1, 4, 1.0)],
        forbidden: vec![Forbidden { task: 0, person: 2 }, Forbidden { task: 0, person: 3 }],
        ..Problem::default()
    };
    let found = assign(&problem, &Options { fairness: 0.0, ..Options::default() }).expect("well formed");
    let reasons = why(&problem, &found, 0);
    assert_eq!(reasons[0], Reason::Given { fit: 0.9, load: 0.0 });
    let Reason::Passed { fit, instead_of, loss, .. } = reasons[1] else { panic!("{:?}", reasons[1]) };
    assert!((fit, instead_of) == (0.7, 0) && (loss - 0.2).abs() < 1e-9);
    assert_eq!((reasons[2], reasons[3]), (Reason::Forbidden, Reason::Forbidden));
    assert!(matches!(reasons[4], Reason::Full { fit: 1.0, loss } if loss >= 0.0));
    assert_eq!(why(&problem, &found, 1)[0], Reason::Unlisted);
}

#[test]
fn a_seed_decides_ties_and_nothing_else() {
    let problem = Problem { tasks: tasks(3, 1), people: people(9, 1), unlisted: Some(0.5), ..Problem::default() };
    let by = |seed| assign(&problem, &Options { seed, ..Options::default() }).expect("well formed");
    let drawn: Vec<Assignment> = (0..8).map(|seed| by(Some(seed))).collect();
    assert!(drawn.iter().any(|found| found.tasks != drawn[0].tasks));
    assert!(drawn.iter().all(|found| found.cost == by(None).cost && found.optimal));
    assert_eq!(by(Some(3)), by(Some(3)));
}

/// Two halves of judges who fit their own half of the applications a little better.
fn halves(other: Option<f64>) -> Problem {
    let own = |task: u32| (0..4).map(move |person| pair(task, person + 4 * (task % 2), 0.9));
    Problem { tasks: tasks(12, 2), people: people(8, 3), pairs: (0..12).flat_map(own).collect(), unlisted: other, ..Problem::default() }
}

#[test]
fn groups_are_joined_at_a_price_that_is_told() {
    let problem = halves(Some(0.4));
    assert!(run(&problem).groups > 1);
    let found = assign(&problem, &Options { overlap: Overlap::Prefer, ..Options::default() }).expect("well formed");
    assert_eq!((found.groups, found.unfilled), (1, 0));
    let price = found.cost - found.bound;
    // Everybody is at the ceiling, so that two people change places: each loses half a point of fit.
    assert!((1.0..1.03).contains(&price) && !found.optimal, "{price}");
    assert!(found.people.iter().all(|person| person.given == 3));
}

#[test]
fn groups_that_cannot_be_joined_are_counted() {
    let found = assign(&halves(None), &Options { overlap: Overlap::Prefer, ..Options::default() }).expect("well formed");
    assert_eq!((found.groups, found.unfilled), (2, 0));
}

#[test]
fn mixed_company_meets_many() {
    let problem = Problem { tasks: tasks(120, 3), people: people(24, 20), unlisted: Some(0.5), ..Problem::default() };
    let found = assign(&problem, &Options { overlap: Overlap::Prefer, ..Options::default() }).expect("well formed");
    let met = |person: usize| {
        let mut others: Vec<usize> = found.tasks.iter().filter(|task| task.people.contains(&person)).flat_map(|task| task.people.clone()).collect();
        others.sort_unstable();
        others.dedup();
        others.len() - 1
    };
    // Fifteen tasks with two others each could meet all 23; teams that stay together would meet two.
    assert!((0..24).all(|person| met(person) > 12), "{:?}", (0..24).map(met).collect::<Vec<_>>());
    assert!(found.cost - found.bound < 0.001 * 360.0 && found.groups == 1);
}
