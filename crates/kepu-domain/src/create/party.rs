//! The registry: one record for each person, team, organisation, venue, facility and service point. Six expert banks and four
//! kinds of bases are views of it (`register`); what the world may see of a party is its `card`. Accounts that sign in are
//! in `account`; both are linked by id.

use crate::create::review::Proof;
use crate::field::Fault;
use crate::ids::{OrgId, PartyId};
use crate::org::Region;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a party is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyKind {
    /// A person.
    #[default]
    Person,
    /// A team of people: creators, volunteers.
    Team,
    /// An institution, alliance or partner.
    Organisation,
    /// A place that people visit: hall, museum, base.
    Venue,
    /// A research facility or large instrument that opens at times.
    Facility,
    /// Where material reaches people: board, screen, community room.
    ServicePoint,
}

/// Every kind.
pub const PARTY_KINDS: [PartyKind; 6] =
    [PartyKind::Person, PartyKind::Team, PartyKind::Organisation, PartyKind::Venue, PartyKind::Facility, PartyKind::ServicePoint];

impl PartyKind {
    /// The word stored, in files and in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            PartyKind::Person => "person",
            PartyKind::Team => "team",
            PartyKind::Organisation => "organisation",
            PartyKind::Venue => "venue",
            PartyKind::Facility => "facility",
            PartyKind::ServicePoint => "service_point",
        }
    }
    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        PARTY_KINDS.into_iter().find(|kind| kind.as_str() == text)
    }
    /// The schema.org type of its card.
    pub fn schema(self) -> &'static str {
        match self {
            PartyKind::Person => "Person",
            PartyKind::Team | PartyKind::Organisation => "Organization",
            PartyKind::Venue => "CivicStructure",
            PartyKind::Facility => "ResearchOrganization",
            PartyKind::ServicePoint => "Place",
        }
    }
    /// Whether its data are personal: nothing is shown without the person's consent, and a withdrawn card is erased.
    pub fn is_personal(self) -> bool {
        self == PartyKind::Person
    }
    /// Whether it stands at a place that may be shown on a map. A person's place is the county only.
    pub fn has_point(self) -> bool {
        matches!(self, PartyKind::Organisation | PartyKind::Venue | PartyKind::Facility | PartyKind::ServicePoint)
    }
}

/// A proof of competence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qualification {
    /// What it is, such as 执业医师.
    pub what: String,
    /// Who issued it.
    #[serde(default)]
    pub issuer: String,
    /// Its number; never public.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub number: String,
    /// Fields it covers (ids of `FIELDS`); empty: all that the person states.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// Last day; none: it does not lapse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Who has seen the proof, and when; without it the qualification counts for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
}

/// That somebody has seen a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// Name of the person and institution.
    pub by: String,
    /// When.
    pub on: Date,
}

impl Qualification {
    /// Whether it counts on `day`: seen by somebody, begun, not lapsed.
    pub fn counts(&self, day: Date) -> bool {
        self.verified.is_some() && self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }
}

/// What a person agreed to. Never deleted while the entry exists: a withdrawal is noted beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Purpose (ids of `data/registers/consents.json`).
    pub purpose: String,
    /// Version of the text that was agreed to.
    pub version: u32,
    /// When.
    pub given: Timestamp,
    /// When it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Timestamp>,
}

/// An honour or designation with the credential that proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Honour {
    /// Id of the kind of round that gave it, such as `base-national`.
    pub kind: String,
    /// Its title as given.
    pub title: String,
    /// First day.
    pub from: Date,
    /// Last day; none: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Subject of the credential record.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub credential: String,
}

/// An entry of the registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Party {
    /// Id.
    pub id: PartyId,
    /// Kind.
    #[serde(default)]
    pub kind: PartyKind,
    /// Name as its owner writes it; any script, any rare character.
    pub name: String,
    /// English name, may be empty.
    #[serde(default)]
    pub name_en: String,
    /// The institution that keeps the entry: for a person where they work, for a venue who runs it.
    pub org: OrgId,
    /// Place; for a person the county at most.
    #[serde(default)]
    pub region: Region,
    /// Post or professional title; for a place its type in words.
    #[serde(default)]
    pub title: String,
    /// English title, may be empty.
    #[serde(default)]
    pub title_en: String,
    /// Fields of competence (ids of `FIELDS`).
    #[serde(default)]
    pub fields: Vec<String>,
    /// What shows the competence.
    #[serde(default)]
    pub qualifications: Vec<Qualification>,
    /// BCP 47 languages spoken or served.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Tasks a month at most; 0: none.
    #[serde(default)]
    pub monthly_ceiling: i64,
    /// Whether tasks may be sent at present.
    #[serde(default = "yes")]
    pub available: bool,
    /// Hours in which nobody is called, in China time, such as `22:00-07:00`; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub quiet: String,
    /// Registers that the party was entered in (ids of `data/registers/*.json`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub registers: Vec<String>,
    /// Consents, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
    /// Honours and designations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub honours: Vec<Honour>,
    /// When its owner last said that all of this is still right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Date>,
    /// Every other field of its kind and registers, by field id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Value>,
    /// The entry that this one was merged into; it is kept for its history and for old links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<PartyId>,
    /// Invented for demonstration.
    #[serde(default)]
    pub sample: bool,
}

fn yes() -> bool {
    true
}

/// Fields that every kind may have, whose values are members of [`Party`]; all others stand in `values`.
pub const CORE: [&str; 16] = [
    "name",
    "name_en",
    "org",
    "region",
    "title",
    "title_en",
    "fields",
    "qualifications",
    "languages",
    "monthly_ceiling",
    "available",
    "quiet",
    "registers",
    "honours",
    "confirmed",
    "sample",
];

impl Party {
    /// The value of a field, [`Value::Null`] if it is empty. Core fields and others look the same from outside.
    pub fn value(&self, id: &str) -> Value {
        let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        let list = |list: &[String]| if list.is_empty() { Value::Null } else { json!(list) };
        match id {
            "name" => text(&self.name),
            "name_en" => text(&self.name_en),
            "org" => text(self.org.as_str()),
            "region" => json!(self.region),
            "title" => text(&self.title),
            "title_en" => text(&self.title_en),
            "fields" => list(&self.fields),
            "qualifications" if self.qualifications.is_empty() => Value::Null,
            "qualifications" => json!(self.qualifications),
            "languages" => list(&self.languages),
            "monthly_ceiling" => json!(self.monthly_ceiling),
            "available" => json!(self.available),
            "quiet" => text(&self.quiet),
            "registers" => list(&self.registers),
            "honours" if self.honours.is_empty() => Value::Null,
            "honours" => json!(self.honours),
            "confirmed" => self.confirmed.map_or(Value::Null, |date| json!(date)),
            "sample" => json!(self.sample),
            other => self.values.get(other).cloned().unwrap_or(Value::Null),
        }
    }

    /// Puts a value that its `FieldDef` has checked. What is kept by other deeds (registers, honours, confirmed, who verified a
    /// qualification) is not changed here.
    pub fn set(&mut self, id: &str, value: Value) -> Result<(), Fault> {
        let wrong = || Fault::new(id, "wrong_form");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: Value| match value {
            Value::Null => Ok(vec![]),
            other => serde_json::from_value::<Vec<String>>(other).map_err(|_| wrong()),
        };
        match id {
            "name" => self.name = text(&value),
            "name_en" => self.name_en = text(&value),
            "org" => self.org = OrgId(text(&value)),
            "region" if value.is_null() => self.region = Region::NATION,
            "region" => self.region = serde_json::from_value(value).map_err(|_| wrong())?,
            "title" => self.title = text(&value),
            "title_en" => self.title_en = text(&value),
            "fields" => self.fields = list(value)?,
            "qualifications" => self.set_qualifications(value)?,
            "languages" => self.languages = list(value)?,
            "monthly_ceiling" => self.monthly_ceiling = value.as_i64().unwrap_or(0).max(0),
            "available" => self.available = value.as_bool().unwrap_or(false),
            "quiet" => self.quiet = text(&value),
            "registers" | "honours" | "confirmed" | "sample" => return Err(Fault::new(id, "kept_elsewhere")),
            other if value.is_null() => drop(self.values.remove(other)),
            other => drop(self.values.insert(other.to_owned(), value)),
        }
        Ok(())
    }

    /// A changed qualification has to be verified anew; an unchanged one stays verified.
    fn set_qualifications(&mut self, value: Value) -> Result<(), Fault> {
        let new: Vec<Qualification> = match value {
            Value::Null => vec![],
            other => serde_json::from_value(other).map_err(|_| Fault::new("qualifications", "wrong_form"))?,
        };
        let before = std::mem::take(&mut self.qualifications);
        let bare = |q: &Qualification| Qualification { verified: None, ..q.clone() };
        self.qualifications = new
            .into_iter()
            .map(|q| Qualification { verified: before.iter().find(|old| bare(old) == bare(&q)).and_then(|old| old.verified.clone()), ..q })
            .collect();
        Ok(())
    }

    /// The fields in which competence is proved on `day`.
    pub fn proved_fields(&self, day: Date) -> Vec<&str> {
        let covers = |q: &Qualification, field: &str| q.counts(day) && (q.fields.is_empty() || q.fields.iter().any(|f| f == field));
        self.fields.iter().filter(|field| self.qualifications.iter().any(|q| covers(q, field))).map(String::as_str).collect()
    }

    /// How many of the `wanted` fields the party is competent in on `day`.
    pub fn competence(&self, wanted: &[String], day: Date) -> usize {
        let proved = self.proved_fields(day);
        wanted.iter().filter(|field| proved.contains(&field.as_str())).count()
    }

    /// The qualification that counts on `day` in most of `fields`, one whose name has one of `words` before others; as it stands under a text.
    pub fn proof(&self, fields: &[String], words: &[String], day: Date) -> Option<Proof> {
        let covers = |q: &Qualification| -> Vec<String> {
            let all = self.fields.iter().filter(|field| q.fields.is_empty() || q.fields.contains(field));
            all.filter(|field| fields.contains(field)).cloned().collect()
        };
        let fits = |q: &Qualification| words.is_empty() || words.iter().any(|word| q.what.contains(word.as_str()));
        let good = self.qualifications.iter().filter(|q| q.counts(day)).map(|q| (fits(q), covers(q), q)).filter(|(_, covered, _)| !covered.is_empty());
        // Of equal ones the one that is longest in force.
        let best = good.max_by_key(|(fits, covered, q)| (*fits, covered.len(), q.until.is_none(), q.until))?;
        Some(Proof { what: best.2.what.clone(), fields: best.1, until: best.2.until })
    }

    /// The standing consent for `purpose`, if its text is of version `least` or later.
    pub fn consent(&self, purpose: &str, least: u32) -> Option<&Consent> {
        self.consents.iter().rev().find(|c| c.purpose == purpose).filter(|c| c.withdrawn.is_none() && c.version >= least)
    }

    /// Why they are not asked, with `load` tasks on hand; none if they can be.
    pub fn rest(&self, load: i64) -> Option<Rest> {
        match (self.available && self.merged_into.is_none(), load < self.monthly_ceiling) {
            (false, _) => Some(Rest::Away),
            (true, false) => Some(Rest::Full),
            (true, true) => None,
        }
    }

    /// Whether `minute` of the day (China time) lies in the hours in which nobody calls them.
    pub fn is_quiet(&self, minute: u16) -> bool {
        match crate::field::hours(&self.quiet) {
            Some((from, to)) if from < to => (from..to).contains(&minute),
            Some((from, to)) => minute >= from || minute < to,
            None => false,
        }
    }
}

/// Why somebody is not asked at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// They take no tasks at present, or were merged away.
    Away,
    /// They have as many as they said they take.
    Full,
}

/// A candidate for a task with the figures that ranked it; shown so that the choice can be understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Who.
    pub party: Party,
    /// Wanted fields covered.
    pub fields_covered: usize,
    /// Reviews of the last 30 days and cases that wait for an answer.
    pub load: i64,
    /// Whether nobody calls them at this hour.
    pub quiet: bool,
}

/// Orders candidates at `minute` of `day`: competent ones only, most fields first, then those who can be called at this hour, then
/// least of their ceiling used, then id.
///
/// Leaves out who is unavailable, at the ceiling, merged away, or in `excluded` (authors, other reviewers).
pub fn rank(parties: Vec<(Party, i64)>, wanted: &[String], excluded: &[PartyId], day: Date, minute: u16) -> Vec<Candidate> {
    let mut list: Vec<Candidate> = parties
        .into_iter()
        .filter(|(party, load)| party.rest(*load).is_none() && !excluded.contains(&party.id))
        .map(|(party, load)| Candidate { fields_covered: party.competence(wanted, day), quiet: party.is_quiet(minute), party, load })
        .filter(|candidate| candidate.fields_covered > 0)
        .collect();
    list.sort_by(|a, b| {
        let used = |c: &Candidate| c.load * 1000 / c.party.monthly_ceiling.max(1);
        (b.fields_covered, a.quiet, used(a), &a.party.id).cmp(&(a.fields_covered, b.quiet, used(b), &b.party.id))
    });
    list
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use jiff::civil::date;

    pub(crate) fn party(id: &str, fields: &[&str], ceiling: i64) -> Party {
        Party {
            id: id.into(),
            name: id.into(),
            org: "o".into(),
            fields: fields.iter().map(|f| (*f).to_owned()).collect(),
            qualifications: vec![Qualification {
                what: "q".into(),
                until: Some(date(2027, 12, 31)),
                verified: Some(Verified { by: "科协".into(), on: date(2026, 1, 1) }),
                ..Qualification::default()
            }],
            monthly_ceiling: ceiling,
            available: true,
            sample: true,
            ..Party::default()
        }
    }
    const DAY: Date = date(2026, 11, 25);

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
                (Party { quiet: "22:00-07:00".into(), ..party("asleep", &["health", "food"], 8) }, 0),
                (Party { available: false, ..party("away", &["health", "food"], 8) }, 0),
            ],
            &wanted,
            &["author".into()],
            DAY,
            23 * 60,
        );
        let order: Vec<_> = list.iter().map(|c| c.party.id.as_str()).collect();
        assert_eq!(order, ["fresh", "both", "asleep", "one"]);
        assert_eq!(party("a", &[], 4).rest(4), Some(Rest::Full));
        assert_eq!(Party { available: false, ..party("a", &[], 4) }.rest(0), Some(Rest::Away));
    }

    #[test]
    fn a_lapsed_or_unseen_qualification_proves_nothing() {
        let wanted = vec!["health".to_owned()];
        let doctor = party("a", &["health"], 1);
        assert_eq!(doctor.competence(&wanted, DAY), 1);
        assert_eq!(doctor.competence(&wanted, date(2028, 1, 1)), 0);
        let mut unseen = doctor.clone();
        unseen.qualifications[0].verified = None;
        assert_eq!(unseen.competence(&wanted, DAY), 0);
        let mut narrow = doctor;
        narrow.qualifications[0].fields = vec!["food".into()];
        assert_eq!(narrow.competence(&wanted, DAY), 0);
    }

    #[test]
    fn a_changed_qualification_has_to_be_seen_again() {
        let mut doctor = party("a", &["health"], 1);
        let same = doctor.value("qualifications");
        doctor.set("qualifications", same.clone()).expect("the same");
        assert!(doctor.qualifications[0].verified.is_some());
        let mut longer = same;
        longer[0]["until"] = json!("2039-12-31");
        doctor.set("qualifications", longer).expect("changed");
        assert!(doctor.qualifications[0].verified.is_none(), "nobody has seen the longer one");
        let mut forged = doctor.value("qualifications");
        forged[0]["verified"] = json!({"by": "self", "on": "2026-01-01"});
        doctor.set("qualifications", forged).expect("taken without the seal");
        assert!(doctor.qualifications[0].verified.is_none());
    }

    #[test]
    fn the_proof_under_a_text_is_the_one_that_counts_there() {
        let wanted = vec!["health".to_owned()];
        let mut doctor = party("a", &["health", "food"], 1);
        let other = Qualification { what: "执业医师".into(), until: Some(date(2027, 1, 1)), ..doctor.qualifications[0].clone() };
        doctor.qualifications.push(other);
        let words = vec!["医师".to_owned()];
        let proof = doctor.proof(&wanted, &words, DAY).expect("proof");
        assert_eq!((proof.what.as_str(), proof.fields, proof.until), ("执业医师", vec!["health".to_owned()], Some(date(2027, 1, 1))));
        assert_eq!(doctor.proof(&wanted, &words, date(2027, 6, 1)).expect("the other").what, "q");
        assert!(doctor.proof(&["physics".to_owned()], &words, DAY).is_none());
        doctor.qualifications.iter_mut().for_each(|q| q.verified = None);
        assert!(doctor.proof(&wanted, &words, DAY).is_none(), "nobody has seen it");
    }

    #[test]
    fn quiet_hours_reach_over_midnight() {
        let doctor = Party { quiet: "22:00-07:00".into(), ..party("a", &[], 1) };
        assert!(doctor.is_quiet(23 * 60) && doctor.is_quiet(60) && !doctor.is_quiet(12 * 60));
        assert!(!party("b", &[], 1).is_quiet(0));
    }

    #[test]
    fn a_withdrawn_consent_stands_no_more_and_a_later_one_does() {
        let at = |s| Timestamp::from_second(s).expect("time");
        let consent = |version, given, withdrawn: Option<i64>| Consent { purpose: "press".into(), version, given: at(given), withdrawn: withdrawn.map(at) };
        let mut p = party("a", &[], 1);
        p.consents = vec![consent(1, 1, Some(5))];
        assert!(p.consent("press", 1).is_none());
        p.consents.push(consent(2, 9, None));
        assert!(p.consent("press", 2).is_some() && p.consent("press", 3).is_none() && p.consent("film", 1).is_none());
    }
}
