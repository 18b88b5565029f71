//! Parts that several bodies share: sources, credits, sign-offs, corrections.

use jiff::civil::Date;
use kepu_domain::create::resource::{AiUse, Correction, Credit, Source};
use kepu_domain::create::review::{Method, Proof, SignOff};
use serde::{Deserialize, Serialize};

/// A source as schema.org `CreativeWork`; the evidence level stands in `additionalType`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WireSource {
    #[serde(rename = "@type", default = "creative_work")]
    type_: String,
    name: String,
    #[serde(default)]
    publisher: String,
    additional_type: String,
    date_published: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

fn creative_work() -> String {
    "CreativeWork".into()
}

impl From<&Source> for WireSource {
    fn from(s: &Source) -> Self {
        Self {
            type_: creative_work(),
            name: s.title.clone(),
            publisher: s.publisher.clone(),
            additional_type: s.kind.clone(),
            date_published: s.date.clone(),
            url: s.url.clone(),
        }
    }
}
impl From<WireSource> for Source {
    fn from(s: WireSource) -> Self {
        Self { title: s.name, publisher: s.publisher, kind: s.additional_type, date: s.date_published, url: s.url }
    }
}

/// A person under a text as schema.org `Person`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WirePerson {
    #[serde(rename = "@type", default = "person")]
    type_: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    identifier: String,
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    affiliation: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    job_title: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    knows_about: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    has_credential: Option<WireProof>,
}

/// A qualification as schema.org `EducationalOccupationalCredential`: that the signing institution has seen it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProof {
    #[serde(rename = "@type", default = "credential")]
    type_: String,
    name: String,
    about: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Date>,
}

fn credential() -> String {
    "EducationalOccupationalCredential".into()
}

impl From<&Proof> for WireProof {
    fn from(p: &Proof) -> Self {
        Self { type_: credential(), name: p.what.clone(), about: p.fields.clone(), expires: p.until }
    }
}
impl From<WireProof> for Proof {
    fn from(p: WireProof) -> Self {
        Self { what: p.name, fields: p.about, until: p.expires }
    }
}

fn person() -> String {
    "Person".into()
}

impl From<&Credit> for WirePerson {
    fn from(c: &Credit) -> Self {
        Self {
            type_: person(),
            identifier: c.party.clone(),
            name: c.name.clone(),
            affiliation: c.org.clone(),
            job_title: c.title.clone(),
            knows_about: vec![],
            has_credential: c.qualification.as_ref().map(WireProof::from),
        }
    }
}
impl From<WirePerson> for Credit {
    fn from(p: WirePerson) -> Self {
        Self { party: p.identifier, name: p.name, org: p.affiliation, title: p.job_title, qualification: p.has_credential.map(Proof::from) }
    }
}

/// A sign-off as schema.org `Review`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WireSignOff {
    #[serde(rename = "@type", default = "review")]
    type_: String,
    author: WirePerson,
    conflict: String,
    date_published: Date,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    review_body: String,
    #[serde(default, skip_serializing_if = "is_individual")]
    method: Method,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    editions: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    checked: Vec<String>,
}

fn review() -> String {
    "Review".into()
}
fn is_individual(method: &Method) -> bool {
    *method == Method::Individual
}

impl From<&SignOff> for WireSignOff {
    fn from(s: &SignOff) -> Self {
        let author = WirePerson {
            type_: person(),
            identifier: s.party.clone(),
            name: s.name.clone(),
            affiliation: s.org.clone(),
            job_title: s.title.clone(),
            knows_about: s.fields.clone(),
            has_credential: s.qualification.as_ref().map(WireProof::from),
        };
        Self {
            type_: review(),
            author,
            conflict: s.conflict.clone(),
            date_published: s.date,
            review_body: s.comment.clone(),
            method: s.method,
            editions: s.editions.clone(),
            checked: s.checks.clone(),
        }
    }
}
impl From<WireSignOff> for SignOff {
    fn from(s: WireSignOff) -> Self {
        Self {
            party: s.author.identifier,
            name: s.author.name,
            org: s.author.affiliation,
            title: s.author.job_title,
            fields: s.author.knows_about,
            conflict: s.conflict,
            date: s.date_published,
            method: s.method,
            comment: s.review_body,
            editions: s.editions,
            qualification: s.author.has_credential.map(Proof::from),
            checks: s.checked,
        }
    }
}

/// A correction as schema.org `CorrectionComment`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WireCorrection {
    #[serde(rename = "@type", default = "correction")]
    type_: String,
    date_created: Date,
    text: String,
}

fn correction() -> String {
    "CorrectionComment".into()
}

impl From<&Correction> for WireCorrection {
    fn from(c: &Correction) -> Self {
        Self { type_: correction(), date_created: c.date, text: c.text.clone() }
    }
}
impl From<WireCorrection> for Correction {
    fn from(c: WireCorrection) -> Self {
        Self { date: c.date_created, text: c.text }
    }
}

/// Whether no machine took part: then the member is left out.
pub fn by_hand(ai_use: &AiUse) -> bool {
    *ai_use == AiUse::None
}

/// Converts a list.
pub fn list<'a, A: 'a, B: From<&'a A>>(items: &'a [A]) -> Vec<B> {
    items.iter().map(B::from).collect()
}
/// Converts a list back.
pub fn back<A, B: From<A>>(items: Vec<A>) -> Vec<B> {
    items.into_iter().map(B::from).collect()
}
