//! Scores as they came in: refused or put in order, judges sorted into those who are corrected and those who are not, connected groups found.

use super::{Application, Judge, Options, Score, Standing};
use crate::StatsError;

/// The longer side of a round is eliminated, the shorter one becomes a dense matrix of this size at most.
const SHORTER_MAX: usize = 2_000;
/// From so many scores on, a judge whose scores are all equal is left out. Fewer equal ones happen on a coarse scale.
const FLAT_MIN: usize = 10;

/// A score in the equations, centred and in units of the standard deviation of all scores.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub application: usize,
    /// Column of the judge's effects; `None` if the judge is not corrected.
    pub column: Option<usize>,
    pub value: f64,
}

/// Everything that estimation needs, and what can be said without it.
#[derive(Debug)]
pub(super) struct Checked {
    /// By application, then judge: results do not depend on the order in which scores came.
    pub rows: Vec<Row>,
    /// Column of each judge that is corrected.
    pub columns: Vec<Option<usize>>,
    /// How many judges are corrected.
    pub corrected: usize,
    pub centre: f64,
    pub unit: f64,
    pub applications: Vec<Application>,
    pub judges: Vec<Judge>,
    pub groups: usize,
}

impl Checked {
    /// Whether no application has two scores.
    pub fn singles(&self) -> bool {
        !self.rows.windows(2).any(|pair| pair[0].application == pair[1].application)
    }
}

pub(super) fn check(applications: usize, judges: usize, scores: &[Score], options: &Options) -> Result<Checked, StatsError> {
    let sorted = sorted(applications, judges, scores, options)?;
    let mut checked = Checked {
        rows: Vec::new(),
        columns: vec![None; judges],
        corrected: 0,
        centre: 0.0,
        unit: 1.0,
        applications: vec![Application { scores: 0, raw_mean: None, adjusted: None, std_error: None, group: None }; applications],
        judges: vec![Judge { scores: 0, raw_mean: None, harshness: 0.0, spread: 1.0, standing: Standing::Silent }; judges],
        groups: 0,
    };
    checked.count(&sorted);
    checked.sort_judges(&sorted, options);
    checked.group(&sorted);
    checked.rows(&sorted);
    let shorter = checked.corrected.min(applications);
    if shorter > SHORTER_MAX {
        return Err(StatsError::TooMany { what: "applications and judges", count: shorter, max: SHORTER_MAX });
    }
    Ok(checked)
}

fn sorted(applications: usize, judges: usize, scores: &[Score], options: &Options) -> Result<Vec<Score>, StatsError> {
    let Options { lowest, highest, .. } = *options;
    if !(lowest.is_finite() && highest.is_finite() && lowest < highest && (highest - lowest).is_finite()) {
        return Err(StatsError::Scale { lowest, highest });
    }
    if scores.is_empty() {
        return Err(StatsError::Empty { what: "scores" });
    }
    for (at, score) in scores.iter().enumerate() {
        for (what, index, count) in [("application", score.application, applications), ("judge", score.judge, judges)] {
            if index >= count {
                return Err(StatsError::Unknown { what, at, index, count });
            }
        }
        if !score.value.is_finite() {
            return Err(StatsError::NotFinite { what: "score", at });
        }
        if score.value < lowest || score.value > highest {
            return Err(StatsError::OutOfRange { what: "score", at, value: score.value, lowest, highest });
        }
    }
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by_key(|score| (score.application, score.judge));
    match sorted.array_windows().find(|[a, b]| (a.application, a.judge) == (b.application, b.judge)) {
        Some([twice, _]) => Err(StatsError::Twice { application: twice.application, judge: twice.judge }),
        None => Ok(sorted),
    }
}

impl Checked {
    fn count(&mut self, scores: &[Score]) {
        let mut sums = (vec![0.0; self.applications.len()], vec![0.0; self.judges.len()]);
        for score in scores {
            self.applications[score.application].scores += 1;
            self.judges[score.judge].scores += 1;
            sums.0[score.application] += score.value;
            sums.1[score.judge] += score.value;
        }
        for (application, sum) in self.applications.iter_mut().zip(sums.0) {
            application.raw_mean = (application.scores > 0).then(|| sum / application.scores as f64);
        }
        for (judge, sum) in self.judges.iter_mut().zip(sums.1) {
            judge.raw_mean = (judge.scores > 0).then(|| sum / judge.scores as f64);
        }
    }

    fn sort_judges(&mut self, scores: &[Score], options: &Options) {
        let mut ends = vec![(f64::INFINITY, f64::NEG_INFINITY); self.judges.len()];
        for score in scores {
            let (low, high) = &mut ends[score.judge];
            (*low, *high) = (low.min(score.value), high.max(score.value));
        }
        let alone = self.judges.iter().filter(|judge| judge.scores > 0).count() == 1;
        for (judge, (low, high)) in self.judges.iter_mut().zip(ends) {
            judge.standing = match judge.scores {
                0 => Standing::Silent,
                _ if alone => Standing::Alone,
                count if count >= FLAT_MIN && low == high => Standing::Flat,
                count if count < options.scores_min => Standing::TooFew,
                _ => Standing::Corrected,
            };
        }
        for (judge, column) in self.judges.iter().zip(&mut self.columns) {
            if judge.standing == Standing::Corrected {
                *column = Some(self.corrected);
                self.corrected += 1;
            }
        }
    }

    /// Applications are in one group if a chain of judges who told applications apart connects them; groups are numbered by their first application.
    fn group(&mut self, scores: &[Score]) {
        let applications = self.applications.len();
        let mut parents: Vec<usize> = (0..applications + self.judges.len()).collect();
        for score in scores.iter().filter(|score| self.judges[score.judge].standing != Standing::Flat) {
            let (a, b) = (root(&mut parents, score.application), root(&mut parents, applications + score.judge));
            parents[a.max(b)] = a.min(b);
        }
        let mut numbers = vec![None; applications];
        for at in 0..applications {
            if self.applications[at].scores > 0 {
                // The smaller index wins above, so that the root of an application is always an application.
                let number = *numbers[root(&mut parents, at)].get_or_insert_with(|| {
                    self.groups += 1;
                    self.groups - 1
                });
                self.applications[at].group = Some(number);
            }
        }
    }

    fn rows(&mut self, scores: &[Score]) {
        let used: Vec<&Score> = scores.iter().filter(|score| self.judges[score.judge].standing != Standing::Flat).collect();
        if used.is_empty() {
            self.centre = scores.iter().map(|score| score.value).sum::<f64>() / scores.len() as f64;
            return;
        }
        let count = used.len() as f64;
        let centre = used.iter().map(|score| score.value).sum::<f64>() / count;
        let variance = used.iter().map(|score| (score.value - centre).powi(2)).sum::<f64>() / count;
        self.centre = centre;
        let first = used[0].value;
        if used.iter().all(|score| score.value == first) {
            self.centre = first;
            return;
        }
        self.unit = variance.sqrt();
        let row = |score: &&Score| Row { application: score.application, column: self.columns[score.judge], value: (score.value - centre) / self.unit };
        self.rows = used.iter().map(row).collect();
    }
}

/// Representative of a set, with the path to it halved on the way.
fn root(parents: &mut [usize], mut at: usize) -> usize {
    while parents[at] != at {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
}
