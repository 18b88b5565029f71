//! The sizes of the issues: reviews for a whole queue, judges for a round.

#[path = "../tests/drawn/mod.rs"]
mod drawn;

use drawn::{Plan, draw};
use kepu_plan::assign::{Options, Overlap, Problem, assign};

fn main() {
    println!("{:<52} {:>9} {:>8} {:>7} {:>6} {:>7} {:>7} {:>6} {:>6}", "problem", "pairs", "unfilled", "groups", "cpu ms", "optimal", "gap", "loads", "jain");
    let plan = Plan::REVIEWS;
    let plain = Options::default();
    line("reviews: 10,000 x 1,000 x 3, people of the field", &plan, &plain);
    line("the same, load does not count", &plan, &Options { fairness: 0.0, ..plain.clone() });
    line("the same, fit told in three steps", &Plan { steps: 2, ..plan.clone() }, &plain);
    line("the same, ceilings exactly used up", &Plan { ceiling: 30, ..plan.clone() }, &plain);
    line("the same, a tenth of the places too many", &Plan { ceiling: 27, ..plan.clone() }, &plain);
    line("the same, anybody can, most of them badly", &Plan { unlisted: Some(0.1), ..plan.clone() }, &plain);
    line("the same, and ceilings used up", &Plan { unlisted: Some(0.1), ceiling: 30, ..plan.clone() }, &plain);
    line("all 10,000,000 pairs listed", &Plan { fields: 1, breadth: 1, ..plan.clone() }, &plain);
    line("the same, ceilings exactly used up", &Plan { fields: 1, breadth: 1, ceiling: 30, conflicts: 3, ..plan.clone() }, &plain);
    line("50,000 x 5,000 x 3, people of the field", &Plan { tasks: 50_000, people: 5_000, fields: 150, ..plan.clone() }, &plain);
    let mixed = Options { overlap: Overlap::Prefer, ..plain.clone() };
    line("round: 5,000 x 200 x 5, all equally fit", &Plan::ROUND, &plain);
    line("the same, company mixed", &Plan::ROUND, &mixed);
    line("the same, eight fields that share nobody, mixed", &Plan { fields: 8, breadth: 1, ..Plan::ROUND }, &mixed);
    line("the same, other fields impossible", &Plan { fields: 8, breadth: 1, unlisted: None, ceiling: 300, ..Plan::ROUND }, &mixed);
    println!();
    divan::main();
}

fn line(name: &str, plan: &Plan, options: &Options) {
    let problem = draw(plan, 1);
    let start = cpu_ms();
    let found = assign(&problem, options).expect("well formed");
    let took = cpu_ms() - start;
    let loads = format!("{}-{}", found.balance.load_min, found.balance.load_max);
    println!(
        "{name:<52} {:>9} {:>8} {:>7} {took:>6.0} {:>7} {:>7.4} {loads:>7} {:>6.3}",
        problem.pairs.len(),
        found.unfilled,
        found.groups,
        found.optimal,
        found.cost - found.bound,
        found.balance.jain
    );
}

/// Time of this thread on a processor, from Linux: the wall says little on a shared machine. 0 elsewhere.
fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or_default() / 1e6
}

/// 10,000 tasks, 1,000 people, three each, about a hundred possible people a task, 5 conflicts each.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn reviews(bencher: divan::Bencher) {
    run(bencher, &Plan::REVIEWS, &Options::default());
}

/// 5,000 applications, 200 judges, five each, company mixed.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn round(bencher: divan::Bencher) {
    run(bencher, &Plan::ROUND, &Options { overlap: Overlap::Prefer, ..Options::default() });
}

fn run(bencher: divan::Bencher, plan: &Plan, options: &Options) {
    let problem: Problem = draw(plan, 1);
    bencher.bench_local(|| assign(&problem, options));
}
