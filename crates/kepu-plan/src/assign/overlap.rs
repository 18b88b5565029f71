//! Groups of people who share no task with the rest, joined by the cheapest exchanges. Chance, which keeps groups from arising, is in [`super::costs`].

use super::costs::Costs;
use super::draft::Draft;

/// How many exchanges are tried for a group before it is left alone: an exchange can cut one tie while it makes another.
const TRIES: usize = 64;

/// Joins what can be joined, the smallest group first. Never passes a ceiling, never uses a pair that is not possible, leaves no place empty.
pub(super) fn join(costs: &Costs, draft: &mut Draft) {
    let mut stuck = vec![false; draft.given.len()];
    loop {
        let (groups, count) = draft.groups();
        if count < 2 {
            return;
        }
        let mut members = vec![Vec::new(); count];
        groups.iter().enumerate().for_each(|(person, group)| group.iter().for_each(|group| members[*group].push(person)));
        // A group is known by its first person: numbers change with every exchange.
        let Some(smallest) = members.iter().filter(|group| !stuck[group[0]]).min_by_key(|group| group.len()) else { return };
        if !join_one(costs, draft, smallest, &groups, count) {
            stuck[smallest[0]] = true;
        }
    }
}

/// One person takes another's part of a task; the other takes one back, if there is a second task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Exchange {
    cost: i64,
    /// Who gives it, who takes it, and which task.
    there: (usize, usize, usize),
    back: Option<(usize, usize, usize)>,
}

fn join_one(costs: &Costs, draft: &mut Draft, group: &[usize], groups: &[Option<usize>], count: usize) -> bool {
    let of = tasks_of(draft);
    let own = groups[group[0]];
    let others: Vec<usize> = (0..groups.len()).filter(|person| groups[*person].is_some() && groups[*person] != own).collect();
    let mut exchanges = Vec::new();
    for &a in group {
        for &b in &others {
            let there = cheapest_handover(costs, draft, &of, a, b);
            let back = cheapest_handover(costs, draft, &of, b, a);
            exchanges.extend([(there, a, b), (back, b, a)].into_iter().filter_map(|(found, from, to)| moved(costs, draft, found?, from, to)));
            if let (Some((cost_there, task_there)), Some((cost_back, task_back))) = (there, back) {
                exchanges.push(Exchange { cost: cost_there + cost_back, there: (a, b, task_there), back: Some((b, a, task_back)) });
            }
        }
    }
    exchanges.sort_unstable();
    for exchange in exchanges.into_iter().take(TRIES) {
        let before = draft.clone();
        hand_over(draft, exchange.there);
        exchange.back.into_iter().for_each(|back| hand_over(draft, back));
        if draft.groups().1 < count {
            return true;
        }
        *draft = before;
    }
    false
}

fn tasks_of(draft: &Draft) -> Vec<Vec<usize>> {
    let mut of = vec![Vec::new(); draft.given.len()];
    for (task, people) in draft.tasks.iter().enumerate() {
        people.iter().for_each(|person| of[*person as usize].push(task));
    }
    of
}

/// The task that changes hands at the lowest cost, load apart. Only tasks that keep somebody else tie groups together.
fn cheapest_handover(costs: &Costs, draft: &Draft, of: &[Vec<usize>], from: usize, to: usize) -> Option<(i64, usize)> {
    let shared = of[from].iter().filter(|task| draft.tasks[**task].len() > 1);
    let priced = shared.filter_map(|task| {
        let before = costs.pair(*task, from).expect("only possible pairs are assigned");
        Some((costs.pair(*task, to)? - before, *task))
    });
    priced.min()
}

/// A handover without one back: loads change.
fn moved(costs: &Costs, draft: &Draft, (cost, task): (i64, usize), from: usize, to: usize) -> Option<Exchange> {
    let (gives, takes) = (draft.given[from], draft.given[to] + 1);
    let loads = |cost| cost + costs.load(to, takes) - costs.load(from, gives);
    (takes <= costs.room[to]).then(|| Exchange { cost: loads(cost), there: (from, to, task), back: None })
}

fn hand_over(draft: &mut Draft, (from, to, task): (usize, usize, usize)) {
    let people = &mut draft.tasks[task];
    people.retain(|person| *person as usize != from);
    people.push(to as u32);
    people.sort_unstable();
    draft.given[from] -= 1;
    draft.given[to] += 1;
}
