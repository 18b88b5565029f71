//! Resources: a piece of material, what must be known of it before it may be public, and what machines check first (R11) is in `check`.
//! Who reviews it is in `review`; the working copy in `draft`; the signed form in `kepu-sync::wire`.

use crate::create::check::{Finding, check_facts};
use crate::create::resource_type::Details;
use crate::create::review::{Proof, SignOff};
use crate::ids::SubjectId;
use crate::org::Region;
use crate::vocabulary;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a statement comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Title of the guideline, study, page.
    pub title: String,
    /// Who published it.
    pub publisher: String,
    /// Evidence level, id of `EVIDENCE`.
    pub kind: String,
    /// Year or date as published.
    pub date: String,
    /// Address, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Who wrote it, as shown to readers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// Registry id, empty for somebody outside the registry.
    #[serde(default)]
    pub party: String,
    /// Name.
    pub name: String,
    /// Institution.
    #[serde(default)]
    pub org: String,
    /// Post.
    #[serde(default)]
    pub title: String,
    /// The qualification by which the lane lets them write it; from the registry, never typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qualification: Option<Proof>,
}

/// How far a machine took part in the making (AI labelling rules, RULES §9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AiUse {
    /// Not at all.
    #[default]
    None,
    /// Helped.
    Assisted,
    /// Made it.
    Generated,
}

/// What was wrong with the version before, kept with every version after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// When it was corrected.
    pub date: Date,
    /// What was wrong and what is right.
    pub text: String,
}

/// A file that belongs to a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// BLAKE3 of the bytes, hex.
    pub hash: String,
    /// Media type found by content.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// What is to be seen or heard, for those who cannot.
    pub alt: String,
}

/// One version of a resource, without its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Title.
    pub title: String,
    /// English title, may be empty.
    #[serde(default)]
    pub title_en: String,
    /// Summary.
    #[serde(default)]
    pub summary: String,
    /// Body, a small Markdown subset.
    pub text: String,
    /// Type, id of `RESOURCE_TYPES`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Fields.
    pub fields: Vec<String>,
    /// Audiences.
    pub audience: Vec<String>,
    /// Sources.
    pub sources: Vec<Source>,
    /// Licence, id of `LICENCES`.
    pub licence: String,
    /// Who holds the rights and gives the licence (RULES, law article 29); empty in records of other makers only.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rights: String,
    /// Where it is meant for.
    pub region: Region,
    /// BCP 47 language.
    #[serde(default = "zh_hans")]
    pub lang: String,
    /// Date of the content.
    pub date: Date,
    /// When it must have been looked at again.
    #[serde(default)]
    pub expires: Option<Date>,
    /// Author.
    pub author: Credit,
    /// Machine use.
    #[serde(default)]
    pub ai_use: AiUse,
    /// Editions of the same text: `elder`, `broadcast`, `chalk`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub editions: BTreeMap<String, String>,
    /// Hazard of an emergency card, else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hazard: String,
    /// Phase of an emergency card, else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phase: String,
    /// What its type says beyond the text, by field id of `data/types/`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: Details,
    /// Ids of what it was made of: a research resource turned into something for the public, a text that was adapted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub based_on: Vec<SubjectId>,
    /// Files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// Corrections of earlier versions, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Correction>,
    /// Reviews by the publishing institution's own reviewers, of exactly this version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<SignOff>,
    /// Sample for demonstration.
    #[serde(default)]
    pub sample: bool,
}

fn zh_hans() -> String {
    "zh-Hans".to_owned()
}

impl Resource {
    /// An empty one to be written: everything that has a usual value has it.
    pub fn begin(title: &str, author: Credit, rights: &str, region: Region, today: Date) -> Self {
        Self {
            title: title.to_owned(),
            title_en: String::new(),
            summary: String::new(),
            text: String::new(),
            kind: "article".into(),
            fields: vec![],
            audience: vec!["public".into()],
            sources: vec![],
            licence: "CC-BY-4.0".into(),
            rights: rights.to_owned(),
            region,
            lang: zh_hans(),
            date: today,
            expires: today.checked_add(1.year()).ok(),
            author,
            ai_use: AiUse::None,
            editions: BTreeMap::new(),
            hazard: String::new(),
            phase: String::new(),
            details: Details::new(),
            based_on: vec![],
            media: vec![],
            corrections: vec![],
            reviews: vec![],
            sample: false,
        }
    }

    /// Begins one that is made of this public one, `id`: of the same type it is an adaptation, which starts from the text; of another it starts
    /// from nothing but the source. Subject, readers and the link come along, and the licence, which binds what is derived.
    pub fn make_of(&self, id: &SubjectId, address: &str, kind: &str, fresh: Resource) -> Self {
        let source = Source {
            title: self.title.clone(),
            publisher: self.rights.clone(),
            kind: if self.kind == "dataset" { "study".into() } else { "expert".into() },
            date: self.date.to_string(),
            url: (!address.is_empty()).then(|| address.to_owned()),
        };
        let adapted = kind == self.kind;
        let (text, summary, details, sources) = if adapted {
            (self.text.clone(), self.summary.clone(), self.details.clone(), self.sources.clone())
        } else {
            (String::new(), String::new(), Details::new(), vec![source])
        };
        Self {
            kind: kind.to_owned(),
            text,
            summary,
            details,
            sources,
            fields: self.fields.clone(),
            audience: if adapted { self.audience.clone() } else { fresh.audience.clone() },
            licence: if adapted { self.licence.clone() } else { fresh.licence.clone() },
            lang: self.lang.clone(),
            based_on: vec![id.clone()],
            ..fresh
        }
    }

    /// What is missing or wrong in its facts; wording and what lanes ask for are in `check`.
    pub(crate) fn facts(&self, today: Date) -> Vec<Finding> {
        let mut found = check_facts(&self.sources, &self.audience, &self.fields);
        if vocabulary::licence(&self.licence).is_none() {
            found.push(Finding::block("licence", "no_licence"));
        }
        if self.rights.trim().is_empty() {
            found.push(Finding::block("rights", "no_rights"));
        }
        if vocabulary::RESOURCE_TYPES.find(&self.kind).is_none() {
            found.push(Finding::block("type", "no_type"));
        }
        if self.author.name.trim().is_empty() {
            found.push(Finding::block("author", "no_author"));
        }
        if self.date > today {
            found.push(Finding::block("date", "future_date"));
        }
        if self.expires.is_some_and(|expires| expires <= today) {
            found.push(Finding::block("expires", "expired"));
        }
        if self.media.iter().any(|media| media.alt.trim().is_empty()) {
            found.push(Finding::block("media", "no_alt"));
        }
        found
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn proof(field: &str) -> Proof {
        Proof { what: "执业医师".into(), fields: vec![field.into()], until: Some(jiff::civil::date(2031, 12, 31)) }
    }

    pub(crate) fn resource() -> Resource {
        Resource {
            title: "怎样喝水".into(),
            title_en: String::new(),
            summary: String::new(),
            text: "成年人每天喝水约1500毫升。身体不适请看医生。孕妇和心肾病人另问医生。".into(),
            kind: "article".into(),
            fields: vec!["health".into()],
            audience: vec!["public".into()],
            sources: vec![Source {
                title: "中国居民膳食指南".into(),
                publisher: "中国营养学会".into(),
                kind: "guideline".into(),
                date: "2022".into(),
                url: None,
            }],
            licence: "CC-BY-4.0".into(),
            rights: "示例医院".into(),
            region: Region::NATION,
            lang: "zh-Hans".into(),
            date: jiff::civil::date(2026, 5, 1),
            expires: Some(jiff::civil::date(2027, 5, 1)),
            author: Credit { name: "周示例".into(), qualification: Some(proof("health")), ..Credit::default() },
            ai_use: AiUse::None,
            editions: BTreeMap::new(),
            hazard: String::new(),
            phase: String::new(),
            details: Details::new(),
            based_on: vec![],
            media: vec![],
            corrections: vec![],
            reviews: vec![],
            sample: true,
        }
    }
}
