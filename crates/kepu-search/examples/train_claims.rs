//! Learns the model of the claims matcher and measures it on posts that it had not seen:
//!
//! ```text
//! cargo run --release -p kepu-search --features learn --example train_claims -- DATA_DIR [crates/kepu-search/src/claims/model.txt]
//! ```
//!
//! The same data gives the same file.

use kepu_search::claims::decide::Forest;
use kepu_search::claims::learn::cross::{Lesson, mixed, usual};
use kepu_search::claims::learn::measure::{Outcome, auc, recall_at, recall_at_precision};
use kepu_search::claims::pair::NAMES;
use std::path::PathBuf;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let lesson = Lesson::read(&PathBuf::from(&args[1]), 2);
    println!("{} claims, {} posts", lesson.cases.claims.len(), lesson.cases.posts.len());
    let (order, judge) = usual();
    let learned = lesson.learn(order, judge);
    report(&learned.outcomes);
    importance("order", &learned.orders);
    importance("judge", &learned.judges);
    println!("answer from {:.3}, ask from {:.3}", learned.model.answer, learned.model.ask);
    if let Some(out) = args.get(2) {
        std::fs::write(out, learned.model.write()).expect("cannot write the model");
    }
}

fn report(outcomes: &[Outcome]) {
    let of = |tracks: &[&str]| outcomes.iter().filter(|o| tracks.contains(&o.track)).collect::<Vec<&Outcome>>();
    for track in ["message", "headline", "reworded", "edited"] {
        let these = of(&[track]);
        println!("  {track:<10} {:>5}  R@1 {:.3}  R@5 {:.3}  R@32 {:.3}", these.len(), recall_at(&these, 1), recall_at(&these, 5), recall_at(&these, 32));
    }
    let few = mixed(outcomes);
    let mix = |tracks: &[&str]| few.iter().copied().filter(|o| tracks.contains(&o.track)).collect::<Vec<&Outcome>>();
    let yes = ["message", "headline", "reworded", "edited"];
    for (name, yes, no) in [
        ("dev", &yes[..2], &["none_zhihu", "none_weibo"][..]),
        ("all: none", &yes, &["none_zhihu", "none_weibo", "none_title"]),
        ("all: trap", &yes, &["trap"]),
        ("all: changed", &yes, &["changed"]),
        ("reworded: trap", &yes[2..3], &["trap"]),
        ("edited: changed", &yes[3..], &["changed"]),
    ] {
        let values = |of: &[&Outcome], value: fn(&Outcome) -> f32| of.iter().map(|o| value(o)).collect::<Vec<f32>>();
        let (yes, no) = (mix(yes), mix(no));
        println!("  AUC {name:<16} {:.3}", auc(&values(&yes, Outcome::confidence), &values(&no, Outcome::confidence)));
    }
    let dev = mix(&["message", "headline", "none_zhihu", "none_weibo"]);
    for (name, these) in [("dev", dev), ("all", few.clone())] {
        println!(
            "  {name} ({} of {} have a claim): R@1 {:.3} R@5 {:.3} recall at precision .90 {:.3}, .95 {:.3}",
            these.iter().filter(|o| o.matchable).count(),
            these.len(),
            recall_at(&these, 1),
            recall_at(&these, 5),
            recall_at_precision(&these, 0.9).0,
            recall_at_precision(&these, 0.95).0
        );
    }
}

/// How often each figure is asked.
fn importance(name: &str, forests: &[Forest]) {
    let mut counts = vec![0; NAMES.len()];
    for node in forests.iter().flat_map(|f| &f.trees).flatten().filter(|n| n.left != 0) {
        counts[usize::from(node.feature)] += 1;
    }
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|n| std::cmp::Reverse(counts[*n]));
    println!("  {name}: {}", order.iter().map(|n| format!("{} {}", NAMES[*n], counts[*n])).collect::<Vec<String>>().join(", "));
}
