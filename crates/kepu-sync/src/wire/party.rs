//! Cards as schema.org people, organisations and places; values of defined fields as `PropertyValue`.

use jiff::civil::Date;
use kepu_domain::create::card::Card;
use kepu_domain::create::party::PartyKind;
use kepu_domain::record::{Body, Envelope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Most values of a card.
const VALUES_MAX: usize = 200;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(rename = "@type", default)]
    type_: String,
    party: String,
    party_kind: PartyKind,
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    alternate_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    affiliation: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    additional_property: Vec<WireValue>,
    register: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    consent: Vec<WireConsent>,
    last_reviewed: Date,
    expires: Date,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sample: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireValue {
    #[serde(rename = "@type", default = "property_value")]
    type_: String,
    #[serde(rename = "propertyID")]
    property_id: String,
    value: Value,
}

fn property_value() -> String {
    "PropertyValue".into()
}

#[derive(Serialize, Deserialize)]
struct WireConsent {
    purpose: String,
    version: u32,
}

pub(super) fn write(card: &Card) -> Map<String, Value> {
    super::to_map(&Wire {
        type_: card.kind.schema().to_owned(),
        party: card.party.clone(),
        party_kind: card.kind,
        name: card.name.clone(),
        alternate_name: card.name_en.clone(),
        affiliation: card.org.clone(),
        additional_property: card
            .values
            .iter()
            .map(|(id, value)| WireValue { type_: property_value(), property_id: id.clone(), value: value.clone() })
            .collect(),
        register: card.registers.clone(),
        consent: card.consents.iter().map(|(purpose, version)| WireConsent { purpose: purpose.clone(), version: *version }).collect(),
        last_reviewed: card.confirmed,
        expires: card.expires,
        sample: card.sample,
    })
}

pub(super) fn read(value: &Value, _: &Envelope) -> Result<Body, String> {
    let w: Wire = super::from_value(value)?;
    if w.additional_property.len() > VALUES_MAX {
        return Err(format!("a card has at most {VALUES_MAX} values"));
    }
    if w.party_kind.is_personal() && w.consent.is_empty() {
        return Err("the card of a person rests on no consent".into());
    }
    Ok(Body::Party(Box::new(Card {
        party: w.party,
        kind: w.party_kind,
        name: w.name,
        name_en: w.alternate_name,
        org: w.affiliation,
        values: w.additional_property.into_iter().map(|v| (v.property_id, v.value)).collect(),
        registers: w.register,
        consents: w.consent.into_iter().map(|c| (c.purpose, c.version)).collect(),
        confirmed: w.last_reviewed,
        expires: w.expires,
        sample: w.sample,
    })))
}
