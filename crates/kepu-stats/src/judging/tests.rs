//! Refusals, and what becomes of judges and rounds that nothing can be said about. Figures are compared in `tests/golden.rs`.

use super::*;

fn score(application: usize, judge: usize, value: f64) -> Score {
    Score { application, judge, value }
}

/// Every judge scores every application: `value(application, judge)`.
fn full(applications: usize, judges: usize, value: impl Fn(usize, usize) -> f64) -> Vec<Score> {
    (0..applications).flat_map(|a| (0..judges).map(move |j| (a, j))).map(|(a, j)| score(a, j, value(a, j))).collect()
}

fn common() -> Options {
    Options { spread: Spread::Common, ..Options::default() }
}

fn run(applications: usize, judges: usize, scores: &[Score]) -> Normalised {
    let found = normalise(applications, judges, scores, &common()).expect("well formed");
    assert!(found.converged);
    found
}

fn adjusted(found: &Normalised) -> Vec<f64> {
    found.applications.iter().map(|application| application.adjusted.expect("scored")).collect()
}

#[test]
fn bad_scores_are_refused_with_their_place() {
    let refused = |scores: &[Score]| normalise(2, 2, scores, &Options::default()).expect_err("refused");
    assert_eq!(refused(&[]), StatsError::Empty { what: "scores" });
    assert_eq!(refused(&[score(0, 0, 1.0), score(2, 0, 1.0)]), StatsError::Unknown { what: "application", at: 1, index: 2, count: 2 });
    assert_eq!(refused(&[score(0, 7, 1.0)]), StatsError::Unknown { what: "judge", at: 0, index: 7, count: 2 });
    assert_eq!(refused(&[score(0, 0, f64::NAN)]), StatsError::NotFinite { what: "score", at: 0 });
    assert_eq!(refused(&[score(0, 0, 100.5)]), StatsError::OutOfRange { what: "score", at: 0, value: 100.5, lowest: 0.0, highest: 100.0 });
    assert_eq!(refused(&[score(1, 0, 3.0), score(0, 1, 2.0), score(1, 0, 3.0)]), StatsError::Twice { application: 1, judge: 0 });
}

#[test]
fn an_impossible_scale_is_refused() {
    for (lowest, highest) in [(1.0, 1.0), (5.0, 1.0), (f64::NAN, 1.0), (f64::NEG_INFINITY, 1.0), (-f64::MAX, f64::MAX)] {
        let refused = normalise(1, 1, &[score(0, 0, 1.0)], &Options { lowest, highest, ..Options::default() });
        assert!(matches!(refused, Err(StatsError::Scale { .. })), "{lowest} to {highest}");
    }
}

#[test]
fn more_than_two_thousand_on_both_sides_are_refused() {
    let scores: Vec<Score> = (0..2_001).flat_map(|at| [score(at, at, 1.0), score(at, (at + 1) % 2_001, 2.0)]).collect();
    let refused = normalise(2_001, 2_001, &scores, &Options { scores_min: 1, ..Options::default() });
    assert_eq!(refused, Err(StatsError::TooMany { what: "applications and judges", count: 2_001, max: 2_000 }));
}

#[test]
fn a_harsh_judge_is_found_and_corrected() {
    // Eight applications of rising quality; the harsh judge sees the better half only.
    let mut scores = full(8, 3, |a, j| 50.0 + 4.0 * a as f64 + [0.0, 1.0, -1.0][j] * (a % 2) as f64);
    scores.extend((3..8).map(|a| score(a, 3, 20.0 + 4.0 * a as f64)));
    let found = run(8, 4, &scores);
    assert!(found.judges[3].harshness > 15.0 && found.judges[0].harshness < 0.0);
    assert!(adjusted(&found).is_sorted(), "{:?}", adjusted(&found));
    let raw: Vec<f64> = found.applications.iter().map(|application| application.raw_mean.expect("scored")).collect();
    assert!(!raw.is_sorted());
}

#[test]
fn a_judge_with_too_few_scores_counts_as_given() {
    let mut scores = full(8, 3, |a, _| 50.0 + 4.0 * a as f64);
    scores.extend((0..4).map(|a| score(a, 3, 10.0)));
    let judge = run(8, 4, &scores).judges[3];
    assert_eq!((judge.standing, judge.harshness, judge.spread, judge.scores), (Standing::TooFew, 0.0, 1.0, 4));
    assert_eq!(judge.raw_mean, Some(10.0));
}

#[test]
fn the_only_judge_is_not_corrected_and_nothing_is_drawn_to_the_mean() {
    let scores: Vec<Score> = (0..6).map(|a| score(a, 0, 10.0 * a as f64)).collect();
    let found = normalise(6, 1, &scores, &Options::default()).expect("well formed");
    assert_eq!(found.judges[0].standing, Standing::Alone);
    for (at, application) in found.applications.iter().enumerate() {
        assert!((application.adjusted.expect("scored") - 10.0 * at as f64).abs() < 1e-9);
        assert_eq!(application.std_error, None);
    }
}

#[test]
fn scores_that_are_all_the_same_stay_as_they_are() {
    for spread in [Spread::Common, Spread::PerJudge] {
        for (applications, judges) in [(3, 2), (12, 3), (1, 1), (1, 4)] {
            let options = Options { spread, ..Options::default() };
            let found = normalise(applications, judges, &full(applications, judges, |_, _| 77.1), &options).expect("well formed");
            assert!(found.converged && adjusted(&found).iter().all(|adjusted| (adjusted - 77.1).abs() < 1e-9));
        }
    }
}

#[test]
fn ten_equal_scores_say_nothing_and_are_left_out() {
    let truth = |a: usize| 40.0 + 3.0 * a as f64;
    let mut scores = full(12, 2, |a, j| truth(a) + if (a + j).is_multiple_of(2) { 1.0 } else { -1.0 });
    let without = adjusted(&run(12, 2, &scores));
    scores.extend((0..10).map(|a| score(a, 2, 0.0)));
    let found = run(12, 3, &scores);
    assert_eq!(found.judges[2].standing, Standing::Flat);
    assert_eq!(adjusted(&found), without);
}

#[test]
fn an_application_seen_only_by_a_flat_judge_stands_in_the_middle_and_apart() {
    let mut scores = full(12, 2, |a, j| 40.0 + 3.0 * a as f64 + (a * 7 + j * 5) as f64 % 4.0);
    scores.extend((3..13).map(|a| score(a, 2, 90.0)));
    let found = run(13, 3, &scores);
    assert!((adjusted(&found)[12] - found.mean).abs() < 1e-9);
    assert_eq!((found.groups, found.applications[12].group), (2, Some(1)));
    assert!(found.applications[12].std_error > found.applications[0].std_error);
}

#[test]
fn groups_without_a_shared_judge_are_counted() {
    let mut scores = full(4, 2, |a, j| 50.0 + a as f64 + j as f64);
    scores.extend(full(4, 2, |a, j| 30.0 + a as f64 + j as f64).iter().map(|s| score(s.application + 5, s.judge + 2, s.value)));
    let found = run(9, 4, &scores);
    assert_eq!(found.groups, 2);
    let groups: Vec<Option<usize>> = found.applications.iter().map(|application| application.group).collect();
    assert_eq!(groups, [Some(0), Some(0), Some(0), Some(0), None, Some(1), Some(1), Some(1), Some(1)]);
    assert_eq!(found.applications[4].adjusted, None);
}

#[test]
fn a_judge_who_stretches_the_scale_is_brought_back() {
    let noise = |a: usize, j: usize| ((a * 31 + j * 17) % 11) as f64 - 5.0;
    let scores = full(30, 4, |a, j| 50.0 + if j == 3 { 2.0 } else { 0.8 } * (a as f64 - 14.5 + noise(a, j)));
    let found = normalise(30, 4, &scores, &Options::default()).expect("well formed");
    assert!(found.converged);
    assert!(found.judges[3].spread > 1.5 && found.judges[0].spread < 1.0);
    let shown = found.judges[3].corrected(90.0, found.mean);
    assert!(shown > 60.0 && shown < 80.0, "{shown}");
}

#[test]
fn perfect_agreement_converges() {
    for spread in [Spread::Common, Spread::PerJudge] {
        let scores = full(20, 3, |a, j| 30.0 + 2.0 * a as f64 + 3.0 * j as f64);
        let found = normalise(20, 3, &scores, &Options { spread, ..Options::default() }).expect("well formed");
        assert!(found.converged, "{spread:?} after {}", found.iterations);
        let steps: Vec<f64> = adjusted(&found).array_windows().map(|[a, b]| b - a).collect();
        assert!(steps.iter().all(|step| (step - 2.0).abs() < 1e-3), "{spread:?} {steps:?}");
    }
}
