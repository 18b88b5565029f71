//! `kepu bench claims`: how good the matcher is on posts that its model had not seen, beside what others do; how it grows; and topics on made-up days and the real
//! hot list. The data is the shared development half; without it nothing is measured.

use crate::bench::{Figure, quantile};
use crate::measure::{Usage, peak_rss_mb};
use anyhow::ensure;
use kepu_search::claims::learn::cases::{self, Post};
use kepu_search::claims::learn::cross::{Learned, Lesson, mixed, usual, usual_late};
use kepu_search::claims::learn::measure::{Outcome, auc, mrr, recall_at, recall_at_precision};
use kepu_search::claims::learn::peers::{Peer, Shelf};
use kepu_search::claims::{Matcher, Sums};
use kepu_search::encoder::{Memory, Role};
use kepu_search::topics::rehearsal::{self, Plan};
use kepu_search::topics::{Reading, Settings, Stream};
use std::path::Path;
use std::time::Instant;

/// Sizes of the growth table, up to the size asked for.
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
/// Posts that are timed at each size.
const TIMED: usize = 20_000;

/// Runs all of it.
pub fn run(data: &Path, encoder: Option<&Path>, largest: usize) -> anyhow::Result<Vec<Figure>> {
    ensure!(data.join("dev_posts.jsonl.gz").exists(), "no dev_posts.jsonl.gz in {}; name the folder with --data", data.display());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let lesson = Lesson::read(data, threads);
    let (order, judge) = usual();
    let learned = lesson.learn(order, judge);
    let mut out = Vec::new();
    let dev: Vec<&Outcome> = learned.outcomes.iter().filter(|o| ["message", "headline", "none_zhihu", "none_weibo"].contains(&o.track)).collect();
    quality("kepu", &dev, &mut out);
    let whole = mixed(&learned.outcomes);
    quality("kepu, all tracks", &whole, &mut out);
    for track in ["message", "headline", "reworded", "edited"] {
        let these: Vec<&Outcome> = learned.outcomes.iter().filter(|o| o.track == track).collect();
        out.push(Figure::new(format!("kepu, {track}: R@1"), recall_at(&these, 1), ""));
        out.push(Figure::new(format!("kepu, {track}: R@5"), recall_at(&these, 5), ""));
    }
    let yes: Vec<f32> = whole.iter().filter(|o| o.matchable).map(|o| o.confidence()).collect();
    for track in ["trap", "changed"] {
        let no: Vec<f32> = learned.outcomes.iter().filter(|o| o.track == track).map(Outcome::confidence).collect();
        out.push(Figure::new(format!("kepu: AUC against {track}"), auc(&yes, &no), ""));
    }
    let messages = cases::messages(data);
    if let Some(path) = encoder {
        with_encoder(path, &lesson, &learned, &messages, &mut out)?;
    }
    let few: Vec<&Outcome> = mixed(&learned.few);
    quality("kepu, of few claims", &few, &mut out);
    for tenth in 0..10 {
        let honest = |o: &&&Outcome| (learned.model.honest(o.confidence()) * 10.0) as usize == tenth;
        let these: Vec<&&Outcome> = whole.iter().filter(honest).collect();
        if !these.is_empty() {
            let share = these.iter().filter(|o| o.matchable).count() as f64 / these.len() as f64;
            out.push(Figure::new(format!("calibration: confidence .{tenth} to .{tenth}9, {} posts", these.len()), share, "have a claim"));
        }
    }
    scripts(&messages.claims, &messages.posts, &mut out);
    for peer in Peer::ALL {
        let usage = Usage::now();
        let outcomes = peer_outcomes(peer, &messages.claims, &messages.posts);
        let outcomes: Vec<&Outcome> = outcomes.iter().collect();
        quality(peer.name(), &outcomes, &mut out);
        out.push(Figure::new(format!("{}: posts a CPU second", peer.name()), outcomes.len() as f64 / usage.cpu_s().max(0.01), ""));
    }
    for size in SIZES.into_iter().filter(|size| *size <= largest) {
        grow(data, &messages, size, threads, &mut out);
    }
    topics(data, &mut out);
    Ok(out)
}

fn quality(name: &str, outcomes: &[&Outcome], out: &mut Vec<Figure>) {
    let confidence = |matchable: bool| outcomes.iter().filter(|o| o.matchable == matchable).map(|o| o.confidence()).collect::<Vec<f32>>();
    for (metric, value) in [
        ("R@1", recall_at(outcomes, 1)),
        ("R@5", recall_at(outcomes, 5)),
        ("MRR", mrr(outcomes)),
        ("AUC", auc(&confidence(true), &confidence(false))),
        ("recall at precision .90", recall_at_precision(outcomes, 0.9).0),
        ("recall at precision .95", recall_at_precision(outcomes, 0.95).0),
    ] {
        out.push(Figure::new(format!("{name}: {metric}"), value, ""));
    }
}

/// The second look, and the encoder alone over all claims, on the same posts.
fn with_encoder(path: &Path, lesson: &Lesson, learned: &Learned, messages: &cases::Cases, out: &mut Vec<Figure>) -> anyhow::Result<()> {
    let memory = Memory::beside(crate::encoder::open(path)?, &path.with_extension("vectors"))?;
    let (_, [outcomes, few]) = lesson.learn_late(learned, &memory, usual_late());
    let dev: Vec<&Outcome> = outcomes.iter().filter(|o| ["message", "headline", "none_zhihu", "none_weibo"].contains(&o.track)).collect();
    quality("kepu with the encoder", &dev, out);
    let whole = mixed(&outcomes);
    quality("kepu with the encoder, all tracks", &whole, out);
    quality("kepu with the encoder, of few claims", &mixed(&few), out);
    let yes: Vec<f32> = whole.iter().filter(|o| o.matchable).map(|o| o.confidence()).collect();
    for track in ["trap", "changed"] {
        let no: Vec<f32> = outcomes.iter().filter(|o| o.track == track).map(Outcome::confidence).collect();
        out.push(Figure::new(format!("kepu with the encoder: AUC against {track}"), auc(&yes, &no), ""));
    }
    let usage = Usage::now();
    let texts = |texts: Vec<&str>| memory.get(Role::Query, &texts, std::thread::available_parallelism().map_or(1, usize::from));
    let claims = texts(messages.claims.iter().map(|(_, text)| text.as_str()).collect());
    let posts = texts(messages.posts.iter().map(|post| post.text.as_str()).collect());
    let alone: Vec<Outcome> = messages
        .posts
        .iter()
        .zip(&posts)
        .map(|(post, asked)| {
            let mut near: Vec<(f32, &str)> = claims.iter().zip(&messages.claims).map(|(claim, (id, _))| (asked.cosine(claim), id.as_str())).collect();
            near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
            near.truncate(24);
            outcome(post, &near)
        })
        .collect();
    quality("encoder alone", &alone.iter().collect::<Vec<_>>(), out);
    out.push(Figure::new("encoder alone: all claims and posts read in", usage.cpu_s(), "CPU s, 0 if known"));
    Ok(())
}

/// What a list of claims, best first, with what the rule gives each, comes to.
fn outcome(post: &Post, near: &[(f32, &str)]) -> Outcome {
    let chance = near.first().map_or(0.0, |hit| hit.0);
    let place = near.iter().position(|hit| post.gold.iter().any(|gold| gold == hit.1));
    Outcome { track: post.track, matchable: !post.gold.is_empty(), place, chance, any: chance, sure: None }
}

fn peer_outcomes(peer: Peer, claims: &[(String, String)], posts: &[Post]) -> Vec<Outcome> {
    let shelf = Shelf::new(peer, claims);
    let find = |post: &Post| {
        let near: Vec<(f32, &str)> = shelf.find(&post.text, 24).into_iter().map(|(id, score)| (score, id)).collect();
        outcome(post, &near)
    };
    posts.iter().map(find).collect()
}

/// What it costs that posts and claims are in different scripts: claims are traditional, half of the posts are; here once as they are and once all simplified.
fn scripts(claims: &[(String, String)], posts: &[Post], out: &mut Vec<Figure>) {
    let matcher = Matcher::new(claims.to_vec(), 2);
    let mut sums = Sums::default();
    let mut right = |text: &dyn Fn(&Post) -> String| {
        let asked = posts.iter().filter(|p| !p.gold.is_empty());
        asked.filter(|p| matcher.find(&text(p), 1, &mut sums).hits.first().is_some_and(|hit| p.gold.contains(&hit.claim))).count() as f64
    };
    let (as_is, simplified) = (right(&|p| p.text.clone()), right(&|p| kepu_text::fold(&p.text)));
    let asked = posts.iter().filter(|p| !p.gold.is_empty()).count().max(1) as f64;
    out.push(Figure::new("R@1 lost with all posts in the other script", 100.0 * (as_is - simplified) / asked, "points"));
}

fn grow(data: &Path, messages: &cases::Cases, size: usize, threads: usize, out: &mut Vec<Figure>) {
    let mut claims = messages.claims.clone();
    claims.extend(cases::background(data, size.saturating_sub(claims.len())));
    let begun = Instant::now();
    let matcher = Matcher::new(claims, threads);
    out.push(Figure::new(format!("{size} claims: ready after"), begun.elapsed().as_secs_f64(), "s"));
    let posts: Vec<&str> = messages.posts.iter().map(|p| p.text.as_str()).cycle().take(TIMED).collect();
    let usage = Usage::now();
    let mut times: Vec<f64> = std::thread::scope(|scope| {
        let work = |posts: &[&str]| {
            let mut sums = Sums::default();
            let time = |post: &&str| {
                // What is timed is the search; copies are counted apart.
                sums.forget_copies();
                let begun = Instant::now();
                let found = matcher.find(post, 5, &mut sums);
                assert!(found.confidence <= 1.0);
                begun.elapsed().as_secs_f64() * 1_000.0
            };
            posts.iter().map(time).collect::<Vec<f64>>()
        };
        let workers: Vec<_> = posts.chunks(posts.len().div_ceil(threads)).map(|posts| scope.spawn(move || work(posts))).collect();
        workers.into_iter().flat_map(|w| w.join().unwrap_or_default()).collect()
    });
    times.sort_by(f64::total_cmp);
    out.push(Figure::new(format!("{size} claims, {threads} threads"), posts.len() as f64 / usage.wall_s(), "posts/s"));
    out.push(Figure::new(format!("{size} claims: of one core"), posts.len() as f64 / usage.cpu_s().max(0.01), "posts/CPU s"));
    out.push(Figure::new(format!("{size} claims: p50"), quantile(&times, 0.5), "ms"));
    out.push(Figure::new(format!("{size} claims: p99"), quantile(&times, 0.99), "ms"));
    let usage = Usage::now();
    let mut sums = Sums::default();
    let known: usize = posts.iter().map(|post| matcher.find(post, 5, &mut sums).hits.len()).sum();
    assert!(known > 0);
    out.push(Figure::new(
        format!("{size} claims: {} texts that go round {} times", messages.posts.len(), posts.len() / messages.posts.len()),
        posts.len() as f64 / usage.cpu_s().max(0.01),
        "posts/CPU s",
    ));
    out.push(Figure::new(format!("{size} claims: peak memory of all so far"), peak_rss_mb(), "MiB"));
}

fn topics(data: &Path, out: &mut Vec<Figure>) {
    let titles = cases::titles(data);
    for (seed, wordings) in [(1, 1), (2, 3), (4, 5)] {
        let plan = Plan { seed, wordings, ..Plan::default() };
        let day = rehearsal::day(&titles, plan);
        let usage = Usage::now();
        let mut stream = Stream::new(Settings::default());
        for (n, post) in day.iter().enumerate() {
            stream.push(n as u64 + 1, post.time, 1.0, &post.text, &Reading::of(&post.text));
        }
        let cpu = usage.cpu_s().max(0.01);
        let score = rehearsal::score(&day, &stream.topics(), plan.bursts);
        let name = format!("burst day {seed}, {wordings} wordings");
        for (metric, value, unit) in [
            ("bursts", score.bursts as f64, ""),
            ("found", score.found as f64, ""),
            ("false alerts", score.false_alerts as f64, ""),
            ("duplicate alerts", score.duplicates as f64, ""),
            ("posts before the alert", score.posts_before, "median"),
            ("minutes before the alert", score.minutes_before, "median"),
            ("speed", day.len() as f64 / cpu, "posts/CPU s"),
        ] {
            out.push(Figure::new(format!("{name}: {metric}"), value, unit));
        }
    }
    let ranks = cases::ranks(data);
    let mut stream = Stream::new(Settings::default());
    for (n, (time, rank, title)) in ranks.iter().enumerate() {
        stream.push(n as u64 + 1, *time, 51.0 - *rank as f32, title, &Reading::of(title));
    }
    let raised = stream.topics();
    let early = raised.iter().filter(|t| t.alert <= t.peak).count() as f64 / raised.len().max(1) as f64;
    let mut labels: Vec<&str> = raised.iter().map(|t| t.label.as_str()).collect();
    labels.sort_unstable();
    let twice = labels.windows(2).filter(|w| w[0] == w[1]).count() as f64;
    out.push(Figure::new("hot list of two months: topics alerted", raised.len() as f64, ""));
    out.push(Figure::new("hot list: alerted before their peak was over", early, ""));
    out.push(Figure::new("hot list: alerts with the label of another", twice, ""));
}
