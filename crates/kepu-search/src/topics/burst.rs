//! Whether a topic rises: its last minutes against its own past and against how busy the stream is.
//!
//! A topic's signals come as a Poisson stream with an unknown rate. What is believed about the rate before anything was seen is a Gamma distribution with shape
//! [`SHAPE`] over [`PRIOR_HOURS`]; the past of the topic sharpens it; so the count in a window is negative binomial, and its upper tail is the chance that nothing
//! special happens. A topic that nobody ever mentioned has a past too: every hour of the stream in which it was absent.
//!
//! Hours are hours of work, a quarter by the clock and the rest by how many signals came: a topic that doubles when everything doubles at nine
//! in the morning has not risen.

use super::Settings;
use super::cluster::Signal;

/// Windows that are looked at, in seconds: an outburst, an hour, a slow rise.
///
/// Each with the part of the chance that it may use: over hours a topic's rate wanders, which Poisson does not know.
const WINDOWS: [(i64, f64); 4] = [(600, 1.0), (1_800, 1.0), (5_400, 0.5), (21_600, 0.05)];
const SHAPE: f64 = 0.5;
const PRIOR_HOURS: f64 = 0.35;
/// Part of the hours that the clock says; the other part is how many signals came.
const BY_CLOCK: f64 = 0.25;
/// Part of a window that counts at least, so that the first seconds of a stream prove nothing.
const LEAST_WORK: f64 = 0.25;
/// Seconds of one step of the clock's memory.
const STEP: i64 = 300;

/// How busy the stream has been.
#[derive(Default)]
pub struct Clock {
    now: i64,
    first: Option<i64>,
    /// Signals up to the end of each step since the first.
    steps: Vec<u64>,
    count: u64,
    weight: f64,
}

impl Clock {
    /// Notes one signal; the time that counts for it.
    pub fn tick(&mut self, time: i64, weight: f32) -> i64 {
        let first = *self.first.get_or_insert(time);
        self.now = if self.count == 0 { time } else { self.now.max(time) };
        self.count += 1;
        self.weight += f64::from(weight);
        let step = ((self.now - first) / STEP) as usize;
        let before = self.steps.last().copied().unwrap_or(0);
        if self.steps.len() <= step {
            self.steps.resize(step + 1, before);
        }
        self.steps[step] += 1;
        self.now
    }

    /// Mean weight of a signal so far.
    pub fn mean_weight(&self) -> f32 {
        ((self.weight / self.count.max(1) as f64) as f32).max(1e-6)
    }

    /// Hours of work from the beginning until `time`.
    fn hours(&self, time: i64) -> f64 {
        let first = self.first.unwrap_or(time);
        let elapsed = (time - first).max(0);
        let step = (elapsed / STEP) as usize;
        let at = |n: usize| self.steps.get(n).or(self.steps.last()).copied().unwrap_or(0) as f64;
        let before = if step == 0 { 0.0 } else { at(step - 1) };
        let part = (elapsed % STEP) as f64 / STEP as f64;
        let signals = before + (at(step) - before) * part;
        let whole = ((self.now - first) as f64 / 3_600.0).max(1.0 / 60.0);
        BY_CLOCK * elapsed as f64 / 3_600.0 + (1.0 - BY_CLOCK) * signals / self.count.max(1) as f64 * whole
    }
}

/// A rise: when it began and how surprising it is.
pub struct Rise {
    pub start: i64,
    pub score: f64,
}

/// The most surprising window that ends `now`, if it is surprising enough.
pub fn rise(signals: &[Signal], now: i64, clock: &Clock, settings: Settings) -> Option<Rise> {
    let all: f64 = signals.iter().map(|s| f64::from(s.weight)).sum();
    let whole = clock.hours(now);
    let mut best: Option<Rise> = None;
    for (window, part) in WINDOWS {
        let inside = signals.partition_point(|s| s.time <= now - window);
        let recent = &signals[inside..];
        if (recent.len() as u32) < settings.least {
            continue;
        }
        let count: f64 = recent.iter().map(|s| f64::from(s.weight)).sum();
        let start = recent.first().map_or(now, |s| s.time);
        let past = clock.hours(now - window);
        let chance = tail(count.floor(), SHAPE + (all - count).max(0.0), PRIOR_HOURS + past, (whole - past).max(window as f64 / 3_600.0 * LEAST_WORK));
        let score = -chance.max(1e-300).log10();
        if chance <= settings.chance * part && best.as_ref().is_none_or(|b| score > b.score) {
            best = Some(Rise { start, score });
        }
    }
    best
}

/// The chance of `count` or more in `hours`, if `shape` events were seen in `seen` hours.
fn tail(count: f64, shape: f64, seen: f64, hours: f64) -> f64 {
    let q = hours / (seen + hours);
    if count < shape * hours / seen {
        return 1.0;
    }
    let mut log = shape * (1.0 - q).ln();
    let mut i = 0.0;
    while i < count {
        log += ((i + shape) / (i + 1.0) * q).ln();
        i += 1.0;
    }
    let (mut term, mut sum) = (log.exp(), 0.0);
    for _ in 0..2_000 {
        sum += term;
        term *= (i + shape) / (i + 1.0) * q;
        i += 1.0;
        if term < sum * 1e-9 {
            break;
        }
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_that_of_the_negative_binomial() {
        // R: pnbinom(c(4, 9), size = 0.5, prob = 6 / 6.5, lower.tail = FALSE)
        assert!((tail(5.0, 0.5, 6.0, 0.5) / 6.87e-7 - 1.0).abs() < 0.1, "{}", tail(5.0, 0.5, 6.0, 0.5));
        assert!(tail(0.0, 0.5, 1.0, 1.0) > 0.99 && tail(300.0, 10.0, 20.0, 1.0) < 1e-100);
    }

    #[test]
    fn a_busy_hour_is_longer() {
        let mut clock = Clock::default();
        for n in 0..100 {
            clock.tick(n * 36, 1.0);
        }
        for n in 0..900 {
            clock.tick(3_600 + n * 4, 1.0);
        }
        let (first, second) = (clock.hours(3_600), clock.hours(7_200) - clock.hours(3_600));
        assert!(second > 1.5 * first, "{first} {second}");
    }
}
