//! A problem checked and in whole numbers: what every pair costs, what every further task of a person costs, in the order in which ties fall.
//!
//! Inside the engine tasks and people are numbered in that order; [`Costs::tasks`] and [`Costs::people`] lead back to the caller's indices.

use super::{Options, Overlap, Problem};
use crate::PlanError;
use crate::dice::mix;

/// Units in one point of fit.
pub(super) const UNITS: f64 = 1e6;
/// No further task costs more than this for load, so that sums stay whole and exact.
const LOAD_MAX: f64 = 1e9;
/// With [`Overlap::Prefer`], up to so many units fall by chance.
const CHANCE: u64 = 1_000;
const FAIRNESS_MAX: f64 = 100.0;
const NEEDS_MAX: f64 = 10_000.0;
const TARGET: std::ops::RangeInclusive<f64> = 0.001..=1e9;

/// What everything costs.
#[derive(Debug)]
pub(super) struct Costs {
    /// The caller's index of each task.
    pub tasks: Vec<u32>,
    /// The caller's index of each person.
    pub people: Vec<u32>,
    pub needs: Vec<u32>,
    pub held: Vec<u32>,
    /// Tasks that a person can still take.
    pub room: Vec<u32>,
    pub ceilings: Vec<u32>,
    pub targets: Vec<f64>,
    fairness: f64,
    listed: Rows<(u32, i32)>,
    forbidden: Rows<u32>,
    unlisted: Option<i64>,
    /// Seed of chance, if choices that hardly differ fall by chance.
    chance: Option<u64>,
    /// What an empty place costs: more than any chain of exchanges that could fill it.
    pub empty: i64,
}

/// One list for each task, one behind the other.
#[derive(Debug)]
struct Rows<T> {
    starts: Vec<usize>,
    cells: Vec<T>,
}

impl<T: Copy + Default + Ord> Rows<T> {
    /// Sorted inside each row.
    fn new(rows: usize, cells: impl Iterator<Item = (usize, T)> + Clone) -> Self {
        let mut starts = vec![0; rows + 1];
        cells.clone().for_each(|(row, _)| starts[row + 1] += 1);
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let mut free = starts.clone();
        let mut sorted = vec![T::default(); starts[rows]];
        for (row, cell) in cells {
            sorted[free[row]] = cell;
            free[row] += 1;
        }
        for row in 0..rows {
            sorted[starts[row]..starts[row + 1]].sort_unstable();
        }
        Self { starts, cells: sorted }
    }

    fn row(&self, row: usize) -> &[T] {
        &self.cells[self.starts[row]..self.starts[row + 1]]
    }
}

impl Costs {
    pub fn new(problem: &Problem, options: &Options) -> Result<Self, PlanError> {
        check(problem, options)?;
        let (tasks, task_numbers) = order(problem.tasks.len(), options.seed, 0);
        let (people, person_numbers) = order(problem.people.len(), options.seed, 1);
        let forbidden = problem.forbidden.iter().map(|pair| (task_numbers[pair.task as usize] as usize, person_numbers[pair.person as usize]));
        let listed = problem.pairs.iter().map(|pair| {
            let cost = -(pair.fit * UNITS).round() as i32;
            (task_numbers[pair.task as usize] as usize, (person_numbers[pair.person as usize], cost))
        });
        let mut costs = Self {
            needs: tasks.iter().map(|task| problem.tasks[*task as usize].needs).collect(),
            held: people.iter().map(|person| problem.people[*person as usize].held).collect(),
            ceilings: people.iter().map(|person| problem.people[*person as usize].ceiling).collect(),
            room: vec![],
            targets: vec![],
            fairness: options.fairness,
            forbidden: Rows::new(tasks.len(), forbidden),
            listed: Rows::new(tasks.len(), listed),
            unlisted: problem.unlisted.map(|fit| -(fit * UNITS).round() as i64),
            chance: (options.overlap == Overlap::Prefer).then(|| options.seed.unwrap_or_default()),
            empty: 0,
            tasks,
            people,
        };
        costs.refuse_twice()?;
        costs.room = costs.ceilings.iter().zip(&costs.held).map(|(ceiling, held)| ceiling.saturating_sub(*held).min(costs.tasks.len() as u32)).collect();
        costs.targets = costs.targets(problem);
        costs.empty = costs.empty()?;
        Ok(costs)
    }

    fn refuse_twice(&self) -> Result<(), PlanError> {
        for task in 0..self.tasks.len() {
            if let Some([twice, _]) = self.listed.row(task).array_windows().find(|[a, b]| a.0 == b.0) {
                return Err(PlanError::Twice { task: self.tasks[task] as usize, person: self.people[twice.0 as usize] as usize });
            }
        }
        Ok(())
    }

    fn targets(&self, problem: &Problem) -> Vec<f64> {
        let places: f64 = self.needs.iter().chain(&self.held).map(|count| f64::from(*count)).sum();
        let sharing = self.ceilings.iter().filter(|ceiling| **ceiling > 0).count();
        let share = (places / sharing.max(1) as f64).max(*TARGET.start());
        self.people.iter().map(|person| problem.people[*person as usize].target.unwrap_or(share)).collect()
    }

    /// An exchange chain passes each person once, gains at most the whole scale at each and ends with one more task for somebody.
    fn empty(&self) -> Result<i64, PlanError> {
        let dearest = (0..self.people.len()).filter(|person| self.room[*person] > 0).map(|person| self.load(person, self.room[person]));
        let step = UNITS as i64 + CHANCE as i64;
        let empty = (self.people.len() as i64 + 2) * step + dearest.max().unwrap_or_default();
        let nodes = (self.tasks.len() + self.people.len() + 2) as i64;
        match empty.checked_mul(nodes) {
            Some(largest) if largest < 1 << 57 => Ok(empty),
            _ => Err(PlanError::TooMany { tasks: self.tasks.len(), people: self.people.len() }),
        }
    }

    /// What the `nth` new task of a person costs for load, from 1; never falls with `nth`.
    pub fn load(&self, person: usize, nth: u32) -> i64 {
        let so_far = f64::from(self.held[person]) + f64::from(nth);
        (UNITS * self.fairness * (2.0 * so_far - 1.0) / (2.0 * self.targets[person])).min(LOAD_MAX).round() as i64
    }

    /// What a pair costs by itself; `None` if it is forbidden or impossible.
    pub fn pair(&self, task: usize, person: usize) -> Option<i64> {
        if self.is_forbidden(task, person) {
            return None;
        }
        let row = self.listed.row(task);
        match row.binary_search_by_key(&(person as u32), |cell| cell.0) {
            Ok(at) => Some(i64::from(row[at].1)),
            Err(_) => self.unlisted,
        }
    }

    pub fn is_forbidden(&self, task: usize, person: usize) -> bool {
        self.forbidden.row(task).binary_search(&(person as u32)).is_ok()
    }

    /// Units that a pair costs on top where choices that hardly differ fall by chance.
    pub fn chance(&self, task: usize, person: usize) -> i64 {
        self.chance.map_or(0, |seed| (mix(seed, task as u64, person as u64) % CHANCE) as i64)
    }

    pub fn has_chance(&self) -> bool {
        self.chance.is_some()
    }

    /// People listed for a task, those forbidden included, with the cost of the pair.
    pub fn listed(&self, task: usize) -> &[(u32, i32)] {
        self.listed.row(task)
    }

    pub fn forbidden(&self, task: usize) -> &[u32] {
        self.forbidden.row(task)
    }

    pub fn unlisted(&self) -> Option<i64> {
        self.unlisted
    }

    /// How many people are possible for a task and allowed, whatever they hold.
    pub fn possible(&self, task: usize) -> usize {
        if self.unlisted.is_some() {
            let forbidden = self.forbidden.row(task);
            return self.people.len() - forbidden.chunk_by(|a, b| a == b).count();
        }
        self.listed.row(task).iter().filter(|(person, _)| !self.is_forbidden(task, *person as usize)).count()
    }
}

/// The order in which ties fall: what stands at each number, and the number of each.
fn order(count: usize, seed: Option<u64>, salt: u64) -> (Vec<u32>, Vec<u32>) {
    let mut order: Vec<u32> = (0..count as u32).collect();
    if let Some(seed) = seed {
        order.sort_by_key(|at| (mix(seed, u64::from(*at), salt + 0x6b65_7075), *at));
    }
    let mut numbers = vec![0; count];
    order.iter().enumerate().for_each(|(number, at)| numbers[*at as usize] = number as u32);
    (order, numbers)
}

fn check(problem: &Problem, options: &Options) -> Result<(), PlanError> {
    let (tasks, people) = (problem.tasks.len(), problem.people.len());
    if tasks + people >= i32::MAX as usize {
        return Err(PlanError::TooMany { tasks, people });
    }
    range("fairness", 0, options.fairness, 0.0, FAIRNESS_MAX)?;
    problem.unlisted.map_or(Ok(()), |fit| range("fit of unlisted pairs", 0, fit, 0.0, 1.0))?;
    for (at, task) in problem.tasks.iter().enumerate() {
        range("needs of task", at, f64::from(task.needs), 0.0, NEEDS_MAX)?;
    }
    for (at, person) in problem.people.iter().enumerate() {
        person.target.map_or(Ok(()), |target| range("target", at, target, *TARGET.start(), *TARGET.end()))?;
    }
    for (at, pair) in problem.pairs.iter().enumerate() {
        known("pair", at, "task", pair.task, tasks)?;
        known("pair", at, "person", pair.person, people)?;
        range("fit", at, pair.fit, 0.0, 1.0)?;
    }
    for (at, pair) in problem.forbidden.iter().enumerate() {
        known("forbidden pair", at, "task", pair.task, tasks)?;
        known("forbidden pair", at, "person", pair.person, people)?;
    }
    Ok(())
}

fn range(what: &'static str, at: usize, value: f64, lowest: f64, highest: f64) -> Result<(), PlanError> {
    if (lowest..=highest).contains(&value) { Ok(()) } else { Err(PlanError::OutOfRange { what, at, value, lowest, highest }) }
}

fn known(list: &'static str, at: usize, what: &'static str, index: u32, count: usize) -> Result<(), PlanError> {
    let index = index as usize;
    if index < count { Ok(()) } else { Err(PlanError::Unknown { list, at, what, index, count }) }
}
