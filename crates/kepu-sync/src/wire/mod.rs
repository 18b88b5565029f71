//! Bodies as schema.org JSON-LD: plain conversions between what travels and the domain types, one file a family.

mod claim;
mod coordination;
mod credential;
mod parts;
mod party;
mod resource;
mod review;
mod trust;
mod warning;

use kepu_domain::record::{Body, Envelope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A body that cannot be read; its record keeps its place and counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {cause}")]
pub struct WireError {
    /// The record's kind.
    pub kind: String,
    /// What is wrong.
    pub cause: String,
}

/// Reads the body of a document of this `kind`. Kinds of later releases become `Body::Unknown`.
pub fn read(kind: &str, value: &Value, envelope: &Envelope) -> Result<Body, WireError> {
    let wrong = |cause: String| WireError { kind: kind.to_owned(), cause };
    match kind {
        "resource" => resource::read(value, envelope).map_err(wrong),
        "claim" => claim::read(value, envelope).map_err(wrong),
        "party" => party::read(value, envelope).map_err(wrong),
        "credential" => credential::read(value, envelope).map_err(wrong),
        "review" => review::read_review(value, envelope).map_err(wrong),
        "retraction" => review::read_retraction(value).map_err(wrong),
        "hold" => review::read_hold(value).map_err(wrong),
        "correction" => review::read_correction(value).map_err(wrong),
        "warning" => warning::read(value, envelope).map_err(wrong),
        "drill" => warning::read_drill(value, envelope).map_err(wrong),
        "coordination" => coordination::read(value, envelope).map_err(wrong),
        "fork" => trust::read_fork(value).map_err(wrong),
        "certificate" | "rotation" | "revocation" | "policy" | "head" => trust::read(kind, value).map_err(wrong),
        _ => Ok(Body::Unknown(kind.to_owned())),
    }
}

/// The members of a body, without those that every record has.
pub fn write(body: &Body) -> Map<String, Value> {
    match body {
        Body::Resource(resource) => resource::write(resource),
        Body::Claim(claim) => claim::write(claim),
        Body::Party(card) => party::write(card),
        Body::Credential(credential) => credential::write(credential),
        Body::Review(review) => review::write_review(review),
        Body::Retraction(retraction) => review::write_retraction(retraction),
        Body::Hold(hold) => review::write_hold(hold),
        Body::Correction(notice) => review::write_correction(notice),
        Body::Warning(warning) => warning::write(warning),
        Body::Drill(drill) => warning::write_drill(drill),
        Body::Coordination(says) => coordination::write(says),
        Body::Fork(fork) => trust::write_fork(fork),
        Body::Trust(doc) => trust::write(doc),
        Body::Unknown(_) => Map::new(),
    }
}

fn to_map(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => map,
        // Wire structs hold texts, integers and lists only; none of them can fail to serialise.
        _ => Map::new(),
    }
}

fn from_value<'a, T: Deserialize<'a>>(value: &'a Value) -> Result<T, String> {
    T::deserialize(value).map_err(|e| e.to_string())
}
