//! Every possible pair held against prices of people: the cheapest people of each task, and from them a bound that no assignment can beat.

use super::costs::Costs;

/// Finds the cheapest people of one task after another.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    costs: &'a Costs,
    with_chance: bool,
    /// For each person, the task for which the person was met last.
    met: Vec<u32>,
    stamp: u32,
    best: Vec<(i64, u32)>,
}

impl<'a> Scan<'a> {
    pub fn new(costs: &'a Costs, with_chance: bool) -> Self {
        Self { costs, with_chance: with_chance && costs.has_chance(), met: vec![0; costs.people.len()], stamp: 0, best: Vec::new() }
    }

    /// The `want` people with the lowest cost plus price for a task, cheapest first, ties by number; people without room do not count.
    ///
    /// `order` lists people with room by rising price; it is read only if pairs that are not listed are possible.
    pub fn cheapest(&mut self, task: usize, want: usize, prices: &[i64], order: impl Iterator<Item = u32>) -> &[(i64, u32)] {
        self.best.clear();
        self.stamp += 1;
        for person in self.costs.forbidden(task) {
            self.met[*person as usize] = self.stamp;
        }
        let mut worst = i64::MAX;
        for (person, cost) in self.costs.listed(task) {
            let at = *person as usize;
            if self.met[at] == self.stamp || self.costs.room[at] == 0 {
                continue;
            }
            self.met[at] = self.stamp;
            let value = i64::from(*cost) + prices[at] + self.chance(task, at);
            if value < worst {
                worst = insert(&mut self.best, want, (value, *person));
            }
        }
        let Some(unlisted) = self.costs.unlisted() else { return &self.best };
        for person in order {
            let at = person as usize;
            if unlisted + prices[at] >= worst {
                break;
            }
            if self.met[at] != self.stamp {
                let value = unlisted + prices[at] + self.chance(task, at);
                if value < worst {
                    worst = insert(&mut self.best, want, (value, person));
                }
            }
        }
        &self.best
    }

    fn chance(&self, task: usize, person: usize) -> i64 {
        if self.with_chance { self.costs.chance(task, person) } else { 0 }
    }
}

/// Keeps the list sorted and short. Gives the value that the next one must be below.
fn insert(best: &mut Vec<(i64, u32)>, want: usize, entry: (i64, u32)) -> i64 {
    if best.len() == want {
        best.pop();
    }
    let at = best.partition_point(|other| *other < entry);
    best.insert(at, entry);
    if best.len() < want { i64::MAX } else { best[want - 1].0 }
}

/// People with room by rising price, ties by number.
pub(super) fn by_price(costs: &Costs, prices: &[i64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..prices.len() as u32).filter(|person| costs.room[*person as usize] > 0).collect();
    order.sort_by_key(|person| (prices[*person as usize], *person));
    order
}

/// What no assignment can beat, whatever the prices (Lagrange): every task pays the prices of its cheapest people, every person keeps what the tasks that are
/// worth it bring in. Empty places count as [`Costs::empty`].
///
/// `each` is told the cheapest people of each task, some more than it needs.
pub(super) fn bound(costs: &Costs, prices: &[i64], with_chance: bool, mut each: impl FnMut(usize, &[(i64, u32)])) -> i128 {
    /// Beyond what a task needs.
    const MORE: usize = 4;
    let order = by_price(costs, prices);
    let mut scan = Scan::new(costs, with_chance);
    let mut bound = 0i128;
    for task in 0..costs.tasks.len() {
        let needs = costs.needs[task] as usize;
        if needs == 0 {
            continue;
        }
        let best = scan.cheapest(task, needs.min(costs.people.len()) + MORE, prices, order.iter().copied());
        let paid: i128 = best.iter().take(needs).map(|(value, _)| i128::from((*value).min(costs.empty))).sum();
        bound += paid + i128::from(costs.empty) * needs.saturating_sub(best.len()) as i128;
        each(task, best);
    }
    for (person, price) in prices.iter().enumerate() {
        let worth = (1..=costs.room[person]).map(|nth| costs.load(person, nth)).take_while(|load| load < price);
        bound += worth.map(|load| i128::from(load - price)).sum::<i128>();
    }
    bound
}
