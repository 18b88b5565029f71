//! Certificates, rotations, revocations, policies, heads and fork proofs.

use jiff::civil::Date;
use kepu_domain::ids::KeyId;
use kepu_domain::org::Region;
use kepu_domain::publication::{Policy, Rule};
use kepu_domain::record::{Body, DocHash, ForkProof, Place, Stream, Stub};
use kepu_domain::trust::{Certificate, KeyRole, LastGood, TrustDoc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCertificate {
    #[serde(rename = "@type")]
    type_: String,
    key: String,
    holder: String,
    roles: BTreeSet<KeyRole>,
    valid_in: Region,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    fields: BTreeSet<String>,
    valid_until: Date,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct WireLastGood {
    trust: i64,
    alert: i64,
    lib: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRotation {
    #[serde(rename = "@type")]
    type_: String,
    replaces: String,
    last_good: WireLastGood,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRevocation {
    #[serde(rename = "@type")]
    type_: String,
    key: String,
    last_good: WireLastGood,
    reason: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePolicy {
    #[serde(rename = "@type")]
    type_: String,
    rules: Vec<Rule>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireHead {
    #[serde(rename = "@type")]
    type_: String,
    heads: Vec<WireHeadOf>,
}

#[derive(Serialize, Deserialize)]
struct WireHeadOf {
    of: String,
    n: i64,
    root: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFork {
    #[serde(rename = "@type")]
    type_: String,
    key: String,
    of: String,
    at: i64,
    stubs: [WireStub; 2],
}

#[derive(Serialize, Deserialize)]
struct WireStub {
    modified: String,
    doc: String,
    signature: String,
}

/// The largest number a document can carry stands for "no limit".
fn write_last_good(l: &LastGood) -> WireLastGood {
    let bound = |n: i64| n.min(kepu_domain::record::N_MAX);
    WireLastGood { trust: bound(l.trust), alert: bound(l.alert), lib: bound(l.lib) }
}
fn read_last_good(l: &WireLastGood) -> LastGood {
    let bound = |n: i64| if n >= kepu_domain::record::N_MAX { i64::MAX } else { n.max(0) };
    LastGood { trust: bound(l.trust), alert: bound(l.alert), lib: bound(l.lib) }
}

pub(super) fn write(doc: &TrustDoc) -> Map<String, Value> {
    match doc {
        TrustDoc::Certificate(c) => super::to_map(&WireCertificate {
            type_: "Permit".into(),
            key: c.key.0.clone(),
            holder: c.holder.clone(),
            roles: c.roles.clone(),
            valid_in: c.region,
            fields: c.fields.clone(),
            valid_until: c.until,
            next: c.next.clone(),
        }),
        TrustDoc::Rotation { replaces, last_good, next } => super::to_map(&WireRotation {
            type_: "ReplaceAction".into(),
            replaces: replaces.0.clone(),
            last_good: write_last_good(last_good),
            next: next.clone(),
        }),
        TrustDoc::Revocation { key, last_good, reason } => {
            super::to_map(&WireRevocation { type_: "SuspendAction".into(), key: key.0.clone(), last_good: write_last_good(last_good), reason: reason.clone() })
        }
        TrustDoc::Policy(policy) => super::to_map(&WirePolicy { type_: "DefinedTermSet".into(), rules: policy.rules.clone() }),
        TrustDoc::Head { heads } => super::to_map(&WireHead {
            type_: "DataFeed".into(),
            heads: heads.iter().map(|(of, n, root)| WireHeadOf { of: of.to_string(), n: *n, root: root.clone() }).collect(),
        }),
    }
}

pub(super) fn read(kind: &str, value: &Value) -> Result<Body, String> {
    Ok(Body::Trust(match kind {
        "certificate" => {
            let w: WireCertificate = super::from_value(value)?;
            TrustDoc::Certificate(Certificate {
                key: KeyId(w.key),
                holder: w.holder,
                roles: w.roles,
                region: w.valid_in,
                fields: w.fields,
                until: w.valid_until,
                next: w.next,
            })
        }
        "rotation" => {
            let w: WireRotation = super::from_value(value)?;
            TrustDoc::Rotation { replaces: KeyId(w.replaces), last_good: read_last_good(&w.last_good), next: w.next }
        }
        "revocation" => {
            let w: WireRevocation = super::from_value(value)?;
            TrustDoc::Revocation { key: KeyId(w.key), last_good: read_last_good(&w.last_good), reason: w.reason }
        }
        "policy" => {
            let w: WirePolicy = super::from_value(value)?;
            if w.rules.len() > 100 {
                return Err("more than 100 rules".into());
            }
            TrustDoc::Policy(Policy { rules: w.rules })
        }
        _ => {
            let w: WireHead = super::from_value(value)?;
            let heads = w.heads.into_iter().map(|h| Some((Stream::parse(&h.of)?, h.n, h.root))).collect::<Option<_>>().ok_or("unknown stream")?;
            TrustDoc::Head { heads }
        }
    }))
}

pub(super) fn write_fork(fork: &ForkProof) -> Map<String, Value> {
    let stub = |s: &Stub| WireStub { modified: s.modified.clone(), doc: s.doc.hex(), signature: data_encoding::BASE64URL_NOPAD.encode(&s.signature) };
    super::to_map(&WireFork {
        type_: "Report".into(),
        key: fork.place.key.0.clone(),
        of: fork.place.stream.to_string(),
        at: fork.place.n,
        stubs: [stub(&fork.stubs[0]), stub(&fork.stubs[1])],
    })
}

pub(super) fn read_fork(value: &Value) -> Result<Body, String> {
    let w: WireFork = super::from_value(value)?;
    let stub = |s: WireStub| -> Result<Stub, String> {
        Ok(Stub {
            modified: s.modified,
            doc: DocHash::from_hex(&s.doc).ok_or("a stub's doc is no hash")?,
            signature: data_encoding::BASE64URL_NOPAD.decode(s.signature.as_bytes()).map_err(|e| e.to_string())?,
        })
    };
    let [a, b] = w.stubs;
    let place = Place { key: KeyId(w.key), stream: Stream::parse(&w.of).ok_or("unknown stream")?, n: w.at };
    let proof = ForkProof { place, stubs: [stub(a)?, stub(b)?] };
    if !crate::record::verify_fork(&proof) {
        return Err("the two stubs do not prove a fork".into());
    }
    Ok(Body::Fork(proof))
}
