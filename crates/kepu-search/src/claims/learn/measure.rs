//! How good judgements are, from posts that the model had not seen.

use crate::claims::decide::Model;

/// What came of one post.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub track: &'static str,
    pub matchable: bool,
    /// Place of the first right claim, from 0.
    pub place: Option<usize>,
    /// Chance of the first claim.
    pub chance: f32,
    /// Chance that any claim is right.
    pub any: f32,
    /// The confidence, where it did not come from the two.
    pub sure: Option<f32>,
}

impl Outcome {
    /// Before the curve (see `Model::confidence`), or honest already.
    #[must_use]
    pub fn confidence(&self) -> f32 {
        self.sure.unwrap_or_else(|| Model::confidence(self.chance, self.any))
    }
}

/// Share of matchable posts whose claim is among the first `k`.
pub fn recall_at(outcomes: &[&Outcome], k: usize) -> f64 {
    let matchable = outcomes.iter().filter(|o| o.matchable).count().max(1);
    outcomes.iter().filter(|o| o.matchable && o.place.is_some_and(|p| p < k)).count() as f64 / matchable as f64
}

/// Mean of one over the place of the right claim, among the first ten.
pub fn mrr(outcomes: &[&Outcome]) -> f64 {
    let matchable: Vec<&&Outcome> = outcomes.iter().filter(|o| o.matchable).collect();
    matchable.iter().filter_map(|o| o.place).filter(|p| *p < 10).map(|p| 1.0 / (p + 1) as f64).sum::<f64>() / matchable.len().max(1) as f64
}

/// How often a matchable post has more confidence than one that matches nothing.
pub fn auc(yes: &[f32], no: &[f32]) -> f64 {
    let mut all: Vec<(f32, bool)> = yes.iter().map(|c| (*c, true)).chain(no.iter().map(|c| (*c, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut i, mut below, mut sum) = (0, 0.0, 0.0);
    while i < all.len() {
        let end = (i..all.len()).find(|j| all[*j].0 > all[i].0).unwrap_or(all.len());
        let wrong = all[i..end].iter().filter(|a| !a.1).count() as f64;
        sum += ((end - i) as f64 - wrong) * (below + wrong / 2.0);
        below += wrong;
        i = end;
    }
    sum / (yes.len().max(1) as f64 * no.len().max(1) as f64)
}

/// Share of matchable posts answered rightly at the lowest threshold that keeps the share of right answers at `precision`, and the threshold.
pub fn recall_at_precision(outcomes: &[&Outcome], precision: f64) -> (f64, f32) {
    let matchable = outcomes.iter().filter(|o| o.matchable).count().max(1);
    let mut sorted: Vec<&&Outcome> = outcomes.iter().collect();
    sorted.sort_by(|a, b| b.confidence().total_cmp(&a.confidence()));
    let (mut right, mut best, mut at) = (0usize, 0usize, 1.0);
    for (n, outcome) in sorted.iter().enumerate() {
        right += usize::from(outcome.place == Some(0));
        let tie = sorted.get(n + 1).is_some_and(|next| next.confidence() == outcome.confidence());
        if !tie && right as f64 / (n + 1) as f64 >= precision && right > best {
            (best, at) = (right, outcome.confidence());
        }
    }
    (best as f64 / matchable as f64, at)
}
