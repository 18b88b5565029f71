//! Reports against content: what is wrong with it, what was decided, and one appeal. About content only; who reports is kept nowhere.
//! The clock is that of the case (`case`); grounds, outcomes and the days for an appeal are data (`data/cases/report.json`).

use crate::ids::{AccountId, CaseId, SubjectId};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// The kind of a case about a report.
pub const REPORT: &str = "report";

/// What may be wrong with a content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// Id.
    pub id: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// How urgent a case begins.
    pub level: i64,
}

/// What may be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Id.
    pub id: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// What must have happened to the content by then.
    #[serde(default)]
    pub needs: Option<Needs>,
}

/// What an outcome claims about the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Needs {
    /// It was corrected after the report came in.
    Corrected,
    /// It is withdrawn.
    Withdrawn,
}

/// The rules for reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// What may be wrong.
    pub grounds: Vec<Ground>,
    /// What may be decided.
    pub outcomes: Vec<Outcome>,
    /// Days after the decision on which it may be appealed against.
    pub appeal_days: i64,
}

/// The rules built into the program.
pub static RULES: std::sync::LazyLock<Rules> =
    std::sync::LazyLock::new(|| serde_json::from_str(include_str!("../../../../data/cases/report.json")).expect("built-in rules are checked by a test"));

impl Rules {
    /// A ground by its id.
    pub fn ground(&self, id: &str) -> Option<&Ground> {
        self.grounds.iter().find(|ground| ground.id == id)
    }
    /// An outcome by its id.
    pub fn outcome(&self, id: &str) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.id == id)
    }
}

/// What a case about a report is about, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The case with the clock.
    pub case: CaseId,
    /// The content.
    pub subject: SubjectId,
    /// Id of the ground.
    pub ground: String,
    /// How many reported it for this.
    pub times: i64,
    /// What was decided, by whom, when; of two decisions the later.
    pub decided: Option<Decided>,
    /// When it was appealed against.
    pub appealed_at: Option<Timestamp>,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Id of the outcome.
    pub outcome: String,
    /// Who decided. Never public.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
}

/// Why a move is not legal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Whoever decided does not decide about the appeal.
    #[error("whoever decided does not decide about the appeal")]
    SamePerson,
    /// The content is not as the outcome says.
    #[error("the content is not (yet) as this outcome says")]
    NotSo(Needs),
    /// There is nothing to appeal against, the time is over, or it was done before.
    #[error("this cannot be appealed against (any more)")]
    NoAppeal,
}

impl Report {
    /// Decides. `corrected` and `withdrawn` say how the content stands.
    pub fn decide(self, outcome: &Outcome, by: AccountId, at: Timestamp, (corrected, withdrawn): (bool, bool)) -> Result<Report, ReportError> {
        let so = match outcome.needs {
            None => true,
            Some(Needs::Corrected) => corrected,
            Some(Needs::Withdrawn) => withdrawn,
        };
        if let Some(needs) = outcome.needs.filter(|_| !so) {
            return Err(ReportError::NotSo(needs));
        }
        if self.decided.as_ref().is_some_and(|before| before.by == by) {
            return Err(ReportError::SamePerson);
        }
        Ok(Report { decided: Some(Decided { outcome: outcome.id.clone(), by, at }), ..self })
    }

    /// Until when it may be appealed against; none: not at all (any more).
    pub fn appeal_until(&self, rules: &Rules) -> Option<Timestamp> {
        let decided = self.decided.as_ref().filter(|_| self.appealed_at.is_none())?;
        decided.at.checked_add((rules.appeal_days * 24).hours()).ok()
    }

    /// Appeals, once and in time.
    pub fn appeal(self, rules: &Rules, now: Timestamp) -> Result<Report, ReportError> {
        match self.appeal_until(rules) {
            Some(until) if now <= until => Ok(Report { appealed_at: Some(now), ..self }),
            _ => Err(ReportError::NoAppeal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report { case: "c".into(), subject: "kepu:abcdefgh23/r-1".into(), ground: "wrong".into(), times: 1, decided: None, appealed_at: None }
    }

    #[test]
    fn every_ground_and_outcome_has_names_and_a_level_of_the_kind() {
        for ground in &RULES.grounds {
            assert!(!ground.zh.is_empty() && !ground.en.is_empty() && crate::listen::case::level(REPORT, ground.level).is_some(), "{}", ground.id);
        }
        assert!(RULES.outcomes.iter().all(|outcome| !outcome.zh.is_empty() && !outcome.en.is_empty()) && RULES.appeal_days > 0);
    }

    #[test]
    fn a_decision_must_be_true_of_the_content_and_an_appeal_is_decided_by_somebody_else() {
        let now = Timestamp::UNIX_EPOCH;
        let outcome = |id: &str| RULES.outcome(id).expect("outcome");
        assert_eq!(report().decide(outcome("withdrawn"), "a".into(), now, (true, false)), Err(ReportError::NotSo(Needs::Withdrawn)));
        assert_eq!(report().appeal(&RULES, now), Err(ReportError::NoAppeal), "nothing was decided");
        let decided = report().decide(outcome("kept"), "a".into(), now, (false, false)).expect("decided");
        let late = decided.appeal_until(&RULES).expect("until").checked_add(1.seconds()).expect("later");
        assert_eq!(decided.clone().appeal(&RULES, late), Err(ReportError::NoAppeal));
        let appealed = decided.appeal(&RULES, now).expect("appealed");
        assert_eq!(appealed.clone().decide(outcome("kept"), "a".into(), now, (false, false)), Err(ReportError::SamePerson));
        let again = appealed.decide(outcome("corrected"), "b".into(), now, (true, false)).expect("decided");
        assert_eq!(again.appeal(&RULES, now), Err(ReportError::NoAppeal), "once");
    }
}
