//! Application rounds: call, application, completeness, recommendation, blind judging, publicity, objection, decision, term.
//! Here: the round itself. Its kinds are in `round::kind` (files in `data/rounds/`), applications in `round::application`, judging in
//! `round::judging`. Criteria that a registry entry shows by itself are in `criteria`.

mod application;
mod held;
mod judging;
mod kind;
#[cfg(test)]
mod tests;

pub use application::*;
pub use held::*;
pub use judging::*;
pub use kind::*;

use crate::create::party::PartyKind;
use crate::ids::{AccountId, OrgId, PartyId, RoundId};
use crate::org::Region;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far a round has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum RoundStage {
    /// Being prepared; nobody else sees it.
    Planned,
    /// Called: applications come in between `opens` and `closes`.
    Called,
    /// Applications are with the judges.
    Judging,
    /// The proposal stands in public.
    Publicity {
        /// Since.
        from: Timestamp,
        /// Objections are taken until then, and nothing is decided before.
        until: Timestamp,
    },
    /// Decided.
    Decided {
        /// When.
        at: Timestamp,
    },
    /// Called off, with a public reason.
    Cancelled {
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

impl RoundStage {
    /// The stored word.
    pub fn name(&self) -> &'static str {
        match self {
            RoundStage::Planned => "planned",
            RoundStage::Called => "called",
            RoundStage::Judging => "judging",
            RoundStage::Publicity { .. } => "publicity",
            RoundStage::Decided { .. } => "decided",
            RoundStage::Cancelled { .. } => "cancelled",
        }
    }
}

/// One round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Id.
    pub id: RoundId,
    /// Kind (id of `data/rounds`).
    pub kind: String,
    /// Title, such as 2026年度科普作品奖.
    pub title: String,
    /// What is called for, for applicants.
    pub call: String,
    /// Organisation that runs it.
    pub org: OrgId,
    /// First moment of application.
    pub opens: Timestamp,
    /// From this moment on nothing is taken any more.
    pub closes: Timestamp,
    /// How many are granted at most; none: as many as merit it.
    pub quota: Option<u32>,
    /// Least adjusted total (hundredths) to be granted.
    pub least: Option<i64>,
    /// Place it is for: applicants from elsewhere are not meant, and may apply all the same.
    #[serde(default)]
    pub region: Region,
    /// The panel.
    pub panel: Vec<PartyId>,
    /// Judges per application, if not as the kind says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judges: Option<usize>,
    /// Most applications of this round that a judge agreed to; none: their monthly ceiling holds, other tasks included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<u32>,
    /// Interests that were stated: by judges about applicants, or by the office.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<Declared>,
    /// Who put the proposal before the public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposer: Option<AccountId>,
    /// Invented for demonstration.
    #[serde(default)]
    pub sample: bool,
    /// Stage.
    pub stage: RoundStage,
    /// Version read, for safe updates.
    pub version: i64,
}

/// Why a move is not legal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoundError {
    /// The round's or application's stage does not allow it.
    #[error("this is {stage}; it cannot be {attempted}")]
    WrongStage {
        /// Present stage.
        stage: &'static str,
        /// Attempted move.
        attempted: &'static str,
    },
    /// Before the opening.
    #[error("applications are taken from {0} on")]
    NotYet(Timestamp),
    /// At or after the close.
    #[error("applications were taken until {0}")]
    TooLate(Timestamp),
    /// This kind of party cannot apply.
    #[error("this round is not for a {}", .0.as_str())]
    NotFor(PartyKind),
    /// What is still missing, by field id.
    #[error("{} field(s) are missing: {}", .0.len(), .0.join(", "))]
    Incomplete(Vec<String>),
    /// A judge with an interest.
    #[error("{judge} may not judge this: {}", .why.as_str())]
    Recused {
        /// Who.
        judge: PartyId,
        /// Why.
        why: Interest,
    },
    /// A score outside its range, or one missing.
    #[error("score \"{0}\" is missing or outside its range")]
    Score(String),
    /// The publicity period has not passed.
    #[error("nothing is decided before {0}")]
    InPublicity(Timestamp),
    /// Objections are open.
    #[error("{0} objection(s) have not been answered")]
    OpenObjections(usize),
    /// An end without a reason.
    #[error("say why")]
    NoReason,
    /// Somebody who already acted on the other side of this step.
    #[error("another person has to do this: who proposes does not answer objections, who answers them does not decide")]
    SamePerson,
    /// A rank that several share at the end of the quota.
    #[error("the quota ends inside a tie at rank {0}")]
    Tie(u32),
    /// Something changed since these applications were handed in, and nobody has dealt with it.
    #[error("{0} proposed application(s) rest on what does not hold any more")]
    Concerns(usize),
    /// Too few judges.
    #[error("{have} of {need} judgements are there")]
    TooFewJudgements {
        /// There.
        have: usize,
        /// Needed.
        need: usize,
    },
}

impl Round {
    fn wrong(&self, attempted: &'static str) -> RoundError {
        RoundError::WrongStage { stage: self.stage.name(), attempted }
    }

    /// Opens the call.
    pub fn call(self) -> Result<Round, RoundError> {
        if self.stage != RoundStage::Planned || self.opens >= self.closes {
            return Err(self.wrong("called"));
        }
        Ok(Round { stage: RoundStage::Called, ..self })
    }

    /// Whether an application may be handed in now. The close itself is too late.
    pub fn takes(&self, kind: &RoundKind, applicant: PartyKind, now: Timestamp) -> Result<(), RoundError> {
        if self.stage != RoundStage::Called {
            return Err(self.wrong("applied for"));
        }
        if !kind.applicants.contains(&applicant) {
            return Err(RoundError::NotFor(applicant));
        }
        if now < self.opens {
            return Err(RoundError::NotYet(self.opens));
        }
        if now >= self.closes { Err(RoundError::TooLate(self.closes)) } else { Ok(()) }
    }

    /// Hands the complete applications to the judges, once the call has closed.
    pub fn judge(self, now: Timestamp) -> Result<Round, RoundError> {
        if self.stage != RoundStage::Called {
            return Err(self.wrong("judged"));
        }
        if now < self.closes {
            return Err(RoundError::NotYet(self.closes));
        }
        Ok(Round { stage: RoundStage::Judging, ..self })
    }

    /// Judges that each application needs.
    pub fn judges_each(&self, kind: &RoundKind) -> usize {
        if kind.judged.is_empty() { 0 } else { self.judges.unwrap_or(kind.judges) }
    }

    /// Whether `who` may answer objections: never the one who made the proposal.
    pub fn may_answer(&self, who: Option<&AccountId>) -> Result<(), RoundError> {
        if who.is_some() && who == self.proposer.as_ref() { Err(RoundError::SamePerson) } else { Ok(()) }
    }

    /// Whether `who` may decide: never one who answered an objection.
    pub fn may_decide(&self, answered: &[AccountId], who: Option<&AccountId>) -> Result<(), RoundError> {
        if who.is_some_and(|who| answered.contains(who)) { Err(RoundError::SamePerson) } else { Ok(()) }
    }

    /// Puts the proposal before the public.
    pub fn propose(self, kind: &RoundKind, now: Timestamp) -> Result<Round, RoundError> {
        let from_call = self.stage == RoundStage::Called && kind.judged.is_empty() && now >= self.closes;
        if self.stage != RoundStage::Judging && !from_call {
            return Err(self.wrong("proposed"));
        }
        let until = now.checked_add(SignedDuration::from_hours(24 * kind.publicity_days)).unwrap_or(Timestamp::MAX);
        Ok(Round { stage: RoundStage::Publicity { from: now, until }, ..self })
    }

    /// Somebody moved up: the proposal stands in public for its full time again, for everybody in it.
    pub fn stand_again(self, kind: &RoundKind, now: Timestamp) -> Result<Round, RoundError> {
        let RoundStage::Publicity { from, until } = self.stage else { return Err(self.wrong("changed")) };
        let fresh = now.checked_add(SignedDuration::from_hours(24 * kind.publicity_days)).unwrap_or(Timestamp::MAX);
        Ok(Round { stage: RoundStage::Publicity { from, until: until.max(fresh) }, ..self })
    }

    /// Whether objections are taken now.
    pub fn takes_objections(&self, now: Timestamp) -> Result<(), RoundError> {
        match self.stage {
            RoundStage::Publicity { until, .. } if now < until => Ok(()),
            RoundStage::Publicity { until, .. } => Err(RoundError::TooLate(until)),
            _ => Err(self.wrong("objected to")),
        }
    }

    /// Decides: only after the publicity period, only when every objection has its answer.
    pub fn decide(self, open_objections: usize, now: Timestamp) -> Result<Round, RoundError> {
        match self.stage {
            RoundStage::Publicity { until, .. } if now < until => Err(RoundError::InPublicity(until)),
            RoundStage::Publicity { .. } if open_objections > 0 => Err(RoundError::OpenObjections(open_objections)),
            RoundStage::Publicity { .. } => Ok(Round { stage: RoundStage::Decided { at: now }, ..self }),
            _ => Err(self.wrong("decided")),
        }
    }

    /// Calls the round off.
    pub fn cancel(self, reason: &str, now: Timestamp) -> Result<Round, RoundError> {
        if matches!(self.stage, RoundStage::Decided { .. } | RoundStage::Cancelled { .. }) {
            return Err(self.wrong("called off"));
        }
        if reason.trim().is_empty() {
            return Err(RoundError::NoReason);
        }
        Ok(Round { stage: RoundStage::Cancelled { reason: reason.trim().into(), at: now }, ..self })
    }
}
