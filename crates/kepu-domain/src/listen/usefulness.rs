//! Whether readers found an answer useful: votes by kind of reader, kept as counts. That one ticket votes once is kept apart from how it voted, so that no vote
//! leads to anybody. What kinds agree on is computed by `kepu_stats::bridging`.

use crate::access::{Actor, Role};
use crate::ids::SubjectId;
use serde::{Deserialize, Serialize};

/// Kinds of readers whose agreement counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReaderKind {
    /// Anybody.
    Public,
    /// People who work with the answers: officers, editors, grass-roots staff.
    Staff,
    /// Reviewers: people with verified competence.
    Scientist,
}

/// Every kind, in the order shown.
pub const READER_KINDS: [ReaderKind; 3] = [ReaderKind::Public, ReaderKind::Staff, ReaderKind::Scientist];

impl ReaderKind {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            ReaderKind::Public => "public",
            ReaderKind::Staff => "staff",
            ReaderKind::Scientist => "scientist",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        READER_KINDS.into_iter().find(|kind| kind.as_str() == text)
    }
    /// What somebody reads as.
    pub fn of(actor: &Actor) -> Self {
        match actor {
            Actor::Person { memberships, .. } if memberships.iter().any(|held| held.role == Role::Reviewer) => ReaderKind::Scientist,
            Actor::Person { memberships, .. } if !memberships.is_empty() => ReaderKind::Staff,
            _ => ReaderKind::Public,
        }
    }
}

/// What a reader says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    /// It helped.
    Useful,
    /// It did not.
    Useless,
}

impl Vote {
    /// Reads the word of a form.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "yes" => Some(Vote::Useful),
            "no" => Some(Vote::Useless),
            _ => None,
        }
    }
}

/// How one kind of readers voted on one claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The claim.
    pub claim: SubjectId,
    /// Who.
    pub kind: ReaderKind,
    /// Votes that it helped.
    pub useful: i64,
    /// Votes that it did not.
    pub useless: i64,
}

/// Votes of a kind on a claim from which on they are shown and count.
pub const VOTES_LEAST: i64 = 5;

impl Tally {
    /// Share of those who found it useful, and what that share is worth: a few votes little, a crowd not more than a group.
    pub fn rating(&self) -> Option<(f64, f64)> {
        let votes = self.useful + self.useless;
        (votes >= VOTES_LEAST).then(|| (self.useful as f64 / votes as f64, votes as f64 / (votes + VOTES_LEAST) as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Membership;

    #[test]
    fn readers_are_told_by_their_roles() {
        let person = |roles: &[Role]| Actor::Person {
            account: "a".into(),
            name: "甲".into(),
            memberships: roles.iter().map(|role| Membership { org: "o".into(), role: *role }).collect(),
        };
        assert_eq!(ReaderKind::of(&Actor::Visitor), ReaderKind::Public);
        assert_eq!(ReaderKind::of(&person(&[])), ReaderKind::Public);
        assert_eq!(ReaderKind::of(&person(&[Role::DutyOfficer])), ReaderKind::Staff);
        assert_eq!(ReaderKind::of(&person(&[Role::Contributor, Role::Reviewer])), ReaderKind::Scientist);
        for kind in READER_KINDS {
            assert_eq!(ReaderKind::parse(kind.as_str()), Some(kind));
        }
    }

    #[test]
    fn few_votes_are_no_rating_and_a_crowd_is_worth_one_group() {
        let tally = |useful, useless| Tally { claim: "kepu:abcdefgh23/a".into(), kind: ReaderKind::Public, useful, useless };
        assert_eq!(tally(4, 0).rating(), None);
        assert_eq!(tally(5, 0).rating(), Some((1.0, 0.5)));
        assert!(tally(0, 100_000).rating().is_some_and(|(value, weight)| value == 0.0 && weight < 1.0));
    }
}
