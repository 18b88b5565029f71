//! Credentials as `VerifiableCredential` (W3C), whose proof is the record's own.

use jiff::civil::Date;
use kepu_domain::create::credential::{Credential, CredentialItem, Reach};
use kepu_domain::record::{Body, Envelope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Most lines of a certificate.
const ITEMS_MAX: usize = 200;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(rename = "@type", default)]
    type_: String,
    number: String,
    credential_kind: String,
    name: String,
    credential_subject: WireSubject,
    issued_by: String,
    valid_from: Date,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_until: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    period_start: Option<Date>,
    reach: Reach,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sample: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSubject {
    identifier: String,
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    affiliation: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    achievement: Vec<CredentialItem>,
}

pub(super) fn write(c: &Credential) -> Map<String, Value> {
    super::to_map(&Wire {
        type_: "VerifiableCredential".into(),
        number: c.number.clone(),
        credential_kind: c.kind.clone(),
        name: c.title.clone(),
        credential_subject: WireSubject { identifier: c.party.clone(), name: c.holder.clone(), affiliation: c.org.clone(), achievement: c.items.clone() },
        issued_by: c.issuer.clone(),
        valid_from: c.issued,
        valid_until: c.until,
        period_start: c.from,
        reach: c.reach,
        sample: c.sample,
    })
}

pub(super) fn read(value: &Value, envelope: &Envelope) -> Result<Body, String> {
    let w: Wire = super::from_value(value)?;
    if w.credential_subject.achievement.len() > ITEMS_MAX {
        return Err(format!("a certificate has at most {ITEMS_MAX} lines"));
    }
    Ok(Body::Credential(Box::new(Credential {
        number: w.number,
        kind: w.credential_kind,
        title: w.name,
        party: w.credential_subject.identifier,
        holder: w.credential_subject.name,
        org: w.credential_subject.affiliation,
        issuer: w.issued_by,
        items: w.credential_subject.achievement,
        from: w.period_start,
        until: w.valid_until,
        issued: w.valid_from,
        reach: w.reach,
        lang: envelope.lang.clone(),
        sample: w.sample,
    })))
}
