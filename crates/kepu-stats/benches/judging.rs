//! The round of the issue: 5,000 applications, each read by 5 of 200 judges, with a planted truth. Prints how well the plain means and the adjusted scores
//! agree with that truth over 20 seeds, then the designs in which adjusting helps little, then the time it takes.

#[path = "../tests/planted/mod.rs"]
mod planted;

use kepu_stats::judging::{Normalised, Options, Spread, normalise};
use kepu_stats::rank::kendall;
use planted::{Plan, Round, draw};

fn main() {
    println!("Kendall tau-b with the planted truth, 20 seeds each\n");
    println!("{:<58} {:>7} {:>9} {:>9} {:>9} {:>6}", "round", "raw", "common", "own", "worst", "wins");
    let national = Plan::NATIONAL;
    line("5,000 x 200, 5 each, harshness as large as quality", &national);
    line("the same, all judges with the same spread", &Plan { spread: (1.0, 1.0), ..national.clone() });
    line("the same, judges hardly differ", &Plan { harshness_sd: 1.0, spread: (0.95, 1.05), ..national.clone() });
    line("2 each", &Plan { each: 2, ..national.clone() });
    line("1 each", &Plan { each: 1, ..national.clone() });
    line("40 fields of 5 judges that share nobody", &Plan { fields: 40, ..national.clone() });
    line("the same, and fields differ in quality", &Plan { fields: 40, field_sd: 9.0, ..national.clone() });
    line("small: 60 x 8, 3 each", &Plan { applications: 60, judges: 8, each: 3, ..national.clone() });
    line("tiny: 12 x 3, all read all", &Plan { applications: 12, judges: 3, each: 3, ..national.clone() });
    println!("\nworst: smallest gain of own spreads over raw means; wins: seeds on which they agree better with the truth\n");
    divan::main();
}

fn line(name: &str, plan: &Plan) {
    let (mut raw, mut common, mut own, mut worst, mut wins) = (0.0, 0.0, 0.0, f64::INFINITY, 0);
    for seed in 1..=20 {
        let round = draw(plan, seed);
        let found = run(plan, &round, Spread::PerJudge);
        let means = tau(&round, found.applications.iter().map(|application| application.raw_mean));
        let gain = tau(&round, adjusted(&found)) - means;
        raw += means / 20.0;
        own += (means + gain) / 20.0;
        common += tau(&round, adjusted(&run(plan, &round, Spread::Common))) / 20.0;
        worst = gain.min(worst);
        wins += i32::from(gain > 0.0);
    }
    println!("{name:<58} {raw:>7.4} {common:>9.4} {own:>9.4} {worst:>+9.4} {wins:>3}/20");
}

fn run(plan: &Plan, round: &Round, spread: Spread) -> Normalised {
    let options = Options { spread, ..Options::default() };
    normalise(plan.applications, plan.judges, &round.scores, &options).expect("a drawn round is well formed")
}

fn adjusted(found: &Normalised) -> impl Iterator<Item = Option<f64>> {
    found.applications.iter().map(|application| application.adjusted)
}

fn tau(round: &Round, values: impl Iterator<Item = Option<f64>>) -> f64 {
    let values: Vec<f64> = values.map(|value| value.expect("every application has scores")).collect();
    kendall(&round.quality, &values).expect("two orders").tau_b()
}

/// All of it, from scores to results.
#[divan::bench(args = [Spread::Common, Spread::PerJudge], sample_count = 10, sample_size = 1)]
fn national(bencher: divan::Bencher, spread: Spread) {
    let round = draw(&Plan::NATIONAL, 1);
    bencher.bench_local(|| run(&Plan::NATIONAL, &round, spread));
}

/// Knight's count on the national round.
#[divan::bench]
fn kendall_of_5000(bencher: divan::Bencher) {
    let round = draw(&Plan::NATIONAL, 1);
    let found = run(&Plan::NATIONAL, &round, Spread::Common);
    let values: Vec<f64> = found.applications.iter().filter_map(|application| application.raw_mean).collect();
    bencher.bench_local(|| kendall(&round.quality, &values));
}
