//! An assignment while it is being made: who has which task, in the engine's numbers, and what it costs.

use super::costs::Costs;

/// Who gets what.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// People of each task, in rising order.
    pub tasks: Vec<Vec<u32>>,
    /// How many tasks each person gets.
    pub given: Vec<u32>,
}

impl Draft {
    pub fn new(tasks: Vec<Vec<u32>>, people: usize) -> Self {
        let mut given = vec![0; people];
        tasks.iter().flatten().for_each(|person| given[*person as usize] += 1);
        Self { tasks, given }
    }

    pub fn unfilled(&self, costs: &Costs) -> usize {
        self.tasks.iter().zip(&costs.needs).map(|(people, needs)| *needs as usize - people.len()).sum()
    }

    /// Load less fit, in units.
    pub fn cost(&self, costs: &Costs) -> i128 {
        let mut cost = 0i128;
        for (task, people) in self.tasks.iter().enumerate() {
            for person in people {
                cost += i128::from(costs.pair(task, *person as usize).expect("only possible pairs are assigned"));
            }
        }
        cost + self.load_cost(costs)
    }

    /// The part of chance in it.
    pub fn chance(&self, costs: &Costs) -> i128 {
        let pairs = self.tasks.iter().enumerate().flat_map(|(task, people)| people.iter().map(move |person| (task, *person as usize)));
        pairs.map(|(task, person)| i128::from(costs.chance(task, person))).sum()
    }

    fn load_cost(&self, costs: &Costs) -> i128 {
        let of = |(person, given): (usize, &u32)| (1..=*given).map(|nth| i128::from(costs.load(person, nth))).sum::<i128>();
        self.given.iter().enumerate().map(of).sum()
    }

    /// Which set of people, connected by shared tasks, each person belongs to; `None` for people without a task. Sets are numbered from 0 by their first
    /// person; the second value is how many there are.
    pub fn groups(&self) -> (Vec<Option<usize>>, usize) {
        let mut parents: Vec<usize> = (0..self.given.len()).collect();
        for people in &self.tasks {
            for [a, b] in people.array_windows() {
                let (a, b) = (root(&mut parents, *a as usize), root(&mut parents, *b as usize));
                parents[a.max(b)] = a.min(b);
            }
        }
        let mut numbers = vec![None; self.given.len()];
        let mut count = 0;
        for person in (0..self.given.len()).filter(|person| self.given[*person] > 0) {
            let first = root(&mut parents, person);
            if first == person {
                numbers[person] = Some(count);
                count += 1;
            } else {
                numbers[person] = numbers[first];
            }
        }
        (numbers, count)
    }
}

fn root(parents: &mut [usize], mut at: usize) -> usize {
    while parents[at] != at {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
}
