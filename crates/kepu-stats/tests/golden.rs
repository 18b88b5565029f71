//! Figures of trusted packages, computed again. What made them, and how exact they are, stands in `golden/README`.

use kepu_stats::judging::{Normalised, Options, Score, Spread, normalise};
use kepu_stats::rank::kendall;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Rows of a golden file by column name.
fn read(name: &str) -> Vec<BTreeMap<String, String>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let mut reader = csv::Reader::from_path(&path).expect("golden files are in the repository");
    reader.deserialize().map(|row| row.expect("golden files are well formed")).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().expect("a number")
}

fn index(row: &BTreeMap<String, String>, column: &str) -> usize {
    row[column].parse().expect("an index")
}

fn scores(rows: &[BTreeMap<String, String>]) -> Vec<Score> {
    let score = |row| Score { application: index(row, "application"), judge: index(row, "judge"), value: number(row, "value") };
    rows.iter().map(score).collect()
}

fn run(scores: &[Score], spread: Spread) -> Normalised {
    let applications = scores.iter().map(|score| score.application + 1).max().expect("scores");
    let judges = scores.iter().map(|score| score.judge + 1).max().expect("scores");
    let found = normalise(applications, judges, scores, &Options { scores_min: 1, spread, ..Options::default() }).expect("golden rounds are well formed");
    assert!(found.converged, "after {} rounds", found.iterations);
    found
}

#[track_caller]
fn near(what: &str, ours: f64, theirs: f64, tolerance: f64) {
    assert!((ours - theirs).abs() <= tolerance, "{what}: {ours} against {theirs}");
}

#[test]
fn a_common_spread_equals_lme4() {
    let all = read("judging_scores.csv");
    for variances in read("judging_variances.csv") {
        let case = &variances["case"];
        let rows: Vec<_> = all.iter().filter(|row| row["case"] == *case).cloned().collect();
        let found = run(&scores(&rows), Spread::Common);
        near(case, found.mean, number(&variances, "mean"), 1e-4);
        for (part, ours) in [("application", found.variances.application), ("judge", found.variances.judge), ("residual", found.variances.residual)] {
            let theirs = number(&variances, part);
            near(&format!("{case}, variance of {part}"), ours, theirs, 1e-4 * theirs.max(1.0));
        }
        for row in read("judging_effects.csv").iter().filter(|row| row["case"] == *case) {
            let (at, effect) = (index(row, "index"), number(row, "effect"));
            if row["side"] == "judge" {
                near(&format!("{case}, judge {at}"), -found.judges[at].harshness, effect, 1e-4);
            } else {
                let application = &found.applications[at];
                near(&format!("{case}, application {at}"), application.adjusted.expect("scored") - found.mean, effect, 1e-4);
                near(&format!("{case}, error of {at}"), application.std_error.expect("scored twice"), number(row, "std_error"), 1e-4);
            }
        }
        assert_eq!(found.groups, if case == "groups" { 3 } else { 1 });
    }
}

#[test]
fn own_spreads_equal_the_likelihood_maximised_directly() {
    let found = run(&scores(&read("spread_scores.csv")), Spread::PerJudge);
    for row in read("spread_results.csv") {
        let (what, at, theirs) = (row["what"].as_str(), index(&row, "index"), number(&row, "value"));
        let ours = match what {
            "mean" => found.mean,
            "application" => found.variances.application,
            "judge" => found.variances.judge,
            "residual" => found.variances.residual,
            "adjusted" => found.applications[at].adjusted.expect("scored"),
            "harshness" => found.judges[at].harshness,
            "spread" => found.judges[at].spread,
            other => panic!("{other} is not a figure"),
        };
        near(&format!("{what} {at}"), ours, theirs, 1e-3 * theirs.abs().max(1.0));
    }
}

#[test]
fn tau_b_equals_scipy() {
    for row in read("kendall.csv") {
        let list = |column: &str| row[column].split(' ').map(|value| value.parse().expect("a number")).collect::<Vec<f64>>();
        near("tau-b", kendall(&list("x"), &list("y")).expect("two orders").tau_b(), number(&row, "tau_b"), 1e-12);
    }
}
