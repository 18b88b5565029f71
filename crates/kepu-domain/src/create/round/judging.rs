//! Judging: who may not judge what, and one judge's word on one application. How scores become comparable is in `kepu-stats`, who
//! gets which application in `kepu-plan`.

use super::{Application, RoundError, RoundKind};
use crate::create::party::Party;
use crate::ids::{ApplicationId, OrgId, PartyId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Why somebody may not judge an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interest {
    /// It is their own.
    Own,
    /// They work at the same institution, or one above or below it.
    Colleague,
    /// They are named among its authors, or signed the work.
    Coauthor,
    /// They recommended it, or work where it was recommended.
    Recommender,
    /// They said so themselves.
    Stated,
}

impl Interest {
    /// The word of catalogues and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Interest::Own => "own",
            Interest::Colleague => "colleague",
            Interest::Coauthor => "coauthor",
            Interest::Recommender => "recommender",
            Interest::Stated => "stated",
        }
    }
}

/// An interest that somebody stated: kin, teacher and pupil, a quarrel, money. Why is nobody's business; that it is there, is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// Who would judge.
    pub judge: PartyId,
    /// Who applies.
    pub applicant: PartyId,
}

/// Answers and values in which people are named.
pub const NAMES: [&str; 5] = ["authors", "members", "team", "leader", "adviser"];

/// Whether `judge` has an interest in an application of `applicant`. `line_judge` and `line_applicant`: the institution of each with
/// those above it that are institutions too (not divisions), nearest first.
pub fn interest(
    judge: &Party,
    applicant: &Party,
    application: &Application,
    line_judge: &[OrgId],
    line_applicant: &[OrgId],
    declared: &[Declared],
) -> Option<Interest> {
    let named = |value: &Value| value.as_str() == Some(judge.id.as_str());
    if judge.id == applicant.id || application.answers.values().any(named) || applicant.values.values().any(named) {
        return Some(Interest::Own);
    }
    let above = |one: &[OrgId], other: &[OrgId]| one.first().is_some_and(|org| other.contains(org));
    if above(line_judge, line_applicant) || above(line_applicant, line_judge) {
        return Some(Interest::Colleague);
    }
    // A name inside a longer one recuses too: one judge too few is mended, one with an interest is not.
    let written = NAMES.iter().flat_map(|id| [application.answers.get(*id), applicant.values.get(*id)]).flatten().filter_map(Value::as_str);
    if judge.name.chars().count() >= 2 && written.into_iter().any(|text| text.contains(&judge.name)) || application.signed_by.contains(&judge.id) {
        return Some(Interest::Coauthor);
    }
    let recommender = application.recommended.as_ref().map(|(org, ..)| org);
    if recommender.is_some_and(|org| line_judge.contains(org)) {
        return Some(Interest::Recommender);
    }
    declared.iter().any(|d| d.judge == judge.id && d.applicant == applicant.id).then_some(Interest::Stated)
}

/// One judge's word on one application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Application.
    pub application: ApplicationId,
    /// Judge.
    pub judge: PartyId,
    /// Where it stands.
    pub stage: JudgementStage,
}

/// Where a judgement stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum JudgementStage {
    /// Waits for the judge.
    Assigned,
    /// Scored.
    Scored {
        /// Scores by criterion id.
        scores: BTreeMap<String, i64>,
        /// Words for the applicant.
        comment: String,
        /// When.
        at: Timestamp,
    },
    /// Given back because of an interest.
    Recused {
        /// Which.
        why: Interest,
        /// When.
        at: Timestamp,
    },
}

impl Judgement {
    /// Scores an assigned application; `interest` was asked again at this moment.
    pub fn score(
        self,
        kind: &RoundKind,
        scores: BTreeMap<String, i64>,
        comment: &str,
        interest: Option<Interest>,
        now: Timestamp,
    ) -> Result<Judgement, RoundError> {
        if let Some(why) = interest {
            return Err(RoundError::Recused { judge: self.judge, why });
        }
        if matches!(self.stage, JudgementStage::Recused { .. }) {
            return Err(RoundError::WrongStage { stage: "recused", attempted: "scored" });
        }
        for judged in &kind.judged {
            if !scores.get(&judged.id).is_some_and(|score| (0..=judged.max).contains(score)) {
                return Err(RoundError::Score(judged.id.clone()));
            }
        }
        if let Some(unknown) = scores.keys().find(|id| !kind.judged.iter().any(|j| j.id == **id)) {
            return Err(RoundError::Score(unknown.clone()));
        }
        Ok(Judgement { stage: JudgementStage::Scored { scores, comment: comment.trim().into(), at: now }, ..self })
    }

    /// Gives it back.
    pub fn recuse(self, why: Interest, now: Timestamp) -> Judgement {
        Judgement { stage: JudgementStage::Recused { why, at: now }, ..self }
    }
}
