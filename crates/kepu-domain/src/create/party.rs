//! People and institutions of the registry, as far as answering and reviewing needs them: competence and availability.
//! Accounts that sign in are in `account`; both are linked by id.

use crate::ids::{OrgId, PartyId};
use serde::{Deserialize, Serialize};

/// A person who can answer or review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Id.
    pub id: PartyId,
    /// Name as the person writes it; any script, any rare character.
    pub name: String,
    /// English name, may be empty.
    #[serde(default)]
    pub name_en: String,
    /// The institution.
    pub org: OrgId,
    /// Post or professional title.
    pub title: String,
    /// English title, may be empty.
    #[serde(default)]
    pub title_en: String,
    /// Fields of competence (ids of `FIELDS`), each backed by `qualification`.
    pub fields: Vec<String>,
    /// What shows the competence.
    pub qualification: String,
    /// BCP 47 languages spoken.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Tasks a month at most.
    pub monthly_ceiling: i64,
    /// Whether tasks may be sent at present.
    #[serde(default = "yes")]
    pub available: bool,
    /// Invented for demonstration.
    #[serde(default)]
    pub sample: bool,
}

fn yes() -> bool {
    true
}

impl Party {
    /// How many of `wanted` fields the person is competent in.
    pub fn competence(&self, wanted: &[String]) -> usize {
        wanted.iter().filter(|field| self.fields.contains(field)).count()
    }
}

/// A candidate for a task with the figures that ranked it; shown so that the choice can be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub party: Party,
    /// Wanted fields covered.
    pub fields_covered: usize,
    /// Reviews of the last 30 days and cases that wait for an answer.
    pub load: i64,
}

/// Orders candidates: competent ones only, most fields first, then least of their ceiling used, then id.
///
/// Leaves out who is unavailable, at the ceiling, or in `excluded` (authors, other reviewers).
pub fn rank(parties: Vec<(Party, i64)>, wanted: &[String], excluded: &[PartyId]) -> Vec<Candidate> {
    let mut list: Vec<Candidate> = parties
        .into_iter()
        .filter(|(party, load)| party.available && *load < party.monthly_ceiling && !excluded.contains(&party.id))
        .map(|(party, load)| Candidate { fields_covered: party.competence(wanted), party, load })
        .filter(|candidate| candidate.fields_covered > 0)
        .collect();
    list.sort_by(|a, b| {
        let used = |c: &Candidate| c.load * 1000 / c.party.monthly_ceiling.max(1);
        (b.fields_covered, used(a), &a.party.id).cmp(&(a.fields_covered, used(b), &b.party.id))
    });
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(id: &str, fields: &[&str], ceiling: i64) -> Party {
        Party {
            id: id.into(),
            name: id.into(),
            name_en: String::new(),
            org: "o".into(),
            title: String::new(),
            title_en: String::new(),
            fields: fields.iter().map(|f| (*f).to_owned()).collect(),
            qualification: "q".into(),
            languages: vec![],
            monthly_ceiling: ceiling,
            available: true,
            sample: true,
        }
    }

    #[test]
    fn competence_first_then_the_less_burdened() {
        let wanted = vec!["health".to_owned(), "food".to_owned()];
        let list = rank(
            vec![
                (party("busy", &["health", "food"], 4), 4),
                (party("both", &["health", "food"], 8), 4),
                (party("fresh", &["health", "food"], 8), 0),
                (party("one", &["food"], 8), 0),
                (party("none", &["physics"], 8), 0),
                (party("author", &["health"], 8), 0),
            ],
            &wanted,
            &["author".into()],
        );
        let order: Vec<_> = list.iter().map(|c| c.party.id.as_str()).collect();
        assert_eq!(order, ["fresh", "both", "one"]);
    }
}
