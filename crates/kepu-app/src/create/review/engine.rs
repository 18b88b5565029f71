//! Who reviews what, for the whole queue at once: a pure function over texts that wait and people who are free. `kepu bench reviews` measures the
//! same functions. Assignment itself is in `kepu-plan`; reading and writing the tables is in `queue`.

use crate::error::AppError;
use jiff::civil::Date;
use kepu_domain::create::lane::SameOrg;
use kepu_domain::create::party::Party;
use kepu_domain::ids::{DraftId, OrgId, PartyId};
use kepu_plan::assign::{self, Assignment, Forbidden, Options, Pair, Person, Problem, Task};
use std::collections::{HashMap, HashSet};

pub use kepu_plan::assign::{Cause, Reason};

/// Somebody who could review.
#[derive(Clone, Debug)]
pub struct Reviewer {
    /// Who.
    pub party: Party,
    /// Tasks held: reviews of the last 30 days, cases that wait for an answer.
    pub held: u32,
    /// Whether nobody calls them at this hour.
    pub quiet: bool,
    /// Whether they stand on the duty roster.
    pub roster: bool,
}

/// A text that waits for reviewers.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The draft.
    pub draft: DraftId,
    /// Its title.
    pub title: String,
    /// Its fields.
    pub fields: Vec<String>,
    /// Reviewers still lacking.
    pub needs: usize,
    /// Whether places are kept for qualified people: they are asked first.
    pub qualified: bool,
    /// Words of which the name of a qualification has one to count; empty: any.
    pub qualifications: Vec<String>,
    /// Who wrote it, and who wrote what it was made of.
    pub authors: Vec<PartyId>,
    /// Their institutions.
    pub orgs: Vec<OrgId>,
    /// Whether people of these may review.
    pub same_org: SameOrg,
    /// Whether one of them does already.
    pub same_org_taken: bool,
    /// Who has it, decided, or gave it back.
    pub asked: HashSet<PartyId>,
    /// Whether it cannot wait for the morning.
    pub urgent: bool,
}

/// What kept somebody from being possible for a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barred {
    /// No proved competence in its fields.
    NotCompetent,
    /// Wrote it, or what it was made of.
    Author,
    /// Of the author's institution, where the lane says no, or one is enough.
    SameOrg,
    /// Declared an interest.
    Interest,
    /// Has it, decided, or gave it back.
    Asked,
    /// It is night for them, and only the roster is called.
    Quiet,
}

/// Interests that people declared: who, and in which party or organisation.
pub type Interests = HashSet<(PartyId, String)>;

/// What a plan brings.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Text and person, by index, in the order of the texts.
    pub given: Vec<(usize, usize)>,
    /// Texts that still lack reviewers: how many, and why.
    pub short: Vec<(usize, usize, Cause)>,
    /// Load less fit, as `kepu_plan::assign` defines it.
    pub cost: f64,
    /// No plan that fills as many places costs less.
    pub bound: f64,
    /// Whether no better plan exists.
    pub optimal: bool,
    /// How evenly work is shared afterwards.
    pub shared: Shared,
    problem: Problem,
    found: Assignment,
}

/// How evenly work is shared among people who take any.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shared {
    /// How many take any.
    pub people: usize,
    /// Fewest tasks.
    pub min: u32,
    /// The middle.
    pub median: f64,
    /// Most.
    pub max: u32,
    /// Gini coefficient of tasks in proportion to ceilings: 0 if all carry the same share, near 1 if one carries all.
    pub gini: f64,
}

/// The share of work of people, each with load and ceiling; who takes none is left out.
pub fn shared(people: impl Iterator<Item = (u32, u32)>) -> Shared {
    let taking: Vec<(u32, u32)> = people.filter(|(_, ceiling)| *ceiling > 0).collect();
    if taking.is_empty() {
        return Shared::default();
    }
    let mut loads: Vec<u32> = taking.iter().map(|(load, _)| *load).collect();
    loads.sort_unstable();
    let mut shares: Vec<f64> = taking.iter().map(|(load, ceiling)| f64::from(*load) / f64::from(*ceiling)).collect();
    shares.sort_by(f64::total_cmp);
    let (count, sum) = (shares.len() as f64, shares.iter().sum::<f64>());
    let ranked: f64 = shares.iter().enumerate().map(|(at, share)| (2.0 * at as f64 + 1.0 - count) * share).sum();
    let middle = loads.len() / 2;
    let median = if loads.len() % 2 == 1 { f64::from(loads[middle]) } else { f64::from(loads[middle - 1] + loads[middle]) / 2.0 };
    Shared { people: loads.len(), min: loads[0], median, max: loads[loads.len() - 1], gini: if sum == 0.0 { 0.0 } else { ranked / (count * sum) } }
}

/// How well `person` fits `text`, or what bars them. Whether one of an institution is enough already is looked at by [`plan`].
pub fn fit(text: &Waiting, person: &Reviewer, interests: &Interests, day: Date) -> Result<f64, Barred> {
    let party = &person.party;
    let covered = party.competence(&text.fields, day);
    if covered == 0 {
        return Err(Barred::NotCompetent);
    }
    if text.authors.contains(&party.id) {
        return Err(Barred::Author);
    }
    if text.asked.contains(&party.id) {
        return Err(Barred::Asked);
    }
    let declared = |about: &str| interests.contains(&(party.id.clone(), about.to_owned()));
    if text.authors.iter().any(|author| declared(author.as_str())) || text.orgs.iter().any(|org| declared(org.as_str())) {
        return Err(Barred::Interest);
    }
    let same = text.orgs.contains(&party.org);
    if same && (text.same_org == SameOrg::Refused || (text.same_org == SameOrg::One && text.same_org_taken)) {
        return Err(Barred::SameOrg);
    }
    // By day everybody is asked, and whoever sleeps finds it in the morning; what cannot wait goes to those who are on duty.
    if text.urgent && person.quiet && !person.roster {
        return Err(Barred::Quiet);
    }
    Ok(covered as f64 / text.fields.len() as f64)
}

fn is_qualified(text: &Waiting, person: &Reviewer, day: Date) -> bool {
    let party = &person.party;
    let takes = |what: &str| text.qualifications.is_empty() || text.qualifications.iter().any(|word| what.contains(word.as_str()));
    party.qualifications.iter().any(|q| {
        let covers = |field: &String| (q.fields.is_empty() || q.fields.contains(field)) && text.fields.contains(field);
        q.counts(day) && takes(&q.what) && party.fields.iter().any(covers)
    })
}

/// Gives every waiting text the people it lacks: nobody whom something bars, nobody beyond the ceiling; as many places as possible filled, then
/// the best fit with fair loads, proved by prices.
pub fn plan(waiting: &[Waiting], people: &[Reviewer], interests: &Interests, day: Date) -> Result<Plan, AppError> {
    let mut by_field: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, person) in people.iter().enumerate() {
        for field in person.party.proved_fields(day) {
            by_field.entry(field).or_default().push(at);
        }
    }
    let mut problem = Problem {
        tasks: waiting.iter().map(|text| Task { needs: u32::try_from(text.needs).unwrap_or(u32::MAX) }).collect(),
        people: people.iter().map(person).collect(),
        ..Problem::default()
    };
    let mut mark = vec![usize::MAX; people.len()];
    for (task, text) in waiting.iter().enumerate() {
        let mut fits: Vec<(usize, f64)> = Vec::new();
        for at in text.fields.iter().filter_map(|field| by_field.get(field.as_str())).flatten() {
            if std::mem::replace(&mut mark[*at], task) != task
                && let Ok(fit) = fit(text, &people[*at], interests, day)
            {
                fits.push((*at, fit));
            }
        }
        narrow(text, people, day, &mut fits);
        fits.sort_unstable_by_key(|(at, _)| *at);
        problem.pairs.extend(fits.iter().map(|(at, fit)| Pair { task: task as u32, person: *at as u32, fit: *fit }));
    }
    // Work is shared in proportion to what each said they take.
    let places: f64 = problem.tasks.iter().map(|task| f64::from(task.needs)).chain(problem.people.iter().map(|person| f64::from(person.held))).sum();
    let offered: f64 = problem.people.iter().map(|person| f64::from(person.ceiling)).sum();
    for person in problem.people.iter_mut().filter(|person| person.ceiling > 0) {
        person.target = Some((places * f64::from(person.ceiling) / offered).clamp(0.01, 1e6));
    }
    solve(problem, waiting.len())
}

/// Where places are kept for qualified people, only those are possible as long as there are enough; of the author's institution one at most,
/// the one with least to do, and only if the others do not suffice.
fn narrow(text: &Waiting, people: &[Reviewer], day: Date, fits: &mut Vec<(usize, f64)>) {
    if text.qualified {
        let qualified: Vec<(usize, f64)> = fits.iter().filter(|(at, _)| is_qualified(text, &people[*at], day)).copied().collect();
        let free = |list: &[(usize, f64)]| list.iter().filter(|(at, _)| people[*at].held < ceiling(&people[*at])).count();
        if free(&qualified) >= text.needs {
            *fits = qualified;
        } else {
            // Too few of them: they come first, and others fill the places that are not kept for them.
            let is = |at: usize| qualified.iter().any(|(one, _)| *one == at);
            fits.iter_mut().filter(|(at, _)| !is(*at)).for_each(|(_, fit)| *fit *= 0.1);
        }
    }
    if text.same_org == SameOrg::One {
        let same = |(at, _): &(usize, f64)| text.orgs.contains(&people[*at].party.org);
        let others = fits.iter().filter(|pair| !same(pair)).count();
        let kept =
            if others >= text.needs { None } else { fits.iter().filter(|pair| same(pair)).min_by_key(|(at, _)| (people[*at].held, *at)).map(|(at, _)| *at) };
        fits.retain(|pair| !same(pair) || Some(pair.0) == kept);
    }
}

fn ceiling(person: &Reviewer) -> u32 {
    if person.party.available && person.party.merged_into.is_none() { u32::try_from(person.party.monthly_ceiling.max(0)).unwrap_or(u32::MAX / 2) } else { 0 }
}

fn person(reviewer: &Reviewer) -> Person {
    Person { ceiling: ceiling(reviewer), held: reviewer.held, target: None }
}

fn solve(problem: Problem, texts: usize) -> Result<Plan, AppError> {
    let found = assign::assign(&problem, &Options::default()).map_err(|error| AppError::Record(error.to_string()))?;
    let mut given = Vec::new();
    let mut short = Vec::new();
    for (task, assigned) in found.tasks.iter().enumerate().take(texts) {
        given.extend(assigned.people.iter().map(|at| (task, *at)));
        short.extend(assigned.shortage.map(|shortage| (task, shortage.places, shortage.cause)));
    }
    let loads = problem.people.iter().zip(&found.people).map(|(person, load)| (load.held + load.given, person.ceiling));
    let (cost, bound, optimal, shared) = (found.cost, found.bound, found.optimal, shared(loads));
    Ok(Plan { given, short, cost, bound, optimal, shared, problem, found })
}

impl Plan {
    /// Why each person was or was not given text `task`, by index of the person; [`Reason::Unlisted`]: something bars them.
    pub fn why(&self, task: usize) -> Vec<Reason> {
        assign::why(&self.problem, &self.found, task)
    }

    /// The same texts and people, first come first served: each text takes the best fit that is free, then the least burdened. For comparison.
    pub fn first_come(&self) -> Greedy {
        let mut load: Vec<u32> = self.problem.people.iter().map(|person| person.held).collect();
        let mut pairs: Vec<Vec<(u32, f64)>> = vec![vec![]; self.problem.tasks.len()];
        self.problem.pairs.iter().for_each(|pair| pairs[pair.task as usize].push((pair.person, pair.fit)));
        let barred: HashSet<(u32, u32)> = self.problem.forbidden.iter().map(|Forbidden { task, person }| (*task, *person)).collect();
        let (mut unfilled, mut fit) = (0, 0.0);
        for (task, mut list) in pairs.into_iter().enumerate() {
            let ceiling = |person: u32| self.problem.people[person as usize].ceiling;
            list.retain(|(person, _)| !barred.contains(&(task as u32, *person)));
            for _ in 0..self.problem.tasks[task].needs {
                let free = list.iter().enumerate().filter(|(_, (person, _))| load[*person as usize] < ceiling(*person));
                let used = |person: u32| f64::from(load[person as usize]) / f64::from(ceiling(person).max(1));
                let best = free.min_by(|(_, a), (_, b)| b.1.total_cmp(&a.1).then(used(a.0).total_cmp(&used(b.0))).then(a.0.cmp(&b.0))).map(|(at, _)| at);
                let Some(at) = best else {
                    unfilled += 1;
                    continue;
                };
                let (person, worth) = list.swap_remove(at);
                load[person as usize] += 1;
                fit += worth;
            }
        }
        let shared = shared(load.iter().zip(&self.problem.people).map(|(load, person)| (*load, person.ceiling)));
        Greedy { unfilled, fit, load: self.load_cost(&load), shared }
    }

    /// Sum of the fits given.
    pub fn fit(&self) -> f64 {
        let given: HashSet<(usize, usize)> = self.given.iter().copied().collect();
        self.problem.pairs.iter().filter(|pair| given.contains(&(pair.task as usize, pair.person as usize))).map(|pair| pair.fit).sum()
    }

    /// Places that stayed empty.
    pub fn unfilled(&self) -> usize {
        self.found.unfilled
    }

    /// Pairs that were possible.
    pub fn pairs(&self) -> usize {
        self.problem.pairs.len()
    }

    /// The part of the cost that is load, for other loads: `kepu_plan::assign` gives the formula.
    fn load_cost(&self, loads: &[u32]) -> f64 {
        let square = |n: u32| f64::from(n) * f64::from(n);
        let cost = |person: &Person, load: u32| (square(load) - square(person.held)) / (2.0 * person.target.unwrap_or(1.0));
        self.problem.people.iter().zip(loads).map(|(person, load)| cost(person, *load)).sum()
    }
}

/// What first come first served brings.
#[derive(Clone, Copy, Debug)]
pub struct Greedy {
    /// Places that stayed empty.
    pub unfilled: usize,
    /// Sum of the fits given.
    pub fit: f64,
    /// What the loads cost.
    pub load: f64,
    /// How evenly work is shared afterwards.
    pub shared: Shared,
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
