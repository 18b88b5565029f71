//! The mixed model equations of one round of estimation: assembled, the longer side eliminated, solved, with the covariances that the next round needs.
//!
//! Every row is divided by its judge's spread, and every random effect by its standard deviation relative to the error (`ratio`), so that the equations
//! are `Z'Z + I` and stay regular when a variance is 0. All covariances here are in units of the residual variance.

use super::check::Row;
use crate::dense::Square;

/// Which unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Inner(usize),
    Outer(usize),
}

/// The mean is the first inner unknown.
const MEAN: usize = 0;

/// Which rows touch which unknowns; does not change between rounds.
#[derive(Debug)]
pub(super) struct Design {
    /// In order of the outer unknown; rows without one come first.
    rows: Vec<Row>,
    /// Where each outer unknown's rows begin; one more than there are outer unknowns.
    starts: Vec<usize>,
    inner: usize,
    outer_is_application: bool,
    applications: usize,
    columns: usize,
}

/// How strongly effects differ, relative to the error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ratios {
    pub application: f64,
    pub judge: f64,
}

/// A solution and its covariances.
#[derive(Debug)]
pub(super) struct Solved {
    pub mean: f64,
    /// Quality of each application, without the mean.
    pub qualities: Vec<f64>,
    /// Offset of each corrected judge, without the mean.
    pub offsets: Vec<f64>,
    /// Degrees of freedom that each side takes up.
    pub freedom: Ratios,
    inverse: Square,
    diagonal: Vec<f64>,
    /// Coupling of each row's outer unknown with its inner one, in the order of the design, and with the mean, for each outer unknown.
    couplings: Vec<f64>,
    means: Vec<f64>,
    ratios: Ratios,
}

impl Design {
    pub fn new(rows: &[Row], applications: usize, columns: usize) -> Self {
        let outer_is_application = applications >= columns;
        let outer = if outer_is_application { applications } else { columns };
        let of = |row: &Row| if outer_is_application { Some(row.application) } else { row.column };
        let mut rows = rows.to_vec();
        rows.sort_by_key(of);
        let starts = (0..=outer).map(|unknown| rows.partition_point(|row| of(row).is_none_or(|at| at < unknown))).collect();
        Self { rows, starts, inner: if outer_is_application { columns } else { applications } + 1, outer_is_application, applications, columns }
    }

    fn outer(&self, unknown: usize) -> std::ops::Range<usize> {
        self.starts[unknown]..self.starts[unknown + 1]
    }

    fn outers(&self) -> usize {
        self.starts.len() - 1
    }

    fn application(&self, at: usize) -> Unknown {
        if self.outer_is_application { Unknown::Outer(at) } else { Unknown::Inner(at + 1) }
    }

    fn judge(&self, column: usize) -> Unknown {
        if self.outer_is_application { Unknown::Inner(column + 1) } else { Unknown::Outer(column) }
    }

    /// The inner unknown of a row beside the mean.
    fn inner_of(&self, row: &Row) -> Option<usize> {
        if self.outer_is_application { row.column.map(|column| column + 1) } else { Some(row.application + 1) }
    }

    /// Weights of a row: of the mean, of its outer and of its inner unknown.
    fn weights(&self, row: &Row, spreads: &[f64], ratios: Ratios) -> (f64, f64, f64) {
        let mean = row.column.map_or(1.0, |column| 1.0 / spreads[column]);
        let (application, judge) = (ratios.application, row.column.map_or(0.0, |_| ratios.judge * mean));
        if self.outer_is_application { (mean, application, judge) } else { (mean, judge, application) }
    }

    /// Solves for given spreads and ratios. `None` if rounding made the equations singular.
    pub fn solve(&self, spreads: &[f64], ratios: Ratios) -> Option<Solved> {
        let mut inner = Square::zero(self.inner);
        (1..self.inner).for_each(|at| inner.row_mut(at)[at] = 1.0);
        let mut inner_right = vec![0.0; self.inner];
        let mut right = vec![0.0; self.outers()];
        let mut diagonal = vec![1.0; self.outers()];
        let mut couplings = vec![0.0; self.rows.len()];
        let mut means = vec![0.0; self.outers()];
        let mut add = |row: &Row| {
            let (mean, outer_weight, inner_weight) = self.weights(row, spreads, ratios);
            let value = row.value * mean;
            inner.row_mut(MEAN)[MEAN] += mean * mean;
            inner_right[MEAN] += mean * value;
            if let Some(at) = self.inner_of(row) {
                inner.row_mut(at)[MEAN] += mean * inner_weight;
                inner.row_mut(at)[at] += inner_weight * inner_weight;
                inner_right[at] += inner_weight * value;
            }
            (mean, outer_weight, inner_weight, value)
        };
        self.rows[..self.starts[0]].iter().for_each(|row| _ = add(row));
        for outer in 0..self.outers() {
            for at in self.outer(outer) {
                let (mean, outer_weight, inner_weight, value) = add(&self.rows[at]);
                diagonal[outer] += outer_weight * outer_weight;
                right[outer] += outer_weight * value;
                means[outer] += outer_weight * mean;
                couplings[at] = outer_weight * inner_weight;
            }
        }
        let mut solved = Solved {
            mean: 0.0,
            qualities: vec![],
            offsets: vec![],
            freedom: Ratios { application: 0.0, judge: 0.0 },
            inverse: inner,
            diagonal,
            couplings,
            means,
            ratios,
        };
        solved.eliminate(self, &right, &mut inner_right);
        solved.inverse = solved.inverse.inverse()?;
        solved.back(self, &right, &inner_right);
        Some(solved)
    }
}

impl Solved {
    /// Coupling of an outer unknown with every inner one that it touches.
    fn coupled(&self, design: &Design, outer: usize) -> impl Iterator<Item = (usize, f64)> {
        let beside = design.outer(outer).filter_map(|at| Some((design.inner_of(&design.rows[at])?, self.couplings[at])));
        std::iter::once((MEAN, self.means[outer])).chain(beside)
    }

    /// Takes the outer unknowns out of the inner equations.
    fn eliminate(&mut self, design: &Design, right: &[f64], inner_right: &mut [f64]) {
        let mut touched = Vec::new();
        for (outer, right) in right.iter().enumerate() {
            touched.clear();
            touched.extend(self.coupled(design, outer));
            for &(a, weight) in &touched {
                let share = weight / self.diagonal[outer];
                inner_right[a] -= share * right;
                let row = self.inverse.row_mut(a);
                touched.iter().filter(|(b, _)| *b <= a).for_each(|(b, other)| row[*b] -= share * other);
            }
        }
    }

    /// Values of all unknowns and the degrees of freedom they take up.
    fn back(&mut self, design: &Design, right: &[f64], inner_right: &[f64]) {
        let inner: Vec<f64> = (0..design.inner).map(|at| crate::dense::dot(self.inverse.row(at), inner_right)).collect();
        let mut outer = Vec::with_capacity(design.outers());
        let (mut inner_freedom, mut outer_freedom) = (0.0, 0.0);
        for (at, right) in right.iter().enumerate() {
            let known: f64 = self.coupled(design, at).map(|(other, weight)| weight * inner[other]).sum();
            outer.push((right - known) / self.diagonal[at]);
            outer_freedom += 1.0 - self.variance(design, Unknown::Outer(at));
        }
        for at in 1..design.inner {
            inner_freedom += 1.0 - self.inverse.at(at, at);
        }
        self.mean = inner[MEAN];
        let (qualities, offsets) = if design.outer_is_application {
            self.freedom = Ratios { application: outer_freedom, judge: inner_freedom };
            (outer, inner[1..].to_vec())
        } else {
            self.freedom = Ratios { application: inner_freedom, judge: outer_freedom };
            (inner[1..].to_vec(), outer)
        };
        self.qualities = qualities.iter().map(|value| value * self.ratios.application).collect();
        self.offsets = offsets.iter().map(|value| value * self.ratios.judge).collect();
        debug_assert_eq!((self.qualities.len(), self.offsets.len()), (design.applications, design.columns));
    }

    fn variance(&self, design: &Design, of: Unknown) -> f64 {
        match of {
            Unknown::Inner(at) => self.inverse.at(at, at),
            Unknown::Outer(at) => {
                let spread: f64 = self.coupled(design, at).map(|(a, weight)| weight * self.outer_covariance(design, at, a)).sum();
                (1.0 - spread) / self.diagonal[at]
            }
        }
    }

    /// Covariance of an outer unknown with an inner one.
    fn outer_covariance(&self, design: &Design, outer: usize, inner: usize) -> f64 {
        let row = self.inverse.row(inner);
        -self.coupled(design, outer).map(|(b, weight)| weight * row[b]).sum::<f64>() / self.diagonal[outer]
    }

    fn covariance(&self, design: &Design, a: Unknown, b: Unknown) -> f64 {
        match (a, b) {
            (Unknown::Inner(a), Unknown::Inner(b)) => self.inverse.at(a, b),
            (Unknown::Outer(outer), Unknown::Inner(inner)) | (Unknown::Inner(inner), Unknown::Outer(outer)) => self.outer_covariance(design, outer, inner),
            // Asked only for one and the same.
            (Unknown::Outer(a), Unknown::Outer(_)) => self.variance(design, Unknown::Outer(a)),
        }
    }

    /// Of the mean plus an application's quality.
    pub fn level_variance(&self, design: &Design, application: usize) -> f64 {
        let (unknown, ratio) = (design.application(application), self.ratios.application);
        let with_mean = self.covariance(design, unknown, Unknown::Inner(MEAN));
        self.inverse.at(MEAN, MEAN) + 2.0 * ratio * with_mean + ratio * ratio * self.variance(design, unknown)
    }

    /// Of the mean plus a judge's offset.
    pub fn offset_variance(&self, design: &Design, column: usize) -> f64 {
        let (unknown, ratio) = (design.judge(column), self.ratios.judge);
        let with_mean = self.covariance(design, unknown, Unknown::Inner(MEAN));
        self.inverse.at(MEAN, MEAN) + 2.0 * ratio * with_mean + ratio * ratio * self.variance(design, unknown)
    }

    /// Covariance of the mean plus a judge's offset with an application's quality.
    pub fn offset_with_quality(&self, design: &Design, column: usize, application: usize) -> f64 {
        let unknown = design.application(application);
        let with_mean = self.covariance(design, unknown, Unknown::Inner(MEAN));
        let with_judge = self.covariance(design, unknown, design.judge(column));
        self.ratios.application * (with_mean + self.ratios.judge * with_judge)
    }
}
