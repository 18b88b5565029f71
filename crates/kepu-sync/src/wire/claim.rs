//! Claims as schema.org `ClaimReview`.

use super::parts::{WireCorrection, WirePerson, WireSignOff, WireSource, back, by_hand, list};
use crate::record::write_time;
use jiff::Timestamp;
use jiff::civil::Date;
use kepu_domain::create::resource::AiUse;
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::claim::{ClaimReview, Holding, MediaFinding, Verdict};
use kepu_domain::record::{Body, Envelope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(rename = "@type")]
    type_: String,
    claim_reviewed: String,
    item_reviewed: WireClaim,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    review_rating: Option<WireRating>,
    verdict: Verdict,
    #[serde(default, rename = "abstract", skip_serializing_if = "String::is_empty")]
    plain: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    abstract_en: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    review_body: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    instead: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    chat: String,
    audience: Vec<String>,
    #[serde(default)]
    citation: Vec<WireSource>,
    creator: WirePerson,
    date_published: Date,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_check: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_review: Option<MediaFinding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holding: Option<WireHolding>,
    #[serde(default, skip_serializing_if = "by_hand")]
    ai_use: AiUse,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    correction: Vec<WireCorrection>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    review: Vec<WireSignOff>,
    /// The claim that answers for this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    same_as: Option<SubjectId>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sample: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireClaim {
    #[serde(rename = "@type")]
    type_: String,
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    alternate_name: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name_en: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRating {
    #[serde(rename = "@type")]
    type_: String,
    rating_value: i64,
    best_rating: i64,
    worst_rating: i64,
    alternate_name: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireHolding {
    known: String,
    not_known: String,
    who: String,
    next_update: String,
}

pub(super) fn write(c: &ClaimReview) -> Map<String, Value> {
    super::to_map(&Wire {
        type_: "ClaimReview".into(),
        claim_reviewed: c.claim.clone(),
        item_reviewed: WireClaim { type_: "Claim".into(), name: c.claim.clone(), alternate_name: c.variants.clone(), name_en: c.claim_en.clone() },
        review_rating: c.verdict.rating().map(|value| WireRating {
            type_: "Rating".into(),
            rating_value: value,
            best_rating: 5,
            worst_rating: 1,
            alternate_name: c.verdict.zh().into(),
        }),
        verdict: c.verdict,
        plain: c.plain.clone(),
        abstract_en: c.plain_en.clone(),
        review_body: c.why.clone(),
        instead: c.instead.clone(),
        chat: c.chat.clone(),
        audience: c.audience.clone(),
        citation: list(&c.evidence),
        creator: WirePerson::from(&c.author),
        date_published: c.checked,
        next_check: c.next_check,
        media_review: c.media.clone(),
        holding: c.holding.as_ref().map(|h| WireHolding {
            known: h.known.clone(),
            not_known: h.not_known.clone(),
            who: h.who.clone(),
            next_update: write_time(h.next_update),
        }),
        ai_use: c.ai_use,
        correction: list(&c.corrections),
        review: list(&c.reviews),
        same_as: c.same_as.clone(),
        sample: c.sample,
    })
}

pub(super) fn read(value: &Value, envelope: &Envelope) -> Result<Body, String> {
    let w: Wire = super::from_value(value)?;
    if w.same_as.as_ref().is_some_and(|id| id.parts().is_none()) {
        return Err("sameAs names no subject".into());
    }
    if w.holding.is_some() != (w.verdict == Verdict::Checking) {
        return Err("a holding statement and the verdict \"checking\" go together".into());
    }
    let holding = match w.holding {
        Some(h) => {
            let next_update: Timestamp = h.next_update.parse().map_err(|_| "nextUpdate is no time".to_owned())?;
            Some(Holding { known: h.known, not_known: h.not_known, who: h.who, next_update })
        }
        None => None,
    };
    Ok(Body::Claim(Box::new(ClaimReview {
        claim: w.claim_reviewed,
        variants: w.item_reviewed.alternate_name,
        claim_en: w.item_reviewed.name_en,
        verdict: w.verdict,
        plain: w.plain,
        plain_en: w.abstract_en,
        why: w.review_body,
        instead: w.instead,
        evidence: back(w.citation),
        fields: envelope.fields.clone(),
        audience: w.audience,
        region: envelope.region,
        lang: envelope.lang.clone(),
        author: w.creator.into(),
        checked: w.date_published,
        next_check: w.next_check,
        chat: w.chat,
        media: w.media_review,
        holding,
        ai_use: w.ai_use,
        corrections: back(w.correction),
        reviews: back(w.review),
        same_as: w.same_as,
        sample: w.sample,
    })))
}
