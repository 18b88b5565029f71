//! Minimum cost flow with whole numbers: the exact engine under [`crate::assign`]. What nodes and arcs stand for is not known here.
//!
//! Cost scaling by push and relabel with global price updates: Goldberg, *An efficient implementation of a scaling minimum-cost flow algorithm* (1997); the
//! comparison in Király and Kovács, *Efficient implementations of minimum-cost flow algorithms* (2012), shows it as the fastest for networks of this
//! shape. No crate fits: `mcmf` (2018) needs a C++ compiler and returns no prices, `rs-graph` is GPL, `pathfinding` has plain matching only, and `highs`
//! brings a C++ solver for general linear programs. Prices are what pricing, proof and explanations need.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// By how much the tolerance shrinks from phase to phase.
const SHRINK: i64 = 8;

/// Nodes and arcs.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// What each node gives (above 0) or takes (below 0); the sum is 0.
    pub supplies: Vec<i64>,
    /// In any order; several between the same nodes are allowed.
    pub arcs: Vec<Arc>,
}

/// One arc.
#[derive(Debug, Clone, Copy)]
pub struct Arc {
    pub from: u32,
    pub to: u32,
    /// At least 0.
    pub room: i32,
    /// Of one unit; below 0 is allowed.
    pub cost: i64,
}

/// A cheapest flow.
#[derive(Debug, Clone)]
pub struct Flow {
    /// On each arc, in the order of the network.
    pub amounts: Vec<i32>,
    /// For each node: `cost + price[to] - price[from]` is at least 0 on every arc with room left and at most 0 on every arc that is used. So a price is
    /// what one more unit at the node would cost, up to a constant.
    pub prices: Vec<i64>,
}

impl Network {
    /// The cheapest flow that moves all supplies; there must be one.
    ///
    /// `prices` may be any guess and `tolerance`, at least 1, how far from right it might be: a good guess with a small tolerance saves most of the work,
    /// a bad one costs time only. Costs times (nodes + 1) must stay below 2^58.
    pub fn cheapest(&self, prices: &[i64], tolerance: i64) -> Flow {
        let scale = self.supplies.len() as i64 + 1;
        let mut residual = Residual::new(self, prices, scale);
        let mut epsilon = tolerance * scale;
        loop {
            residual.refine(epsilon);
            if epsilon == 1 {
                break;
            }
            epsilon = (epsilon / SHRINK).max(1);
        }
        Flow { prices: residual.exact_prices(scale), amounts: residual.amounts(self) }
    }
}

/// The network with an arc back for every arc, by node. Costs and prices are multiplied by the number of nodes + 1, so that a flow within a tolerance
/// of 1 is exactly the cheapest.
struct Residual {
    starts: Vec<u32>,
    arcs: Vec<Half>,
    /// Where each arc of the network stands.
    places: Vec<u32>,
    prices: Vec<i64>,
    excess: Vec<i64>,
    /// Where to look next for a way out of each node.
    next: Vec<u32>,
    active: VecDeque<u32>,
}

/// One direction of an arc.
#[derive(Debug, Clone, Copy)]
struct Half {
    to: u32,
    back: u32,
    cost: i64,
    room: i32,
}

impl Residual {
    fn new(network: &Network, prices: &[i64], scale: i64) -> Self {
        let nodes = network.supplies.len();
        let mut starts = vec![0u32; nodes + 1];
        for arc in &network.arcs {
            starts[arc.from as usize + 1] += 1;
            starts[arc.to as usize + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut free = starts.clone();
        let mut take = |node: u32| {
            let place = free[node as usize];
            free[node as usize] += 1;
            place
        };
        let mut arcs = vec![Half { to: 0, back: 0, cost: 0, room: 0 }; network.arcs.len() * 2];
        let mut places = Vec::with_capacity(network.arcs.len());
        for arc in &network.arcs {
            let (there, back) = (take(arc.from), take(arc.to));
            arcs[there as usize] = Half { to: arc.to, back, cost: arc.cost * scale, room: arc.room };
            arcs[back as usize] = Half { to: arc.from, back: there, cost: -arc.cost * scale, room: 0 };
            places.push(there);
        }
        Self {
            next: starts[..nodes].to_vec(),
            starts,
            arcs,
            places,
            prices: prices.iter().map(|price| price * scale).collect(),
            excess: network.supplies.clone(),
            active: VecDeque::new(),
        }
    }

    fn of(&self, node: usize) -> std::ops::Range<usize> {
        self.starts[node] as usize..self.starts[node + 1] as usize
    }

    /// What a unit loses by going from `node` along `arc` instead of staying.
    fn loss(&self, node: usize, arc: &Half) -> i64 {
        arc.cost + self.prices[arc.to as usize] - self.prices[node]
    }

    /// Makes the flow right to within `epsilon`: no arc with room gains more than that.
    fn refine(&mut self, epsilon: i64) {
        self.saturate();
        self.update_prices(epsilon);
        let nodes = self.prices.len();
        let mut relabels = 0;
        while let Some(node) = self.active.pop_front() {
            relabels += self.discharge(node as usize, epsilon);
            if relabels > nodes {
                relabels = 0;
                self.update_prices(epsilon);
            }
        }
    }

    /// Fills every arc that gains, whatever that does to the balance of its ends.
    fn saturate(&mut self) {
        for node in 0..self.prices.len() {
            for at in self.of(node) {
                let arc = self.arcs[at];
                if arc.room > 0 && self.loss(node, &arc) < 0 {
                    self.push(node, at, i64::from(arc.room));
                }
            }
        }
        self.active = (0..self.prices.len() as u32).filter(|node| self.excess[*node as usize] > 0).collect();
    }

    fn push(&mut self, node: usize, at: usize, amount: i64) {
        let Half { to, back, .. } = self.arcs[at];
        self.arcs[at].room -= amount as i32;
        self.arcs[back as usize].room += amount as i32;
        self.excess[node] -= amount;
        self.excess[to as usize] += amount;
    }

    /// Sends away what a node has too much of. Gives the number of times its price had to rise.
    fn discharge(&mut self, node: usize, epsilon: i64) -> usize {
        let mut relabels = 0;
        while self.excess[node] > 0 {
            let end = self.starts[node + 1] as usize;
            let from = self.next[node] as usize;
            let way = (from..end).find(|at| self.arcs[*at].room > 0 && self.loss(node, &self.arcs[*at]) < 0);
            let Some(at) = way else {
                self.relabel(node, epsilon);
                relabels += 1;
                continue;
            };
            self.next[node] = at as u32;
            let Half { to, room, .. } = self.arcs[at];
            let was = self.excess[to as usize];
            self.push(node, at, self.excess[node].min(i64::from(room)));
            if was <= 0 && self.excess[to as usize] > 0 {
                self.active.push_back(to);
            }
        }
        relabels
    }

    /// Raises the price of a node until its best way out gains `epsilon`.
    fn relabel(&mut self, node: usize, epsilon: i64) {
        let best = self.of(node).filter(|at| self.arcs[*at].room > 0).min_by_key(|at| self.loss(node, &self.arcs[*at]));
        let best = best.expect("a node with excess can at least send it back");
        self.prices[node] += self.loss(node, &self.arcs[best]) + epsilon;
        self.next[node] = self.starts[node];
    }

    /// Raises all prices at once to their distance from the nodes that lack something: a single node would find out step by step.
    fn update_prices(&mut self, epsilon: i64) {
        let nodes = self.prices.len();
        let mut waiting = (0..nodes).filter(|node| self.excess[*node] > 0).count();
        if waiting == 0 {
            return;
        }
        let mut distances = vec![i64::MAX; nodes];
        let mut heap: BinaryHeap<Reverse<(i64, u32)>> = BinaryHeap::new();
        for node in (0..nodes).filter(|node| self.excess[*node] < 0) {
            distances[node] = 0;
            heap.push(Reverse((0, node as u32)));
        }
        let mut farthest = 0;
        while let Some(Reverse((distance, node))) = heap.pop() {
            let node = node as usize;
            if distance > distances[node] {
                continue;
            }
            farthest = distance;
            if self.excess[node] > 0 {
                waiting -= 1;
                if waiting == 0 {
                    break;
                }
            }
            for at in self.of(node) {
                let Half { to, back, .. } = self.arcs[at];
                let there = self.arcs[back as usize];
                if there.room > 0 {
                    // In steps of the tolerance; a loss is never below minus one of them.
                    let length = self.loss(to as usize, &there).div_euclid(epsilon) + 1;
                    if distance + length < distances[to as usize] {
                        distances[to as usize] = distance + length;
                        heap.push(Reverse((distance + length, to)));
                    }
                }
            }
        }
        for (price, distance) in self.prices.iter_mut().zip(distances) {
            *price += epsilon * distance.min(farthest);
        }
        self.next.copy_from_slice(&self.starts[..nodes]);
    }

    /// Whole prices in the units of the network that hold exactly.
    ///
    /// A price here is off by less than one unit of the network. Rounding all down is exact unless some price is a whole unit; there are more
    /// remainders than nodes, so that a shift avoids all of them.
    fn exact_prices(&self, scale: i64) -> Vec<i64> {
        let mut taken = vec![false; scale as usize];
        self.prices.iter().for_each(|price| taken[price.rem_euclid(scale) as usize] = true);
        let free = taken.iter().position(|taken| !taken).expect("one more remainder than nodes") as i64;
        self.prices.iter().map(|price| (price - free).div_euclid(scale)).collect()
    }

    fn amounts(&self, network: &Network) -> Vec<i32> {
        self.places.iter().zip(&network.arcs).map(|(place, arc)| arc.room - self.arcs[*place as usize].room).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All supplies leave node 0, reach node `last`, and a dear direct arc makes sure that they can.
    fn network(nodes: u32, amount: i64, arcs: &[(u32, u32, i32, i64)]) -> Network {
        let mut supplies = vec![0; nodes as usize];
        supplies[0] = amount;
        supplies[nodes as usize - 1] = -amount;
        let mut arcs: Vec<Arc> = arcs.iter().map(|(from, to, room, cost)| Arc { from: from % nodes, to: to % nodes, room: *room, cost: *cost }).collect();
        arcs.retain(|arc| arc.from != arc.to);
        arcs.push(Arc { from: 0, to: nodes - 1, room: amount as i32, cost: 1_000 });
        Network { supplies, arcs }
    }

    fn cost(network: &Network, flow: &Flow) -> i64 {
        network.arcs.iter().zip(&flow.amounts).map(|(arc, amount)| arc.cost * i64::from(*amount)).sum()
    }

    fn check(network: &Network, flow: &Flow) {
        let mut balance = network.supplies.clone();
        for (arc, amount) in network.arcs.iter().zip(&flow.amounts) {
            assert!((0..=arc.room).contains(amount));
            balance[arc.from as usize] -= i64::from(*amount);
            balance[arc.to as usize] += i64::from(*amount);
            let loss = arc.cost + flow.prices[arc.to as usize] - flow.prices[arc.from as usize];
            assert!((loss >= 0 || *amount == arc.room) && (loss <= 0 || *amount == 0), "{arc:?} {amount} {loss}");
        }
        assert!(balance.iter().all(|left| *left == 0), "{balance:?}");
    }

    #[test]
    fn the_cheaper_way_is_filled_first() {
        let network = network(4, 5, &[(0, 1, 3, 1), (1, 3, 9, 1), (0, 2, 9, 2), (2, 3, 9, 2)]);
        let flow = network.cheapest(&[0; 4], 1_000);
        assert_eq!((flow.amounts.as_slice(), cost(&network, &flow)), ([3, 3, 2, 2, 0].as_slice(), 14));
    }

    proptest! {
        /// Prices that hold on every arc are the proof of a cheapest flow, whatever found them.
        #[test]
        fn every_flow_comes_with_prices_that_prove_it(
            nodes in 2u32..9,
            amount in 0i64..20,
            arcs in prop::collection::vec((0u32..9, 0u32..9, 0i32..8, -50i64..100), 0..40),
            guess in prop::collection::vec(-200i64..200, 9),
            tolerance in 1i64..500,
        ) {
            let network = network(nodes, amount, &arcs);
            let flow = network.cheapest(&guess[..nodes as usize], tolerance);
            check(&network, &flow);
            prop_assert_eq!(cost(&network, &flow), cost(&network, &network.cheapest(&vec![0; nodes as usize], 1)));
        }
    }
}
