//! Inlets: the ways by which signals come in without a visitor at a page. A public list that is read by itself, a tipline that calls us.
//! What came in is in `signal`; reading and checking signatures is in `kepu-app::listen::intake`.

use crate::ids::{InletId, OrgId};
use crate::org::Region;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The inlet of files that people bring: it needs no setting up.
pub const FILES: &str = "files";
/// The inlet of questions and searches on the node's own pages that no claim answered.
pub const ASKED: &str = "asked";

/// The inlet of a stream that an outside queue holds: it needs no setting up here.
pub const STREAM: &str = "stream";

/// What an inlet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A public list that this node reads.
    List,
    /// A house that sends what people tell it.
    Tipline,
    /// A source of official warnings: it calls like a tipline, or is read like a list.
    Warning,
}

/// Every kind.
pub const KINDS: [Kind; 3] = [Kind::List, Kind::Tipline, Kind::Warning];

impl Kind {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::List => "list",
            Kind::Tipline => "tipline",
            Kind::Warning => "warning",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// How a list is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// RSS or Atom.
    #[default]
    Feed,
    /// A table: commas, semicolons or tabs.
    Csv,
    /// JSON, an object a line or a list of objects.
    Json,
}

/// Every format.
pub const FORMATS: [Format; 3] = [Format::Feed, Format::Csv, Format::Json];

impl Format {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Feed => "feed",
            Format::Csv => "csv",
            Format::Json => "json",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        FORMATS.into_iter().find(|format| format.as_str() == text)
    }
}

/// How a list is read. A tipline has none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// `https://…`, `http://…`, or `file:NAME` for a file in the folder `lists` of the node.
    pub address: String,
    /// How it is written. A list that is suddenly written otherwise is paused.
    pub format: Format,
    /// What (`text`, `id`, `time`, `weight`, `region`) stands in which column.
    pub columns: BTreeMap<String, String>,
    /// Minutes between two readings.
    pub every_minutes: i64,
    /// Whether an entry that is still there an hour later counts again, as in lists of what is looked for most.
    pub repeats: bool,
    /// Issuers whose warnings are passed on at once: senders, `*@host`, or the first digits of identifiers with `*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<String>,
}

impl Plan {
    /// Whether there is something to read.
    pub fn is_read(&self, kind: Kind) -> bool {
        kind == Kind::List || (kind == Kind::Warning && !self.address.is_empty())
    }
}

/// Fewest and most minutes between two readings of a source of warnings.
pub const WARNING_MINUTES: std::ops::RangeInclusive<i64> = 1..=60;
/// Most issuers of a source.
pub const ISSUERS_MAX: usize = 100;

/// Fewest and most minutes between two readings.
pub const EVERY_MINUTES: std::ops::RangeInclusive<i64> = 5..=7 * 24 * 60;
/// Longest pause after failures.
const PAUSE_MINUTES_MAX: i64 = 24 * 60;
/// Failures in a row after which somebody must look.
pub const FAILURES_MAX: i64 = 12;

/// Whether an inlet is read or heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is.
    On,
    /// Somebody switched it off.
    Off,
    /// It stopped by itself, and somebody must look: why, as `kepu-app` writes reasons.
    Paused(String),
}

impl State {
    /// The stored word.
    pub fn name(&self) -> &'static str {
        match self {
            State::On => "on",
            State::Off => "off",
            State::Paused(_) => "paused",
        }
    }
}

/// One inlet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inlet {
    /// Id; of a tipline part of its address.
    pub id: InletId,
    /// What it is.
    pub kind: Kind,
    /// Who answers for it.
    pub org: OrgId,
    /// Its name on pages.
    pub name: String,
    /// Where its signals are from unless they say so.
    pub region: Region,
    /// How it is read.
    pub plan: Plan,
    /// Whether it is on.
    pub state: State,
    /// The word from which a tipline's secret is derived; changed when a new secret is given.
    pub nonce: String,
    /// When it is read next.
    pub due_at: Option<Timestamp>,
    /// When it was last read or heard.
    pub last_at: Option<Timestamp>,
    /// When that last went well.
    pub good_at: Option<Timestamp>,
    /// Failures since then.
    pub failures: i64,
    /// What went wrong last, as `kepu-app` writes reasons; empty after a success.
    pub trouble: String,
    /// Version read, for safe updates.
    pub version: i64,
}

impl Inlet {
    /// After a reading that went well.
    #[must_use]
    pub fn read_well(self, now: Timestamp) -> Self {
        let due_at = Some(later(now, self.plan.every_minutes));
        Self { due_at, last_at: Some(now), good_at: Some(now), failures: 0, trouble: String::new(), ..self }
    }

    /// After a reading for which nobody here is to blame: tried again after a pause that doubles; paused after [`FAILURES_MAX`].
    #[must_use]
    pub fn failed(self, now: Timestamp, why: &str) -> Self {
        let failures = self.failures + 1;
        if failures >= FAILURES_MAX {
            return Self { failures, ..self.paused(now, why) };
        }
        let minutes = self.plan.every_minutes.max(1).saturating_mul(1 << failures.clamp(0, 10)).min(PAUSE_MINUTES_MAX.max(self.plan.every_minutes));
        Self { due_at: Some(later(now, minutes)), last_at: Some(now), failures, trouble: why.to_owned(), ..self }
    }

    /// After an answer that is not the list it was: nothing is read until somebody has looked.
    #[must_use]
    pub fn paused(self, now: Timestamp, why: &str) -> Self {
        Self { due_at: None, last_at: Some(now), state: State::Paused(why.to_owned()), trouble: why.to_owned(), ..self }
    }

    /// Switched on or off by somebody. Switched on it is read at once.
    #[must_use]
    pub fn switched(self, on: bool, now: Timestamp) -> Self {
        let due_at = (on && self.plan.is_read(self.kind)).then_some(now);
        Self { due_at, failures: 0, state: if on { State::On } else { State::Off }, trouble: String::new(), ..self }
    }
}

fn later(now: Timestamp, minutes: i64) -> Timestamp {
    now.checked_add(jiff::SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Inlet {
        Inlet {
            id: "i".into(),
            kind: Kind::List,
            org: "o".into(),
            name: "n".into(),
            region: Region::NATION,
            plan: Plan { every_minutes: 60, ..Plan::default() },
            state: State::On,
            nonce: String::new(),
            due_at: None,
            last_at: None,
            good_at: None,
            failures: 0,
            trouble: String::new(),
            version: 1,
        }
    }
    fn minutes(inlet: &Inlet) -> Option<i64> {
        inlet.due_at.map(|at| at.as_second() / 60)
    }

    #[test]
    fn a_list_that_cannot_be_reached_is_tried_less_and_less_often_and_then_left_to_a_person() {
        let now = Timestamp::UNIX_EPOCH;
        let mut inlet = list();
        let mut pauses = Vec::new();
        for _ in 1..FAILURES_MAX {
            inlet = inlet.failed(now, "away");
            pauses.push(minutes(&inlet).expect("due"));
        }
        assert_eq!(pauses[..4], [120, 240, 480, 960]);
        assert!(pauses.iter().all(|pause| *pause <= 24 * 60));
        let given_up = inlet.failed(now, "away");
        assert_eq!((given_up.state.name(), given_up.due_at), ("paused", None));
        let on = given_up.switched(true, now);
        assert_eq!((on.state.clone(), on.failures, on.trouble.as_str(), minutes(&on)), (State::On, 0, "", Some(0)));
        assert_eq!(minutes(&on.read_well(now)), Some(60));
    }

    #[test]
    fn words_read_back() {
        for kind in KINDS {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        for format in FORMATS {
            assert_eq!(Format::parse(format.as_str()), Some(format));
        }
    }
}
