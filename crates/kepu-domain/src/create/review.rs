//! Expert review: how a task moves from assigned to decided, and the sign-off that readers see.
//! A fact check of a claim is a `ClaimReview` (`listen::claim`); here it is always one person's review of one version.

use crate::create::check::Finding;
use crate::ids::{DraftId, PartyId, ReviewId, SubjectId};
use crate::record::DocHash;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What a reviewer decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Correct and fit for its audience.
    Approve,
    /// Must be changed first.
    Return,
}

impl Decision {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Approve => "approve",
            Decision::Return => "return",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        [Decision::Approve, Decision::Return].into_iter().find(|d| d.as_str() == text)
    }
}

/// How the review was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Somebody read this version.
    #[default]
    Individual,
    /// Somebody answers for a whole batch without having read each piece.
    Batch,
}

/// A reviewer's name under exactly one version, as readers see it; after a small review the names under the unchanged rest stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOff {
    /// Registry id, unique on the signing node.
    pub party: String,
    /// Name.
    pub name: String,
    /// Institution.
    pub org: String,
    /// Post.
    pub title: String,
    /// Fields of competence at the time.
    pub fields: Vec<String>,
    /// Stated interests; "none" is stated too.
    pub conflict: String,
    /// When.
    pub date: Date,
    /// How.
    #[serde(default)]
    pub method: Method,
    /// A remark for readers, may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// The editions it is about, if it is the small review of editions added or changed since the whole was reviewed; empty: the whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub editions: Vec<String>,
    /// The qualification that made it count, as the signing node has seen it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qualification: Option<Proof>,
    /// Points of the lane's checklist that were ticked off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
}

/// A qualification as it stands under a text: seen by the signing institution, without its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// What it is, such as 执业医师.
    pub what: String,
    /// Fields it covers.
    pub fields: Vec<String>,
    /// Last day; none: it does not lapse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// A review by another institution, which travels as its own record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerReview {
    /// The reviewed version.
    pub of: DocHash,
    /// The subject of that version.
    pub subject: SubjectId,
    /// Decision.
    pub decision: Decision,
    /// Who and how.
    pub sign_off: SignOff,
}

/// How far a review task has come. A stage holds only what is true in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waiting for the reviewer.
    Assigned {
        /// Day it is due.
        due: Date,
    },
    /// Decided.
    Decided {
        /// What.
        decision: Decision,
        /// The stated interests.
        conflict: String,
        /// Remark; for `Return` what has to change.
        comment: String,
        /// Points of the lane's checklist that were ticked off.
        checks: Vec<String>,
        /// When.
        at: Timestamp,
    },
    /// Given back because of an interest or lack of time.
    Declined {
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

/// One reviewer's task on one version of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Id.
    pub id: ReviewId,
    /// The draft.
    pub draft: DraftId,
    /// The draft's version that is reviewed; a changed draft needs a new review.
    pub draft_version: i64,
    /// The reviewer.
    pub reviewer: PartyId,
    /// Stage.
    pub stage: Stage,
}

/// Why a move is not legal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// The reviewer wrote it.
    #[error("{reviewer} wrote this and cannot review it")]
    OwnWork {
        /// Who.
        reviewer: PartyId,
    },
    /// The reviewer's fields do not touch the draft's.
    #[error("{reviewer} has no stated competence in these fields")]
    NotCompetent {
        /// Who.
        reviewer: PartyId,
    },
    /// Already assigned to this person.
    #[error("{reviewer} already has this review")]
    Twice {
        /// Who.
        reviewer: PartyId,
    },
    /// Decided or declined before.
    #[error("this review is closed")]
    Closed,
    /// The draft was changed after assignment.
    #[error("the text was changed after this review was assigned")]
    Outdated,
    /// A return without saying what has to change.
    #[error("say what has to change")]
    NoComment,
    /// No statement of interests.
    #[error("state your interests, or that there are none")]
    NoConflictStatement,
    /// Machine checks block.
    #[error("the machine checks found {} thing(s) that must be mended first", .0.len())]
    Blocked(Vec<Finding>),
    /// The competence by which the task was given is not there any more; the task was given back.
    #[error("the qualification of {reviewer} for this field has ended or was taken back")]
    Lapsed {
        /// Who.
        reviewer: PartyId,
    },
    /// Points of the checklist that were not ticked off.
    #[error("not ticked off: {}", .0.join("; "))]
    Unticked(Vec<String>),
}

/// What the decisions about one version of a draft come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nobody returned it: the gate counts the approvals.
    Agreed,
    /// One approves and another returns: so many more decide with them.
    Disputed {
        /// Deciders still lacking.
        lacking: usize,
    },
    /// It goes back to its author.
    Returned,
}

/// What the decisions about `version` come to, where a panel of `panel` decides by majority when they differ. A majority for approval is
/// [`Outcome::Agreed`]: the gate still counts whose approval is valid.
pub fn outcome<'a>(reviews: impl Iterator<Item = &'a Review>, version: i64, panel: usize) -> Outcome {
    let (mut yes, mut no) = (0, 0);
    for review in reviews.filter(|review| review.draft_version == version) {
        match review.stage {
            Stage::Decided { decision: Decision::Approve, .. } => yes += 1,
            Stage::Decided { decision: Decision::Return, .. } => no += 1,
            _ => {}
        }
    }
    match (yes, no) {
        (_, 0) => Outcome::Agreed,
        (0, _) => Outcome::Returned,
        // Whoever has the majority of the whole panel need not wait for the rest.
        (yes, _) if yes > panel / 2 => Outcome::Agreed,
        (_, no) if no > panel / 2 => Outcome::Returned,
        (yes, no) => Outcome::Disputed { lacking: panel.saturating_sub(yes + no).max(1) },
    }
}

/// What a reviewer says.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// The decision.
    pub decision: Decision,
    /// The stated interests.
    pub conflict: &'a str,
    /// Remark.
    pub comment: &'a str,
    /// Points of the checklist that are ticked off.
    pub checks: &'a [String],
}

impl Review {
    /// Hands version `draft_version` to `reviewer` for `days`: competent in one of `fields` on `today`, not among `authors`, not yet asked.
    #[expect(clippy::too_many_arguments, reason = "each is a fact of the assignment; a struct would only rename them")]
    pub fn assign(
        id: ReviewId,
        draft: DraftId,
        draft_version: i64,
        reviewer: &crate::create::party::Party,
        fields: &[String],
        authors: &[PartyId],
        asked: &[PartyId],
        today: Date,
        days: i64,
    ) -> Result<Review, ReviewError> {
        let who = || reviewer.id.clone();
        if authors.contains(&reviewer.id) {
            return Err(ReviewError::OwnWork { reviewer: who() });
        }
        if asked.contains(&reviewer.id) {
            return Err(ReviewError::Twice { reviewer: who() });
        }
        if reviewer.competence(fields, today) == 0 {
            return Err(ReviewError::NotCompetent { reviewer: who() });
        }
        let due = today.checked_add(jiff::Span::new().days(days)).unwrap_or(today);
        Ok(Review { id, draft, draft_version, reviewer: who(), stage: Stage::Assigned { due } })
    }

    /// Decides an assigned review of the draft's present version.
    pub fn decide(self, present_version: i64, said: Said<'_>, at: Timestamp) -> Result<Review, ReviewError> {
        let Said { decision, conflict, comment, checks } = said;
        self.open()?;
        if self.draft_version != present_version {
            return Err(ReviewError::Outdated);
        }
        if conflict.trim().is_empty() {
            return Err(ReviewError::NoConflictStatement);
        }
        if decision == Decision::Return && comment.trim().is_empty() {
            return Err(ReviewError::NoComment);
        }
        let stage = Stage::Decided { decision, conflict: conflict.trim().into(), comment: comment.trim().into(), checks: checks.to_vec(), at };
        Ok(Review { stage, ..self })
    }

    /// Gives the task back.
    pub fn decline(self, reason: &str, at: Timestamp) -> Result<Review, ReviewError> {
        self.open()?;
        if reason.trim().is_empty() {
            return Err(ReviewError::NoComment);
        }
        Ok(Review { stage: Stage::Declined { reason: reason.trim().into(), at }, ..self })
    }

    fn open(&self) -> Result<(), ReviewError> {
        match self.stage {
            Stage::Assigned { .. } => Ok(()),
            _ => Err(ReviewError::Closed),
        }
    }

    /// Whether this review approves version `version`.
    pub fn approves(&self, version: i64) -> bool {
        self.draft_version == version && matches!(self.stage, Stage::Decided { decision: Decision::Approve, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::party::Party;

    fn expert() -> Party {
        crate::create::party::tests::party("e", &["food"], 4)
    }
    fn assign(fields: &[&str], authors: &[&str], asked: &[&str]) -> Result<Review, ReviewError> {
        let fields: Vec<String> = fields.iter().map(|f| (*f).to_owned()).collect();
        let ids = |list: &[&str]| list.iter().map(|p| PartyId::from(*p)).collect::<Vec<_>>();
        Review::assign("r".into(), "d".into(), 1, &expert(), &fields, &ids(authors), &ids(asked), jiff::civil::date(2026, 1, 1), 3)
    }
    fn said(decision: Decision, conflict: &'static str, comment: &'static str) -> Said<'static> {
        Said { decision, conflict, comment, checks: &[] }
    }

    #[test]
    fn no_expert_reviews_their_own_work_or_outside_their_field() {
        assert!(matches!(assign(&["food"], &["e"], &[]), Err(ReviewError::OwnWork { .. })));
        assert!(matches!(assign(&["physics"], &[], &[]), Err(ReviewError::NotCompetent { .. })));
        assert!(matches!(assign(&["food"], &[], &["e"]), Err(ReviewError::Twice { .. })));
    }

    #[test]
    fn a_changed_text_needs_a_new_review() {
        let now = Timestamp::UNIX_EPOCH;
        let review = assign(&["food"], &[], &[]).expect("assigned");
        assert_eq!(review.clone().decide(2, said(Decision::Approve, "无", ""), now), Err(ReviewError::Outdated));
        assert_eq!(review.clone().decide(1, said(Decision::Return, "无", " "), now), Err(ReviewError::NoComment));
        assert_eq!(review.clone().decide(1, said(Decision::Approve, "", ""), now), Err(ReviewError::NoConflictStatement));
        let done = review.decide(1, said(Decision::Approve, "无", ""), now).expect("decided");
        assert!(done.approves(1) && !done.approves(2));
        assert_eq!(done.decline("忙", now), Err(ReviewError::Closed));
    }

    #[test]
    fn where_one_approves_and_another_returns_a_panel_decides() {
        let review = |n: usize, decision: Option<Decision>| {
            let at = Timestamp::UNIX_EPOCH;
            let stage = match decision {
                Some(decision) => Stage::Decided { decision, conflict: "无".into(), comment: "改".into(), checks: vec![], at },
                None => Stage::Assigned { due: jiff::civil::date(2026, 1, 1) },
            };
            Review { id: format!("r{n}").into(), draft: "d".into(), draft_version: 1, reviewer: format!("p{n}").into(), stage }
        };
        let ask = |list: &[Option<Decision>], panel| outcome(list.iter().enumerate().map(|(n, d)| review(n, *d)).collect::<Vec<_>>().iter(), 1, panel);
        let (yes, no) = (Some(Decision::Approve), Some(Decision::Return));
        assert_eq!(ask(&[yes, yes, None], 3), Outcome::Agreed);
        assert_eq!(ask(&[no, None], 3), Outcome::Returned, "nobody approved: the author mends it");
        assert_eq!(ask(&[yes, no], 3), Outcome::Disputed { lacking: 1 });
        assert_eq!(ask(&[yes, no, yes], 3), Outcome::Agreed);
        assert_eq!(ask(&[yes, no, no], 3), Outcome::Returned);
        assert_eq!(ask(&[yes, no, no], 5), Outcome::Disputed { lacking: 2 });
        assert_eq!(ask(&[yes, no, no, yes], 5), Outcome::Disputed { lacking: 1 });
        assert_eq!(outcome([review(0, yes), review(1, no)].iter(), 2, 3), Outcome::Agreed, "another version");
    }
}
