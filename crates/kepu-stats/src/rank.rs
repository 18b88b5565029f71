//! Ranks with ties and rules that break them, and how well two orders agree (Kendall). How scores are made comparable first is in [`crate::judging`].

use crate::StatsError;
use std::cmp::Ordering;

/// Which end of a key comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// The highest value, as with scores.
    Highest,
    /// The lowest value, as with waiting days or the time of arrival.
    Lowest,
}

/// One rule of an order: the first key is the score itself, each further one decides only what all before it left tied.
#[derive(Debug, Clone, PartialEq)]
pub struct Key<'a> {
    /// One value for each row.
    pub values: &'a [f64],
    /// Which end comes first.
    pub first: First,
    /// Values are compared after rounding to so many decimals, halves away from zero: two adjusted scores that differ in the ninth decimal are a tie to any
    /// reader. `None` compares them as they are.
    pub decimals: Option<u8>,
}

/// Where a row came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranked {
    /// Index of the row in the keys.
    pub row: usize,
    /// From 1; rows that no key parts share a rank and the next ranks stay empty: 1, 2, 2, 4.
    pub rank: usize,
    /// Index of the key that parted this row from the one before it. `None` for the first row and for one that shares the rank of the row before it.
    pub decided_by: Option<usize>,
}

/// Rows in the order of their ranks; those that share one stand by index.
///
/// # Errors
/// [`StatsError::Empty`] without keys; [`StatsError::Shape`] if keys differ in length; [`StatsError::NotFinite`] for a value that is not a number. A row
/// without a value has no rank: leave it out.
pub fn rank(keys: &[Key]) -> Result<Vec<Ranked>, StatsError> {
    let Some(main) = keys.first() else {
        return Err(StatsError::Empty { what: "keys" });
    };
    let rows = main.values.len();
    let mut rounded = Vec::with_capacity(keys.len());
    for key in keys {
        if key.values.len() != rows {
            return Err(StatsError::Shape { what: "keys of an order", left: rows, right: key.values.len() });
        }
        finite("key value", key.values)?;
        rounded.push(key.values.iter().map(|value| round(*value, key.decimals)).collect::<Vec<f64>>());
    }
    let compare = |a: usize, b: usize| {
        let by_key = |(key, values): (&Key, &Vec<f64>)| match key.first {
            First::Highest => values[b].total_cmp(&values[a]),
            First::Lowest => values[a].total_cmp(&values[b]),
        };
        keys.iter().zip(&rounded).map(by_key).enumerate().find(|(_, order)| order.is_ne())
    };
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|a, b| compare(*a, *b).map_or(Ordering::Equal, |(_, order)| order));

    let mut ranked: Vec<Ranked> = Vec::with_capacity(rows);
    for (at, row) in order.into_iter().enumerate() {
        let decided_by = ranked.last().and_then(|before| compare(before.row, row)).map(|(key, _)| key);
        let rank = match ranked.last() {
            Some(before) if decided_by.is_none() => before.rank,
            _ => at + 1,
        };
        ranked.push(Ranked { row, rank, decided_by });
    }
    Ok(ranked)
}

/// Negative zero becomes zero, so that the two are a tie.
fn round(value: f64, decimals: Option<u8>) -> f64 {
    let Some(decimals) = decimals else {
        return value + 0.0;
    };
    let shift = 10f64.powi(i32::from(decimals));
    let shifted = value * shift;
    if shifted.is_finite() { shifted.round() / shift + 0.0 } else { value }
}

fn finite(what: &'static str, values: &[f64]) -> Result<(), StatsError> {
    values.iter().position(|value| !value.is_finite()).map_or(Ok(()), |at| Err(StatsError::NotFinite { what, at }))
}

/// How pairs of rows stand in two orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kendall {
    /// All pairs of rows.
    pub pairs: u64,
    /// Pairs in the same order in both.
    pub concordant: u64,
    /// Pairs in opposite orders.
    pub discordant: u64,
    /// Pairs tied in the first list, whether or not in the second.
    pub tied_x: u64,
    /// Pairs tied in the second list, whether or not in the first.
    pub tied_y: u64,
}

impl Kendall {
    /// Tau-a, from -1 (opposite) to 1 (the same order); pairs that are tied count as half agreed.
    pub fn tau_a(&self) -> f64 {
        self.balance() / self.pairs as f64
    }

    /// Tau-b, from -1 to 1; corrected for ties, equal to tau-a where there are none.
    pub fn tau_b(&self) -> f64 {
        // Two square roots, as a product of two counts of pairs would not fit the precision of one.
        let untied = |tied: u64| ((self.pairs - tied) as f64).sqrt();
        (self.balance() / untied(self.tied_x) / untied(self.tied_y)).clamp(-1.0, 1.0)
    }

    fn balance(&self) -> f64 {
        self.concordant as f64 - self.discordant as f64
    }
}

/// Kendall's rank correlation of two lists, in O(n log n).
///
/// - `x`, `y`: same length, at least two rows, any finite values.
/// - Fails with [`StatsError::Shape`], [`StatsError::Empty`] for fewer than two rows, [`StatsError::NotFinite`], and [`StatsError::Constant`] if one list
///   holds a single value, as then there is no order to agree with.
/// - Source: Knight, *A computer method for calculating Kendall's tau with ungrouped data* (1966); tau-b equals `scipy.stats.kendalltau` in
///   `tests/golden/kendall.csv`.
pub fn kendall(x: &[f64], y: &[f64]) -> Result<Kendall, StatsError> {
    if x.len() != y.len() {
        return Err(StatsError::Shape { what: "lists to correlate", left: x.len(), right: y.len() });
    }
    if x.len() < 2 {
        return Err(StatsError::Empty { what: "pairs of rows" });
    }
    finite("first value", x)?;
    finite("second value", y)?;
    let mut rows: Vec<(f64, f64)> = x.iter().zip(y).map(|(x, y)| (x + 0.0, y + 0.0)).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let tied_x = tied(rows.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len));
    let tied_both = tied(rows.chunk_by(|a, b| a == b).map(<[_]>::len));
    let mut second: Vec<f64> = rows.into_iter().map(|(_, y)| y).collect();
    let mut space = second.clone();
    let discordant = sort_counting(&mut second, &mut space);
    let tied_y = tied(second.chunk_by(|a, b| a == b).map(<[_]>::len));
    let n = x.len() as u64;
    let pairs = n * (n - 1) / 2;
    for (what, tied) in [("first values", tied_x), ("second values", tied_y)] {
        if tied == pairs {
            return Err(StatsError::Constant { what });
        }
    }
    let concordant = pairs - tied_x - tied_y + tied_both - discordant;
    Ok(Kendall { pairs, concordant, discordant, tied_x, tied_y })
}

/// Pairs inside runs of equal values.
fn tied(runs: impl Iterator<Item = usize>) -> u64 {
    runs.map(|run| run as u64 * (run as u64 - 1) / 2).sum()
}

/// Sorts by merging and counts the pairs that stood in falling order.
fn sort_counting(values: &mut [f64], space: &mut [f64]) -> u64 {
    if values.len() < 2 {
        return 0;
    }
    let half = values.len() / 2;
    let (left, right) = values.split_at_mut(half);
    let (space_left, space_right) = space.split_at_mut(half);
    let mut falls = sort_counting(left, space_left) + sort_counting(right, space_right);
    let (mut i, mut j) = (0, 0);
    for slot in space.iter_mut() {
        if j == right.len() || (i < left.len() && left[i] <= right[j]) {
            *slot = left[i];
            i += 1;
        } else {
            *slot = right[j];
            j += 1;
            falls += (left.len() - i) as u64;
        }
    }
    values.copy_from_slice(space);
    falls
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn high(values: &[f64]) -> Key<'_> {
        Key { values, first: First::Highest, decimals: None }
    }

    fn ranks(keys: &[Key]) -> Vec<(usize, usize, Option<usize>)> {
        rank(keys).expect("good keys").iter().map(|ranked| (ranked.row, ranked.rank, ranked.decided_by)).collect()
    }

    #[test]
    fn equal_scores_share_a_rank_and_the_next_stays_empty() {
        assert_eq!(ranks(&[high(&[80.0, 90.0, 80.0, 70.0])]), [(1, 1, None), (0, 2, Some(0)), (2, 2, None), (3, 4, Some(0))]);
    }

    #[test]
    fn further_keys_break_ties_in_their_order_and_are_named() {
        let arrived = Key { values: &[3.0, 1.0, 2.0, 2.0], first: First::Lowest, decimals: None };
        let keys = [high(&[80.0; 4]), high(&[5.0, 5.0, 9.0, 5.0]), arrived];
        assert_eq!(ranks(&keys), [(2, 1, None), (1, 2, Some(1)), (3, 3, Some(2)), (0, 4, Some(2))]);
    }

    #[test]
    fn scores_are_compared_at_the_decimals_people_see() {
        let score = Key { decimals: Some(2), ..high(&[81.004, 81.0, -0.001, 0.0]) };
        assert_eq!(ranks(&[score]), [(0, 1, None), (1, 1, None), (2, 3, Some(0)), (3, 3, None)]);
    }

    #[test]
    fn bad_keys_are_refused_with_their_place() {
        assert_eq!(rank(&[]), Err(StatsError::Empty { what: "keys" }));
        assert_eq!(rank(&[high(&[1.0]), high(&[])]), Err(StatsError::Shape { what: "keys of an order", left: 1, right: 0 }));
        assert_eq!(rank(&[high(&[1.0, f64::NAN])]), Err(StatsError::NotFinite { what: "key value", at: 1 }));
        assert_eq!(rank(&[high(&[])]), Ok(vec![]));
    }

    #[test]
    fn orders_that_cannot_be_compared_are_refused() {
        assert_eq!(kendall(&[1.0], &[1.0]), Err(StatsError::Empty { what: "pairs of rows" }));
        assert_eq!(kendall(&[1.0, 1.0], &[1.0, 2.0]), Err(StatsError::Constant { what: "first values" }));
        assert_eq!(kendall(&[1.0, 2.0], &[1.0, f64::INFINITY]), Err(StatsError::NotFinite { what: "second value", at: 1 }));
        assert!(matches!(kendall(&[1.0], &[]), Err(StatsError::Shape { left: 1, right: 0, .. })));
    }

    #[test]
    fn the_same_order_agrees_fully() {
        let found = kendall(&[1.0, 2.0, 3.0], &[10.0, 20.0, 30.0]).expect("two orders");
        assert_eq!((found.tau_a(), found.tau_b()), (1.0, 1.0));
        assert_eq!(kendall(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]).expect("two orders").tau_b(), -1.0);
    }

    /// Every pair looked at, for comparison.
    fn slow(x: &[f64], y: &[f64]) -> Kendall {
        let mut found = Kendall { pairs: 0, concordant: 0, discordant: 0, tied_x: 0, tied_y: 0 };
        for i in 0..x.len() {
            for j in 0..i {
                let side = (x[i] - x[j]) * (y[i] - y[j]);
                found.pairs += 1;
                found.concordant += u64::from(side > 0.0);
                found.discordant += u64::from(side < 0.0);
                found.tied_x += u64::from(x[i] == x[j]);
                found.tied_y += u64::from(y[i] == y[j]);
            }
        }
        found
    }

    proptest! {
        #[test]
        fn merging_counts_what_looking_at_every_pair_counts(rows in prop::collection::vec((0u8..12, 0u8..12), 2..60)) {
            let x: Vec<f64> = rows.iter().map(|(x, _)| f64::from(*x)).collect();
            let y: Vec<f64> = rows.iter().map(|(_, y)| f64::from(*y)).collect();
            match kendall(&x, &y) {
                Ok(found) => prop_assert_eq!(found, slow(&x, &y)),
                Err(error) => prop_assert!(matches!(error, StatsError::Constant { .. }), "{error}"),
            }
        }

        #[test]
        fn ranks_follow_the_scores_whatever_their_order(values in prop::collection::vec(0u8..6, 1..40)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            for ranked in rank(&[high(&values)]).expect("good keys") {
                let ahead = values.iter().filter(|value| **value > values[ranked.row]).count();
                prop_assert_eq!(ranked.rank, ahead + 1);
            }
        }
    }
}
