//! A day to rehearse on: ordinary chatter, topics that burst, and topics that are talked about all day. Made up from real titles, the same for one seed.
//! Needs the feature `learn`.
//!
//! - Chatter: titles, each once, more by day than by night.
//! - Bursts: a title, worded anew for nearly every post, 20 to 320 posts over some hours, most of them soon: of a small
//!   one the first five take about twenty minutes.
//! - Decoys: as many topics, worded anew as well, spread over the whole day like the chatter.

use super::Topic;
use crate::claims::learn::dice::Dice;
use crate::claims::learn::edit::reword;

/// What a post belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Chatter,
    Burst(usize),
    Decoy(usize),
}

/// One post of the day, with the truth about it.
#[derive(Debug, Clone)]
pub struct Post {
    pub time: i64,
    pub text: String,
    pub part: Part,
}

/// How the day is made.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub posts: usize,
    pub bursts: usize,
    pub decoys: usize,
    pub seed: u64,
    /// Wordings that a topic begins with.
    pub wordings: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self { posts: 54_000, bursts: 30, decoys: 30, seed: 11, wordings: 3 }
    }
}

/// Share of a day's posts in each hour, in thousandths.
const HOURS: [usize; 24] = [22, 14, 10, 8, 8, 12, 22, 38, 50, 55, 56, 55, 58, 52, 48, 48, 50, 52, 54, 60, 66, 68, 56, 38];
const DAY: i64 = 86_400;

fn moment(dice: &mut Dice) -> i64 {
    let mut left = dice.below(HOURS.iter().sum());
    for (hour, share) in HOURS.iter().enumerate() {
        if left < *share {
            return hour as i64 * 3_600 + dice.below(3_600) as i64;
        }
        left -= share;
    }
    DAY - 1
}

fn say(wordings: &[String], dice: &mut Dice) -> String {
    let base = dice.pick(wordings).clone();
    if dice.below(4) == 0 { base } else { reword(&base, dice) }
}

/// Makes the day from `titles`, of which `posts` and some more are needed.
#[must_use]
pub fn day(titles: &[String], plan: Plan) -> Vec<Post> {
    let mut dice = Dice::new(plan.seed);
    let mut titles: Vec<&String> = titles.iter().filter(|t| t.chars().count() >= 6).collect();
    for n in (1..titles.len()).rev() {
        titles.swap(n, dice.below(n + 1));
    }
    let mut titles = titles.into_iter();
    let mut topic = |dice: &mut Dice| -> Vec<String> {
        let base = titles.by_ref().find(|t| t.chars().count() >= 9).cloned().unwrap_or_default();
        let mut out = vec![base.clone()];
        out.extend((1..plan.wordings).map(|_| reword(&base, dice)));
        out
    };
    let mut out = Vec::with_capacity(plan.posts);
    for n in 0..plan.bursts {
        let wordings = topic(&mut dice);
        // A third small, a third middling, a third large.
        let size = match n % 3 {
            0 => 20 + dice.below(20),
            1 => 40 + dice.below(80),
            _ => 120 + dice.below(201),
        };
        let start = 3_600 + dice.below(19 * 3_600) as i64;
        let span = if n % 3 == 1 { 4 * 3_600 } else { 5 * 3_600 + dice.below(4 * 3_600) as i64 };
        for _ in 0..size {
            // Soon after the start, with a tail.
            let part = (dice.below(1_000) * dice.below(1_000)) as i64;
            let time = (start + span * part / 1_000_000).min(DAY - 1);
            out.push(Post { time, text: say(&wordings, &mut dice), part: Part::Burst(n) });
        }
    }
    for n in 0..plan.decoys {
        let wordings = topic(&mut dice);
        for _ in 0..20 + dice.below(180) {
            out.push(Post { time: moment(&mut dice), text: say(&wordings, &mut dice), part: Part::Decoy(n) });
        }
    }
    while out.len() < plan.posts
        && let Some(title) = titles.next()
    {
        out.push(Post { time: moment(&mut dice), text: title.clone(), part: Part::Chatter });
    }
    out.sort_by_key(|post| post.time);
    out
}

/// How the alerts of a day compare with the truth.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    pub bursts: usize,
    pub found: usize,
    pub false_alerts: usize,
    pub duplicates: usize,
    /// Posts of a found burst up to its alert, and minutes since its first; medians.
    pub posts_before: f64,
    pub minutes_before: f64,
}

/// Compares; `topics` number the posts from 1. An alert belongs to the burst that most of its posts up to the alert belong to.
#[must_use]
pub fn score(posts: &[Post], topics: &[Topic], bursts: usize) -> Score {
    let mut out = Score { bursts, ..Score::default() };
    let (mut before, mut minutes) = (Vec::new(), Vec::new());
    let mut found = vec![false; bursts];
    for topic in topics {
        let mut votes = std::collections::BTreeMap::new();
        let members = topic.signals.iter().map(|n| &posts[*n as usize - 1]).filter(|p| p.time <= topic.alert);
        let mut all = 0;
        for post in members {
            all += 1;
            if let Part::Burst(n) = post.part {
                *votes.entry(n).or_insert(0) += 1;
            }
        }
        match votes.into_iter().max_by_key(|(n, votes)| (*votes, std::cmp::Reverse(*n))) {
            Some((n, votes)) if votes * 2 >= all => {
                if std::mem::replace(&mut found[n], true) {
                    out.duplicates += 1;
                } else {
                    let times: Vec<i64> = posts.iter().filter(|p| p.part == Part::Burst(n)).map(|p| p.time).collect();
                    before.push(times.iter().filter(|t| **t <= topic.alert).count() as f64);
                    minutes.push((topic.alert - times[0]) as f64 / 60.0);
                }
            }
            _ => out.false_alerts += 1,
        }
    }
    out.found = found.iter().filter(|f| **f).count();
    out.posts_before = median(before);
    out.minutes_before = median(minutes);
    out
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
