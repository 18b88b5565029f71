//! What the caller gets to see: loads, balance, shortages, and the reasons.

use super::costs::{Costs, UNITS};
use super::price::bound;
use super::solve::Solved;
use super::{Assigned, Assignment, Balance, Cause, Load, Problem, Shortage};

pub(super) fn report(costs: &Costs, solved: &Solved) -> Assignment {
    let draft = &solved.draft;
    let cost = draft.cost(costs);
    let unfilled = draft.unfilled(costs);
    let reached = bound(costs, &solved.prices, false, |_, _| ());
    let bound = reached - i128::from(costs.empty) * unfilled as i128;
    let mut tasks = vec![Assigned { people: vec![], shortage: None, limit: 0.0 }; costs.tasks.len()];
    for (at, people) in draft.tasks.iter().enumerate() {
        let missing = costs.needs[at] as usize - people.len();
        let value = |person: &u32| costs.pair(at, *person as usize).expect("possible") + solved.prices[*person as usize];
        let limit = if missing > 0 { costs.empty } else { people.iter().map(value).max().unwrap_or_default() };
        let mut people: Vec<usize> = people.iter().map(|person| costs.people[*person as usize] as usize).collect();
        people.sort_unstable();
        let shortage = (missing > 0).then(|| Shortage { places: missing, cause: cause(costs, at) });
        tasks[costs.tasks[at] as usize] = Assigned { people, shortage, limit: units(limit) };
    }
    let mut people = vec![Load { held: 0, given: 0, load_last: 0.0, load_next: 0.0, price: 0.0 }; costs.people.len()];
    for (at, person) in costs.people.iter().enumerate() {
        let (held, given) = (costs.held[at], draft.given[at]);
        let load_last = if given > 0 { units(costs.load(at, given)) } else { 0.0 };
        people[*person as usize] = Load { held, given, load_last, load_next: units(costs.load(at, given + 1)), price: units(solved.prices[at]) };
    }
    Assignment {
        tasks,
        people,
        cost: cost as f64 / UNITS,
        bound: bound as f64 / UNITS,
        optimal: bound == cost,
        unfilled,
        groups: draft.groups().1,
        balance: balance(costs, &draft.given),
    }
}

fn units(units: i64) -> f64 {
    units as f64 / UNITS
}

fn cause(costs: &Costs, task: usize) -> Cause {
    match costs.possible(task) {
        0 => Cause::Nobody,
        possible if possible < costs.needs[task] as usize => Cause::TooFew { possible },
        _ => Cause::Full,
    }
}

fn balance(costs: &Costs, given: &[u32]) -> Balance {
    let sharing: Vec<usize> = (0..given.len()).filter(|person| costs.ceilings[*person] > 0).collect();
    let load = |person: usize| costs.held[person] + given[person];
    let count = sharing.len().max(1) as f64;
    let mut shares: Vec<f64> = sharing.iter().map(|person| f64::from(load(*person)) / costs.targets[*person]).collect();
    shares.sort_by(f64::total_cmp);
    let (sum, squares) = (shares.iter().sum::<f64>(), shares.iter().map(|share| share * share).sum::<f64>());
    let ranked: f64 = shares.iter().enumerate().map(|(at, share)| (2.0 * at as f64 + 1.0 - count) * share).sum();
    let empty = sum == 0.0;
    Balance {
        load_min: sharing.iter().map(|person| load(*person)).min().unwrap_or_default(),
        load_max: sharing.iter().map(|person| load(*person)).max().unwrap_or_default(),
        load_mean: sharing.iter().map(|person| f64::from(load(*person))).sum::<f64>() / count,
        gini: if empty { 0.0 } else { ranked / (count * sum) },
        jain: if empty { 1.0 } else { sum * sum / (count * squares) },
    }
}

/// Why a person was or was not given a task. Figures are in units of fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// Given.
    Given {
        /// How well the person fits.
        fit: f64,
        /// What this person's last task costs for load.
        load: f64,
    },
    /// Possible, but somebody else is better for the whole.
    Passed {
        /// How well the person fits.
        fit: f64,
        /// What one more task would cost for this person's load.
        load: f64,
        /// Whose place this person could take at the least loss.
        instead_of: usize,
        /// How much worse the whole would be with that one change: less fit, or load shared less evenly. Never below 0 in an optimal assignment; 0 is a tie.
        loss: f64,
    },
    /// Possible, but at the ceiling: somebody else would have to take one of this person's tasks.
    Full {
        /// How well the person fits.
        fit: f64,
        /// By at least so much the whole gets worse if the person is given the task all the same, by the prices; it may be more.
        loss: f64,
    },
    /// The pair is forbidden.
    Forbidden,
    /// The pair is not listed, and unlisted ones are impossible.
    Unlisted,
    /// Possible, but the task needs nobody.
    NotNeeded,
}

/// Why each person was or was not given a task, by index of the person.
///
/// `problem` must be the one that was solved; reads all of its pairs. Panics if `task` is out of range.
pub fn why(problem: &Problem, assignment: &Assignment, task: usize) -> Vec<Reason> {
    let of_task = |other: u32| other as usize == task;
    let mut fits = vec![problem.unlisted; problem.people.len()];
    problem.pairs.iter().filter(|pair| of_task(pair.task)).for_each(|pair| fits[pair.person as usize] = Some(pair.fit));
    let Assigned { people: given, limit, .. } = &assignment.tasks[task];
    // Whoever adds least to the whole would be the first to go.
    let weakest = given.iter().map(|person| (fits[*person].unwrap_or_default() - assignment.people[*person].load_last, *person));
    let weakest = weakest.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let reason = |(person, fit): (usize, Option<f64>)| {
        let Some(fit) = fit else { return Reason::Unlisted };
        let Load { held, given: tasks, load_last, load_next, price } = assignment.people[person];
        if given.binary_search(&person).is_ok() {
            return Reason::Given { fit, load: load_last };
        }
        if problem.tasks[task].needs == 0 {
            return Reason::NotNeeded;
        }
        match weakest {
            Some((worth, instead_of)) if held + tasks < problem.people[person].ceiling => {
                Reason::Passed { fit, load: load_next, instead_of, loss: worth - (fit - load_next) }
            }
            _ => Reason::Full { fit, loss: (price - fit - limit).max(0.0) },
        }
    };
    let mut reasons: Vec<Reason> = fits.iter().copied().enumerate().map(reason).collect();
    problem.forbidden.iter().filter(|pair| of_task(pair.task)).for_each(|pair| reasons[pair.person as usize] = Reason::Forbidden);
    reasons
}
