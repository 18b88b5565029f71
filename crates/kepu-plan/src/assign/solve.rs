//! The exact assignment: a first guess, a flow over the promising pairs, and more pairs until the bound is met.

use super::costs::{Costs, UNITS};
use super::draft::Draft;
use super::price::{Scan, bound};
use crate::flow::{Arc, Network};
use std::collections::BTreeSet;

/// An assignment and the prices that prove how good it is.
#[derive(Debug)]
pub(super) struct Solved {
    pub draft: Draft,
    /// What one more task of each person costs.
    pub prices: Vec<i64>,
}

/// Promising pairs of each task beyond what it needs.
const PROMISING: usize = 12;
/// More rounds than were ever needed; a last resort against a mistake, as the bound tells the truth in any case.
const ROUNDS_MAX: usize = 100;

pub(super) fn solve(costs: &Costs) -> Solved {
    let Guess { mut promising, mut prices } = guess(costs);
    // Prices of a guess are wrong by up to a part of the scale of fit, later ones by little.
    let mut tolerance = UNITS as i64 / 8;
    let mut draft = Draft::new(vec![vec![]; costs.tasks.len()], costs.people.len());
    for _ in 0..ROUNDS_MAX {
        let limits;
        (draft, prices, limits) = flow(costs, &promising, &prices, tolerance);
        let (mut more, mut worst) = (false, 0);
        let reached = bound(costs, &prices, true, |task, best| {
            for (value, person) in best {
                if !promising[task].contains(person) {
                    promising[task].push(*person);
                    more = true;
                    worst = worst.max(limits[task] - value);
                }
            }
        });
        let cost = draft.cost(costs) + draft.chance(costs) + i128::from(costs.empty) * draft.unfilled(costs) as i128;
        if reached == cost || !more {
            break;
        }
        tolerance = (worst / 64).max(1);
    }
    Solved { draft, prices }
}

/// Pairs worth looking at, and what people may be worth.
struct Guess {
    promising: Vec<Vec<u32>>,
    prices: Vec<i64>,
}

/// Every task in turn takes who is cheapest now.
fn guess(costs: &Costs) -> Guess {
    let people = costs.people.len();
    let mut given = vec![0; people];
    let mut prices: Vec<i64> = (0..people).map(|person| price(costs, person, 0)).collect();
    let mut order: BTreeSet<(i64, u32)> = (0..people).filter(|person| costs.room[*person] > 0).map(|person| (prices[person], person as u32)).collect();
    let mut scan = Scan::new(costs, true);
    let mut promising = Vec::with_capacity(costs.tasks.len());
    for task in 0..costs.tasks.len() {
        let needs = (costs.needs[task] as usize).min(people);
        if needs == 0 {
            promising.push(vec![]);
            continue;
        }
        let best: Vec<u32> =
            scan.cheapest(task, needs + PROMISING, &prices, order.iter().map(|(_, person)| *person)).iter().map(|(_, person)| *person).collect();
        for person in best.iter().take(needs).map(|person| *person as usize).filter(|person| given[*person] < costs.room[*person]).collect::<Vec<_>>() {
            order.remove(&(prices[person], person as u32));
            given[person] += 1;
            prices[person] = price(costs, person, given[person]);
            order.insert((prices[person], person as u32));
        }
        promising.push(best);
    }
    Guess { promising, prices }
}

/// What one more task is worth to a person who was given some: without room, as dear as one more and the whole scale of fit.
fn price(costs: &Costs, person: usize, given: u32) -> i64 {
    if given < costs.room[person] { costs.load(person, given + 1) } else { costs.load(person, given) + UNITS as i64 }
}

/// The cheapest assignment that uses only the given pairs, and the prices of people that prove it among those.
fn flow(costs: &Costs, pairs: &[Vec<u32>], prices: &[i64], tolerance: i64) -> (Draft, Vec<i64>, Vec<i64>) {
    let (tasks, people) = (pairs.len(), costs.people.len());
    let sink = (tasks + people) as u32;
    let mut network = Network { supplies: costs.needs.iter().map(|needs| i64::from(*needs)).collect(), arcs: Vec::new() };
    network.supplies.resize(tasks + people, 0);
    network.supplies.push(-network.supplies.iter().sum::<i64>());
    let mut guess = Vec::with_capacity(tasks + people + 1);
    let mut asked = vec![0u32; people];
    let mut values = Vec::new();
    for (task, pairs) in pairs.iter().enumerate() {
        values.clear();
        for &person in pairs {
            let at = person as usize;
            let cost = costs.pair(task, at).expect("only possible pairs are promising") + costs.chance(task, at);
            network.arcs.push(Arc { from: task as u32, to: (tasks + at) as u32, room: 1, cost });
            values.push(cost + prices[at]);
            asked[at] += 1;
        }
        values.sort_unstable();
        guess.push(limit(&values, costs.needs[task] as usize, costs.empty));
    }
    let pairs_end = network.arcs.len();
    for (task, needs) in costs.needs.iter().enumerate() {
        network.arcs.push(Arc { from: task as u32, to: sink, room: *needs as i32, cost: costs.empty });
    }
    for (person, asked) in asked.iter().enumerate() {
        add_loads(costs, person, *asked, (tasks + person) as u32, sink, &mut network.arcs);
    }
    guess.extend_from_slice(prices);
    guess.push(0);
    let flow = network.cheapest(&guess, tolerance);

    let mut assigned = vec![Vec::new(); tasks];
    for (arc, amount) in network.arcs.iter().zip(&flow.amounts).take(pairs_end) {
        if *amount > 0 {
            assigned[arc.from as usize].push(arc.to - tasks as u32);
        }
    }
    assigned.iter_mut().for_each(|people: &mut Vec<u32>| people.sort_unstable());
    let draft = Draft::new(assigned, people);
    let free = flow.prices[sink as usize];
    // Nobody asked an idle person for more than the first task costs; the flow may leave the price anywhere below that.
    let price = |person: usize| if draft.given[person] == 0 { price(costs, person, 0) } else { flow.prices[tasks + person] - free };
    let prices = (0..people).map(price).collect();
    let limits = flow.prices[..tasks].iter().map(|price| price - free).collect();
    (draft, prices, limits)
}

/// What a task pays at most, so that it takes exactly its cheapest people; `values` are sorted.
fn limit(values: &[i64], needs: usize, empty: i64) -> i64 {
    let Some(last) = needs.checked_sub(1) else { return 0 };
    match (values.get(last), values.get(needs)) {
        (None, _) => empty,
        (Some(dearest), Some(next)) if dearest == next => *dearest,
        (Some(dearest), _) => dearest + 1,
    }
}

/// One arc for each task that a person could take, together where they cost the same; one more than anybody asks for, so that no price passes what it costs.
fn add_loads(costs: &Costs, person: usize, asked: u32, from: u32, to: u32, arcs: &mut Vec<Arc>) {
    let first = arcs.len();
    for nth in 1..=costs.room[person].min(asked + 1) {
        let cost = costs.load(person, nth);
        match arcs[first..].last_mut() {
            Some(last) if last.cost == cost => last.room += 1,
            _ => arcs.push(Arc { from, to, room: 1, cost }),
        }
    }
}
