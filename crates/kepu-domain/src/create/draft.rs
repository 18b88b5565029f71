//! Working copies: what is written before it is said. Private, never leave the node.
//! The public form is a `record::Body`; reviews of a draft are in `review`.

use crate::create::resource::{Finding, Resource, Source, Weight};
use crate::create::review::{self, Decision, Review, SignOff};
use crate::ids::{AccountId, CaseId, DraftId, OrgId, PartyId, SubjectId};
use crate::listen::claim::ClaimReview;
use crate::publication::Policy;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What is being written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Matter {
    /// A resource.
    Resource(Box<Resource>),
    /// An answer to a claim.
    Claim(Box<ClaimReview>),
}

impl Matter {
    /// `resource` or `claim`.
    pub fn kind(&self) -> &'static str {
        match self {
            Matter::Resource(_) => "resource",
            Matter::Claim(_) => "claim",
        }
    }
    /// Title or claim.
    pub fn title(&self) -> &str {
        match self {
            Matter::Resource(r) => &r.title,
            Matter::Claim(c) => &c.claim,
        }
    }
    /// Fields.
    pub fn fields(&self) -> &[String] {
        match self {
            Matter::Resource(r) => &r.fields,
            Matter::Claim(c) => &c.fields,
        }
    }
    /// BCP 47 language.
    pub fn lang(&self) -> &str {
        match self {
            Matter::Resource(r) => &r.lang,
            Matter::Claim(c) => &c.lang,
        }
    }
    /// Where its statements come from.
    pub fn sources(&self) -> &[Source] {
        match self {
            Matter::Resource(r) => &r.sources,
            Matter::Claim(c) => &c.evidence,
        }
    }
    /// Place it is meant for.
    pub fn region(&self) -> crate::org::Region {
        match self {
            Matter::Resource(r) => r.region,
            Matter::Claim(c) => c.region,
        }
    }
    /// Machine checks.
    pub fn check(&self, today: Date) -> Vec<Finding> {
        match self {
            Matter::Resource(r) => r.check(today),
            Matter::Claim(c) => c.check(today),
        }
    }
    /// The registry id of the author, if any.
    pub fn author(&self) -> Option<PartyId> {
        let credit = match self {
            Matter::Resource(r) => &r.author,
            Matter::Claim(c) => &c.author,
        };
        (!credit.party.is_empty()).then(|| PartyId(credit.party.clone()))
    }
    /// Puts the reviewers' names under the matter.
    pub fn set_reviews(&mut self, sign_offs: Vec<SignOff>) {
        match self {
            Matter::Resource(r) => r.reviews = sign_offs,
            Matter::Claim(c) => c.reviews = sign_offs,
        }
    }
    /// The reviewers' names under the matter.
    pub fn reviews(&self) -> &[SignOff] {
        match self {
            Matter::Resource(r) => &r.reviews,
            Matter::Claim(c) => &c.reviews,
        }
    }
}

/// How far a draft has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Being written; after a return, with the reviewers' remarks beside it.
    Writing,
    /// Given to review; cannot be edited without being taken back.
    Submitted {
        /// When.
        at: Timestamp,
    },
    /// Said in public.
    Published {
        /// When.
        at: Timestamp,
    },
    /// Given up.
    Dropped {
        /// When.
        at: Timestamp,
    },
}

impl Stage {
    /// The stored word.
    pub fn name(&self) -> &'static str {
        match self {
            Stage::Writing => "writing",
            Stage::Submitted { .. } => "submitted",
            Stage::Published { .. } => "published",
            Stage::Dropped { .. } => "dropped",
        }
    }
}

/// A working copy.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Id.
    pub id: DraftId,
    /// The subject it will be a version of.
    pub subject: SubjectId,
    /// Organisation it is written for.
    pub org: OrgId,
    /// Who wrote it, if a person did at a screen.
    pub owner: Option<AccountId>,
    /// The case it answers.
    pub case: Option<CaseId>,
    /// Matter.
    pub matter: Matter,
    /// If it corrects a public version: what was wrong, for readers.
    pub correction: String,
    /// Counts changes of the matter and of `correction`, from 1.
    pub version: i64,
    /// Stage.
    pub stage: Stage,
}

/// Where a draft stands in the eyes of those who work on it, with its reviews looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Being written.
    Writing,
    /// A reviewer sent it back; nobody gave it to review since.
    Returned {
        /// What has to change.
        remark: String,
    },
    /// With reviewers, or waiting to be given to them.
    InReview {
        /// Approvals that count.
        have: usize,
        /// Approvals the policy asks for.
        need: usize,
        /// Reviewers who have not decided yet.
        asked: usize,
    },
    /// Enough reviewers approved: it can be signed.
    Ready,
    /// Said in public.
    Published,
    /// Given up.
    Dropped,
}

/// Why a move is not legal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// Not in the stage the move needs.
    #[error("a draft that is {stage} cannot be {attempted}")]
    WrongStage {
        /// Present stage.
        stage: &'static str,
        /// Attempted move.
        attempted: &'static str,
    },
    /// Machine checks block.
    #[error("{} thing(s) must be mended first", .0.len())]
    Blocked(Vec<Finding>),
    /// Too few valid approvals.
    #[error("{have} of {need} approvals by competent reviewers")]
    TooFewReviews {
        /// Valid approvals.
        have: usize,
        /// Approvals the policy asks for.
        need: usize,
    },
    /// A correction without saying what was wrong.
    #[error("say what was wrong and what is right")]
    NoCorrection,
}

impl Draft {
    /// Takes a changed matter and the words about what it corrects. Only while writing.
    pub fn edit(self, matter: Matter, correction: String) -> Result<Draft, DraftError> {
        let Stage::Writing = self.stage else { return Err(self.wrong("edited")) };
        let changed = matter != self.matter || correction != self.correction;
        Ok(Draft { version: self.version + i64::from(changed), matter, correction, ..self })
    }

    /// Gives it to review. Refused while the machine checks block.
    pub fn submit(self, today: Date, now: Timestamp) -> Result<Draft, DraftError> {
        let Stage::Writing = self.stage else { return Err(self.wrong("submitted")) };
        let blocks: Vec<_> = self.matter.check(today).into_iter().filter(|f| f.weight == Weight::Block).collect();
        if !blocks.is_empty() {
            return Err(DraftError::Blocked(blocks));
        }
        Ok(Draft { stage: Stage::Submitted { at: now }, ..self })
    }

    /// Takes it back for changes: by the author, or because a reviewer returned it.
    pub fn reopen(self) -> Result<Draft, DraftError> {
        match self.stage {
            Stage::Submitted { .. } => Ok(Draft { stage: Stage::Writing, version: self.version + 1, ..self }),
            _ => Err(self.wrong("taken back")),
        }
    }

    /// Gives it up.
    pub fn drop(self, now: Timestamp) -> Result<Draft, DraftError> {
        match self.stage {
            Stage::Writing | Stage::Submitted { .. } => Ok(Draft { stage: Stage::Dropped { at: now }, ..self }),
            _ => Err(self.wrong("dropped")),
        }
    }

    /// The publication gate (R11): machine checks pass and enough competent reviewers approved exactly this version.
    ///
    /// `sign_offs` belong to `reviews` with the same index. Returns the draft as published, with the names under it.
    pub fn publish(mut self, reviews: &[(Review, SignOff)], policy: &Policy, today: Date, now: Timestamp) -> Result<Draft, DraftError> {
        let Stage::Submitted { .. } = self.stage else { return Err(self.wrong("published")) };
        let blocks: Vec<_> = self.matter.check(today).into_iter().filter(|f| f.weight == Weight::Block).collect();
        if !blocks.is_empty() {
            return Err(DraftError::Blocked(blocks));
        }
        let valid: Vec<SignOff> = reviews.iter().filter(|(r, _)| r.approves(self.version)).map(|(_, s)| s.clone()).collect();
        self.matter.set_reviews(valid);
        let need = policy.needed(&self.matter);
        let have = policy.valid_reviews(&self.matter, &[]);
        if have < need {
            return Err(DraftError::TooFewReviews { have, need });
        }
        Ok(Draft { stage: Stage::Published { at: now }, ..self })
    }

    /// Approvals of exactly this version that count, and how many the policy asks for. `reviews` as for [`Draft::publish`].
    pub fn approvals(&self, reviews: &[(Review, SignOff)], policy: &Policy) -> (usize, usize) {
        let mut matter = self.matter.clone();
        matter.set_reviews(reviews.iter().filter(|(r, _)| r.approves(self.version)).map(|(_, s)| s.clone()).collect());
        (policy.valid_reviews(&matter, &[]), policy.needed(&matter))
    }

    /// Where it stands. `reviews` as for [`Draft::publish`].
    pub fn progress(&self, reviews: &[(Review, SignOff)], policy: &Policy) -> Progress {
        match self.stage {
            Stage::Writing => match last_decision(reviews) {
                Some((Decision::Return, remark)) => Progress::Returned { remark },
                _ => Progress::Writing,
            },
            Stage::Submitted { .. } => {
                let (have, need) = self.approvals(reviews, policy);
                let asked = reviews.iter().filter(|(r, _)| r.draft_version == self.version && matches!(r.stage, review::Stage::Assigned { .. })).count();
                if have >= need { Progress::Ready } else { Progress::InReview { have, need, asked } }
            }
            Stage::Published { .. } => Progress::Published,
            Stage::Dropped { .. } => Progress::Dropped,
        }
    }

    fn wrong(&self, attempted: &'static str) -> DraftError {
        DraftError::WrongStage { stage: self.stage.name(), attempted }
    }
}

/// The decision made last, with its remark.
fn last_decision(reviews: &[(Review, SignOff)]) -> Option<(Decision, String)> {
    let decided = reviews.iter().filter_map(|(review, _)| match &review.stage {
        review::Stage::Decided { decision, comment, at, .. } => Some((*at, *decision, comment)),
        _ => None,
    });
    decided.max_by_key(|(at, ..)| *at).map(|(_, decision, comment)| (decision, comment.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::resource::tests::resource;
    use crate::create::review::Method;

    fn draft() -> Draft {
        Draft {
            id: "d".into(),
            subject: "kepu:abcdefgh23/r-1".into(),
            org: "o".into(),
            owner: None,
            case: None,
            matter: Matter::Resource(Box::new(resource())),
            correction: String::new(),
            version: 1,
            stage: Stage::Writing,
        }
    }
    fn review(who: &str, version: i64, decision: Option<Decision>, second: i64) -> (Review, SignOff) {
        let at = Timestamp::from_second(second).expect("time");
        let stage = match decision {
            Some(decision) => review::Stage::Decided { decision, conflict: "无".into(), comment: "改".into(), at },
            None => review::Stage::Assigned { due: jiff::civil::date(2026, 1, 1) },
        };
        let sign_off = SignOff {
            party: who.into(),
            name: who.into(),
            org: String::new(),
            title: String::new(),
            fields: vec!["health".into()],
            conflict: "无".into(),
            date: jiff::civil::date(2026, 1, 1),
            method: Method::Individual,
            comment: String::new(),
        };
        (Review { id: who.into(), draft: "d".into(), draft_version: version, reviewer: who.into(), stage }, sign_off)
    }

    #[test]
    fn only_what_changed_is_a_new_version() {
        let first = draft();
        assert_eq!(first.clone().edit(first.matter.clone(), String::new()).expect("edit").version, 1);
        assert_eq!(first.clone().edit(first.matter.clone(), "原来写错了".into()).expect("edit").version, 2);
        let sent = first.clone().submit(jiff::civil::date(2026, 6, 1), Timestamp::UNIX_EPOCH).expect("submit");
        assert!(matches!(sent.edit(first.matter, String::new()), Err(DraftError::WrongStage { .. })));
    }

    #[test]
    fn progress_counts_reviews_of_this_version_only() {
        let policy = Policy::default();
        let sent = Draft { stage: Stage::Submitted { at: Timestamp::UNIX_EPOCH }, version: 2, ..draft() };
        let old = review("a", 1, Some(Decision::Approve), 1);
        assert_eq!(sent.progress(std::slice::from_ref(&old), &policy), Progress::InReview { have: 0, need: 2, asked: 0 });
        let some = [old, review("b", 2, Some(Decision::Approve), 2), review("c", 2, None, 0)];
        assert_eq!(sent.progress(&some, &policy), Progress::InReview { have: 1, need: 2, asked: 1 });
        let both = [review("b", 2, Some(Decision::Approve), 2), review("c", 2, Some(Decision::Approve), 3)];
        assert_eq!(sent.progress(&both, &policy), Progress::Ready);
        let returned = [review("b", 2, Some(Decision::Approve), 2), review("c", 2, Some(Decision::Return), 3)];
        let back = sent.reopen().expect("reopen");
        assert_eq!(back.progress(&returned, &policy), Progress::Returned { remark: "改".into() });
        assert_eq!(back.progress(&both, &policy), Progress::Writing);
    }
}
