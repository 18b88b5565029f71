//! Learning in five turns, so that every post is judged by trees that had not seen it or any post linked to it.

use super::boost::{Choice, Growth, grow};
use super::cases::{Cases, Post, edits, encyclopedia, hash, messages};
use super::measure::Outcome;
use crate::claims::decide::{Forest, Model, OrNone};
use crate::claims::late::{self, BAND, LOOKED, beginning};
use crate::claims::pair::Figures;
use crate::claims::reading::read;
use crate::claims::{Candidate, JUDGED, Matcher, Sums};
use crate::encoder::{Memory, Role, Vector};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

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

/// The same beside it in a ledger of few claims, where most posts are easy.
fn few(ledger: &Matcher) -> (f32, f32) {
    if ledger.len() < 1_000 { (0.3, 0.4) } else { (1.0, 1.0) }
}

/// What is known before learning.
pub struct Lesson {
    pub cases: Cases,
    /// All claims; and only the long ones of the messages, so that the trees do not learn one collection's make-up.
    matchers: [Matcher; 2],
    /// Ledgers of a new node: some claims each, with all posts about them.
    ledgers: Vec<Matcher>,
    threads: usize,
}

/// The candidates of a post that are judged, with what is known about them.
#[derive(Clone)]
pub struct Judged {
    pub group: u64,
    pub weight: f32,
    pub ids: Vec<String>,
    pub rows: Vec<Figures>,
    pub right: Vec<bool>,
    /// Place of the first right claim among all candidates.
    pub place: Option<usize>,
}

/// What came of it.
pub struct Learned {
    /// The model, from all posts; its curve and bands from posts not seen.
    pub model: Model,
    /// For every post, in order: what a model said that had not seen it.
    pub outcomes: Vec<Outcome>,
    /// The same where only some claims are known.
    pub few: Vec<Outcome>,
    pub judges: Vec<Forest>,
    pub orders: Vec<Forest>,
    /// For every post, in order, then for the looks of [`Lesson::looks`].
    pub judged: Vec<Judged>,
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
        let ledgers = ledgers(&cases);
        Self { cases, matchers, ledgers, threads }
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

    /// What a look gives for each post among all claims, in order; behind that for each in its ledger; behind that for the real posts among the long claims.
    fn looks<R: Send>(&self, look: impl Fn(&Matcher, &Post, &mut Sums) -> R + Sync) -> Vec<R> {
        let [all, long] = &self.matchers;
        let mut out = self.each(|post, sums| look(all, post, sums));
        out.extend(self.each(|post, sums| look(&self.ledgers[ledger(post.group, self.ledgers.len())], post, sums)));
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
            let found = matcher.candidates(&read(&post.text), sums, &none, 0);
            let right = Self::right(matcher, post, &found);
            (post.group, Choice { right, rows: found.into_iter().map(|c| c.first).collect(), weight: weight(post.track).0 * few(matcher).0 })
        });
        let (orders, order) = self.forests(&first, order);
        let judged: Vec<Judged> = self.looks(|matcher, post, sums| {
            let found = matcher.candidates(&read(&post.text), sums, &orders[(post.group % FOLDS) as usize], LOOKED);
            let mut right = Self::right(matcher, post, &found);
            let place = right.iter().position(|r| *r);
            right.truncate(LOOKED);
            let (ids, rows) = found.into_iter().take(LOOKED).map(|c| (matcher.id(c.number).to_owned(), c.figures)).unzip();
            Judged { group: post.group, weight: weight(post.track).1 * few(matcher).1, ids, rows, right, place }
        });
        let choices: Vec<(u64, Choice)> = judged.iter().map(|j| (j.group, j.choice(JUDGED))).collect();
        let (judges, judge) = self.forests(&choices, judge);
        let (outcomes, few) = self.outcomes(&judged, &judges, JUDGED);
        let mut model = Model { order, judge, ..Model::default() };
        set(&mut model, &outcomes, &few);
        Learned { model, outcomes, few, judges, orders, judged }
    }

    /// Learns and measures the second look; the outcomes are those of the first where that is sure.
    #[must_use]
    pub fn learn_late(&self, learned: &Learned, memory: &Memory, growth: Growth) -> (Model, [Vec<Outcome>; 2]) {
        let judged = self.seen_late(learned, memory);
        let choices: Vec<(u64, Choice)> = judged.iter().map(|j| (j.group, j.choice(LOOKED))).collect();
        let (lates, late) = self.forests(&choices, growth);
        let (outcomes, few) = self.outcomes(&judged, &lates, LOOKED);
        let mut model = Model { judge: late, ..Model::default() };
        set(&mut model, &outcomes, &few);
        let mix = |first: &[Outcome], second: Vec<Outcome>| {
            let pick = |(first, second): (&Outcome, Outcome)| {
                let (before, after) = (learned.model.honest(first.confidence()), model.honest(second.confidence()));
                if BAND.contains(&before) { Outcome { sure: Some(after), ..second } } else { Outcome { sure: Some(before), ..first.clone() } }
            };
            first.iter().zip(second).map(pick).collect()
        };
        let outcomes = [mix(&learned.outcomes, outcomes), mix(&learned.few, few)];
        (model, outcomes)
    }

    /// What was judged, with the figures of the second look.
    fn seen_late(&self, learned: &Learned, memory: &Memory) -> Vec<Judged> {
        let claims: BTreeMap<&str, &str> = self.cases.claims.iter().map(|(id, text)| (id.as_str(), beginning(text))).collect();
        let posts: Vec<&str> = self.cases.posts.iter().map(|post| post.text.as_str()).collect();
        let asked = memory.get(Role::Query, &posts, self.threads);
        let known: BTreeMap<&str, Arc<Vector>> = {
            let mut ids: Vec<&str> = learned.judged.iter().flat_map(|judged| judged.ids.iter().map(String::as_str)).collect();
            ids.sort_unstable();
            ids.dedup();
            let texts: Vec<&str> = ids.iter().map(|id| claims[id]).collect();
            let vectors = memory.get(Role::Query, &texts, self.threads);
            ids.into_iter().zip(vectors).collect()
        };
        let real = self.cases.posts.iter().enumerate().filter(|(_, post)| ["message", "headline", "none_zhihu", "none_weibo"].contains(&post.track));
        let places = (0..posts.len()).chain(0..posts.len()).chain(real.map(|(n, _)| n));
        let look = |(post, judged): (usize, &Judged)| {
            let cosines: Vec<f32> = judged.ids.iter().map(|id| asked[post].cosine(&known[id.as_str()])).collect();
            let mut judged = judged.clone();
            late::look(&mut judged.rows, &learned.judges[(judged.group % FOLDS) as usize], &cosines);
            judged
        };
        places.zip(&learned.judged).map(look).collect()
    }

    /// What forests that had not seen them say of the posts, among all claims and in their ledgers.
    fn outcomes(&self, judged: &[Judged], judges: &[Forest], looked: usize) -> (Vec<Outcome>, Vec<Outcome>) {
        let count = self.cases.posts.len();
        let outcome = |(post, judged): (&Post, &Judged)| {
            let judge = &judges[(judged.group % FOLDS) as usize];
            let Judged { rows, right, .. } = judged;
            let chances = Model::chances(&rows.iter().take(looked).map(|f| judge.margin(f)).collect::<Vec<f32>>(), OrNone::Allowed);
            let mut by: Vec<usize> = (0..chances.len()).collect();
            by.sort_by(|a, b| chances[*b].total_cmp(&chances[*a]).then(a.cmp(b)));
            Outcome {
                track: post.track,
                matchable: !post.gold.is_empty(),
                place: by.iter().position(|n| right[*n]).or(judged.place.filter(|p| *p >= looked)),
                chance: by.first().map_or(0.0, |n| chances[*n]),
                any: chances.iter().sum(),
                sure: None,
            }
        };
        let of = |judged: &[Judged]| self.cases.posts.iter().zip(judged).map(outcome).collect();
        (of(&judged[..count]), of(&judged[count..2 * count]))
    }
}

impl Judged {
    fn choice(&self, looked: usize) -> Choice {
        let count = self.rows.len().min(looked);
        Choice { rows: self.rows[..count].to_vec(), right: self.right[..count].to_vec(), weight: self.weight }
    }
}

/// Curve and bands of a model, from posts that it had not seen: all claims and few known alike, so that the chance holds in both.
fn set(model: &mut Model, outcomes: &[Outcome], few: &[Outcome]) {
    let shares = mixed(outcomes);
    let both: Vec<&Outcome> = shares.iter().copied().chain(mixed(few)).collect();
    model.curve = curve(&both);
    model.answer = model.honest(threshold(&shares, 0.9));
    model.ask = model.answer / 2.0;
}

/// Claims of a ledger that is not small, and of a small one, about.
const LEDGER: [u64; 2] = [100, 12];

/// The number of ledgers for so many claims: half of the groups in larger ones, half in small ones.
fn ledger_counts(claims: usize) -> [u64; 2] {
    LEDGER.map(|size| (claims as u64 / 2 / size).max(1))
}

/// In which ledger a group is.
fn ledger(group: u64, ledgers: usize) -> usize {
    // The counts follow from their sum: small ledgers are that many times as many.
    let large = (ledgers as u64 * LEDGER[1] / (LEDGER[0] + LEDGER[1])).max(1);
    let small = (ledgers as u64 - large).max(1);
    // Turns are counted with the group too; ledgers must not be the turns.
    let mixed = group.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    if mixed.is_multiple_of(2) { (mixed / 2 % large) as usize } else { (large + mixed / 2 % small) as usize }
}

/// Claims in ledgers, each with its group.
fn ledgers(cases: &Cases) -> Vec<Matcher> {
    let groups: BTreeMap<&str, u64> = cases.posts.iter().flat_map(|post| post.gold.iter().map(|gold| (gold.as_str(), post.group))).collect();
    let count = ledger_counts(cases.claims.len()).iter().sum::<u64>() as usize;
    let mut parts: Vec<Vec<(String, String)>> = vec![Vec::new(); count];
    for (id, text) in &cases.claims {
        let group = groups.get(id.as_str()).copied().unwrap_or_else(|| hash(id));
        parts[ledger(group, count)].push((id.clone(), text.clone()));
    }
    parts.into_iter().map(|claims| Matcher::new(claims, 1)).collect()
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

/// The usual growth of the trees of the second look.
#[must_use]
pub fn usual_late() -> Growth {
    Growth { trees: 80, depth: 3, ridge: 6.0, least: 4.0, ..usual().1 }
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
