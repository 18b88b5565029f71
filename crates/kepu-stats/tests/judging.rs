//! What must hold for all rounds, and what adjusting is for: rounds with a planted truth.

mod planted;

use kepu_stats::judging::{Application, Normalised, Options, Score, Spread, Standing, normalise};
use kepu_stats::rank::kendall;
use planted::{Dice, Plan, Round, draw};
use proptest::prelude::*;

fn run(plan: &Plan, scores: &[Score], options: &Options) -> Normalised {
    normalise(plan.applications, plan.judges, scores, options).expect("a drawn round is well formed")
}

fn adjusted(found: &Normalised) -> Vec<f64> {
    found.applications.iter().map(|application| application.adjusted.expect("scored")).collect()
}

fn raw(found: &Normalised) -> Vec<f64> {
    found.applications.iter().map(|application| application.raw_mean.expect("scored")).collect()
}

fn tau(a: &[f64], b: &[f64]) -> f64 {
    kendall(a, b).expect("two orders").tau_b()
}

/// 60 applications, 10 judges, 4 scores each.
const SMALL: Plan = Plan { applications: 60, judges: 10, each: 4, ..Plan::NATIONAL };

fn spreads() -> impl Strategy<Value = Spread> {
    prop_oneof![Just(Spread::Common), Just(Spread::PerJudge)]
}

#[test]
fn adjusted_scores_find_the_planted_order_better_than_raw_means() {
    for seed in [101, 102, 103] {
        let Round { quality, harshness, spread, scores } = draw(&Plan::NATIONAL, seed);
        let found = run(&Plan::NATIONAL, &scores, &Options::default());
        assert!(found.converged && found.groups == 1);
        let (before, after) = (tau(&quality, &raw(&found)), tau(&quality, &adjusted(&found)));
        assert!(after > before + 0.08, "seed {seed}: {before} to {after}");
        let judged: Vec<f64> = found.judges.iter().map(|judge| judge.harshness).collect();
        let spreads: Vec<f64> = found.judges.iter().map(|judge| judge.spread).collect();
        assert!(tau(&harshness, &judged) > 0.85 && tau(&spread, &spreads) > 0.75, "{} {}", tau(&harshness, &judged), tau(&spread, &spreads));
    }
}

#[test]
fn two_thirds_of_true_qualities_lie_within_one_standard_error() {
    let round = draw(&Plan { spread: (1.0, 1.0), ..Plan::NATIONAL }, 7);
    let found = run(&Plan::NATIONAL, &round.scores, &Options { spread: Spread::Common, ..Options::default() });
    let level = found.mean - adjusted(&found).iter().zip(&round.quality).map(|(a, q)| a - q).sum::<f64>() / 5_000.0;
    let inside = found.applications.iter().zip(&round.quality).filter(|(application, quality)| {
        let distance = application.adjusted.expect("scored") - (found.mean - level) - *quality;
        distance.abs() < application.std_error.expect("scored five times")
    });
    let share = inside.count() as f64 / 5_000.0;
    assert!((0.65..0.72).contains(&share), "{share}");
}

#[test]
fn a_judge_who_scores_backwards_at_the_bottom_does_little_harm() {
    let plan = Plan { applications: 400, judges: 20, ..Plan::NATIONAL };
    let mut round = draw(&plan, 11);
    let quality = &round.quality;
    round.scores.iter_mut().filter(|score| score.judge == 4).for_each(|score| score.value = if quality[score.application] > 0.0 { 0.0 } else { 1.0 });
    let found = run(&plan, &round.scores, &Options::default());
    assert!(found.converged && found.judges[4].harshness > 40.0);
    assert!(tau(&round.quality, &adjusted(&found)) > tau(&round.quality, &raw(&found)) + 0.2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn points_added_to_one_judge_change_hardly_any_place(seed: u64, judge in 0usize..10, shift in 0.0f64..20.0, spread in spreads()) {
        // Marks around 62 with room for the shift, so that nothing is cut off.
        let round = draw(&Plan { quality_sd: 5.0, harshness_sd: 3.0, error_sd: 3.0, ..SMALL }, seed);
        let options = Options { lowest: -100.0, highest: 200.0, spread, ..Options::default() };
        let before = run(&SMALL, &round.scores, &options);
        let mut shifted = round.scores.clone();
        shifted.iter_mut().filter(|score| score.judge == judge).for_each(|score| score.value += shift);
        let after = run(&SMALL, &shifted, &options);
        let agree = tau(&adjusted(&before), &adjusted(&after));
        prop_assert!(agree > 0.94, "tau {agree}");
        prop_assert!(agree >= tau(&raw(&before), &raw(&after)) - 0.02);
        prop_assert!((before.judges[judge].harshness - after.judges[judge].harshness) > 0.5 * shift - 1.0);
    }

    #[test]
    fn another_scale_gives_the_same_results_on_that_scale(seed: u64, factor in 0.01f64..50.0, shift in -100.0f64..100.0, spread in spreads()) {
        let round = draw(&SMALL, seed);
        let before = run(&SMALL, &round.scores, &Options { spread, ..Options::default() });
        let scaled: Vec<Score> = round.scores.iter().map(|score| Score { value: score.value * factor + shift, ..*score }).collect();
        let (lowest, highest) = (shift - factor, 101.0 * factor + shift);
        let after = run(&SMALL, &scaled, &Options { lowest, highest, spread, ..Options::default() });
        for (before, after) in before.applications.iter().zip(&after.applications) {
            let error = |application: &Application| application.std_error.expect("scored four times");
            prop_assert!((before.adjusted.expect("scored") * factor + shift - after.adjusted.expect("scored")).abs() < 1e-6 * factor);
            prop_assert!((error(before) * factor - error(after)).abs() < 1e-5 * factor);
        }
        for (before, after) in before.judges.iter().zip(&after.judges) {
            prop_assert!((before.harshness * factor - after.harshness).abs() < 1e-6 * factor && (before.spread - after.spread).abs() < 1e-6);
        }
    }

    #[test]
    fn the_order_in_which_scores_come_changes_nothing(seed: u64, spread in spreads()) {
        let round = draw(&SMALL, seed);
        let options = Options { spread, ..Options::default() };
        let mut shuffled = round.scores.clone();
        Dice(seed).shuffle(&mut shuffled);
        prop_assert_eq!(run(&SMALL, &round.scores, &options), run(&SMALL, &shuffled, &options));
    }

    #[test]
    fn renumbering_applications_and_judges_renumbers_the_results(seed: u64, spread in spreads()) {
        let round = draw(&SMALL, seed);
        let options = Options { spread, ..Options::default() };
        let (mut applications, mut judges): (Vec<usize>, Vec<usize>) = ((0..60).collect(), (0..10).collect());
        Dice(seed).shuffle(&mut applications);
        Dice(seed ^ 1).shuffle(&mut judges);
        let renumbered: Vec<Score> =
            round.scores.iter().map(|s| Score { application: applications[s.application], judge: judges[s.judge], ..*s }).collect();
        let (before, after) = (run(&SMALL, &round.scores, &options), run(&SMALL, &renumbered, &options));
        let (adjusted_before, adjusted_after) = (adjusted(&before), adjusted(&after));
        for (at, to) in applications.iter().enumerate() {
            prop_assert!((adjusted_before[at] - adjusted_after[*to]).abs() < 1e-6);
        }
        for (at, to) in judges.iter().enumerate() {
            prop_assert!((before.judges[at].harshness - after.judges[*to].harshness).abs() < 1e-6);
        }
    }

    /// Any round at all: few or many, on a coarse scale with many ties, with judges and applications without scores, in pieces.
    #[test]
    fn every_round_gives_finite_figures(
        cells in prop::collection::btree_map((0usize..9, 0usize..7), 0u8..4, 1..50),
        scores_min in 0usize..8,
        spread in spreads(),
    ) {
        let scores: Vec<Score> = cells.iter().map(|((application, judge), value)| Score { application: *application, judge: *judge, value: f64::from(*value) }).collect();
        let found = normalise(9, 7, &scores, &Options { lowest: 0.0, highest: 3.0, scores_min, spread }).expect("well formed");
        prop_assert!(found.mean.is_finite() && (-3.0..6.0).contains(&found.mean));
        for application in &found.applications {
            prop_assert_eq!(application.adjusted.is_some(), application.scores > 0);
            prop_assert_eq!(application.group.is_some(), application.scores > 0);
            prop_assert!(application.adjusted.is_none_or(|value| value.is_finite() && (-6.0..9.0).contains(&value)), "{application:?}");
            prop_assert!(application.std_error.is_none_or(|value| value.is_finite() && value >= 0.0));
        }
        for judge in &found.judges {
            prop_assert!(judge.harshness.is_finite() && judge.spread.is_finite() && judge.spread > 0.0);
            prop_assert!(judge.standing == Standing::Corrected || (judge.harshness == 0.0 && judge.spread == 1.0));
        }
    }
}
