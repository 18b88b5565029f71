//! Checking files offline: records, certificates and bundles, against this program alone or a pinned root. No network, no store.

use crate::record::{Genuine, check};
use kepu_domain::ids::KeyId;
use kepu_domain::record::{Body, Place};
use kepu_domain::trust::{TrustDoc, TrustRecord, TrustView};
use kepu_sync::bundle::{self, Reader};
use kepu_sync::frame::{Chunk, Frame};
use kepu_sync::record::{self, Record};
use serde::Serialize;
use std::collections::HashMap;
use std::io::Read;

/// What was found about one file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verified {
    /// File name as given.
    pub file: String,
    /// Whether everything in it is genuine and whole (and certified, if a root was given).
    pub ok: bool,
    /// Author key of the first record; of a bundle, the node that packed it.
    pub by: String,
    /// Its time.
    pub at: String,
    /// From that key up, as far as certificates are in the file.
    pub chain: Vec<String>,
    /// Why not, or an empty text.
    pub reason: String,
}

/// What trust is built from.
#[derive(Clone, Debug, Default)]
pub struct Known {
    trust: Vec<TrustRecord>,
    forks: Vec<Place>,
}

impl Known {
    fn absorb(&mut self, record: &Record) {
        match &record.body {
            Ok(Body::Trust(doc)) => {
                let date = jiff::tz::Offset::UTC.to_datetime(record.envelope.modified).date();
                self.trust.push(TrustRecord { place: record.envelope.place.clone(), date, doc: doc.clone() });
            }
            Ok(Body::Fork(proof)) => self.forks.push(proof.place.clone()),
            _ => {}
        }
    }

    /// From `key` up to whoever nobody here certified.
    fn chain(&self, key: &KeyId) -> Vec<String> {
        let mut chain = vec![key.0.clone()];
        let mut at = key;
        while chain.len() <= kepu_domain::trust::DEPTH_MAX + 1 {
            let issuer = self.trust.iter().find_map(|record| match &record.doc {
                TrustDoc::Certificate(c) if c.key == *at && record.place.key != *at => Some(&record.place.key),
                _ => None,
            });
            let Some(issuer) = issuer else { break };
            chain.push(issuer.0.clone());
            at = issuer;
        }
        chain
    }
}

/// Checks files, with what other files said about trust.
pub struct Verifier {
    root: Option<KeyId>,
    known: Known,
}

impl Verifier {
    /// `root`: if given, certificates must lead from it to every author.
    pub fn new(root: Option<KeyId>) -> Self {
        Self { root, known: Known::default() }
    }

    /// Takes certificates from a file, for records in other files that do not bring them.
    pub fn learn(&mut self, input: impl Read) -> Result<(), String> {
        let mut known = std::mem::take(&mut self.known);
        let found = gather(input, |record| known.absorb(record));
        self.known = known;
        found.map(drop)
    }

    /// Checks a file: a record with its proof (one JSON object, or one a line), frames, or a bundle.
    pub fn verify(&self, file: &str, input: impl Read) -> Verified {
        let mut seen = Seen { known: self.known.clone(), waiting: vec![], view: None, first: None, wrong: None, root: self.root.as_ref() };
        let result = gather(input, |record| seen.take(record));
        seen.settle();
        let (by, at, broken) = match result {
            Ok(Some(Packed { by, at, broken })) => (by, at, broken),
            Ok(None) => (seen.first.as_ref().map(|f| f.0.0.clone()).unwrap_or_default(), seen.first.as_ref().map(|f| f.1.clone()).unwrap_or_default(), None),
            Err(reason) => return Verified { file: file.into(), reason, ..Verified::default() },
        };
        let by = KeyId(by);
        let chain = match &seen.view {
            Some(view) => view.chain(&by).into_iter().map(|key| key.0).collect(),
            None => seen.known.chain(&by),
        };
        let reason = broken.or(seen.wrong).unwrap_or_default();
        Verified { file: file.into(), ok: reason.is_empty(), by: by.0, at, chain, reason }
    }
}

/// Judges records one after the other. Those that came before all certificates were read wait for them.
struct Seen<'a> {
    known: Known,
    waiting: Vec<Record>,
    view: Option<TrustView>,
    first: Option<(KeyId, String)>,
    wrong: Option<String>,
    root: Option<&'a KeyId>,
}

impl Seen<'_> {
    fn take(&mut self, record: &Record) {
        self.first.get_or_insert_with(|| (record.envelope.place.key.clone(), record.modified.clone()));
        self.known.absorb(record);
        if let Err(error) = &record.body {
            self.wrong.get_or_insert(format!("{}: {error}", record.envelope.place));
        }
        if self.root.is_some() {
            // In a bundle the library comes last and may be long: it is judged at once, by what stands before it.
            match record.envelope.place.stream {
                kepu_domain::record::Stream::Lib if self.view.is_some() || self.waiting.len() > 20_000 => {
                    self.settle();
                    self.judge(record);
                }
                _ => self.waiting.push(record.clone()),
            }
        }
    }

    fn settle(&mut self) {
        let Some(root) = self.root else { return };
        if self.view.is_none() || !self.waiting.is_empty() {
            self.view = Some(TrustView::build(root, &self.known.trust, &self.known.forks));
        }
        for record in std::mem::take(&mut self.waiting) {
            self.judge(&record);
        }
    }

    fn judge(&mut self, record: &Record) {
        if let (Some(view), Ok(body)) = (&self.view, &record.body)
            && let Err(refusal) = view.check(&record.envelope, body)
        {
            self.wrong.get_or_insert(format!("{}: {refusal}", record.envelope.place));
        }
    }
}

/// What a bundle says of itself, and what is wrong with it as a whole.
struct Packed {
    by: String,
    at: String,
    broken: Option<String>,
}

/// Reads every genuine record of a file in order. Of a bundle also who packed it; a bundle that is cut off or altered gives what
/// is genuine in it all the same.
fn gather(mut input: impl Read, mut each: impl FnMut(&Record)) -> Result<Option<Packed>, String> {
    let mut start = [0; 2];
    let mut got = 0;
    while got < 2 {
        match input.read(&mut start[got..]).map_err(|e| e.to_string())? {
            0 => break,
            more => got += more,
        }
    }
    let mut input = start[..got].chain(input);
    if start == *b"KF" {
        return gather_frames(input, each);
    }
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    let text = std::str::from_utf8(&bytes).map_err(|e| format!("broken UTF-8 at byte {}", e.valid_up_to()))?;
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        each(&read_one(text)?);
        return Ok(None);
    }
    let mut count = 0;
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        each(&read_one(line).map_err(|e| format!("line {}: {e}", at + 1))?);
        count += 1;
    }
    if count == 0 { Err("the file holds no record".into()) } else { Ok(None) }
}

fn read_one(text: &str) -> Result<Record, String> {
    let (doc, signature) = record::split_proof(text.as_bytes()).map_err(|e| e.to_string())?;
    record::verify(doc, signature).map_err(|e| e.to_string())
}

fn gather_frames(input: impl Read, mut each: impl FnMut(&Record)) -> Result<Option<Packed>, String> {
    let mut reader = Reader::begin(input, &[bundle::FORMAT]).map_err(|e| e.to_string())?;
    let (by, at) = (reader.header().by.clone(), reader.header().at.clone());
    let mut files = Files::default();
    let mut broken: Option<String> = None;
    loop {
        match reader.next_frame() {
            Ok(Some(frame)) => {
                if let Some(why) = genuine(frame, &mut files, &mut each) {
                    broken.get_or_insert(why);
                }
            }
            Ok(None) => break,
            Err(error) => {
                broken.get_or_insert(error.to_string());
                if reader.is_over() {
                    break;
                }
            }
        }
    }
    Ok(Some(Packed { by, at, broken: broken.or_else(|| files.unfinished()) }))
}

/// Hands on what is genuine in a frame; says what is not.
fn genuine(frame: Frame, files: &mut Files, each: &mut impl FnMut(&Record)) -> Option<String> {
    match frame {
        Frame::Records(list) => {
            let (Genuine { records, .. }, bad) = check(list.items);
            records.iter().for_each(each);
            bad.first().map(|(place, why)| format!("{place}: {why}"))
        }
        Frame::Chunk(chunk) => files.take(chunk),
        _ => None,
    }
}

/// Files of a bundle whose bytes are being counted and hashed.
#[derive(Default)]
struct Files(HashMap<[u8; 32], (blake3::Hasher, u64, u64)>);

impl Files {
    fn take(&mut self, chunk: Chunk) -> Option<String> {
        let name = || data_encoding::HEXLOWER.encode(&chunk.hash);
        let (hasher, at, _) = self.0.entry(chunk.hash).or_insert_with(|| (blake3::Hasher::new(), 0, chunk.size));
        if *at != chunk.offset {
            return Some(format!("a piece of file {} is missing", name()));
        }
        hasher.update(&chunk.bytes);
        *at += chunk.bytes.len() as u64;
        if *at < chunk.size {
            return None;
        }
        let right = *hasher.finalize().as_bytes() == chunk.hash;
        self.0.remove(&chunk.hash);
        (!right).then(|| format!("file {} has other bytes than its name says", name()))
    }

    fn unfinished(&self) -> Option<String> {
        self.0.keys().next().map(|hash| format!("file {} is not whole", data_encoding::HEXLOWER.encode(hash)))
    }
}
