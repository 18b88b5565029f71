//! The loop of estimation: solve, then better variances and spreads, until nothing moves.

use super::Spread;
use super::check::{Checked, Row};
use super::equations::{Design, Ratios, Solved};

/// A judge's own spread is believed as if so many scores at the common spread stood beside the judge's own.
const SPREAD_PRIOR: f64 = 10.0;
const ITERATIONS_MAX: usize = 1_000;
/// Largest change of an effect, in standard deviations of all scores, that still counts as none.
const TOLERANCE: f64 = 1e-9;
/// A side that takes up fewer degrees of freedom than this cannot be told from nothing.
const FREEDOM_MIN: f64 = 1e-9;

/// Judges who agree perfectly leave no error, and the ratios to it would grow without end: a hundredth of the standard deviation of all scores is as good as none.
const RESIDUAL_MIN: f64 = 1e-4;

/// Variances in units of the checked scores.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    pub application: f64,
    pub judge: f64,
    pub residual: f64,
}

/// Estimates in units of the checked scores.
#[derive(Debug)]
pub(super) struct Fitted {
    pub mean: f64,
    pub qualities: Vec<f64>,
    pub std_errors: Vec<f64>,
    pub offsets: Vec<f64>,
    pub spreads: Vec<f64>,
    pub variances: Parts,
    pub iterations: usize,
    pub converged: bool,
}

pub(super) fn fit(checked: &Checked, spread: Spread) -> Fitted {
    let design = Design::new(&checked.rows, checked.applications.len(), checked.corrected);
    let mut state = State {
        spreads: vec![1.0; checked.corrected],
        // Where no application has two scores, quality cannot be told from error and is left inside it.
        ratios: Ratios { application: if checked.singles() { 0.0 } else { 1.0 }, judge: 1.0 },
        residual: 1.0,
        strides: [Stride::default(), Stride::default()],
    };
    let mut solved = design.solve(&state.spreads, state.ratios).expect("the identity was added");
    let mut iterations = 0;
    let mut converged = false;
    while !converged && iterations < ITERATIONS_MAX {
        iterations += 1;
        state.update_variances(&checked.rows, &solved);
        if spread == Spread::PerJudge {
            state.update_spreads(checked, &design, &solved);
        }
        // Equations that rounding made singular end the search with what was found before.
        let Some(next) = design.solve(&state.spreads, state.ratios) else { break };
        converged = moved(&solved, &next) < TOLERANCE;
        solved = next;
    }
    let residual = state.residual;
    let std_error = |at: usize| (residual * solved.level_variance(&design, at)).max(0.0).sqrt();
    Fitted {
        mean: solved.mean,
        std_errors: (0..checked.applications.len()).map(std_error).collect(),
        variances: Parts { application: residual * state.ratios.application.powi(2), judge: residual * state.ratios.judge.powi(2), residual },
        qualities: solved.qualities,
        offsets: solved.offsets,
        spreads: state.spreads,
        iterations,
        converged,
    }
}

/// Mean of the corrected scores of each application, less the mean; 0 without any.
pub(super) fn corrected_means(checked: &Checked, fitted: &Fitted) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); checked.applications.len()];
    for row in &checked.rows {
        let (offset, spread) = row.column.map_or((0.0, 1.0), |column| (fitted.offsets[column], fitted.spreads[column]));
        let (sum, count) = &mut sums[row.application];
        *sum += (row.value - fitted.mean - offset) / spread;
        *count += 1.0;
    }
    sums.into_iter().map(|(sum, count)| if count > 0.0 { sum / count } else { 0.0 }).collect()
}

/// Largest change between two rounds.
fn moved(before: &Solved, after: &Solved) -> f64 {
    let change = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    (before.mean - after.mean).abs().max(change(&before.qualities, &after.qualities)).max(change(&before.offsets, &after.offsets))
}

/// What is estimated round by round.
#[derive(Debug)]
struct State {
    spreads: Vec<f64>,
    ratios: Ratios,
    residual: f64,
    strides: [Stride; 2],
}

impl State {
    /// One step of Schall's fixed point.
    fn update_variances(&mut self, rows: &[Row], solved: &Solved) {
        let residual = |row: &Row| {
            let (offset, spread) = row.column.map_or((0.0, 1.0), |column| (solved.offsets[column], self.spreads[column]));
            ((row.value - solved.mean - offset) / spread - solved.qualities[row.application]).powi(2)
        };
        let squares: f64 = rows.iter().map(residual).sum();
        let left = rows.len() as f64 - 1.0 - solved.freedom.application - solved.freedom.judge;
        self.residual = (squares / left.max(FREEDOM_MIN)).max(RESIDUAL_MIN);
        let application = ratio(&solved.qualities, solved.freedom.application, self.residual);
        let judge = ratio(&solved.offsets, solved.freedom.judge, self.residual);
        self.ratios.application = self.strides[0].from(self.ratios.application, application);
        self.ratios.judge = self.strides[1].from(self.ratios.judge, judge);
    }

    /// The spreads that make the scores most likely, given what is known of offsets and qualities (a step of EM); each solves a quadratic equation.
    fn update_spreads(&mut self, checked: &Checked, design: &Design, solved: &Solved) {
        let mut sums: Vec<Moments> = (0..checked.corrected).map(|_| Moments::default()).collect();
        let variances: Vec<f64> = (0..checked.corrected).map(|column| solved.offset_variance(design, column)).collect();
        for row in &checked.rows {
            let Some(column) = row.column else { continue };
            let distance = row.value - solved.mean - solved.offsets[column];
            let together = solved.offset_with_quality(design, column, row.application);
            let sum = &mut sums[column];
            sum.count += 1.0;
            sum.squares += distance * distance / self.residual + variances[column];
            sum.products += distance * solved.qualities[row.application] / self.residual - together;
        }
        for (spread, sum) in self.spreads.iter_mut().zip(sums) {
            let (a, b, c) = (sum.squares + SPREAD_PRIOR, sum.products, sum.count + SPREAD_PRIOR);
            *spread = 2.0 * a / (b + (b * b + 4.0 * a * c).sqrt());
        }
        if checked.rows.iter().all(|row| row.column.is_some()) {
            self.settle_scale();
        }
    }

    /// Without judges at spread 1, all spreads times and all qualities divided by one number say the same of the scores; the prior alone
    /// decides, and it wants the mean of 1/spread² to be 1. Going there at once saves hundreds of rounds.
    fn settle_scale(&mut self) {
        let mean = self.spreads.iter().map(|spread| spread.powi(-2)).sum::<f64>() / self.spreads.len().max(1) as f64;
        let scale = mean.sqrt();
        if scale > 0.0 && scale.is_finite() {
            self.spreads.iter_mut().for_each(|spread| *spread *= scale);
            self.residual = (self.residual / (scale * scale)).max(RESIDUAL_MIN);
            // Offsets are not divided by spreads, so that their size relative to the error changes.
            self.ratios.judge *= scale;
        }
    }
}

/// Longer steps where many steps go the same way: the fixed point creeps when a variance is nearly, but not quite, 0.
#[derive(Debug, Clone, Default)]
struct Stride {
    last: f64,
    same_way: i32,
}

impl Stride {
    /// Steps in the same direction before strides grow, by half each time; ordinary rounds are done by then.
    const PATIENCE: i32 = 10;
    /// Longest stride, in units of ln(ratio). A step that is longer by itself stays as it is.
    const LONGEST: f64 = 1.0;

    fn from(&mut self, old: f64, new: f64) -> f64 {
        if old == 0.0 || new == 0.0 {
            return new;
        }
        let step = (new / old).ln();
        self.same_way = if step * self.last > 0.0 { self.same_way + 1 } else { 0 };
        self.last = step;
        let longer = step * 1.5f64.powi((self.same_way - Self::PATIENCE).clamp(0, 20));
        old * longer.clamp(-Self::LONGEST.max(-step), Self::LONGEST.max(step)).exp()
    }
}

/// Sums over the scores of one judge.
#[derive(Debug, Clone, Default)]
struct Moments {
    count: f64,
    squares: f64,
    products: f64,
}

/// Standard deviation of effects relative to that of the error.
fn ratio(effects: &[f64], freedom: f64, residual: f64) -> f64 {
    if freedom < FREEDOM_MIN {
        return 0.0;
    }
    let squares: f64 = effects.iter().map(|effect| effect * effect).sum();
    (squares / freedom / residual).sqrt()
}
