//! What an applicant showed on the day of handing in, and what of it does not hold any more: a qualification that lapsed, a consent that was
//! withdrawn, a criterion that is lost. It is seen and said before anything is decided.

use super::{Application, PUBLIC_CARD};
use crate::create::criteria::{Assessment, CriteriaSet, Finding};
use crate::create::party::Party;
use crate::create::register::Registers;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What the applicant showed on the day of handing in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Qualifications that counted.
    pub qualifications: Vec<String>,
    /// Purposes whose consent stood.
    pub consents: Vec<String>,
    /// How the criteria sets stood, each with its version.
    pub assessments: Vec<Assessment>,
}

impl Held {
    /// What `party` shows on `day`.
    pub fn of(party: &Party, sets: &[&CriteriaSet], registers: &Registers, day: Date) -> Held {
        let counting = party.qualifications.iter().filter(|q| q.counts(day));
        Held {
            qualifications: counting.map(|q| q.what.clone()).collect(),
            consents: registers.purposes.iter().filter(|p| registers.consents(party, &p.id)).map(|p| p.id.clone()).collect(),
            assessments: sets.iter().map(|set| set.assess(party, day)).collect(),
        }
    }
}

/// Something that held when the application was handed in and does not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "concern", rename_all = "snake_case")]
pub enum Concern {
    /// The entry was deleted or merged away.
    EntryGone,
    /// A consent was withdrawn: what it allowed has ended.
    ConsentWithdrawn {
        /// Purpose.
        purpose: String,
    },
    /// A qualification has lapsed, or was taken out.
    QualificationLapsed {
        /// Which.
        what: String,
    },
    /// A criterion that was met is not met now.
    CriterionLost {
        /// Set.
        set: String,
        /// Item.
        item: String,
    },
}

impl Concern {
    /// Whether the office can go on over it with a reason. What rests on a person's will it cannot.
    pub fn can_be_noted(&self) -> bool {
        !matches!(self, Concern::EntryGone | Concern::ConsentWithdrawn { .. })
    }
}

/// A concern that the office has looked at, and why it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// Which.
    pub concern: Concern,
    /// Why it does not matter.
    pub words: String,
}

impl Application {
    /// What held at handing in and does not on `day`, without what the office has noted. `party`: the entry as it is now.
    pub fn concerns(&self, party: Option<&Party>, sets: &[&CriteriaSet], registers: &Registers, day: Date) -> Vec<Concern> {
        let Some(held) = &self.held else { return vec![] };
        let Some(party) = party.filter(|party| party.merged_into.is_none()) else { return vec![Concern::EntryGone] };
        let mut found = Vec::new();
        let withdrawn = held.consents.iter().filter(|id| id.as_str() == PUBLIC_CARD && !registers.consents(party, id));
        found.extend(withdrawn.map(|purpose| Concern::ConsentWithdrawn { purpose: purpose.clone() }));
        let lapsed = held.qualifications.iter().filter(|what| !party.qualifications.iter().any(|q| q.what == **what && q.counts(day)));
        found.extend(lapsed.map(|what| Concern::QualificationLapsed { what: what.clone() }));
        for before in &held.assessments {
            let Some(now) = sets.iter().find(|set| set.id == before.set && set.version == before.version).map(|set| set.assess(party, day)) else { continue };
            let met = |finding: &Finding| matches!(finding, Finding::Met { .. } | Finding::Lapsing { .. });
            let lost = before.findings.iter().zip(&now.findings).filter(|((_, old), (_, new))| met(old) && !met(new) && *new != Finding::NotAsked);
            found.extend(lost.map(|((item, _), _)| Concern::CriterionLost { set: before.set.clone(), item: item.clone() }));
        }
        found.retain(|concern| !self.noted.iter().any(|noted| noted.concern == *concern));
        found
    }
}
