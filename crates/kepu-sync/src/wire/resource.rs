//! Resources as schema.org creative works.

use super::parts::{WireCorrection, WirePerson, WireSignOff, WireSource, back, by_hand, list};
use jiff::civil::Date;
use kepu_domain::create::resource::{AiUse, Media, Resource};
use kepu_domain::ids::SubjectId;
use kepu_domain::record::{Body, Envelope};
use kepu_domain::vocabulary::RESOURCE_TYPES;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(rename = "@type", default)]
    type_: String,
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    alternate_name: String,
    #[serde(default, rename = "abstract", skip_serializing_if = "String::is_empty")]
    summary: String,
    text: String,
    learning_resource_type: String,
    audience: Vec<String>,
    #[serde(default)]
    citation: Vec<WireSource>,
    license: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    copyright_holder: String,
    date_published: Date,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Date>,
    creator: WirePerson,
    #[serde(default, skip_serializing_if = "by_hand")]
    ai_use: AiUse,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    editions: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    hazard: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    phase: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    is_based_on: Vec<SubjectId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    associated_media: Vec<WireMedia>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    correction: Vec<WireCorrection>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    review: Vec<WireSignOff>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sample: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMedia {
    #[serde(rename = "@type")]
    type_: String,
    blake3: String,
    encoding_format: String,
    content_size: i64,
    description: String,
}

pub(super) fn write(r: &Resource) -> Map<String, Value> {
    let type_ = RESOURCE_TYPES.find(&r.kind).map_or("CreativeWork", |term| term.schema.as_str());
    super::to_map(&Wire {
        type_: type_.to_owned(),
        name: r.title.clone(),
        alternate_name: r.title_en.clone(),
        summary: r.summary.clone(),
        text: r.text.clone(),
        learning_resource_type: r.kind.clone(),
        audience: r.audience.clone(),
        citation: list(&r.sources),
        license: r.licence.clone(),
        copyright_holder: r.rights.clone(),
        date_published: r.date,
        expires: r.expires,
        creator: WirePerson::from(&r.author),
        ai_use: r.ai_use,
        editions: r.editions.clone(),
        hazard: r.hazard.clone(),
        phase: r.phase.clone(),
        details: r.details.clone(),
        is_based_on: r.based_on.clone(),
        associated_media: r
            .media
            .iter()
            .map(|m| WireMedia {
                type_: "MediaObject".into(),
                blake3: m.hash.clone(),
                encoding_format: m.media_type.clone(),
                content_size: m.size,
                description: m.alt.clone(),
            })
            .collect(),
        correction: list(&r.corrections),
        review: list(&r.reviews),
        sample: r.sample,
    })
}

pub(super) fn read(value: &Value, envelope: &Envelope) -> Result<Body, String> {
    let w: Wire = super::from_value(value)?;
    Ok(Body::Resource(Box::new(Resource {
        title: w.name,
        title_en: w.alternate_name,
        summary: w.summary,
        text: w.text,
        kind: w.learning_resource_type,
        fields: envelope.fields.clone(),
        audience: w.audience,
        sources: back(w.citation),
        licence: w.license,
        rights: w.copyright_holder,
        region: envelope.region,
        lang: envelope.lang.clone(),
        date: w.date_published,
        expires: w.expires,
        author: w.creator.into(),
        ai_use: w.ai_use,
        editions: w.editions,
        hazard: w.hazard,
        phase: w.phase,
        details: w.details,
        based_on: w.is_based_on,
        media: w
            .associated_media
            .into_iter()
            .map(|m| Media { hash: m.blake3, media_type: m.encoding_format, size: m.content_size, alt: m.description })
            .collect(),
        corrections: back(w.correction),
        reviews: back(w.review),
        sample: w.sample,
    })))
}
