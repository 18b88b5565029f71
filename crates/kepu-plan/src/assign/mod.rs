//! People for tasks: reviewers for drafts, judges for applications. Each task needs some distinct people; nobody gets more than a ceiling, nobody gets a
//! task that is forbidden to them; fit is high and load is shared out fairly.
//!
//! **What is minimised**, after as many places as possible are filled:
//!
//! ```text
//! cost = Σ load(person) - Σ fit(task, person)        load(person) = fairness / (2 · target) · (L² - held²),   L = held + given
//! ```
//!
//! The square makes each further task dearer for whoever already has many: at `fairness` 1 a person at the target is passed over for one with half the load
//! if that costs less than half the scale of fit.
//!
//! **How it is solved.** As a minimum cost flow, exactly: on the promising pairs first, then every possible pair is held against the prices found, and the
//! ones that would gain come in, until none would. The prices give a lower bound on the cost of any assignment (Lagrange), computed apart from the
//! flow; where the two meet, the assignment is proven best. Ten thousand tasks and a thousand people with every pair possible take about a second.
//!
//! Reviewer assignment as a flow: Taylor, *On the optimal assignment of conference papers to reviewers* (2008).

mod costs;
mod draft;
mod overlap;
mod price;
mod report;
mod solve;

use crate::PlanError;
use costs::Costs;

pub use report::{Reason, why};

/// Who could get what.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Problem {
    /// What needs people.
    pub tasks: Vec<Task>,
    /// Who can be given tasks.
    pub people: Vec<Person>,
    /// How well people fit tasks, each pair at most once, in any order.
    pub pairs: Vec<Pair>,
    /// Fit of every pair that is not listed, 0 to 1; `None` if such pairs are impossible.
    pub unlisted: Option<f64>,
    /// Pairs that must never be: own work, the same institution, a stated conflict, refused or done already. Stronger than a listed fit; may repeat.
    pub forbidden: Vec<Forbidden>,
}

/// A piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// How many distinct people it needs, at most 10,000.
    pub needs: u32,
}

/// Somebody who can be given tasks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Person {
    /// Most tasks at a time, those held already included; 0 for somebody who is away.
    pub ceiling: u32,
    /// Tasks held already: they count for ceiling and load.
    pub held: u32,
    /// A fair load, above 0; `None` for an equal share of everything held and needed.
    pub target: Option<f64>,
}

/// How well a person fits a task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Index of the task.
    pub task: u32,
    /// Index of the person.
    pub person: u32,
    /// From 0 to 1, counted to six decimals.
    pub fit: f64,
}

/// A pair that must never be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forbidden {
    /// Index of the task.
    pub task: u32,
    /// Index of the person.
    pub person: u32,
}

/// What counts beside fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Weight of load against fit, 0 to 100.
    pub fairness: f64,
    /// Equal choices fall by index; with a seed, by an order drawn from it.
    pub seed: Option<u64>,
    /// Whether people should meet over tasks.
    pub overlap: Overlap,
}

impl Default for Options {
    /// Fairness 1, ties by index, overlap not asked for.
    fn default() -> Self {
        Self { fairness: 1.0, seed: None, overlap: Overlap::Ignore }
    }
}

/// Whether people should share tasks with ever changing others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// Only fit and load count.
    Ignore,
    /// For judging: choices that differ by less than 0.001 fall by chance, so that company changes, and groups of people who share no task with the rest are
    /// joined by the cheapest possible exchanges. Without a chain of shared tasks, harsh and mild groups cannot be told apart
    /// (`kepu_stats::judging::Normalised::groups`). What this costs is the gap between `cost` and `bound`.
    Prefer,
}

/// Who gets what.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// By index.
    pub tasks: Vec<Assigned>,
    /// By index.
    pub people: Vec<Load>,
    /// Load less fit, as above; places that stayed empty do not count in it.
    pub cost: f64,
    /// No assignment that fills as many places costs less than this.
    pub bound: f64,
    /// Whether `cost` equals `bound` to the last unit (a millionth): no better assignment exists.
    pub optimal: bool,
    /// Places that stayed empty. As few as possible.
    pub unfilled: usize,
    /// Sets of people, of those who were given something, that no chain of shared tasks connects.
    pub groups: usize,
    /// How evenly load is shared.
    pub balance: Balance,
}

/// The people of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct Assigned {
    /// Indices, in rising order.
    pub people: Vec<usize>,
    /// Places that stayed empty, and why.
    pub shortage: Option<Shortage>,
    /// The highest price less fit that was accepted, for [`why`].
    limit: f64,
}

/// Why places of a task stayed empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// How many.
    pub places: usize,
    /// Why.
    pub cause: Cause,
}

/// Why a task did not find its people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No person is both possible and allowed: list more competent people, or lift a recusal that is none.
    Nobody,
    /// Fewer people are possible and allowed than are needed.
    TooFew {
        /// How many are.
        possible: usize,
    },
    /// Enough people are possible, but they are at their ceilings, with other tasks that nobody else could take either.
    Full,
}

/// What a person got.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Held before.
    pub held: u32,
    /// Given now.
    pub given: u32,
    /// What the last task given costs for load, in units of fit; 0 without one.
    pub load_last: f64,
    /// What one more task would cost for load, in units of fit.
    pub load_next: f64,
    /// What a task of this person is worth to the whole, in units of fit: load, and scarcity where the person is in demand. One of the prices that prove
    /// `bound`, not always the only one; very high where places stayed empty for want of this person.
    pub price: f64,
}

/// How evenly load is shared among people with a ceiling above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Balance {
    /// Fewest tasks that anybody has, held and given.
    pub load_min: u32,
    /// Most tasks that anybody has.
    pub load_max: u32,
    /// Mean number of tasks.
    pub load_mean: f64,
    /// Gini coefficient of load divided by target: 0 if all are equal, near 1 if one has everything.
    pub gini: f64,
    /// Jain's index of load divided by target: 1 if all are equal, 1/n if one of n has everything (Jain, Chiu and Hawe, 1984).
    pub jain: f64,
}

/// Assigns people to tasks.
///
/// - Never gives a forbidden or impossible pair, never passes a ceiling, never gives a task twice to the same person; fills as many places as any assignment could.
/// - The same problem and options give the same assignment.
/// - Fails with [`PlanError::Unknown`] for an index out of range, [`PlanError::OutOfRange`] for a fit, need, target or fairness, [`PlanError::Twice`] for a pair
///   listed twice, [`PlanError::TooMany`] beyond some hundred thousand tasks and people.
///
/// ```
/// use kepu_plan::assign::{Forbidden, Options, Pair, Person, Problem, Task, assign};
///
/// let person = Person { ceiling: 2, held: 0, target: None };
/// let problem = Problem {
///     tasks: vec![Task { needs: 2 }, Task { needs: 1 }],
///     people: vec![person; 3],
///     pairs: vec![Pair { task: 0, person: 0, fit: 0.9 }, Pair { task: 1, person: 0, fit: 0.8 }],
///     unlisted: Some(0.2),
///     // Person 1 wrote the draft of task 0.
///     forbidden: vec![Forbidden { task: 0, person: 1 }],
/// };
/// let found = assign(&problem, &Options::default())?;
/// assert_eq!(found.tasks[0].people, [0, 2]);
/// assert!(found.optimal && found.unfilled == 0);
/// # Ok::<(), kepu_plan::PlanError>(())
/// ```
pub fn assign(problem: &Problem, options: &Options) -> Result<Assignment, PlanError> {
    let costs = Costs::new(problem, options)?;
    let mut solved = solve::solve(&costs);
    if options.overlap == Overlap::Prefer {
        overlap::join(&costs, &mut solved.draft);
    }
    Ok(report::report(&costs, &solved))
}

#[cfg(test)]
mod tests;
