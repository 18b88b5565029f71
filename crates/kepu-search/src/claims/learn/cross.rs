//! Learning in five turns, so that every post is judged by trees that had not seen it or any post linked to it.

use super::boost::{Choice, Growth, grow};
use super::cases::{Cases, Post, edits, encyclopedia, messages};
use super::measure::Outcome;
use crate::claims::decide::{Forest, Model, OrNone};
use crate::claims::reading::read;
use crate::claims::{Candidate, JUDGED, Matcher, Sums};
use std::collections::BTreeMap;
use std::path::Path;

/// Turns.
pub const FOLDS: u64 = 5;
/// Titles that become claims of their own.
const EDITS: usize = 2_500;

/// How much a post of a track teaches about the order, and about whether anything matches. Traps weigh most: answering another fact is worse than asking a person.
fn weight(track: &str) -> (f32, f32) {
    match track {
        // Looked at twice: among all claims and among the long ones.
        "message" | "headline" => (1.5, 1.0),
        "none_zhihu" | "none_weibo" => (0.0, 0.5),
        "reworded" => (1.0, 1.0),
        "trap" => (0.0, 3.0),
        "changed" => (0.0, 2.0),
        "edited" => (0.3, 0.5),
        _ => (0.0, 1.0),
    }
}

/// What is known before learning.
pub struct Lesson {
    pub cases: Cases,
    /// All claims; and only the long ones of the messages, so that the trees do not learn one collection's make-up.
    matchers: [Matcher; 2],
    threads: usize,
}

/// What came of it.
pub struct Learned {
    /// The model, from all posts; its curve and bands from posts not seen.
    pub model: Model,
    /// For every post, in order: what a model said that had not seen it.
    pub outcomes: Vec<Outcome>,
    pub judges: Vec<Forest>,
    pub orders: Vec<Forest>,
}

impl Lesson {
    /// Reads the data folder.
    #[must_use]
    pub fn read(data: &Path, threads: usize) -> Self {
        let mut cases = Cases::default();
        for source in [messages(data), encyclopedia(data), edits(data, EDITS)] {
            cases.claims.extend(source.claims);
            cases.posts.extend(source.posts);
        }
        let matchers = [Matcher::new(cases.claims.clone(), threads), Matcher::new(messages(data).claims, threads)];
        Self { cases, matchers, threads }
    }

    /// Works on posts in threads; results in order.
    fn each<R: Send>(&self, work: impl Fn(&Post, &mut Sums) -> R + Sync) -> Vec<R> {
        let part = self.cases.posts.len().div_ceil(self.threads);
        std::thread::scope(|scope| {
            let work = &work;
            let run = move |posts: &[Post]| {
                let mut sums = Sums::default();
                posts.iter().map(|post| work(post, &mut sums)).collect::<Vec<R>>()
            };
            let workers: Vec<_> = self.cases.posts.chunks(part).map(|posts| scope.spawn(move || run(posts))).collect();
            workers.into_iter().flat_map(|w| w.join().expect("a worker panicked")).collect()
        })
    }

    fn right(matcher: &Matcher, post: &Post, candidates: &[Candidate]) -> Vec<bool> {
        candidates.iter().map(|c| post.gold.iter().any(|gold| gold == matcher.id(c.number))).collect()
    }

    /// What a look gives for each post among all claims, in order; behind that, for the real posts among the long claims.
    fn looks<R: Send>(&self, look: impl Fn(&Matcher, &Post, &mut Sums) -> R + Sync) -> Vec<R> {
        let [all, long] = &self.matchers;
        let mut out = self.each(|post, sums| look(all, post, sums));
        let real = |post: &Post| ["message", "headline", "none_zhihu", "none_weibo"].contains(&post.track);
        out.extend(self.each(|post, sums| real(post).then(|| look(long, post, sums))).into_iter().flatten());
        out
    }

    /// Grows one forest a turn, each without the posts of its turn, and one with all.
    fn forests(&self, choices: &[(u64, Choice)], growth: Growth) -> (Vec<Forest>, Forest) {
        let learn = |fold: u64| {
            let seen: Vec<Choice> = choices.iter().filter(|(group, _)| group % FOLDS != fold).map(|(_, c)| c.clone()).collect();
            grow(&seen, growth)
        };
        let mut all: Vec<Forest> = std::thread::scope(|scope| {
            let folds: Vec<u64> = (0..=FOLDS).collect();
            let part = folds.len().div_ceil(self.threads);
            let learn = &learn;
            let workers: Vec<_> =
                folds.chunks(part).map(|folds| folds.to_vec()).map(|folds| scope.spawn(move || folds.into_iter().map(learn).collect::<Vec<_>>())).collect();
            workers.into_iter().flat_map(|w| w.join().expect("a worker panicked")).collect()
        });
        let last = all.pop().unwrap_or_default();
        (all, last)
    }

    /// Learns and measures.
    #[must_use]
    pub fn learn(&self, order: Growth, judge: Growth) -> Learned {
        let none = Forest::default();
        let first: Vec<(u64, Choice)> = self.looks(|matcher, post, sums| {
            let found = matcher.candidates(&read(&post.text), sums, &none);
            let right = Self::right(matcher, post, &found);
            (post.group, Choice { right, rows: found.into_iter().map(|c| c.first).collect(), weight: weight(post.track).0 })
        });
        let (orders, order) = self.forests(&first, order);
        let second = self.looks(|matcher, post, sums| {
            let found = matcher.candidates(&read(&post.text), sums, &orders[(post.group % FOLDS) as usize]);
            let right = Self::right(matcher, post, &found);
            let place = right.iter().position(|r| *r);
            let mut rows: Vec<_> = found.into_iter().map(|c| c.figures).collect();
            rows.truncate(JUDGED);
            ((post.group, Choice { right: right[..rows.len()].to_vec(), rows, weight: weight(post.track).1 }), place)
        });
        let (second, places): (Vec<(u64, Choice)>, Vec<Option<usize>>) = second.into_iter().unzip();
        let (judges, judge) = self.forests(&second, judge);
        let outcomes: Vec<Outcome> = (self.cases.posts.iter().zip(&second).zip(places))
            .map(|((post, (group, choice)), place)| {
                let judge = &judges[(group % FOLDS) as usize];
                let chances = Model::chances(&choice.rows.iter().map(|f| judge.margin(f)).collect::<Vec<f32>>(), OrNone::Allowed);
                let mut by: Vec<usize> = (0..chances.len()).collect();
                by.sort_by(|a, b| chances[*b].total_cmp(&chances[*a]).then(a.cmp(b)));
                let place = by.iter().position(|n| choice.right[*n]).or(place.filter(|p| *p >= JUDGED));
                Outcome {
                    track: post.track,
                    matchable: !post.gold.is_empty(),
                    place,
                    chance: by.first().map_or(0.0, |n| chances[*n]),
                    any: chances.iter().sum(),
                }
            })
            .collect();
        let mut model = Model { order, judge, ..Model::default() };
        let shares = mixed(&outcomes);
        model.curve = curve(&shares);
        model.answer = model.honest(threshold(&shares, 0.9));
        model.ask = model.answer / 2.0;
        Learned { model, outcomes, judges, orders }
    }
}

/// Outcomes in about the shares in which posts come from outside: three of five have a claim, most of those are messages.
#[must_use]
pub fn mixed(outcomes: &[Outcome]) -> Vec<&Outcome> {
    let every = |track: &str| match track {
        "reworded" => 5,
        "edited" | "changed" => 17,
        "trap" => 6,
        "none_title" => 25,
        _ => 1,
    };
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut keep = |track: &'static str| {
        let count = seen.entry(track).or_default();
        *count += 1;
        count.is_multiple_of(every(track))
    };
    outcomes.iter().filter(|o| keep(o.track)).collect()
}

/// The lowest confidence above which `share` of the posts have a claim.
fn threshold(outcomes: &[&Outcome], share: f64) -> f32 {
    let mut sorted: Vec<&&Outcome> = outcomes.iter().collect();
    sorted.sort_by(|a, b| b.confidence().total_cmp(&a.confidence()));
    let (mut right, mut at) = (0usize, 1.0);
    for (n, outcome) in sorted.iter().enumerate() {
        right += usize::from(outcome.matchable);
        if right as f64 >= share * (n + 1) as f64 {
            at = outcome.confidence();
        }
    }
    at
}

/// The usual growth of the trees that order, and of those that judge. The first are single questions: few posts have links, and deeper trees learned them by heart.
#[must_use]
pub fn usual() -> (Growth, Growth) {
    let judge = Growth { trees: 100, depth: 4, shrink: 0.1, least: 3.0, ridge: 4.0, figures: 0.5, posts: 0.8, or_none: OrNone::Allowed };
    (Growth { trees: 60, depth: 1, least: 6.0, ridge: 10.0, or_none: OrNone::Never, ..judge }, judge)
}

/// The share of posts that have a claim as a rising function of the confidence, by pooling neighbours that fall, at no more than 40 places.
fn curve(outcomes: &[&Outcome]) -> Vec<(f32, f32)> {
    let mut sorted: Vec<&&Outcome> = outcomes.iter().collect();
    sorted.sort_by(|a, b| a.confidence().total_cmp(&b.confidence()));
    let mut pools: Vec<(f64, f64, f64)> = Vec::new();
    for part in sorted.chunks(sorted.len().div_ceil(40).max(1)) {
        let n = part.len() as f64;
        // Half a post of either kind more: no chance is ever 0 or 1.
        pools.push((
            part.iter().map(|o| f64::from(o.confidence())).sum::<f64>() / n * (n + 1.0),
            part.iter().filter(|o| o.matchable).count() as f64 + 0.5,
            n + 1.0,
        ));
        while let [.., a, b] = pools[..]
            && a.1 / a.2 >= b.1 / b.2
        {
            pools.truncate(pools.len() - 2);
            pools.push((a.0 + b.0, a.1 + b.1, a.2 + b.2));
        }
    }
    pools.into_iter().map(|(chance, right, n)| ((chance / n) as f32, (right / n) as f32)).collect()
}
