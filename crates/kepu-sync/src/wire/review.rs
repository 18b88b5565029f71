//! Reviews by other institutions, withdrawals, holds and correction notices.

use super::parts::WireSignOff;
use kepu_domain::create::review::{Decision, PeerReview};
use kepu_domain::ids::KeyId;
use kepu_domain::record::{Body, CorrectionNotice, DocHash, Envelope, Hold, N_MAX, Retraction};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireReview {
    #[serde(rename = "@type")]
    type_: String,
    item_reviewed: String,
    decision: Decision,
    sign_off: WireSignOff,
}

pub(super) fn write_review(r: &PeerReview) -> Map<String, Value> {
    super::to_map(&WireReview { type_: "Review".into(), item_reviewed: r.of.hex(), decision: r.decision, sign_off: WireSignOff::from(&r.sign_off) })
}

pub(super) fn read_review(value: &Value, envelope: &Envelope) -> Result<Body, String> {
    let w: WireReview = super::from_value(value)?;
    let of = DocHash::from_hex(&w.item_reviewed).ok_or("itemReviewed is no document hash")?;
    Ok(Body::Review(PeerReview { of, subject: envelope.subject.clone(), decision: w.decision, sign_off: w.sign_off.into() }))
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRetraction {
    #[serde(rename = "@type")]
    type_: String,
    key: String,
    through: i64,
    reason: String,
    by: String,
}

pub(super) fn write_retraction(r: &Retraction) -> Map<String, Value> {
    super::to_map(&WireRetraction { type_: "DeleteAction".into(), key: r.key.0.clone(), through: r.through, reason: r.reason.clone(), by: r.by.clone() })
}

pub(super) fn read_retraction(value: &Value) -> Result<Body, String> {
    let w: WireRetraction = super::from_value(value)?;
    if !(1..=N_MAX).contains(&w.through) {
        return Err("\"through\" must be an integer from 1".into());
    }
    Ok(Body::Retraction(Retraction { key: KeyId(w.key), through: w.through, reason: w.reason, by: w.by }))
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireHold {
    #[serde(rename = "@type")]
    type_: String,
    reason: String,
    by: String,
    next: jiff::civil::Date,
}

/// The words of schema.org for pausing something and going on with it.
const HOLD: [(bool, &str); 2] = [(true, "SuspendAction"), (false, "ResumeAction")];

pub(super) fn write_hold(h: &Hold) -> Map<String, Value> {
    let type_ = HOLD.iter().find(|(on, _)| *on == h.on).map_or("", |(_, word)| word).to_owned();
    super::to_map(&WireHold { type_, reason: h.reason.clone(), by: h.by.clone(), next: h.next })
}

pub(super) fn read_hold(value: &Value) -> Result<Body, String> {
    let w: WireHold = super::from_value(value)?;
    let on = HOLD.iter().find(|(_, word)| *word == w.type_).map(|(on, _)| *on).ok_or("\"@type\" must be SuspendAction or ResumeAction")?;
    Ok(Body::Hold(Hold { on, reason: w.reason, by: w.by, next: w.next }))
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireNotice {
    #[serde(rename = "@type")]
    type_: String,
    replaces: String,
    text: String,
}

pub(super) fn write_correction(c: &CorrectionNotice) -> Map<String, Value> {
    super::to_map(&WireNotice { type_: "CorrectionComment".into(), replaces: c.replaces.hex(), text: c.text.clone() })
}

pub(super) fn read_correction(value: &Value) -> Result<Body, String> {
    let w: WireNotice = super::from_value(value)?;
    let replaces = DocHash::from_hex(&w.replaces).ok_or("\"replaces\" is no document hash")?;
    Ok(Body::Correction(CorrectionNotice { replaces, text: w.text }))
}
