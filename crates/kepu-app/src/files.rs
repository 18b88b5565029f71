//! Checking files offline: records and bundles of frames, against this program alone or a pinned root. No network, no store.

use kepu_domain::ids::KeyId;
use kepu_domain::record::{Body, Place};
use kepu_domain::trust::{TrustRecord, TrustView};
use kepu_sync::frame::{self, Frame};
use kepu_sync::record::{self, Record};
use serde::Serialize;

/// What was found about one file.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// File name as given.
    pub file: String,
    /// Whether every record in it is genuine (and certified, if a root was given).
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

/// Checks the bytes of a file: a record with its proof (one JSON object or one a line), or frames.
pub fn verify(file: &str, bytes: &[u8], root: Option<&KeyId>) -> Verified {
    match read(bytes) {
        Ok(records) => judge(file, &records, root),
        Err(reason) => Verified { file: file.into(), ok: false, by: String::new(), at: String::new(), chain: vec![], reason },
    }
}

fn read(bytes: &[u8]) -> Result<Vec<Record>, String> {
    if bytes.starts_with(b"KF") {
        return read_frames(bytes);
    }
    let text = std::str::from_utf8(bytes).map_err(|e| format!("broken UTF-8 at byte {}", e.valid_up_to()))?;
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return Ok(vec![read_one(text)?]);
    }
    let mut records = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        records.push(read_one(line).map_err(|e| format!("line {}: {e}", at + 1))?);
    }
    if records.is_empty() { Err("the file holds no record".into()) } else { Ok(records) }
}

fn read_one(text: &str) -> Result<Record, String> {
    let (doc, signature) = record::split_proof(text.as_bytes()).map_err(|e| e.to_string())?;
    record::verify(doc, signature).map_err(|e| e.to_string())
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

fn judge(file: &str, records: &[Record], root: Option<&KeyId>) -> Verified {
    let mut trust_records = Vec::new();
    let mut forks: Vec<Place> = Vec::new();
    for record in records {
        match &record.body {
            Ok(Body::Trust(doc)) => {
                let date = jiff::tz::Offset::UTC.to_datetime(record.envelope.modified).date();
                trust_records.push(TrustRecord { place: record.envelope.place.clone(), date, doc: doc.clone() });
            }
            Ok(Body::Fork(proof)) => forks.push(proof.place.clone()),
            _ => {}
        }
    }
    let first = records.first();
    let mut verified = Verified {
        file: file.into(),
        ok: true,
        by: first.map(|r| r.envelope.place.key.0.clone()).unwrap_or_default(),
        at: first.map(|r| r.modified.clone()).unwrap_or_default(),
        chain: vec![],
        reason: String::new(),
    };
    if let Some(root) = root {
        let view = TrustView::build(root, &trust_records, &forks);
        verified.chain = first.map(|r| view.chain(&r.envelope.place.key)).unwrap_or_default().into_iter().map(|k| k.0).collect();
        for record in records {
            let refusal = match &record.body {
                Ok(body) => view.check(&record.envelope, body).err().map(|e| e.to_string()),
                Err(error) => Some(error.to_string()),
            };
            if let Some(refusal) = refusal {
                verified.ok = false;
                verified.reason = format!("{}: {refusal}", record.envelope.place);
                break;
            }
        }
    } else if let Some(error) = records.iter().find_map(|r| r.body.as_ref().err()) {
        verified.ok = false;
        verified.reason = error.to_string();
    }
    verified
}
