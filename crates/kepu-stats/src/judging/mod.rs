//! Scores made comparable across harsh and mild judges. Ranks and tie rules are in [`crate::rank`]; who judges what is decided in `kepu-plan`.
//!
//! **Model.** Judge *j* gives application *i* the score
//!
//! ```text
//! y = mean - harshness_j + spread_j · (quality_i + error_ij)
//! ```
//!
//! with quality, harshness and error drawn from normal distributions around 0. Their three variances are estimated by REML and the qualities and severities
//! by best linear unbiased prediction (BLUP): what is known from few scores is drawn towards the mean, the more the fewer. A spread above 1 stretches
//! the scale, one below 1 huddles in the middle.
//!
//! **What it assumes.** That who got which application has nothing to do with how good it is. Only then a judge with low scores is harsh and not unlucky;
//! assign by fit, load and conflict, never by expected quality. A judge whose marks have nothing to do with quality is not found out here: everybody's word
//! weighs the same, on a common scale.
//!
//! **Method.** The variances by the fixed point of Schall, *Estimation in generalized linear models with random effects* (Biometrika 1991), which is the REML
//! solution of Harville (1977); spreads by EM inside the same loop; the mixed model equations of Henderson (1975) with the longer side eliminated, in the form
//! of Bates et al., *Fitting linear mixed-effects models using lme4* (2015), that holds when a variance is 0. Equals R `lme4::lmer` in `tests/golden/`.

mod check;
mod equations;
mod fit;

use crate::StatsError;
use check::Checked;

/// One score that a judge gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Index of the application.
    pub application: usize,
    /// Index of the judge.
    pub judge: usize,
    /// On the scale of the round.
    pub value: f64,
}

/// How scores are made comparable.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Lower end of the scale on which judges score.
    pub lowest: f64,
    /// Upper end of that scale.
    pub highest: f64,
    /// A judge with fewer scores than this is not corrected: the scores count as they are.
    pub scores_min: usize,
    /// Whether judges may use the scale differently.
    pub spread: Spread,
}

impl Default for Options {
    /// 0 to 100, corrected from five scores on, each judge with an own spread.
    fn default() -> Self {
        Self { lowest: 0.0, highest: 100.0, scores_min: 5, spread: Spread::PerJudge }
    }
}

/// How far apart a judge sets good and poor applications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// The same for all judges.
    Common,
    /// Each judge an own one, believed as if ten further scores at the common spread stood beside the judge's own.
    PerJudge,
}

/// All results, on the scale of the round.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalised {
    /// What an application of average quality gets from a judge of average harshness.
    pub mean: f64,
    /// By index.
    pub applications: Vec<Application>,
    /// By index.
    pub judges: Vec<Judge>,
    /// Where differences between scores come from.
    pub variances: Variances,
    /// Sets of applications that no chain of shared judges connects. With more than one, applications of different groups are comparable only if the
    /// groups' judges and applications can be taken as equally good on average: say so beside the list, or rank each group by itself.
    pub groups: usize,
    /// Rounds of estimation.
    pub iterations: usize,
    /// Whether the last round changed nothing that matters. If not, the figures are the best so far and no basis for a decision.
    pub converged: bool,
}

/// What is known of an application.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Application {
    /// How many judges scored it.
    pub scores: usize,
    /// Plain mean of its scores; `None` without any.
    pub raw_mean: Option<f64>,
    /// What judges of average harshness and spread would be expected to give. It can pass an end of the scale by a little: rank by it as it is, show it
    /// within the scale. `None` without scores.
    pub adjusted: Option<f64>,
    /// Of `adjusted`, as a prediction of the true quality, on the assumption that the variances are known. `None` without scores, and where no application
    /// has two, as luck and quality cannot be told apart then.
    pub std_error: Option<f64>,
    /// Which connected set it belongs to, from 0. `None` without scores.
    pub group: Option<usize>,
}

/// What is known of a judge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judge {
    /// How many applications this judge scored.
    pub scores: usize,
    /// Plain mean of the scores given; `None` without any.
    pub raw_mean: Option<f64>,
    /// Points that this judge gives less than an average one for the same average application; below 0 for a mild judge. 0 if not corrected.
    pub harshness: f64,
    /// How far this judge's scores stand apart, 1 for the common spread. 1 if not corrected.
    pub spread: f64,
    /// Whether the scores were corrected, and why not.
    pub standing: Standing,
}

impl Judge {
    /// What one score of this judge counts as on the common scale around `mean`, for showing the steps; it is not drawn towards the mean.
    pub fn corrected(&self, value: f64, mean: f64) -> f64 {
        mean + (value - mean + self.harshness) / self.spread
    }
}

/// Whether a judge's scores were corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Corrected for harshness and, if asked for, spread.
    Corrected,
    /// Fewer scores than [`Options::scores_min`]: counted as they are.
    TooFew,
    /// The only judge: there is nobody to compare with, counted as they are.
    Alone,
    /// Ten scores or more and all the same: they say nothing about which application is better and are left out of the adjusted scores.
    Flat,
    /// No scores.
    Silent,
}

/// Variances of the three parts of a score, in points squared, at spread 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variances {
    /// Of quality between applications. Where no application has two scores it cannot be told from `residual` and stands as 0.
    pub application: f64,
    /// Of harshness between judges.
    pub judge: f64,
    /// Of what is left: a judge's own view of an application.
    pub residual: f64,
}

/// Makes scores comparable.
///
/// - `applications`, `judges`: how many there are; some may have no scores.
/// - `scores`: in any order, each pair at most once, values within the scale. Missing scores are simply not listed.
/// - Time grows with the scores plus the cube of the smaller side: 5,000 applications and 200 judges take well under a second.
/// - Fails with [`StatsError::Scale`], [`StatsError::Empty`] without any score, [`StatsError::Unknown`], [`StatsError::NotFinite`],
///   [`StatsError::OutOfRange`], [`StatsError::Twice`], and [`StatsError::TooMany`] if there are more than 2,000 applications and more than 2,000 judges to correct.
///
/// ```
/// use kepu_stats::judging::{Options, Score, normalise};
///
/// // Judge 1 gives ten points less than judge 0 throughout; application 2 was seen only by judge 1.
/// let scores = [(0, 0, 80.0), (1, 0, 70.0), (3, 0, 60.0), (0, 1, 70.0), (1, 1, 60.0), (3, 1, 50.0), (2, 1, 68.0)];
/// let scores = scores.map(|(application, judge, value)| Score { application, judge, value });
/// let found = normalise(4, 2, &scores, &Options { scores_min: 3, ..Options::default() })?;
/// let adjusted = |at: usize| found.applications[at].adjusted.unwrap();
/// assert!(found.applications[2].raw_mean < found.applications[1].raw_mean.map(|mean| mean + 4.0));
/// assert!(adjusted(2) > adjusted(1) && found.judges[1].harshness > 0.0);
/// # Ok::<(), kepu_stats::StatsError>(())
/// ```
pub fn normalise(applications: usize, judges: usize, scores: &[Score], options: &Options) -> Result<Normalised, StatsError> {
    let checked = check::check(applications, judges, scores, options)?;
    if checked.rows.is_empty() {
        return Ok(without_differences(&checked));
    }
    let fitted = fit::fit(&checked, options.spread);
    let (centre, unit) = (checked.centre, checked.unit);
    let mean = centre + unit * fitted.mean;
    let singles = checked.singles();
    let unshrunk = if singles { fit::corrected_means(&checked, &fitted) } else { Vec::new() };

    let mut found = without_differences(&checked);
    found.mean = mean;
    found.iterations = fitted.iterations;
    found.converged = fitted.converged;
    found.variances = Variances {
        application: fitted.variances.application * unit * unit,
        judge: fitted.variances.judge * unit * unit,
        residual: fitted.variances.residual * unit * unit,
    };
    for (at, application) in found.applications.iter_mut().enumerate().filter(|(_, application)| application.scores > 0) {
        let effect = if singles { unshrunk[at] } else { fitted.qualities[at] };
        application.adjusted = Some(mean + unit * effect);
        application.std_error = (!singles).then(|| unit * fitted.std_errors[at]);
    }
    for (judge, column) in found.judges.iter_mut().zip(&checked.columns) {
        if let Some(column) = *column {
            judge.harshness = -unit * fitted.offsets[column];
            judge.spread = fitted.spreads[column];
        }
    }
    Ok(found)
}

/// What can be said before anything is estimated; stands as it is if nobody told two applications apart.
fn without_differences(checked: &Checked) -> Normalised {
    let mut found = Normalised {
        mean: checked.centre,
        applications: checked.applications.clone(),
        judges: checked.judges.clone(),
        variances: Variances { application: 0.0, judge: 0.0, residual: 0.0 },
        groups: checked.groups,
        iterations: 0,
        converged: true,
    };
    for application in found.applications.iter_mut().filter(|application| application.scores > 0) {
        application.adjusted = Some(checked.centre);
    }
    found
}

#[cfg(test)]
mod tests;
