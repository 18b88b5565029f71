//! Points that warnings are pushed to: a screen, a loudspeaker, a chat group, a page of an organisation. Never a person: a point says where it stands and what
//! it wants to hear, nobody's profile does. How a delivery stands is here too; queue and sending are in the operations.

use crate::ids::{OrgId, PointId};
use crate::org::Region;
use jiff::SignedDuration;

/// What a point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// A page or an app of an organisation.
    Page,
    /// A screen.
    Screen,
    /// A loudspeaker.
    Loudspeaker,
    /// A chat group.
    Chat,
}

/// Every channel.
pub const CHANNELS: [Channel; 4] = [Channel::Page, Channel::Screen, Channel::Loudspeaker, Channel::Chat];

impl Channel {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Page => "page",
            Channel::Screen => "screen",
            Channel::Loudspeaker => "loudspeaker",
            Channel::Chat => "chat",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        CHANNELS.into_iter().find(|channel| channel.as_str() == text)
    }
}

/// A point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Id; part of its address.
    pub id: PointId,
    /// Its number in the queue.
    pub n: i64,
    /// Who answers for it.
    pub org: OrgId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub channel: Channel,
    /// Where it is called; empty: it asks by itself.
    pub address: String,
    /// Where it stands: a warning that touches this place is for it.
    pub region: Region,
    /// Hazards; empty: all.
    pub hazards: Vec<String>,
    /// The mildest level it wants: 1 red only … 4 all.
    pub level: i64,
    /// BCP 47.
    pub lang: String,
    /// For whom; empty: everybody.
    pub audience: String,
    /// The word from which its secret is derived.
    pub nonce: String,
    /// Whether it is on; one that opted out is off.
    pub on: bool,
    /// Version read, for safe updates.
    pub version: i64,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Waits.
    Queued,
    /// Handed over, not confirmed.
    Sent,
    /// The point said that it has it.
    Confirmed,
    /// Given up: why stands beside it.
    Failed,
    /// Not sent any more: a newer message took its place, or it is over.
    Overtaken,
}

/// Every state.
pub const STATES: [State; 5] = [State::Queued, State::Sent, State::Confirmed, State::Failed, State::Overtaken];

impl State {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Sent => "sent",
            State::Confirmed => "confirmed",
            State::Failed => "failed",
            State::Overtaken => "overtaken",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        STATES.into_iter().find(|state| state.as_str() == text)
    }
}

/// Attempts before a delivery is given up.
pub const TRIES_MAX: i64 = 4;

/// Pause before the next attempt: 20 s, 1 min, 3 min.
pub fn pause(tries: i64) -> SignedDuration {
    SignedDuration::from_secs(20 * 3_i64.pow(u32::try_from(tries.clamp(1, 5) - 1).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_pauses_grow() {
        for channel in CHANNELS {
            assert_eq!(Channel::parse(channel.as_str()), Some(channel));
        }
        for state in STATES {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!((1..=3).map(|n| pause(n).as_secs()).collect::<Vec<_>>(), [20, 60, 180]);
    }
}
