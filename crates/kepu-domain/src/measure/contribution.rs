//! The ledger of contributions: who did what for whom, confirmed by the side that received it, counted once although it serves
//! many reports. Scoring them is in `scoring`, certificates in `create::credential`.

use crate::ids::{ContributionId, OrgId, PartyId};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A kind of contribution (`data/contributions/kinds.json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContributionKind {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Chinese unit of the count, such as 场.
    pub unit_zh: String,
    /// English unit.
    pub unit_en: String,
    /// Who confirms: `deed` (the program has seen it done), `host` (the institution that received it).
    pub confirmed_by: ConfirmedBy,
    /// Whether its minutes count as volunteer hours.
    #[serde(default)]
    pub volunteer: bool,
}

/// Who confirms a contribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConfirmedBy {
    /// A deed in the program itself, such as a published review.
    Deed,
    /// The institution that received it.
    Host,
}

/// The kinds built into the program.
pub static KINDS: std::sync::LazyLock<Vec<ContributionKind>> =
    std::sync::LazyLock::new(|| serde_json::from_str(include_str!("../../../../data/contributions/kinds.json")).expect("built-in kinds are checked by a test"));

/// A kind by its id.
pub fn kind(id: &str) -> Option<&'static ContributionKind> {
    KINDS.iter().find(|kind| kind.id == id)
}

/// Where a line of the ledger stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// Stated by the person; counts for nothing yet.
    Claimed,
    /// Confirmed by the receiving side.
    Confirmed {
        /// Name of who confirmed, for the certificate.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// Not confirmed, with a reason that the person reads.
    Refused {
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

impl Stage {
    /// The stored word.
    pub fn name(&self) -> &'static str {
        match self {
            Stage::Claimed => "claimed",
            Stage::Confirmed { .. } => "confirmed",
            Stage::Refused { .. } => "refused",
        }
    }
}

/// Most minutes of one line: a month of days.
pub const MINUTES_MAX: i64 = 31 * 24 * 60;

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// Id.
    pub id: ContributionId,
    /// Who.
    pub party: PartyId,
    /// Kind (id of [`KINDS`]).
    pub kind: String,
    /// What, in words.
    pub title: String,
    /// What it was about: a subject, case, event or application; with party and kind it makes the line unique, so that one deed
    /// is counted once.
    pub object: String,
    /// The institution that received it and confirms it.
    pub host: OrgId,
    /// When.
    pub day: Date,
    /// How many units, from 1.
    pub count: i64,
    /// Minutes of effort; 0: not counted.
    pub minutes: i64,
    /// Stage.
    pub stage: Stage,
    /// Version read, for safe updates.
    pub version: i64,
}

/// Why a move is not legal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContributionError {
    /// Already confirmed or refused.
    #[error("this was {0} before")]
    Closed(&'static str),
    /// Nobody confirms their own work.
    #[error("nobody confirms their own work")]
    Own,
    /// A refusal without a reason.
    #[error("say why")]
    NoReason,
}

impl Contribution {
    /// Confirms a claimed line. `confirmer`: the registry entry of who confirms, if they have one.
    pub fn confirm(self, by: &str, confirmer: Option<&PartyId>, now: Timestamp) -> Result<Contribution, ContributionError> {
        if confirmer == Some(&self.party) {
            return Err(ContributionError::Own);
        }
        match self.stage {
            Stage::Claimed => Ok(Contribution { stage: Stage::Confirmed { by: by.to_owned(), at: now }, ..self }),
            other => Err(ContributionError::Closed(other.name())),
        }
    }

    /// Refuses a claimed line.
    pub fn refuse(self, reason: &str, now: Timestamp) -> Result<Contribution, ContributionError> {
        if reason.trim().is_empty() {
            return Err(ContributionError::NoReason);
        }
        match self.stage {
            Stage::Claimed => Ok(Contribution { stage: Stage::Refused { reason: reason.trim().into(), at: now }, ..self }),
            other => Err(ContributionError::Closed(other.name())),
        }
    }

    /// Whether it counts.
    pub fn counts(&self) -> bool {
        matches!(self.stage, Stage::Confirmed { .. })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use jiff::civil::date;

    pub(crate) fn line(kind: &str, object: &str, day: Date, count: i64, minutes: i64) -> Contribution {
        Contribution {
            id: object.into(),
            party: "p".into(),
            kind: kind.into(),
            title: kind.into(),
            object: object.into(),
            host: "o".into(),
            day,
            count,
            minutes,
            stage: Stage::Confirmed { by: "主办方".into(), at: Timestamp::UNIX_EPOCH },
            version: 1,
        }
    }

    #[test]
    fn every_kind_loads() {
        assert!(KINDS.len() >= 10 && kind("review").is_some());
    }

    #[test]
    fn the_receiving_side_confirms_and_nobody_their_own() {
        let claimed = Contribution { stage: Stage::Claimed, ..line("talk", "e", date(2026, 1, 1), 1, 90) };
        assert_eq!(claimed.clone().confirm("甲", Some(&"p".into()), Timestamp::UNIX_EPOCH), Err(ContributionError::Own));
        let done = claimed.clone().confirm("甲", Some(&"q".into()), Timestamp::UNIX_EPOCH).expect("confirmed");
        assert!(done.counts() && !claimed.counts());
        assert_eq!(done.refuse("x", Timestamp::UNIX_EPOCH), Err(ContributionError::Closed("confirmed")));
    }
}
