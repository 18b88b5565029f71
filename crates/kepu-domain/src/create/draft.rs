//! Working copies: what is written before it is said. Private, never leave the node.
//! The public form is a `record::Body`; reviews of a draft are in `review`.

use crate::create::check::{self, Excuse, Finding, Weight, excused};
use crate::create::lane::Lanes;
use crate::create::resource::{Credit, Resource, Source};
use crate::create::review::{self, Decision, Outcome, Review, SignOff};
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
    pub fn check(&self, lanes: &Lanes, today: Date) -> Vec<Finding> {
        check::check(lanes, self, today)
    }
    /// The date of what it says.
    pub fn date(&self) -> Date {
        match self {
            Matter::Resource(r) => r.date,
            Matter::Claim(c) => c.checked,
        }
    }
    /// Who wrote it.
    pub fn credit(&self) -> &Credit {
        match self {
            Matter::Resource(r) => &r.author,
            Matter::Claim(c) => &c.author,
        }
    }
    /// Who wrote it, to be changed.
    pub fn credit_mut(&mut self) -> &mut Credit {
        match self {
            Matter::Resource(r) => &mut r.author,
            Matter::Claim(c) => &mut c.author,
        }
    }
    /// The registry id of the author, if any.
    pub fn author(&self) -> Option<PartyId> {
        let credit = self.credit();
        (!credit.party.is_empty()).then(|| PartyId(credit.party.clone()))
    }
    /// Puts the reviewers' names under the matter.
    pub fn set_reviews(&mut self, sign_offs: Vec<SignOff>) {
        match self {
            Matter::Resource(r) => r.reviews = sign_offs,
            Matter::Claim(c) => c.reviews = sign_offs,
        }
    }
    /// Names of the editions that differ from `before`, if nothing else does (names under it and corrections apart); else none.
    pub fn changed_editions(&self, before: &Matter) -> Vec<String> {
        let (Matter::Resource(now), Matter::Resource(old)) = (self, before) else { return vec![] };
        let bare = |r: &Resource| {
            let author = Credit { qualification: None, ..r.author.clone() };
            Resource { editions: Default::default(), reviews: vec![], corrections: vec![], author, ..r.clone() }
        };
        if bare(now) != bare(old) {
            return vec![];
        }
        let changed = now.editions.iter().filter(|(name, text)| old.editions.get(*name) != Some(text)).map(|(name, _)| name);
        changed.chain(old.editions.keys().filter(|name| !now.editions.contains_key(*name))).cloned().collect()
    }
    /// Whether it only adds editions to `before`: then nothing was wrong, and there is nothing to say about a correction.
    pub fn only_adds_editions(&self, before: &Matter) -> bool {
        let changed = self.changed_editions(before);
        let known = |name: &String| matches!(before, Matter::Resource(old) if old.editions.contains_key(name));
        !changed.is_empty() && !changed.iter().any(known)
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
    /// What the writer says about findings of the machine checks that may be excused.
    pub excuses: Vec<Excuse>,
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
    /// One reviewer approves and another returns: more have to decide.
    Disputed {
        /// How many.
        lacking: usize,
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

/// What a draft is measured by before it may be public.
#[derive(Clone, Copy, Debug)]
pub struct Gate<'a> {
    /// How many reviews it takes, as the root signed it.
    pub policy: &'a Policy,
    /// The lanes of this node, which may ask for more.
    pub lanes: &'a Lanes,
    /// The public version that it would follow, if there is one.
    pub before: Option<&'a Matter>,
}

impl Gate<'_> {
    /// The editions that need a small review; empty if the whole needs one. The whole must stand on its own reviews: what other
    /// institutions signed, they signed of the earlier version only.
    pub fn small(&self, matter: &Matter) -> Vec<String> {
        let stands = |before: &&Matter| self.policy.admits(before, &[]);
        self.before.filter(stands).map(|before| matter.changed_editions(before)).unwrap_or_default()
    }
}

/// The names that would stand under a draft.
struct Names {
    under: Vec<SignOff>,
    /// Approvals of this version that count.
    have: usize,
    /// Approvals the policy asks for.
    need: usize,
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
    /// Reviewers differ.
    #[error("reviewers differ; {lacking} more decide")]
    Disputed {
        /// How many.
        lacking: usize,
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
    pub fn submit(self, lanes: &Lanes, today: Date, now: Timestamp) -> Result<Draft, DraftError> {
        let Stage::Writing = self.stage else { return Err(self.wrong("submitted")) };
        self.unblocked(lanes, today)?;
        Ok(Draft { stage: Stage::Submitted { at: now }, ..self })
    }

    fn unblocked(&self, lanes: &Lanes, today: Date) -> Result<(), DraftError> {
        let findings = excused(self.matter.check(lanes, today), &self.excuses);
        let blocks: Vec<_> = findings.into_iter().filter(|f| f.weight == Weight::Block).collect();
        if blocks.is_empty() { Ok(()) } else { Err(DraftError::Blocked(blocks)) }
    }

    /// What the decisions about this version come to.
    pub fn outcome(&self, reviews: &[(Review, SignOff)], gate: Gate<'_>) -> Outcome {
        let panel = gate.lanes.of(&self.matter).map_or(3, |lane| lane.panel);
        review::outcome(reviews.iter().map(|(review, _)| review), self.version, panel)
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
    pub fn publish(mut self, reviews: &[(Review, SignOff)], gate: Gate<'_>, today: Date, now: Timestamp) -> Result<Draft, DraftError> {
        let Stage::Submitted { .. } = self.stage else { return Err(self.wrong("published")) };
        self.unblocked(gate.lanes, today)?;
        if let Outcome::Disputed { lacking } = self.outcome(reviews, gate) {
            return Err(DraftError::Disputed { lacking });
        }
        let names = self.names(reviews, gate);
        if names.have < names.need {
            return Err(DraftError::TooFewReviews { have: names.have, need: names.need });
        }
        self.matter.set_reviews(names.under);
        Ok(Draft { stage: Stage::Published { at: now }, ..self })
    }

    /// Approvals of exactly this version that count, and how many the policy asks for. `reviews` as for [`Draft::publish`].
    pub fn approvals(&self, reviews: &[(Review, SignOff)], gate: Gate<'_>) -> (usize, usize) {
        let names = self.names(reviews, gate);
        (names.have, names.need)
    }

    fn names(&self, reviews: &[(Review, SignOff)], gate: Gate<'_>) -> Names {
        let valid: Vec<SignOff> = reviews.iter().filter(|(r, _)| r.approves(self.version)).map(|(_, s)| s.clone()).collect();
        let mut matter = self.matter.clone();
        matter.set_reviews(valid.clone());
        // What the node's own lanes ask for beyond the signed policy is asked for as well.
        let own = gate.lanes.policy();
        let need = gate.policy.needed(&matter).max(own.needed(&matter));
        let lacks = |policy: &Policy| policy.needed(&matter).saturating_sub(policy.valid_reviews(&matter, &[]));
        let have = need.saturating_sub(lacks(gate.policy).max(lacks(own)));
        let changed = gate.small(&self.matter);
        let Some(before) = gate.before.filter(|_| !changed.is_empty()) else { return Names { under: valid, have, need } };
        // Whoever answered for an edition as it was does not answer for it as it is.
        let kept = before.reviews().iter().filter_map(|name| {
            let editions: Vec<String> = name.editions.iter().filter(|edition| !changed.contains(edition)).cloned().collect();
            (name.editions.is_empty() || !editions.is_empty()).then(|| SignOff { editions, ..name.clone() })
        });
        let added = valid.into_iter().map(|name| SignOff { editions: changed.clone(), ..name });
        Names { under: kept.chain(added).collect(), have, need: gate.policy.needed_for_editions().min(need) }
    }

    /// Where it stands. `reviews` as for [`Draft::publish`].
    pub fn progress(&self, reviews: &[(Review, SignOff)], gate: Gate<'_>) -> Progress {
        match self.stage {
            Stage::Writing => match last_decision(reviews) {
                Some((Decision::Return, remark)) => Progress::Returned { remark },
                _ => Progress::Writing,
            },
            Stage::Submitted { .. } => {
                let (have, need) = self.approvals(reviews, gate);
                let asked = reviews.iter().filter(|(r, _)| r.draft_version == self.version && matches!(r.stage, review::Stage::Assigned { .. })).count();
                match self.outcome(reviews, gate) {
                    Outcome::Disputed { lacking } => Progress::Disputed { lacking, asked },
                    _ if have >= need => Progress::Ready,
                    _ => Progress::InReview { have, need, asked },
                }
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
            excuses: vec![],
            version: 1,
            stage: Stage::Writing,
        }
    }
    fn review(who: &str, version: i64, decision: Option<Decision>, second: i64) -> (Review, SignOff) {
        let at = Timestamp::from_second(second).expect("time");
        let stage = match decision {
            Some(decision) => review::Stage::Decided { decision, conflict: "无".into(), comment: "改".into(), checks: vec![], at },
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
            editions: vec![],
            qualification: Some(crate::create::resource::tests::proof("health")),
            checks: vec![],
        };
        (Review { id: who.into(), draft: "d".into(), draft_version: version, reviewer: who.into(), stage }, sign_off)
    }

    #[test]
    fn only_what_changed_is_a_new_version() {
        let first = draft();
        assert_eq!(first.clone().edit(first.matter.clone(), String::new()).expect("edit").version, 1);
        assert_eq!(first.clone().edit(first.matter.clone(), "原来写错了".into()).expect("edit").version, 2);
        let sent = first.clone().submit(Lanes::standard(), jiff::civil::date(2026, 6, 1), Timestamp::UNIX_EPOCH).expect("submit");
        assert!(matches!(sent.edit(first.matter, String::new()), Err(DraftError::WrongStage { .. })));
    }

    #[test]
    fn progress_counts_reviews_of_this_version_only() {
        let policy = &Policy::default();
        let gate = Gate { policy, lanes: Lanes::standard(), before: None };
        let sent = Draft { stage: Stage::Submitted { at: Timestamp::UNIX_EPOCH }, version: 2, ..draft() };
        let old = review("a", 1, Some(Decision::Approve), 1);
        assert_eq!(sent.progress(std::slice::from_ref(&old), gate), Progress::InReview { have: 0, need: 2, asked: 0 });
        let some = [old, review("b", 2, Some(Decision::Approve), 2), review("c", 2, None, 0)];
        assert_eq!(sent.progress(&some, gate), Progress::InReview { have: 1, need: 2, asked: 1 });
        let both = [review("b", 2, Some(Decision::Approve), 2), review("c", 2, Some(Decision::Approve), 3)];
        assert_eq!(sent.progress(&both, gate), Progress::Ready);
        let returned = [review("b", 2, Some(Decision::Approve), 2), review("c", 2, Some(Decision::Return), 3)];
        let back = sent.reopen().expect("reopen");
        assert_eq!(back.progress(&returned, gate), Progress::Returned { remark: "改".into() });
        assert_eq!(back.progress(&both, gate), Progress::Writing);
    }

    #[test]
    fn an_edition_takes_the_small_review_and_the_rest_keeps_its_names() {
        let policy = &Policy::default();
        let name = |who: &str| review(who, 1, Some(Decision::Approve), 1).1;
        let elder = |text: &str, reviews: Vec<SignOff>| {
            Matter::Resource(Box::new(Resource { editions: [("elder".to_owned(), text.to_owned())].into(), reviews, ..resource() }))
        };
        let whole = Matter::Resource(Box::new(Resource { reviews: vec![name("a"), name("b")], ..resource() }));
        let sent = |matter: Matter| Draft { stage: Stage::Submitted { at: Timestamp::UNIX_EPOCH }, matter, ..draft() };
        let one = [review("c", 1, Some(Decision::Approve), 2)];
        let gate = Gate { policy, lanes: Lanes::standard(), before: Some(&whole) };
        let day = jiff::civil::date(2026, 6, 1);
        let said = sent(elder("慢慢喝水。", vec![])).publish(&one, gate, day, Timestamp::UNIX_EPOCH).expect("one is enough");
        let under: Vec<(&str, usize)> = said.matter.reviews().iter().map(|s| (s.party.as_str(), s.editions.len())).collect();
        assert_eq!(under, [("a", 0), ("b", 0), ("c", 1)]);
        assert!(said.matter.only_adds_editions(&whole));
        // The names under the edition as it was go with it; those under the whole stay, and the public gate counts those alone.
        let gate = Gate { policy, lanes: Lanes::standard(), before: Some(&said.matter) };
        let again =
            sent(elder("慢慢地喝水。", vec![])).publish(&[review("d", 1, Some(Decision::Approve), 3)], gate, day, Timestamp::UNIX_EPOCH).expect("again");
        assert_eq!(again.matter.reviews().iter().map(|s| s.party.as_str()).collect::<Vec<_>>(), ["a", "b", "d"]);
        assert_eq!(policy.valid_reviews(&again.matter, &[]), 2);
        assert!(!again.matter.only_adds_editions(&said.matter));
        // A word changed in the text itself, or a whole that was never reviewed here, asks for the whole review.
        let Matter::Resource(mut changed) = elder("慢慢喝水。", vec![]) else { unreachable!() };
        changed.text.push_str("再说一遍。");
        assert_eq!(sent(Matter::Resource(changed)).approvals(&one, Gate { policy, lanes: Lanes::standard(), before: Some(&whole) }), (1, 2));
        let bare = Matter::Resource(Box::new(resource()));
        assert_eq!(sent(elder("慢慢喝水。", vec![])).approvals(&one, Gate { policy, lanes: Lanes::standard(), before: Some(&bare) }), (1, 2));
    }
}
