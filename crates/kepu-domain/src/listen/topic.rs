//! Topics: matters that several signals are about. When one rises it is said once; falling and over have their own borders, so that a topic
//! on the edge does not flicker. Which signals belong together is decided in `kepu-search::topics`, what a topic is worth in `worth`.

use crate::ids::{CaseId, TopicId};
use jiff::Timestamp;

/// How a topic stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Asked again and again, without a rise.
    Asked,
    /// It rises, but all of it is one wording: a person looks before anybody is alerted.
    Held,
    /// It rises.
    Rising,
    /// Its peak is behind it.
    Falling,
    /// Nothing was heard of it for long.
    Over,
}

/// Every phase.
pub const PHASES: [Phase; 5] = [Phase::Asked, Phase::Held, Phase::Rising, Phase::Falling, Phase::Over];

impl Phase {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Asked => "asked",
            Phase::Held => "held",
            Phase::Rising => "rising",
            Phase::Falling => "falling",
            Phase::Over => "over",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        PHASES.into_iter().find(|phase| phase.as_str() == text)
    }
}

/// One topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    /// Id.
    pub id: TopicId,
    /// The wording that says most of what the others say, masked.
    pub label: String,
    /// How it stands.
    pub phase: Phase,
    /// First signal.
    pub since: Timestamp,
    /// Last signal.
    pub last_at: Timestamp,
    /// When the alert was given; it is given once.
    pub raised_at: Option<Timestamp>,
    /// How surprising the rise was: minus the decimal logarithm of its chance.
    pub score: f64,
    /// Signals in all.
    pub total: i64,
    /// Different wordings among them, as far back as words are kept.
    pub wordings: i64,
    /// The case that works on it.
    pub case: Option<CaseId>,
    /// The topic it was put together with.
    pub merged_into: Option<TopicId>,
    /// The topic it was taken out of.
    pub split_from: Option<TopicId>,
    /// Somebody said that it is no matter for this desk.
    pub dropped: bool,
    /// Version read, for safe updates.
    pub version: i64,
}

/// Why a move is not legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// A topic cannot be put together with itself or with what it is part of already.
    #[error("these two are one topic already")]
    Same,
    /// A topic of which something is taken out keeps something.
    #[error("choose some of the wordings, not none and not all")]
    NothingLeft,
    /// There is nothing to be undone.
    #[error("this topic is by itself already")]
    Alone,
}

/// What is heard of a topic now, by the hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// Most of the hour under way and the one before.
    pub now: i64,
    /// Fullest hour.
    pub peak: i64,
    /// Hours without a signal up to now.
    pub quiet_hours: i64,
}

/// The borders between phases.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Borders {
    /// A rising topic falls when an hour has at most this share of its fullest one.
    pub falling: f64,
    /// A falling one rises again from this share on: higher, so that it does not flicker.
    pub rising: f64,
    /// Hours of silence after which it is over.
    pub over_hours: i64,
    /// Different wordings from which on a rise is an alert: a flood of one text is none.
    pub wordings: i64,
}

impl Topic {
    /// How the topic stands after what was heard. The second is whether the alert is to be given now.
    #[must_use]
    pub fn step(self, beat: Beat, borders: &Borders, now: Timestamp) -> (Self, bool) {
        let share = beat.now as f64 / beat.peak.max(1) as f64;
        let phase = match self.phase {
            Phase::Over => Phase::Over,
            _ if beat.quiet_hours >= borders.over_hours => Phase::Over,
            Phase::Held if self.wordings >= borders.wordings => Phase::Rising,
            Phase::Rising if share <= borders.falling => Phase::Falling,
            Phase::Falling if share >= borders.rising => Phase::Rising,
            same => same,
        };
        let alert = phase == Phase::Rising && self.raised_at.is_none();
        let raised_at = if alert { Some(now) } else { self.raised_at };
        (Self { phase, raised_at, ..self }, alert)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BORDERS: Borders = Borders { falling: 0.3, rising: 0.6, over_hours: 24, wordings: 2 };

    fn topic(phase: Phase, wordings: i64) -> Topic {
        Topic {
            id: "t".into(),
            label: "停水三天".into(),
            phase,
            since: Timestamp::UNIX_EPOCH,
            last_at: Timestamp::UNIX_EPOCH,
            raised_at: None,
            score: 9.0,
            total: 9,
            wordings,
            case: None,
            merged_into: None,
            split_from: None,
            dropped: false,
            version: 1,
        }
    }
    fn beat(now: i64, peak: i64, quiet_hours: i64) -> Beat {
        Beat { now, peak, quiet_hours }
    }

    #[test]
    fn a_topic_on_the_edge_does_not_flicker_and_alerts_once() {
        let now = Timestamp::UNIX_EPOCH;
        let (t, alert) = topic(Phase::Rising, 3).step(beat(10, 10, 0), &BORDERS, now);
        assert!(alert && t.raised_at == Some(now));
        let mut phases = Vec::new();
        let mut t = t;
        for heard in [8, 4, 3, 5, 3, 6, 2, 0] {
            let (next, alert) = t.step(beat(heard, 10, 0), &BORDERS, now);
            assert!(!alert, "an alert is given once");
            phases.push(next.phase);
            t = next;
        }
        use Phase::{Falling, Rising};
        assert_eq!(phases, [Rising, Rising, Falling, Falling, Falling, Rising, Falling, Falling]);
        let (over, _) = t.step(beat(0, 10, 24), &BORDERS, now);
        assert_eq!(over.phase, Phase::Over);
        assert_eq!(over.step(beat(10, 10, 0), &BORDERS, now).0.phase, Phase::Over, "what comes back is a topic of its own");
    }

    #[test]
    fn a_flood_of_one_text_alerts_nobody_until_others_say_it_too() {
        let now = Timestamp::UNIX_EPOCH;
        let (held, alert) = topic(Phase::Held, 1).step(beat(500, 500, 0), &BORDERS, now);
        assert_eq!((held.phase, alert), (Phase::Held, false));
        let (raised, alert) = Topic { wordings: 2, ..held }.step(beat(500, 500, 0), &BORDERS, now);
        assert_eq!((raised.phase, alert), (Phase::Rising, true));
    }

    #[test]
    fn phases_read_back() {
        for phase in PHASES {
            assert_eq!(Phase::parse(phase.as_str()), Some(phase));
        }
    }
}
