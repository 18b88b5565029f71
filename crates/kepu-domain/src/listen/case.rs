//! Cases: the work on a question or rumour, with an owner and a clock that everybody sees.
//! Kinds, levels and deadlines are data (`data/cases/*.json`); what is said publicly ends in a `ClaimReview`.

use crate::ids::{AccountId, CaseId, DraftId, OrgId, PartyId, SubjectId};
use crate::org::Region;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A kind of case as its file defines it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Whether it is the house's own matter: no public case has it.
    #[serde(default)]
    pub inward: bool,
    /// Levels, the most urgent first.
    pub levels: Vec<Level>,
}

/// How urgent a case is, with its deadlines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// From 1, the most urgent.
    pub level: i64,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Minutes from opening to the first honest statement.
    pub holding_minutes: i64,
    /// Hours from opening to the answer.
    pub answer_hours: i64,
    /// Minutes that whoever is called has, before the next in the chain of duty is called; 0: nobody is called.
    #[serde(default)]
    pub call_minutes: i64,
    /// Whether people are called at night as well.
    #[serde(default)]
    pub night: bool,
}

/// The kinds built into the program.
pub static KINDS: std::sync::LazyLock<Vec<Kind>> = std::sync::LazyLock::new(|| {
    const FILES: [&str; 7] = [
        include_str!("../../../../data/cases/question.json"),
        include_str!("../../../../data/cases/rumour.json"),
        include_str!("../../../../data/cases/recheck.json"),
        include_str!("../../../../data/cases/report.json"),
        include_str!("../../../../data/cases/warning.json"),
        include_str!("../../../../data/cases/decision.json"),
        include_str!("../../../../data/cases/finding.json"),
    ];
    FILES.iter().map(|text| serde_json::from_str(text).expect("built-in case kinds are checked by a test")).collect()
});

/// The kind of a case in which an answer that stands is looked at again. Its subject is the claim itself.
pub const RECHECK: &str = "recheck";

/// The deadlines of `kind` at `level`.
pub fn level(kind: &str, level: i64) -> Option<&'static Level> {
    KINDS.iter().find(|k| k.id == kind)?.levels.iter().find(|l| l.level == level)
}

/// How far a case has come. A stage holds only what is true in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nobody has it yet.
    Open,
    /// Somebody owns it; perhaps an expert was asked.
    Working {
        /// Owner.
        owner: AccountId,
        /// The expert asked to answer.
        expert: Option<PartyId>,
        /// The draft of the answer.
        draft: Option<DraftId>,
    },
    /// Answered in public.
    Answered {
        /// Owner at the end.
        owner: AccountId,
        /// When.
        at: Timestamp,
    },
    /// Ended without an answer.
    Closed {
        /// Why, for the public.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

impl Stage {
    /// The stored word.
    pub fn name(&self) -> &'static str {
        match self {
            Stage::Open => "open",
            Stage::Working { .. } => "working",
            Stage::Answered { .. } => "answered",
            Stage::Closed { .. } => "closed",
        }
    }
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Id.
    pub id: CaseId,
    /// Kind id.
    pub kind: String,
    /// Level within the kind.
    pub level: i64,
    /// What it is about, as people say it.
    pub title: String,
    /// Fields, as far as known.
    pub fields: Vec<String>,
    /// Place.
    pub region: Region,
    /// Organisation that owns the clock.
    pub org: OrgId,
    /// The claim's public subject, given when the case opens so that holding statement and answer share it.
    pub subject: SubjectId,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When the first public statement went out.
    pub held_at: Option<Timestamp>,
    /// Stage.
    pub stage: Stage,
    /// Version read, for safe updates.
    pub version: i64,
}

/// What the clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Since opening.
    pub elapsed: SignedDuration,
    /// What is due next.
    pub next: Due,
    /// When it is due; for a finished case, when it ended.
    pub at: Timestamp,
    /// Whether that moment has passed undone.
    pub late: bool,
}

/// What a case owes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A holding statement.
    Holding,
    /// The answer.
    Answer,
    /// Nothing: the case is over.
    Nothing,
}

/// Why a move is not legal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// The case is over.
    #[error("this case is over")]
    Over,
    /// Nobody has taken it yet.
    #[error("take the case first")]
    NoOwner,
    /// An end without a reason.
    #[error("say why")]
    NoReason,
}

impl Case {
    /// Gives the case to `owner`; a case that is worked on may be handed over.
    pub fn take(self, owner: AccountId) -> Result<Case, CaseError> {
        let stage = match self.stage {
            Stage::Open => Stage::Working { owner, expert: None, draft: None },
            Stage::Working { expert, draft, .. } => Stage::Working { owner, expert, draft },
            _ => return Err(CaseError::Over),
        };
        Ok(Case { stage, ..self })
    }

    /// Whether an expert may be asked now: somebody has the case, and it is not over.
    pub fn can_ask(self) -> Result<Case, CaseError> {
        match self.stage {
            Stage::Working { .. } => Ok(self),
            Stage::Open => Err(CaseError::NoOwner),
            _ => Err(CaseError::Over),
        }
    }

    /// Notes which expert writes the answer, and in which draft.
    pub fn ask_expert(self, party: PartyId, answer: DraftId) -> Result<Case, CaseError> {
        let case = self.can_ask()?;
        let Stage::Working { owner, .. } = case.stage else { return Err(CaseError::NoOwner) };
        Ok(Case { stage: Stage::Working { owner, expert: Some(party), draft: Some(answer) }, ..case })
    }

    /// Notes that a holding statement went out; the first one stops the first clock.
    pub fn held(self, now: Timestamp) -> Result<Case, CaseError> {
        match self.stage {
            Stage::Working { .. } => Ok(Case { held_at: self.held_at.or(Some(now)), ..self }),
            Stage::Open => Err(CaseError::NoOwner),
            _ => Err(CaseError::Over),
        }
    }

    /// Ends the case with its public answer.
    pub fn answer(self, now: Timestamp) -> Result<Case, CaseError> {
        match self.stage {
            Stage::Working { owner, .. } => Ok(Case { stage: Stage::Answered { owner, at: now }, held_at: self.held_at.or(Some(now)), ..self }),
            Stage::Open => Err(CaseError::NoOwner),
            _ => Err(CaseError::Over),
        }
    }

    /// Ends the case without an answer.
    pub fn close(self, reason: &str, now: Timestamp) -> Result<Case, CaseError> {
        if matches!(self.stage, Stage::Answered { .. } | Stage::Closed { .. }) {
            return Err(CaseError::Over);
        }
        if reason.trim().is_empty() {
            return Err(CaseError::NoReason);
        }
        Ok(Case { stage: Stage::Closed { reason: reason.trim().into(), at: now }, ..self })
    }

    /// When the first statement and the answer are due.
    pub fn deadlines(&self) -> (Timestamp, Timestamp) {
        let (holding, answer) = level(&self.kind, self.level).map_or((60, 24), |l| (l.holding_minutes, l.answer_hours));
        let after = |d| self.opened_at.checked_add(d).unwrap_or(Timestamp::MAX);
        (after(SignedDuration::from_mins(holding)), after(SignedDuration::from_hours(answer)))
    }

    /// What the clock shows at `now`.
    pub fn clock(&self, now: Timestamp) -> Clock {
        let (holding, answer) = self.deadlines();
        let (next, at) = match &self.stage {
            Stage::Answered { at, .. } | Stage::Closed { at, .. } => (Due::Nothing, *at),
            _ if self.held_at.is_none() => (Due::Holding, holding),
            _ => (Due::Answer, answer),
        };
        let end = if next == Due::Nothing { at } else { now };
        Clock { elapsed: end.duration_since(self.opened_at), next, at, late: next != Due::Nothing && now > at }
    }
}

/// One line of a case's time line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// A short word: `opened`, `taken`, `handed`, `classified`, `asked`, `held`, `answered`, `closed`, `note`, `reported`, `decided`, `appealed`, `called`, `cannot`, `unanswered`.
    pub kind: String,
    /// Words about it.
    pub text: String,
    /// Whether visitors see it.
    pub public: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> Case {
        Case {
            id: "c".into(),
            kind: "question".into(),
            level: 2,
            title: "t".into(),
            fields: vec![],
            region: Region::NATION,
            org: "o".into(),
            subject: "kepu:abcdefgh23/c-1".into(),
            opened_at: Timestamp::UNIX_EPOCH,
            held_at: None,
            stage: Stage::Open,
            version: 1,
        }
    }

    #[test]
    fn every_kind_loads_and_has_growing_deadlines() {
        for kind in KINDS.iter() {
            assert!(!kind.levels.is_empty());
            for pair in kind.levels.windows(2) {
                assert!(pair[0].level < pair[1].level && pair[0].answer_hours <= pair[1].answer_hours);
            }
        }
    }

    #[test]
    fn the_clock_first_waits_for_a_statement_then_for_the_answer() {
        let late = Timestamp::from_second(100 * 3600).expect("time");
        let open = case();
        assert_eq!(open.clock(late).next, Due::Holding);
        assert!(open.clock(late).late);
        assert_eq!(open.clone().held(late), Err(CaseError::NoOwner));
        let held = open.take("a".into()).expect("taken").held(late).expect("held");
        assert_eq!(held.clock(late).next, Due::Answer);
        let done = held.answer(late).expect("answered");
        assert_eq!(done.clock(Timestamp::MAX).next, Due::Nothing);
        assert_eq!(done.clone().close("x", late), Err(CaseError::Over));
    }
}
