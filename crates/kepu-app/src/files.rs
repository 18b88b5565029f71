//! Checking files offline: records, lists of records and frames, against this program alone or a pinned root. No network, no
//! store. How a record gets its certificates into one file is in `chain`.

use kepu_domain::ids::KeyId;
use kepu_domain::publication;
use kepu_domain::record::{Body, Place, Stream};
use kepu_domain::trust::{Refusal, TrustDoc, TrustRecord, TrustView};
use kepu_sync::frame::{self, Frame};
use kepu_sync::record::{self, Record};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// What was found about one file.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// File name as given.
    pub file: String,
    /// Whether every record in it is genuine and not withdrawn (and certified, if a root was given).
    pub ok: bool,
    /// Author key of the first record.
    pub by: String,
    /// Its time.
    pub at: String,
    /// From the author up to the root, as far as certificates are in the file.
    pub chain: Vec<String>,
    /// Why not, or an empty text.
    pub reason: String,
}

/// How frames begin.
const FRAMES: &[u8] = b"KF";

/// The root that somebody trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// Its key.
    Key(KeyId),
    /// The 24 digits of its key, as printed and told by telephone.
    Digits(String),
}

impl Pin {
    /// Reads `did:key:…` or 24 digits, blanks and hyphens between them left out.
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with("did:key:") {
            return Some(Pin::Key(text.into()));
        }
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        (digits.len() == 24 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(Pin::Digits(digits))
    }

    /// The key among the authors of `records`; one that nobody has if the digits fit none of them.
    fn key<'a>(&self, mut records: impl Iterator<Item = &'a Record>) -> KeyId {
        match self {
            Pin::Key(key) => key.clone(),
            Pin::Digits(digits) => records
                .find(|r| r.envelope.place.key.digits().replace(' ', "") == *digits)
                .map_or_else(|| KeyId(format!("no key with the digits {digits}")), |r| r.envelope.place.key.clone()),
        }
    }
}

/// Checks the bytes of a file. `beside`: certificates, revocations and withdrawals from other files, which count as if they
/// stood in this one.
///
/// Without a `pin` nothing says who the author is; what can be seen all the same is a wrong signature, a withdrawal, a
/// revocation and a fork. Frames are a log: that they hold what was withdrawn later is no fault of theirs.
/// `kepu-web/static/verify.html` decides the same way in a browser.
pub fn verify(file: &str, bytes: &[u8], pin: Option<&Pin>, beside: &[Record]) -> Verified {
    match read(bytes) {
        Ok(records) => judge(file, &records, pin, beside, bytes.starts_with(FRAMES)),
        Err(reason) => Verified { file: file.into(), ok: false, by: String::new(), at: String::new(), chain: vec![], reason },
    }
}

/// The records of a file, signatures checked: one record with its proof, one a line, a list, `{"records": […]}`, or frames.
pub fn read(bytes: &[u8]) -> Result<Vec<Record>, String> {
    if bytes.starts_with(FRAMES) {
        return read_frames(bytes);
    }
    let text = std::str::from_utf8(bytes).map_err(|e| format!("broken UTF-8 at byte {}", e.valid_up_to()))?;
    let records = match serde_json::from_str(text) {
        Ok(Value::Array(list)) => read_list(list)?,
        Ok(Value::Object(mut map)) if !map.contains_key("proof") && map.get("records").is_some_and(Value::is_array) => match map.remove("records") {
            Some(Value::Array(list)) => read_list(list)?,
            _ => vec![],
        },
        Ok(_) => vec![read_one(text)?],
        Err(_) => {
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            lines.map(|(at, line)| read_one(line).map_err(|e| format!("line {}: {e}", at + 1))).collect::<Result<_, _>>()?
        }
    };
    if records.is_empty() { Err("the file holds no record".into()) } else { Ok(records) }
}

fn read_one(text: &str) -> Result<Record, String> {
    let (doc, signature) = record::split_proof(text.as_bytes()).map_err(|e| e.to_string())?;
    record::verify(doc, signature).map_err(|e| e.to_string())
}

fn read_list(list: Vec<Value>) -> Result<Vec<Record>, String> {
    let one = |value| record::split_value(value).and_then(|(doc, signature)| record::verify(doc, signature));
    list.into_iter().enumerate().map(|(at, value)| one(value).map_err(|e| format!("record {}: {e}", at + 1))).collect()
}

fn read_frames(mut bytes: &[u8]) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    let mut at = 0;
    while !bytes.is_empty() {
        let size = frame::length(bytes).map_err(|e| format!("byte {at}: {e}"))?.unwrap_or(usize::MAX);
        let part = bytes.get(..size).ok_or_else(|| format!("the frame at byte {at} is cut off"))?;
        if let Frame::Records(list) = frame::read(part).map_err(|e| format!("byte {at}: {e}"))? {
            let (good, bad) = crate::record::check(list.items);
            if let Some((place, why)) = bad.first() {
                return Err(format!("{place}: {why}"));
            }
            records.extend(good);
        }
        bytes = &bytes[size..];
        at += size;
    }
    Ok(records)
}

fn judge(file: &str, records: &[Record], pin: Option<&Pin>, beside: &[Record], frames: bool) -> Verified {
    let pool: Vec<&Record> = records.iter().chain(beside).collect();
    let (trust_records, forks) = trust_of(&pool);
    let author = records.first().map_or_else(|| KeyId::from(""), |r| r.envelope.place.key.clone());
    let root = pin.map_or_else(|| top(author.clone(), &trust_records), |pin| pin.key(pool.iter().copied()));
    let view = TrustView::build(&root, &trust_records, &forks);
    let fault = records.iter().find_map(|record| {
        let fault = match &record.body {
            Err(error) => Some(error.to_string()),
            Ok(body) if pin.is_some() => view.check(&record.envelope, body).err().map(|refusal| refusal.to_string()),
            Ok(_) if frames => None,
            Ok(_) => ended(&record.envelope.place, &view),
        };
        let fault = fault.or_else(|| if frames { None } else { withdrawal(record, &pool, &view, pin.is_some()) })?;
        Some(format!("{}: {fault}", record.envelope.place))
    });
    Verified {
        file: file.into(),
        ok: fault.is_none(),
        at: records.first().map(|r| r.modified.clone()).unwrap_or_default(),
        chain: view.chain(&author).into_iter().map(|key| key.0).collect(),
        by: author.0,
        reason: fault.unwrap_or_default(),
    }
}

/// What decides about trust: documents of the trust stream, and places held twice, by proof or by both records being here.
fn trust_of(pool: &[&Record]) -> (Vec<TrustRecord>, Vec<Place>) {
    let (mut docs, mut forks, mut seen) = (Vec::new(), Vec::new(), HashMap::new());
    for record in pool {
        let place = &record.envelope.place;
        if seen.insert(place, record.hash).is_some_and(|hash| hash != record.hash) {
            forks.push(place.clone());
        }
        match &record.body {
            Ok(Body::Trust(doc)) if place.stream == Stream::Trust => {
                let date = jiff::tz::Offset::UTC.to_datetime(record.envelope.modified).date();
                docs.push(TrustRecord { place: place.clone(), date, doc: doc.clone() });
            }
            Ok(Body::Fork(proof)) if place.stream == Stream::Alert => forks.push(proof.place.clone()),
            _ => {}
        }
    }
    (docs, forks)
}

/// Up certificates and rotations, from `key` to one that nobody here vouches for; of several the smallest.
fn top(mut key: KeyId, docs: &[TrustRecord]) -> KeyId {
    let mut seen = BTreeSet::new();
    loop {
        seen.insert(key.clone());
        let up = docs.iter().filter_map(|record| match &record.doc {
            TrustDoc::Certificate(certificate) if certificate.key == key => Some(&record.place.key),
            TrustDoc::Rotation { replaces, .. } if record.place.key == key => Some(replaces),
            _ => None,
        });
        match up.filter(|above| !seen.contains(above)).min() {
            Some(above) => key = above.clone(),
            None => return key,
        }
    }
}

/// Without a pinned root nobody says what a key may do; that it was ended or signed twice is proof enough.
fn ended(place: &Place, view: &TrustView) -> Option<String> {
    let refusal = view.check_place(place).err()?;
    matches!(refusal, Refusal::Revoked { .. } | Refusal::Frozen { .. }).then(|| refusal.to_string())
}

fn withdrawal(record: &Record, pool: &[&Record], view: &TrustView, pinned: bool) -> Option<String> {
    let place = &record.envelope.place;
    if place.stream != Stream::Lib {
        return None;
    }
    pool.iter().find_map(|other| match &other.body {
        Ok(body @ Body::Retraction(retraction)) if other.envelope.subject == record.envelope.subject && publication::covers(retraction, place, view) => {
            let own = !pinned && other.envelope.place.key == place.key && other.envelope.place.stream == Stream::Alert;
            (own || view.check(&other.envelope, body).is_ok()).then(|| format!("withdrawn by {}: {}", retraction.by, retraction.reason))
        }
        _ => None,
    })
}
