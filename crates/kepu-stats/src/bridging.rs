//! Bridging: what raters of different kinds find useful alike, parted from what one kind likes and another does not.
//!
//! **Model** (Wojcik et al., *Birdwatch: crowd wisdom and bridging algorithms*, 2022, as Community Notes publishes it): the rating of item n by rater u is
//! r = μ + i_u + i_n + f_u·f_n. The factor takes up what splits the raters; the intercept i_n is what is left over, on which they agree. Fitted by least squares with the
//! penalties λ = 0.15 on μ and intercepts, 0.03 on factors, a rating each. Raters may be groups: then a rating is a group's mean, and its weight says how much that is worth.
//!
//! The start is computed and not drawn: the same ratings give the same bits, in any order of raters and items.

use crate::StatsError;

/// Penalty on the base and on intercepts.
pub const LAMBDA_INTERCEPT: f64 = 0.15;
/// Penalty on factors.
pub const LAMBDA_FACTOR: f64 = 0.03;
/// From this intercept on an item is useful to raters of all kinds.
pub const USEFUL: f64 = 0.40;
/// An item with a factor beyond this splits the raters, whatever its intercept.
pub const SPLITS: f64 = 0.50;
/// Rounds of the fit at most; each improves it.
const ROUNDS: usize = 2_000;
/// The fit ends when no value moves by more.
const STILL: f64 = 1e-10;

/// One rating.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rating {
    /// Who, from 0.
    pub rater: usize,
    /// What, from 0.
    pub item: usize,
    /// From 0 (no use) to 1 (useful).
    pub value: f64,
    /// What it is worth, above 0.
    pub weight: f64,
}

/// What is particular to one rater or item.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Part {
    /// Above or below the others, for everybody.
    pub intercept: f64,
    /// Which side it is on; 0 is neither.
    pub factor: f64,
}

/// The fitted model.
#[derive(Clone, Debug, PartialEq)]
pub struct Bridged {
    /// μ.
    pub base: f64,
    /// Of each rater.
    pub raters: Vec<Part>,
    /// Of each item; nothing where nobody rated it.
    pub items: Vec<Part>,
}

impl Part {
    /// Whether an item is useful to raters of all kinds, and splits them not.
    #[must_use]
    pub fn bridges(&self) -> bool {
        self.intercept >= USEFUL && self.factor.abs() < SPLITS
    }
}

/// Fits the model to `ratings` of `items` by `raters`.
///
/// - Fails with [`StatsError::Empty`] without ratings, [`StatsError::Unknown`] if one names a rater or item beyond the counts, [`StatsError::OutOfRange`] if a
///   value is not between 0 and 1 or a weight not above 0.
/// - The sign of factors is arbitrary; here the first rater with a factor is on the positive side.
pub fn bridge(ratings: &[Rating], raters: usize, items: usize) -> Result<Bridged, StatsError> {
    check(ratings, raters, items)?;
    let mut model = Bridged { base: 0.0, raters: vec![Part::default(); raters], items: vec![Part::default(); items] };
    // Intercepts alone first: what they leave is what the factor has to explain.
    settle(ratings, &mut model, false);
    begin(ratings, &mut model);
    settle(ratings, &mut model, true);
    if model.raters.iter().find(|part| part.factor.abs() > 1e-9).is_some_and(|part| part.factor < 0.0) {
        model.raters.iter_mut().chain(&mut model.items).for_each(|part| part.factor = -part.factor);
    }
    Ok(model)
}

fn check(ratings: &[Rating], raters: usize, items: usize) -> Result<(), StatsError> {
    if ratings.is_empty() {
        return Err(StatsError::Empty { what: "ratings" });
    }
    for (at, rating) in ratings.iter().enumerate() {
        for (what, index, count) in [("rater", rating.rater, raters), ("item", rating.item, items)] {
            if index >= count {
                return Err(StatsError::Unknown { what, at, index, count });
            }
        }
        for (what, value, lowest, highest) in [("rating", rating.value, 0.0, 1.0), ("weight", rating.weight, f64::MIN_POSITIVE, f64::MAX)] {
            if !(lowest..=highest).contains(&value) {
                return Err(StatsError::OutOfRange { what, at, value, lowest, highest });
            }
        }
    }
    Ok(())
}

/// What the intercepts leave of a rating.
fn rest(model: &Bridged, rating: &Rating) -> f64 {
    rating.value - model.base - model.raters[rating.rater].intercept - model.items[rating.item].intercept
}

/// Gives factors their start: the direction in which the raters differ most over the items.
fn begin(ratings: &[Rating], model: &mut Bridged) {
    // Nobody is singled out by place: the start is each rater's own sum of what is left over, then the direction is turned in.
    for rating in ratings {
        let left = rest(model, rating);
        model.raters[rating.rater].factor += rating.weight * left * left * left.signum();
    }
    if model.raters.iter().all(|part| part.factor.abs() < 1e-12) {
        for (at, part) in model.raters.iter_mut().enumerate() {
            part.factor = if at % 2 == 0 { 1.0 } else { -1.0 };
        }
    }
    for _ in 0..50 {
        let turned = turn(ratings, model, |rating| (rating.item, rating.rater), model.items.len(), &model.raters);
        model.items.iter_mut().zip(turned).for_each(|(part, factor)| part.factor = factor);
        let turned = turn(ratings, model, |rating| (rating.rater, rating.item), model.raters.len(), &model.items);
        model.raters.iter_mut().zip(turned).for_each(|(part, factor)| part.factor = factor);
    }
    model.raters.iter_mut().chain(&mut model.items).for_each(|part| part.factor *= 0.5);
}

/// One half of a power iteration, of length one.
fn turn(ratings: &[Rating], model: &Bridged, sides: impl Fn(&Rating) -> (usize, usize), count: usize, other: &[Part]) -> Vec<f64> {
    let mut sums = vec![0.0; count];
    for rating in ratings {
        let (to, from) = sides(rating);
        sums[to] += rating.weight * rest(model, rating) * other[from].factor;
    }
    let length = sums.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length > 1e-12 { sums.iter().map(|x| x / length).collect() } else { sums }
}

/// Coordinate descent until nothing moves.
fn settle(ratings: &[Rating], model: &mut Bridged, factors: bool) {
    for _ in 0..ROUNDS {
        let mut moved = set_base(ratings, model);
        moved = moved.max(set(ratings, model, |rating| (rating.item, rating.rater), Side::Items, factors));
        moved = moved.max(set(ratings, model, |rating| (rating.rater, rating.item), Side::Raters, factors));
        if moved < STILL {
            return;
        }
    }
}

fn set_base(ratings: &[Rating], model: &mut Bridged) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for rating in ratings {
        let product = model.raters[rating.rater].factor * model.items[rating.item].factor;
        sum += rating.weight * (rest(model, rating) + model.base - product);
        weights += rating.weight;
    }
    let base = sum / (weights * (1.0 + LAMBDA_INTERCEPT));
    let moved = (base - model.base).abs();
    model.base = base;
    moved
}

#[derive(Clone, Copy)]
enum Side {
    Raters,
    Items,
}

/// Sets intercepts and factors of one side to what fits best while the other stands still.
fn set(ratings: &[Rating], model: &mut Bridged, sides: impl Fn(&Rating) -> (usize, usize), side: Side, factors: bool) -> f64 {
    let count = if matches!(side, Side::Items) { model.items.len() } else { model.raters.len() };
    // Of each: weights, weighted factors of the others, their squares, what is left, and its product with those factors.
    let mut sums = vec![[0.0; 5]; count];
    for rating in ratings {
        let (to, from) = sides(rating);
        let (mine, other) = match side {
            Side::Items => (model.items[to], model.raters[from]),
            Side::Raters => (model.raters[to], model.items[from]),
        };
        let left = rest(model, rating) + mine.intercept;
        let w = rating.weight;
        let line = &mut sums[to];
        line[0] += w;
        line[1] += w * other.factor;
        line[2] += w * other.factor * other.factor;
        line[3] += w * left;
        line[4] += w * left * other.factor;
    }
    let parts = if matches!(side, Side::Items) { &mut model.items } else { &mut model.raters };
    let mut moved = 0.0f64;
    for (part, [w, f, ff, left, product]) in parts.iter_mut().zip(sums) {
        if w == 0.0 {
            continue;
        }
        let (a, d) = (w * (1.0 + LAMBDA_INTERCEPT), ff + w * LAMBDA_FACTOR);
        // Two equations: intercept and factor of this one together.
        let (intercept, factor) =
            if factors { ((left * d - product * f) / (a * d - f * f), (product * a - left * f) / (a * d - f * f)) } else { (left / a, part.factor) };
        moved = moved.max((intercept - part.intercept).abs()).max((factor - part.factor).abs());
        *part = Part { intercept, factor };
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratings(rows: &[[f64; 3]]) -> Vec<Rating> {
        let one = |(item, values): (usize, &[f64; 3])| (0..3).map(move |rater| Rating { rater, item, value: values[rater], weight: 1.0 }).collect::<Vec<_>>();
        rows.iter().enumerate().flat_map(one).collect()
    }

    /// Three kinds of readers: some answers please all, some none, some only one side.
    const ROWS: [[f64; 3]; 8] =
        [[1.0, 1.0, 1.0], [0.9, 1.0, 0.95], [0.05, 0.0, 0.1], [0.0, 0.1, 0.0], [1.0, 0.5, 0.0], [0.95, 0.4, 0.05], [0.0, 0.5, 1.0], [0.0, 0.0, 0.05]];

    #[test]
    fn what_all_kinds_find_useful_passes_and_what_splits_them_does_not() {
        let fitted = bridge(&ratings(&ROWS), 3, ROWS.len()).expect("fits");
        assert!(fitted.items[0].bridges() && fitted.items[1].bridges(), "{fitted:?}");
        for split in [4, 5, 6] {
            assert!(!fitted.items[split].bridges() && fitted.items[split].factor.abs() > fitted.items[0].factor.abs(), "{split}: {fitted:?}");
        }
        for useless in [2, 3, 7] {
            assert!(fitted.items[useless].intercept < 0.0, "{useless}: {fitted:?}");
        }
        // The two outer kinds stand on opposite sides.
        assert!(fitted.raters[0].factor * fitted.raters[2].factor < 0.0, "{fitted:?}");
    }

    #[test]
    fn a_crowd_of_one_kind_does_not_carry_an_item() {
        let mut list = ratings(&ROWS);
        for rating in list.iter_mut().filter(|rating| rating.item == 4 && rating.rater == 0) {
            rating.weight = 5.0;
        }
        let fitted = bridge(&list, 3, ROWS.len()).expect("fits");
        assert!(!fitted.items[4].bridges(), "{fitted:?}");
    }

    #[test]
    fn the_order_of_ratings_changes_nothing_that_is_shown() {
        let list = ratings(&ROWS);
        let back: Vec<Rating> = list.iter().rev().copied().collect();
        let (a, b) = (bridge(&list, 3, ROWS.len()).expect("fits"), bridge(&back, 3, ROWS.len()).expect("fits"));
        for (x, y) in a.items.iter().zip(&b.items) {
            assert!((x.intercept - y.intercept).abs() < 1e-6 && (x.factor - y.factor).abs() < 1e-6, "{x:?} {y:?}");
        }
    }

    #[test]
    fn the_fit_is_a_minimum() {
        let list = ratings(&ROWS);
        let fitted = bridge(&list, 3, ROWS.len()).expect("fits");
        let loss = |m: &Bridged| -> f64 {
            list.iter()
                .map(|r| {
                    let (u, n) = (m.raters[r.rater], m.items[r.item]);
                    let miss = r.value - m.base - u.intercept - n.intercept - u.factor * n.factor;
                    let penalty = LAMBDA_INTERCEPT * (m.base * m.base + u.intercept * u.intercept + n.intercept * n.intercept);
                    r.weight * (miss * miss + penalty + LAMBDA_FACTOR * (u.factor * u.factor + n.factor * n.factor))
                })
                .sum()
        };
        let best = loss(&fitted);
        for at in 0..ROWS.len() {
            for step in [-0.01, 0.01] {
                let mut other = fitted.clone();
                other.items[at].intercept += step;
                assert!(loss(&other) > best);
                let mut other = fitted.clone();
                other.items[at].factor += step;
                assert!(loss(&other) > best);
            }
        }
    }

    #[test]
    fn wrong_ratings_are_named() {
        assert!(matches!(bridge(&[], 3, 1), Err(StatsError::Empty { .. })));
        let good = Rating { rater: 0, item: 0, value: 0.5, weight: 1.0 };
        assert!(matches!(bridge(&[Rating { item: 9, ..good }], 3, 1), Err(StatsError::Unknown { what: "item", .. })));
        assert!(matches!(bridge(&[Rating { value: 1.5, ..good }], 3, 1), Err(StatsError::OutOfRange { what: "rating", .. })));
        assert!(matches!(bridge(&[Rating { weight: 0.0, ..good }], 3, 1), Err(StatsError::OutOfRange { what: "weight", .. })));
        assert!(matches!(bridge(&[Rating { value: f64::NAN, ..good }], 3, 1), Err(StatsError::OutOfRange { .. })));
    }
}
