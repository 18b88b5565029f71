//! Signed records: a canonical document, where it stands, and a signature over two digests that also binds the place.
//!
//! `proof = sign( digest(proof options) ‖ digest(document) )` as in W3C `eddsa-jcs-2022`. The proof options are derived
//! from the document (context, `dateModified`, author) and carry stream and number as `domain` and `challenge`; so a
//! stub without body still proves which place it took, and two stubs prove a fork.

use crate::canonical::{self, CanonicalError};
use crate::did;
use crate::suite::{self, Check, SIGNATURE_BYTES, SigningKey, Suite};
use crate::wire;
use jiff::Timestamp;
use kepu_domain::ids::{KeyId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::record::{Body, DOC_BYTES_MAX, DocHash, Envelope, ForkProof, N_MAX, Place, Stream, Stub};
use serde_json::{Map, Value, json};

/// The only context of signed documents.
pub const CONTEXT: &str = "https://schema.org";

/// A record whose signature was checked.
#[derive(Clone, Debug)]
pub struct Record {
    /// What every record says.
    pub envelope: Envelope,
    /// `dateModified` exactly as written.
    pub modified: String,
    /// The `kind` member.
    pub kind: String,
    /// What it says; `Err` names what cannot be read. Such a record keeps its place and counts for nothing.
    pub body: Result<Body, wire::WireError>,
    /// Digest of the document under its key's suite: the id of exactly this version.
    pub hash: DocHash,
    /// The document as received.
    pub doc: Vec<u8>,
    /// 64 bytes.
    pub signature: Vec<u8>,
}

/// Why bytes are no record. Nothing of them is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Larger than a document may be.
    #[error("the document has {size} bytes, at most {DOC_BYTES_MAX} are allowed")]
    TooLarge {
        /// Bytes found.
        size: usize,
    },
    /// No canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// A member that every record needs is missing or wrong.
    #[error("member \"{member}\": {cause}")]
    Member {
        /// Name.
        member: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// The signature does not fit key, place and document.
    #[error("the signature does not fit: the document was altered, or another key signed it")]
    Signature,
}

fn member(name: &'static str, cause: impl Into<String>) -> RecordError {
    RecordError::Member { member: name, cause: cause.into() }
}

/// A document that was read but whose signature is still to be checked.
#[derive(Debug)]
pub struct Unverified {
    record: Record,
    suite: Suite,
}

impl Unverified {
    /// Reads a document: size, canonical form, and the members that every record has.
    pub fn read(doc: Vec<u8>, signature: Vec<u8>) -> Result<Self, RecordError> {
        if doc.len() > DOC_BYTES_MAX {
            return Err(RecordError::TooLarge { size: doc.len() });
        }
        let value = canonical::parse(&doc)?;
        let text = |name: &'static str| value.get(name).and_then(Value::as_str).ok_or_else(|| member(name, "missing or no text"));
        if text("@context")? != CONTEXT {
            return Err(member("@context", format!("must be {CONTEXT}")));
        }
        let key = KeyId::from(text("author")?);
        let (suite, _) = did::decode(&key).map_err(|e| member("author", e.to_string()))?;
        let stream = Stream::parse(text("stream")?).ok_or_else(|| member("stream", "unknown stream"))?;
        let n = value.get("n").and_then(Value::as_i64).filter(|n| (1..=N_MAX).contains(n));
        let n = n.ok_or_else(|| member("n", "must be an integer from 1"))?;
        let modified = text("dateModified")?;
        let at = read_time(modified).ok_or_else(|| member("dateModified", "must be like 2026-01-31T08:00:00Z"))?;
        let subject = SubjectId::from(text("identifier")?);
        if subject.parts().is_none() {
            return Err(member("identifier", "must be like kepu:abcdefghij/local-part"));
        }
        let kind = text("kind")?.to_owned();
        if kind.len() > 40 || !kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') || kind.is_empty() {
            return Err(member("kind", "must be a lower-case word"));
        }
        let region = Region::parse(text("region")?).map_err(|e| member("region", e.to_string()))?;
        let lang = value.get("inLanguage").and_then(Value::as_str).unwrap_or_default();
        if lang.len() > 35 || !lang.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(member("inLanguage", "no BCP 47 tag"));
        }
        let fields = read_fields(&value)?;
        let place = Place { key, stream, n };
        let envelope = Envelope { place, modified: at, subject, region, fields, lang: lang.to_owned() };
        let body = wire::read(&kind, &value, &envelope);
        let hash = DocHash(suite.digest(&doc));
        let modified = modified.to_owned();
        Ok(Self { record: Record { envelope, modified, kind, body, hash, doc, signature }, suite })
    }

    fn check(&self) -> Check {
        let record = &self.record;
        Check {
            key: record.envelope.place.key.clone(),
            message: message(self.suite, &record.envelope.place, &record.modified, &record.hash),
            signature: record.signature.clone(),
        }
    }

    /// Where it claims to stand.
    pub fn place(&self) -> &Place {
        &self.record.envelope.place
    }

    /// The record, for bytes from this node's own store whose signature was checked when they came in.
    pub fn trust_stored(self) -> Record {
        self.record
    }
}

/// Checks many signatures at once; results in the order of the input.
pub fn verify_all(list: Vec<Unverified>) -> Vec<Result<Record, RecordError>> {
    let checks: Vec<Check> = list.iter().map(Unverified::check).collect();
    let right = suite::verify_many(&checks);
    list.into_iter().zip(right).map(|(unverified, ok)| if ok { Ok(unverified.record) } else { Err(RecordError::Signature) }).collect()
}

/// Reads and checks one record.
pub fn verify(doc: Vec<u8>, signature: Vec<u8>) -> Result<Record, RecordError> {
    let unverified = Unverified::read(doc, signature)?;
    if suite::verify(&unverified.check()) { Ok(unverified.record) } else { Err(RecordError::Signature) }
}

/// Signs `body` at `envelope.place`.
///
/// Fails if the document is too large or its body cannot be written; nothing is signed then.
pub fn sign(key: &SigningKey, envelope: Envelope, body: &Body) -> Result<Record, RecordError> {
    let modified = write_time(envelope.modified);
    let bytes = document(&envelope, body)?;
    if bytes.len() > DOC_BYTES_MAX {
        return Err(RecordError::TooLarge { size: bytes.len() });
    }
    let suite = key.suite();
    let hash = DocHash(suite.digest(&bytes));
    let signature = key.sign(&message(suite, &envelope.place, &modified, &hash));
    let envelope = Envelope { modified: read_time(&modified).unwrap_or(envelope.modified), ..envelope };
    Ok(Record { envelope, modified, kind: body.kind().to_owned(), body: Ok(body.clone()), hash, doc: bytes, signature })
}

/// How many bytes the document would have, so that a writer hears in time that it is too large. Nothing is signed.
pub fn size(envelope: &Envelope, body: &Body) -> Result<usize, RecordError> {
    Ok(document(envelope, body)?.len())
}

/// The canonical bytes that are signed.
fn document(envelope: &Envelope, body: &Body) -> Result<Vec<u8>, RecordError> {
    let mut doc = wire::write(body);
    let members = [
        ("@context", json!(CONTEXT)),
        ("author", json!(envelope.place.key.0)),
        ("stream", json!(envelope.place.stream.as_str())),
        ("n", json!(envelope.place.n)),
        ("dateModified", json!(write_time(envelope.modified))),
        ("identifier", json!(envelope.subject.0)),
        ("kind", json!(body.kind())),
        ("region", json!(envelope.region.to_string())),
    ];
    doc.extend(members.map(|(name, value)| (name.to_owned(), value)));
    if !envelope.fields.is_empty() {
        doc.insert("about".into(), json!(envelope.fields));
    }
    if !envelope.lang.is_empty() {
        doc.insert("inLanguage".into(), json!(envelope.lang));
    }
    Ok(canonical::to_bytes(&Value::Object(doc))?)
}

impl Record {
    /// Document and proof as one JSON value: what a page embeds and any `eddsa-jcs-2022` verifier reads.
    pub fn with_proof(&self) -> Value {
        let mut value: Value = serde_json::from_slice(&self.doc).unwrap_or_default();
        if let Some(map) = value.as_object_mut() {
            map.insert("proof".into(), proof(&self.envelope.place, &self.modified, &self.signature));
        }
        value
    }

    /// What stays verifiable when the body is erased.
    pub fn stub(&self) -> Stub {
        Stub { modified: self.modified.clone(), doc: self.hash, signature: self.signature.clone() }
    }
}

/// Reads a document with its `proof` member, as written by [`Record::with_proof`]: document bytes and signature.
pub fn split_proof(bytes: &[u8]) -> Result<(Vec<u8>, Vec<u8>), RecordError> {
    if bytes.len() > DOC_BYTES_MAX + 4096 {
        return Err(RecordError::TooLarge { size: bytes.len() });
    }
    split_value(serde_json::from_slice(bytes).map_err(|e| CanonicalError::Json(e.to_string()))?)
}

/// The same for one of several documents that were read together.
pub fn split_value(mut value: Value) -> Result<(Vec<u8>, Vec<u8>), RecordError> {
    let given = value.as_object_mut().and_then(|map| map.remove("proof")).ok_or_else(|| member("proof", "missing"))?;
    let signature = given
        .get("proofValue")
        .and_then(Value::as_str)
        .and_then(|text| text.strip_prefix('z'))
        .filter(|text| text.len() < 120)
        .and_then(|text| bs58::decode(text).into_vec().ok())
        .filter(|bytes| bytes.len() == SIGNATURE_BYTES)
        .ok_or_else(|| member("proof", "proofValue must be multibase base58btc of 64 bytes"))?;
    let doc = canonical::to_bytes(&value)?;
    let unverified = Unverified::read(doc.clone(), signature.clone())?;
    // The options are derived, never trusted: what stands in the file must be what was signed.
    let expected = proof(unverified.place(), &unverified.record.modified, &signature);
    if given != expected {
        let name = expected.as_object().into_iter().flatten().find(|(name, value)| given.get(*name) != Some(value)).map_or("proof", |(name, _)| name);
        return Err(member("proof", format!("\"{name}\" does not follow from the document")));
    }
    Ok((doc, signature))
}

fn options(suite: Suite, place: &Place, modified: &str) -> Map<String, Value> {
    let method = place.key.0.strip_prefix("did:key:").unwrap_or_default();
    let value = json!({
        "@context": CONTEXT,
        "challenge": place.n.to_string(),
        "created": modified,
        "cryptosuite": suite.name(),
        "domain": format!("kepu:{}", place.stream),
        "proofPurpose": "assertionMethod",
        "type": "DataIntegrityProof",
        "verificationMethod": format!("{}#{method}", place.key),
    });
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn proof(place: &Place, modified: &str, signature: &[u8]) -> Value {
    let suite = did::decode(&place.key).map_or(Suite::Ed25519, |(suite, _)| suite);
    let mut map = options(suite, place, modified);
    map.insert("proofValue".into(), json!(format!("z{}", bs58::encode(signature).into_string())));
    Value::Object(map)
}

/// The 64 signed bytes. The options are written by hand in canonical form: this runs once for every record received.
fn message(suite: Suite, place: &Place, modified: &str, hash: &DocHash) -> [u8; 64] {
    let method = place.key.0.strip_prefix("did:key:").unwrap_or_default();
    let options = format!(
        r#"{{"@context":"{CONTEXT}","challenge":"{}","created":"{modified}","cryptosuite":"{}","domain":"kepu:{}","proofPurpose":"assertionMethod","type":"DataIntegrityProof","verificationMethod":"{}#{method}"}}"#,
        place.n,
        suite.name(),
        place.stream,
        place.key,
    );
    let mut out = [0; 64];
    out[..32].copy_from_slice(&suite.digest(options.as_bytes()));
    out[32..].copy_from_slice(&hash.0);
    out
}

/// Whether a stub proves that its key signed a document with this hash at this place.
pub fn verify_stub(place: &Place, stub: &Stub) -> bool {
    let Ok((suite, _)) = did::decode(&place.key) else { return false };
    read_time(&stub.modified).is_some()
        && suite::verify(&Check { key: place.key.clone(), message: message(suite, place, &stub.modified, &stub.doc), signature: stub.signature.clone() })
}

/// Whether a fork proof holds: two different documents, both signed for one place.
pub fn verify_fork(proof: &ForkProof) -> bool {
    let [a, b] = &proof.stubs;
    a.doc != b.doc && verify_stub(&proof.place, a) && verify_stub(&proof.place, b)
}

/// `2026-01-31T08:00:00Z`: whole seconds, UTC, nothing else, so that the text inside the proof needs no escaping.
pub fn write_time(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

fn read_time(text: &str) -> Option<Timestamp> {
    let at: Timestamp = (text.len() == 20).then(|| text.parse().ok())??;
    (write_time(at) == text).then_some(at)
}

fn read_fields(value: &Value) -> Result<Vec<String>, RecordError> {
    let Some(about) = value.get("about") else { return Ok(vec![]) };
    let list = about.as_array().filter(|list| list.len() <= 36).ok_or_else(|| member("about", "must be a list of at most 36 fields"))?;
    list.iter()
        .map(|item| match item.as_str() {
            Some(word) if (1..=40).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') => {
                Ok(word.to_owned())
            }
            _ => Err(member("about", "a field is a lower-case word")),
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use kepu_domain::record::Retraction;

    pub(crate) fn key(seed: u8, suite: Suite) -> SigningKey {
        SigningKey::from_secret(suite, &[seed; 32]).expect("key")
    }
    pub(crate) fn signed(key: &SigningKey, n: i64, reason: &str) -> Record {
        let id = key.id();
        let envelope = Envelope {
            place: Place { key: id.clone(), stream: Stream::Alert, n },
            modified: Timestamp::from_second(1_780_000_000).expect("time"),
            subject: SubjectId::new(&id.fingerprint(), "c-1"),
            region: Region::NATION,
            fields: vec!["health".into()],
            lang: "zh-Hans".into(),
        };
        let body = Body::Retraction(Retraction { key: id, through: 3, reason: reason.into(), by: "中心".into() });
        sign(key, envelope, &body).expect("signed")
    }

    #[test]
    fn a_record_reads_back_as_it_was_signed_in_both_suites() {
        for suite in [Suite::Ed25519, Suite::Sm2] {
            let record = signed(&key(1, suite), 1, "说法有误");
            let back = verify(record.doc.clone(), record.signature.clone()).expect("verified");
            assert_eq!(back.envelope, record.envelope);
            assert_eq!(back.body, record.body);
            let exported = serde_json::to_vec(&record.with_proof()).expect("json");
            let (doc, signature) = split_proof(&exported).expect("proof");
            assert_eq!((doc, signature), (record.doc.clone(), record.signature.clone()));
        }
    }

    #[test]
    fn flipping_any_byte_is_noticed() {
        let record = signed(&key(1, Suite::Ed25519), 1, "说法有误");
        for at in 0..record.doc.len() {
            let mut doc = record.doc.clone();
            doc[at] ^= 1;
            assert!(verify(doc, record.signature.clone()).is_err(), "byte {at} of the document");
        }
        for at in 0..record.signature.len() {
            let mut signature = record.signature.clone();
            signature[at] ^= 1;
            assert_eq!(verify(record.doc.clone(), signature).map(|_| ()), Err(RecordError::Signature), "byte {at} of the signature");
        }
    }

    #[test]
    fn two_records_at_one_place_prove_a_fork_without_their_bodies() {
        let key = key(1, Suite::Ed25519);
        let (a, b) = (signed(&key, 4, "甲"), signed(&key, 4, "乙"));
        let proof = ForkProof { place: a.envelope.place.clone(), stubs: [a.stub(), b.stub()] };
        assert!(verify_fork(&proof));
        assert!(!verify_fork(&ForkProof { stubs: [a.stub(), a.stub()], ..proof.clone() }));
        assert!(!verify_fork(&ForkProof { place: Place { n: 5, ..proof.place.clone() }, ..proof }), "a stub proves one place only");
    }

    #[test]
    fn documents_outside_the_form_are_named() {
        let record = signed(&key(1, Suite::Ed25519), 1, "x");
        let broken = |from: &str, to: &str| {
            let text = String::from_utf8(record.doc.clone()).expect("utf8").replace(from, to);
            Unverified::read(text.into_bytes(), record.signature.clone()).expect_err(to)
        };
        assert!(matches!(broken("\"n\":1", "\"n\":0"), RecordError::Member { member: "n", .. }));
        assert!(matches!(broken("\"stream\":\"alert\"", "\"stream\":\"alarm\""), RecordError::Member { member: "stream", .. }));
        assert!(matches!(broken("kepu:", "http:"), RecordError::Member { member: "identifier", .. }));
        assert!(matches!(Unverified::read(vec![b' '; 40_000], vec![]), Err(RecordError::TooLarge { size: 40_000 })));
    }
}
