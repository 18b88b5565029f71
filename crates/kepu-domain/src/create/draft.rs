//! Working copies: what is written before it is said. Private, never leave the node.
//! The public form is a `record::Body`; reviews of a draft are in `review`.

use crate::create::resource::{Finding, Resource, Weight};
use crate::create::review::{Review, SignOff};
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
    /// Counts changes of the matter, from 1.
    pub version: i64,
    /// Stage.
    pub stage: Stage,
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
    /// Takes a changed matter. Only while writing.
    pub fn edit(self, matter: Matter) -> Result<Draft, DraftError> {
        match self.stage {
            Stage::Writing => Ok(Draft { version: self.version + i64::from(matter != self.matter), matter, ..self }),
            _ => Err(self.wrong("edited")),
        }
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

    fn wrong(&self, attempted: &'static str) -> DraftError {
        DraftError::WrongStage { stage: self.stage.name(), attempted }
    }
}
