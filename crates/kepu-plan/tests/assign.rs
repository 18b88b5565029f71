//! What must hold for all problems: recusal, ceilings and distinct people, the optimum of brute force and of OR-tools, and the same answer every time.

mod drawn;

use drawn::{Dice, Plan, draw};
use kepu_plan::assign::{Assignment, Cause, Forbidden, Options, Overlap, Pair, Person, Problem, Reason, Task, assign, why};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Fit of a pair, if it may be.
fn allowed(problem: &Problem, task: usize, person: usize) -> Option<f64> {
    let here = |t: u32, p: u32| (t as usize, p as usize) == (task, person);
    if problem.forbidden.iter().any(|pair| here(pair.task, pair.person)) {
        return None;
    }
    problem.pairs.iter().find(|pair| here(pair.task, pair.person)).map(|pair| pair.fit).or(problem.unlisted)
}

/// What no assignment may break.
fn check(problem: &Problem, found: &Assignment) {
    let forbidden: BTreeSet<(usize, usize)> = problem.forbidden.iter().map(|pair| (pair.task as usize, pair.person as usize)).collect();
    let listed: BTreeSet<(usize, usize)> = problem.pairs.iter().map(|pair| (pair.task as usize, pair.person as usize)).collect();
    let mut given = vec![0; problem.people.len()];
    let mut unfilled = 0;
    for (task, assigned) in found.tasks.iter().enumerate() {
        assert!(assigned.people.array_windows().all(|[a, b]| a < b), "a task has distinct people");
        for &person in &assigned.people {
            assert!(!forbidden.contains(&(task, person)), "person {person} must not get task {task}");
            assert!(problem.unlisted.is_some() || listed.contains(&(task, person)), "person {person} cannot do task {task}");
            given[person] += 1;
        }
        let missing = problem.tasks[task].needs as usize - assigned.people.len();
        assert_eq!(assigned.shortage.map_or(0, |shortage| shortage.places), missing);
        unfilled += missing;
    }
    for (person, load) in found.people.iter().enumerate() {
        let Person { ceiling, held, .. } = problem.people[person];
        assert_eq!((load.given, load.held), (given[person], held));
        assert!(load.given == 0 || load.held + load.given <= ceiling, "person {person} is above the ceiling");
    }
    assert_eq!(found.unfilled, unfilled);
    assert!(found.bound <= found.cost + 1e-9);
}

/// Load less fit, computed from the definition.
fn cost(problem: &Problem, options: &Options, tasks: &[Vec<usize>]) -> f64 {
    let places: u32 = problem.tasks.iter().map(|task| task.needs).chain(problem.people.iter().map(|person| person.held)).sum();
    let share = f64::from(places) / problem.people.iter().filter(|person| person.ceiling > 0).count().max(1) as f64;
    let mut cost = 0.0;
    for (at, person) in problem.people.iter().enumerate() {
        let held = f64::from(person.held);
        let load = held + tasks.iter().filter(|people| people.contains(&at)).count() as f64;
        cost += options.fairness / 2.0 / person.target.unwrap_or(share.max(0.001)) * (load * load - held * held);
    }
    let fits = tasks.iter().enumerate().flat_map(|(task, people)| people.iter().map(move |person| (task, *person)));
    cost - fits.map(|(task, person)| allowed(problem, task, person).expect("allowed")).sum::<f64>()
}

/// The best of all assignments: fewest empty places first, then cost.
fn brute(problem: &Problem, options: &Options, tasks: &mut Vec<Vec<usize>>) -> (usize, f64) {
    let task = tasks.len();
    if task == problem.tasks.len() {
        let filled: usize = tasks.iter().map(Vec::len).sum();
        let needed: usize = problem.tasks.iter().map(|task| task.needs as usize).sum();
        return (needed - filled, cost(problem, options, tasks));
    }
    let mut best = (usize::MAX, f64::INFINITY);
    for chosen in 0u32..1 << problem.people.len() {
        let people: Vec<usize> = (0..problem.people.len()).filter(|person| chosen >> person & 1 == 1).collect();
        let load = |person: usize| problem.people[person].held as usize + tasks.iter().filter(|people| people.contains(&person)).count();
        let fits = people.iter().all(|person| allowed(problem, task, *person).is_some() && load(*person) < problem.people[*person].ceiling as usize);
        if people.len() <= problem.tasks[task].needs as usize && fits {
            tasks.push(people);
            let found = brute(problem, options, tasks);
            tasks.pop();
            if (found.0, found.1) < best {
                best = found;
            }
        }
    }
    best
}

fn problems(tasks: usize, people: usize, needs_max: u32) -> impl Strategy<Value = Problem> {
    let task = (0..=needs_max).prop_map(|needs| Task { needs });
    let target = prop_oneof![Just(None), (0.5f64..6.0).prop_map(Some)];
    let person = (0u32..5, 0u32..3, target).prop_map(|(ceiling, held, target)| Person { ceiling, held, target });
    // Few steps of fit, so that many choices tie.
    let pairs = prop::collection::btree_map((0..tasks as u32, 0..people as u32), 0u8..=4, 0..tasks * people);
    let forbidden = prop::collection::vec((0..tasks as u32, 0..people as u32), 0..tasks * people / 2);
    let unlisted = prop_oneof![Just(None), (0u8..=4).prop_map(|step| Some(f64::from(step) / 4.0))];
    (prop::collection::vec(task, tasks), prop::collection::vec(person, people), pairs, forbidden, unlisted).prop_map(
        |(tasks, people, pairs, forbidden, unlisted)| Problem {
            tasks,
            people,
            pairs: pairs.into_iter().map(|((task, person), step)| Pair { task, person, fit: f64::from(step) / 4.0 }).collect(),
            unlisted,
            forbidden: forbidden.into_iter().map(|(task, person)| Forbidden { task, person }).collect(),
        },
    )
}

fn options() -> impl Strategy<Value = Options> {
    let fairness = prop_oneof![Just(0.0), Just(1.0), 0.0f64..5.0];
    let overlap = prop_oneof![Just(Overlap::Ignore), Just(Overlap::Prefer)];
    (fairness, prop::option::of(any::<u64>()), overlap).prop_map(|(fairness, seed, overlap)| Options { fairness, seed, overlap })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn small_problems_equal_brute_force(problem in problems(4, 4, 3), mut options in options()) {
        options.overlap = Overlap::Ignore;
        let found = assign(&problem, &options).expect("well formed");
        check(&problem, &found);
        let (unfilled, best) = brute(&problem, &options, &mut vec![]);
        prop_assert_eq!(found.unfilled, unfilled);
        prop_assert!(found.optimal && (found.cost - best).abs() < 1e-4, "{} against {best}", found.cost);
    }

    /// The recusal of the issue: whatever the round, the pressure on ceilings and the wish for overlap, a forbidden pair never appears.
    #[test]
    fn recusal_is_never_broken(problem in problems(30, 12, 4), options in options()) {
        let found = assign(&problem, &options).expect("well formed");
        check(&problem, &found);
        prop_assert!(found.optimal || options.overlap == Overlap::Prefer);
    }

    #[test]
    fn asking_for_overlap_fills_as_many_places_and_never_makes_more_groups(problem in problems(20, 10, 3), options in options()) {
        let plain = assign(&problem, &Options { overlap: Overlap::Ignore, ..options.clone() }).expect("well formed");
        let mixed = assign(&problem, &Options { overlap: Overlap::Prefer, ..options }).expect("well formed");
        prop_assert_eq!(plain.unfilled, mixed.unfilled);
        prop_assert!(mixed.cost >= plain.cost - 1e-9 && mixed.bound <= plain.cost + 1e-9);
    }

    #[test]
    fn the_order_of_the_lists_changes_nothing(problem in problems(20, 10, 3), options in options(), seed: u64) {
        let mut dice = Dice(seed);
        let mut shuffled = problem.clone();
        for at in (1..shuffled.pairs.len()).rev() {
            shuffled.pairs.swap(at, dice.below(at + 1));
        }
        shuffled.forbidden.reverse();
        prop_assert_eq!(assign(&problem, &options), assign(&shuffled, &options));
    }

    /// Putting somebody in somebody else's place costs exactly what is said, and nothing can be gained by it; whoever is full costs at least what is said.
    #[test]
    fn reasons_tell_the_truth(problem in problems(4, 4, 2), fairness in 0.0f64..2.0) {
        let options = Options { fairness, ..Options::default() };
        let found = assign(&problem, &options).expect("well formed");
        let tasks: Vec<Vec<usize>> = found.tasks.iter().map(|task| task.people.clone()).collect();
        for task in 0..problem.tasks.len() {
            for (person, reason) in why(&problem, &found, task).into_iter().enumerate() {
                match reason {
                    Reason::Given { fit, .. } => prop_assert!(tasks[task].contains(&person) && allowed(&problem, task, person) == Some(fit)),
                    Reason::Forbidden | Reason::Unlisted => prop_assert_eq!(allowed(&problem, task, person), None),
                    Reason::NotNeeded => prop_assert_eq!(problem.tasks[task].needs, 0),
                    Reason::Passed { instead_of, loss, .. } => {
                        let mut changed = tasks.clone();
                        changed[task].retain(|other| *other != instead_of);
                        changed[task].push(person);
                        prop_assert!(loss >= 0.0 && (cost(&problem, &options, &changed) - found.cost - loss).abs() < 1e-4);
                    }
                    Reason::Full { loss, fit } => {
                        prop_assert_eq!(allowed(&problem, task, person), Some(fit));
                        if let Some(forced) = force(&problem, &options, task, person) && forced.0 == found.unfilled {
                            prop_assert!(forced.1 >= found.cost + loss - 1e-4, "{loss} promised, {} is", forced.1 - found.cost);
                        }
                    }
                }
            }
        }
    }
}

/// Empty places and cost of the best assignment in which a person has a task: the task takes this person apart and needs one less.
fn force(problem: &Problem, options: &Options, task: usize, person: usize) -> Option<(usize, f64)> {
    let Person { ceiling, held, .. } = problem.people[person];
    if held >= ceiling || problem.tasks[task].needs == 0 {
        return None;
    }
    let fit = allowed(problem, task, person)?;
    let mut rest = problem.clone();
    // Targets as they were before the change.
    let places: u32 = problem.tasks.iter().map(|task| task.needs).chain(problem.people.iter().map(|person| person.held)).sum();
    let share = (f64::from(places) / problem.people.iter().filter(|person| person.ceiling > 0).count().max(1) as f64).max(0.001);
    rest.people.iter_mut().for_each(|person| person.target = Some(person.target.unwrap_or(share)));
    let target = rest.people[person].target?;
    rest.tasks[task].needs -= 1;
    rest.people[person].held += 1;
    rest.forbidden.push(Forbidden { task: task as u32, person: person as u32 });
    let found = assign(&rest, options).expect("well formed");
    let load = options.fairness * (2.0 * f64::from(held) + 1.0) / 2.0 / target;
    Some((found.unfilled, found.cost + load - fit))
}

/// Rounds of the size of a province: judges of many institutions, each application kept from its own institution and its authors' friends.
#[test]
fn recusal_holds_over_random_rounds() {
    for seed in 0..6 {
        let mut dice = Dice(seed);
        let institutions = 15;
        let judge_of: Vec<usize> = (0..60).map(|_| dice.below(institutions)).collect();
        let mut problem = draw(&Plan { tasks: 400, people: 60, ceiling: 36, fields: 4, breadth: 2, conflicts: 3, unlisted: Some(0.2), ..Plan::ROUND }, seed);
        for task in 0..400 {
            let own = dice.below(institutions);
            let colleagues = (0..60u32).filter(|judge| judge_of[*judge as usize] == own);
            problem.forbidden.extend(colleagues.map(|person| Forbidden { task, person }));
        }
        for overlap in [Overlap::Ignore, Overlap::Prefer] {
            let found = assign(&problem, &Options { overlap, seed: Some(seed), ..Options::default() }).expect("well formed");
            check(&problem, &found);
            assert_eq!((found.unfilled, found.groups), (0, 1), "seed {seed}");
            assert!(found.cost - found.bound <= 2.0, "a thousandth of a point for each of 2,000 places");
        }
    }
}

#[test]
fn a_queue_that_is_too_long_names_what_stays_empty() {
    let problem = draw(&Plan { tasks: 300, people: 30, ceiling: 20, ..Plan::REVIEWS }, 5);
    let found = assign(&problem, &Options::default()).expect("well formed");
    check(&problem, &found);
    assert!(found.optimal && found.unfilled >= 300);
    assert!(found.tasks.iter().filter_map(|task| task.shortage).any(|shortage| shortage.cause == Cause::Full));
}

#[test]
fn costs_equal_or_tools() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/assign.csv");
    let mut reader = csv::Reader::from_path(&path).expect("golden files are in the repository");
    for row in reader.deserialize::<BTreeMap<String, String>>().map(|row| row.expect("golden files are well formed")) {
        let number = |column: &str| row[column].parse::<i64>().expect("a whole number");
        let plan = Plan {
            tasks: number("tasks") as usize,
            people: number("people") as usize,
            needs: number("needs") as u32,
            ceiling: number("ceiling") as u32,
            fields: number("fields") as usize,
            breadth: number("breadth") as usize,
            unlisted: row["unlisted"].parse().ok(),
            steps: number("steps") as u32,
            conflicts: number("conflicts") as usize,
        };
        let problem = draw(&plan, number("seed") as u64);
        let fairness = row["fairness"].parse().expect("a number");
        let found = assign(&problem, &Options { fairness, ..Options::default() }).expect("well formed");
        check(&problem, &found);
        assert!(found.optimal);
        assert_eq!(((found.cost * 1e6).round() as i64, found.unfilled as i64), (number("cost_units"), number("unfilled")), "{row:?}");
    }
}
