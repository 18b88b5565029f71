//! Drawn problems of any size, the same everywhere. Shared by the tests and the bench.

use kepu_plan::assign::{Forbidden, Pair, Person, Problem, Task};

/// Numbers that look random (Steele et al., SplitMix64, 2014).
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    /// From 0 to 1, without 1.
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From 0, below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.unit() * end as f64) as usize
    }
}

/// What a problem is made of.
#[derive(Debug, Clone)]
pub struct Plan {
    pub tasks: usize,
    pub people: usize,
    pub needs: u32,
    pub ceiling: u32,
    /// Fields; a task has one, a person some. People fit tasks of their own fields well.
    pub fields: usize,
    /// Fields of a person.
    pub breadth: usize,
    /// Fit of people from other fields, if possible at all.
    pub unlisted: Option<f64>,
    /// Steps of the scale on which fit is told; 0 for none.
    pub steps: u32,
    /// Forbidden people of each task.
    pub conflicts: usize,
}

impl Plan {
    /// The queue of the issue: 10,000 reviews, three reviewers each of 1,000; about a hundred people of the field for each.
    pub const REVIEWS: Self = Self { tasks: 10_000, people: 1_000, needs: 3, ceiling: 40, fields: 30, breadth: 3, unlisted: None, steps: 0, conflicts: 5 };
    /// The round of the issue: 5,000 applications, each to be read by 5 of 200 judges, any of whom could.
    pub const ROUND: Self = Self { tasks: 5_000, people: 200, needs: 5, ceiling: 140, fields: 1, breadth: 0, unlisted: Some(0.5), steps: 0, conflicts: 4 };
}

/// Draws a problem.
pub fn draw(plan: &Plan, seed: u64) -> Problem {
    let mut dice = Dice(seed);
    let mut field = vec![Vec::new(); plan.fields];
    for person in 0..plan.people {
        for _ in 0..plan.breadth {
            let own = &mut field[dice.below(plan.fields)];
            if own.last() != Some(&person) {
                own.push(person);
            }
        }
    }
    let mut problem = Problem {
        tasks: vec![Task { needs: plan.needs }; plan.tasks],
        people: vec![Person { ceiling: plan.ceiling, held: 0, target: None }; plan.people],
        unlisted: plan.unlisted,
        ..Problem::default()
    };
    for task in 0..plan.tasks {
        for person in &field[dice.below(plan.fields)] {
            let fit = dice.unit();
            let fit = if plan.steps > 0 { (fit * f64::from(plan.steps)).round() / f64::from(plan.steps) } else { fit };
            problem.pairs.push(Pair { task: task as u32, person: *person as u32, fit });
        }
        for _ in 0..plan.conflicts {
            problem.forbidden.push(Forbidden { task: task as u32, person: dice.below(plan.people) as u32 });
        }
    }
    problem
}
