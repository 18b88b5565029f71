//! Learns the models of the claims matcher and measures them on posts that they had not seen:
//!
//! ```text
//! cargo run --release -p kepu-search --features learn --example train_claims -- DATA_DIR [--write crates/kepu-search/src/claims] [--encoder FILE]
//! cargo run --release -p kepu-search --features learn --example train_claims -- DATA_DIR --common crates/kepu-search/src/claims/common.tsv
//! ```
//!
//! The second writes the table of common words, which is built in: run it first, then build anew. With an encoder the second look is learnt too, and its directions are kept
//! beside the encoder's file. The same data gives the same files.

use kepu_search::claims::decide::Forest;
use kepu_search::claims::learn::cross::{Lesson, mixed, usual, usual_late};
use kepu_search::claims::learn::everyday;
use kepu_search::claims::learn::measure::{Outcome, auc, recall_at, recall_at_precision};
use kepu_search::claims::pair::NAMES;
use kepu_search::encoder::{Encoder, Memory};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn main() {
    let mut args = std::env::args().skip(1);
    let data = PathBuf::from(args.next().expect("the folder with the claims data"));
    let (mut write, mut encoder) = (None, None);
    while let (Some(name), Some(value)) = (args.next(), args.next()) {
        match name.as_str() {
            "--common" => return std::fs::write(value, everyday::table(&data)).expect("cannot write the table"),
            "--write" => write = Some(PathBuf::from(value)),
            "--encoder" => encoder = Some(PathBuf::from(value)),
            _ => panic!("{name} is no option"),
        }
    }
    let lesson = Lesson::read(&data, 2);
    println!("{} claims, {} posts", lesson.cases.claims.len(), lesson.cases.posts.len());
    let (order, judge) = usual();
    let learned = lesson.learn(order, judge);
    report("first look", &learned.outcomes);
    report("few claims known", &learned.few);
    calibration(&learned.few, |o| learned.model.honest(o.confidence()));
    importance("order", &learned.orders);
    importance("judge", &learned.judges);
    println!("answer from {:.3}, ask from {:.3}", learned.model.answer, learned.model.ask);
    let keep = |name: &str, text: String| {
        if let Some(folder) = &write {
            std::fs::write(folder.join(name), text).expect("cannot write the model");
        }
    };
    keep("model.txt", learned.model.write());
    if let Some(path) = &encoder {
        let memory = memory(path);
        let (model, [outcomes, few]) = lesson.learn_late(&learned, &memory, usual_late());
        report("with the encoder", &outcomes);
        report("few claims known, with the encoder", &few);
        calibration(&outcomes, Outcome::confidence);
        importance("late", std::slice::from_ref(&model.judge));
        keep("late.txt", model.write());
    }
}

fn memory(path: &Path) -> Memory {
    let encoder = Arc::new(Encoder::open(path).expect("the encoder"));
    Memory::beside(encoder, &path.with_extension("vectors")).expect("the directions known")
}

fn report(name: &str, outcomes: &[Outcome]) {
    println!("{name}");
    let of = |tracks: &[&str]| outcomes.iter().filter(|o| tracks.contains(&o.track)).collect::<Vec<&Outcome>>();
    for track in ["message", "headline", "reworded", "edited"] {
        let these = of(&[track]);
        println!(
            "  {track:<10} {:>5}  R@1 {:.3}  R@5 {:.3}  R@8 {:.3}  R@32 {:.3}",
            these.len(),
            recall_at(&these, 1),
            recall_at(&these, 5),
            recall_at(&these, 8),
            recall_at(&these, 32)
        );
    }
    let few = mixed(outcomes);
    let mix = |tracks: &[&str]| few.iter().copied().filter(|o| tracks.contains(&o.track)).collect::<Vec<&Outcome>>();
    let yes = ["message", "headline", "reworded", "edited"];
    for (name, yes, no) in [
        ("dev", &yes[..2], &["none_zhihu", "none_weibo"][..]),
        ("all: none", &yes, &["none_zhihu", "none_weibo", "none_title"]),
        ("all: hard", &yes, &["trap", "changed"]),
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
    let all: Vec<f32> = few.iter().filter(|o| o.matchable).map(|o| o.confidence()).collect();
    let none: Vec<f32> = few.iter().filter(|o| !o.matchable).map(|o| o.confidence()).collect();
    println!("  AUC of the mix       {:.3}", auc(&all, &none));
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

/// Of the posts of each tenth of confidence, how many have a claim.
fn calibration(outcomes: &[Outcome], sure: impl Fn(&Outcome) -> f32) {
    let few = mixed(outcomes);
    for tenth in 0..10 {
        let these: Vec<&&Outcome> = few.iter().filter(|o| ((sure(o) * 10.0) as usize).min(9) == tenth).collect();
        if !these.is_empty() {
            let share = these.iter().filter(|o| o.matchable).count() as f64 / these.len() as f64;
            println!("  confidence .{tenth}  {:>5} posts  {share:.3} have a claim", these.len());
        }
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
