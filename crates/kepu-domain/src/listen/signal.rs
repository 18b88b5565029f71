//! Signals: single things heard, without a trace of who said them. They wait until they are matched; what a known claim answers is
//! forgotten at once, the words of the rest stay for as long as topics look back. What they have in common is a `topic`.

use crate::ids::{InletId, TopicId};
use crate::listen::sighting::Channel;
use crate::org::Region;
use jiff::Timestamp;

/// Longest text of a signal, in user characters; what is longer is cut.
pub const TEXT_MAX: usize = 2_000;
/// Heaviest signal: the first of a list of what is looked for most.
pub const WEIGHT_MAX: f64 = 100.0;

/// How far a signal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has looked whether a claim answers it.
    Waiting,
    /// No claim answers it.
    Open,
}

impl State {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Open => "open",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        [State::Waiting, State::Open].into_iter().find(|state| state.as_str() == text)
    }
}

/// One thing heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Its number in the order of arrival.
    pub seq: i64,
    /// When it was said.
    pub at: Timestamp,
    /// When it came in.
    pub got_at: Timestamp,
    /// By which way.
    pub inlet: InletId,
    /// What kind of way that is.
    pub channel: Channel,
    /// County at most.
    pub region: Region,
    /// What was said, cleaned and masked.
    pub text: String,
    /// How much it counts; 1 for one person.
    pub weight: f64,
    /// How far it has come.
    pub state: State,
    /// What it is about, once that is known.
    pub topic: Option<TopicId>,
}

/// What became of signals within an hour, for one inlet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Taken in.
    pub taken: i64,
    /// Not taken: no room, broken, or too old.
    pub refused: i64,
    /// Answered by a known claim.
    pub matched: i64,
    /// Close to a known claim: a person is to look.
    pub asked: i64,
    /// Close to nothing known.
    pub nothing: i64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.taken += more.taken;
        self.refused += more.refused;
        self.matched += more.matched;
        self.asked += more.asked;
        self.nothing += more.nothing;
    }
}
