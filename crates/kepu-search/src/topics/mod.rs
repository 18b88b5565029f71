//! Topics that rise in a stream of signals: found while they rise, each named once.
//!
//! | question | where |
//! |---|---|
//! | which signals talk about the same? | `cluster` |
//! | is this more than the topic's own past and the hour explain? | `burst` |
//! | when is an alert raised, and when is it the same topic again? | [`Stream`], here |
//!
//! Knows texts, times and weights only: no sender, no channel. What an alert is worth (harm, reach, whether it can be checked) is `kepu-app`'s question.
//!
//! **Order of things for one signal.** It joins the group nearest to it or begins one; groups between which it stands become one; the group it joined is
//! tested; if the test succeeds, the group first takes in every group that talks about the same, and if one of those was alerted within the last day,
//! the alert is not raised again. An alerted topic stays alerted until it was quiet for [`Settings::quiet_s`].

mod burst;
mod cluster;
#[cfg(feature = "learn")]
#[expect(missing_docs, reason = "read by the measuring programs only; the names say what stands there")]
pub mod rehearsal;

use crate::claims::reading;
use burst::Clock;
use cluster::{Groups, Signal};
use std::collections::BTreeMap;

/// How sensitive a stream is.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Seconds that are counted together where a topic's peak is looked for.
    pub bucket_s: i64,
    /// The chance that a quiet topic alerts by itself at any one signal.
    pub chance: f64,
    /// Signals that a topic has at least when it alerts.
    pub least: u32,
    /// Seconds without a signal after which a topic is over and may alert anew.
    pub quiet_s: i64,
    /// Seconds after which a group that nobody joined is forgotten.
    pub memory_s: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bucket_s: 3_600, chance: 1e-6, least: 5, quiet_s: 24 * 3_600, memory_s: 48 * 3_600 }
    }
}

/// A topic that rose.
#[derive(Debug, Clone, PartialEq)]
pub struct Topic {
    /// Number of the alert, from 1, in order of time.
    pub number: u32,
    /// The signal that says most of what the topic's signals say.
    pub label: String,
    /// When a live run would have raised the alert.
    pub alert: i64,
    /// First signal of the rise, first signal of its fullest bucket, last signal.
    pub start: i64,
    /// See `start`.
    pub peak: i64,
    /// See `start`.
    pub end: i64,
    /// How surprising the rise was: minus the decimal logarithm of its chance.
    pub score: f64,
    /// Numbers of its signals, as they were given.
    pub signals: Vec<u64>,
}

/// Where a signal went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The group of signals that talk about the same. Groups that turn out to be one keep the number of one of them.
    pub group: u32,
    /// Signals of the group, as far as they are remembered.
    pub size: usize,
    /// The number of the alert that it raised, if it did.
    pub alert: Option<u32>,
}

/// One signal, read: see [`Reading::of`].
pub struct Reading {
    grams: Vec<u32>,
}

impl Reading {
    /// Takes the grams off a text; needs no stream, so that many can be read side by side.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { grams: cluster::grams(&reading::read(text)) }
    }
}

/// A stream of signals in order of time; what comes late counts as now.
pub struct Stream {
    settings: Settings,
    groups: Groups,
    clock: Clock,
    topics: Vec<Raised>,
}

/// An alert that was raised, as far as it is known at that moment.
struct Raised {
    group: u32,
    alert: i64,
    start: i64,
    score: f64,
}

impl Stream {
    /// A stream that knows nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, groups: Groups::new(settings.memory_s, settings.quiet_s), clock: Clock::default(), topics: Vec::new() }
    }

    /// Takes in the next signal; the number of the alert if it raises one.
    pub fn push(&mut self, number: u64, time: i64, weight: f32, text: &str, reading: &Reading) -> Option<u32> {
        self.place(number, time, weight, text, reading)?.alert
    }

    /// Takes in the next signal; where it went, unless it says nothing.
    pub fn place(&mut self, number: u64, time: i64, weight: f32, text: &str, reading: &Reading) -> Option<Placed> {
        let time = self.clock.tick(time, weight);
        if reading.grams.is_empty() {
            return None;
        }
        let share = weight / self.clock.mean_weight();
        let group = self.groups.place(Signal { number, time, weight: share }, text, &reading.grams);
        let alert = self.test(group, time);
        // The test may have taken the group into another one.
        let group = self.groups.root(group);
        Some(Placed { group, size: self.groups.signals(group).len(), alert })
    }

    /// How surprising the rise was that raised an alert; 0 for a number that was never given.
    #[must_use]
    pub fn score(&self, alert: u32) -> f64 {
        (alert as usize).checked_sub(1).and_then(|n| self.topics.get(n)).map_or(0.0, |raised| raised.score)
    }

    /// The numbers of the signals of a group, in order of time.
    pub fn members(&self, group: u32) -> impl Iterator<Item = u64> + '_ {
        self.groups.signals(self.groups.root(group)).iter().map(|signal| signal.number)
    }

    /// The signal that says most of what the others of a group say.
    #[must_use]
    pub fn label(&self, group: u32) -> &str {
        self.groups.label(self.groups.root(group))
    }

    fn test(&mut self, group: u32, time: i64) -> Option<u32> {
        if !self.groups.may_alert(group, self.settings.least) {
            return None;
        }
        let rise = burst::rise(self.groups.signals(group), time, &self.clock, self.settings)?;
        let (group, known) = self.groups.gather(group);
        if known {
            return None;
        }
        // What was taken in may be the past of the topic, before which the rise is none.
        let rise = burst::rise(self.groups.signals(group), time, &self.clock, self.settings).unwrap_or(rise);
        self.groups.set_alerted(group);
        self.topics.push(Raised { group, alert: time, start: rise.start, score: rise.score });
        u32::try_from(self.topics.len()).ok()
    }

    /// Everything that was raised, in order of time, as it is known now.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        let starts: Vec<(u32, i64)> = self.topics.iter().map(|t| (self.groups.root(t.group), t.start)).collect();
        let mut out = Vec::with_capacity(self.topics.len());
        for (n, raised) in self.topics.iter().enumerate() {
            let root = starts[n].0;
            // A later alert of the same group begins a new rise; its signals are not this one's.
            let until = starts[n + 1..].iter().filter(|(group, _)| *group == root).map(|(_, start)| *start).min().unwrap_or(i64::MAX);
            let signals: Vec<Signal> = self.groups.signals(root).iter().copied().filter(|s| s.time >= raised.start && s.time < until).collect();
            let bucket = self.settings.bucket_s.max(1);
            let mut buckets: BTreeMap<i64, (f32, i64)> = BTreeMap::new();
            for signal in &signals {
                buckets.entry(signal.time.div_euclid(bucket)).or_insert((0.0, signal.time)).0 += signal.weight;
            }
            // Of equally full ones the first.
            let fullest = buckets.values().rev().max_by(|a, b| a.0.total_cmp(&b.0));
            let mut numbers: Vec<u64> = signals.iter().map(|s| s.number).collect();
            numbers.sort_unstable();
            out.push(Topic {
                number: n as u32 + 1,
                label: self.groups.label(root).to_owned(),
                alert: raised.alert,
                start: raised.start,
                peak: fullest.map_or(raised.alert, |bucket| bucket.1),
                end: signals.last().map_or(raised.alert, |s| s.time),
                score: raised.score,
                signals: numbers,
            });
        }
        out
    }
}

#[cfg(test)]
mod tests;
