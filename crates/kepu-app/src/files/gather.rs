//! Every genuine record in the bytes of a file, in order: JSON in its shapes, frames, bundles. What they amount to is judged in `files`.

use crate::record::{Genuine, check};
use kepu_sync::bundle::{self, Reader};
use kepu_sync::frame::{Chunk, Frame};
use kepu_sync::record::{self, Record, RecordError};
use serde_json::Value;
use std::collections::HashMap;
use std::io::Read;

/// What a record was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Records put together by hand: each claims to be valid now.
    List,
    /// Frames or a bundle: what was said, withdrawn or not.
    Log,
}

/// What a bundle says of itself, and what is wrong with it as a whole.
pub(super) struct Packed {
    pub by: String,
    pub at: String,
    pub broken: Option<String>,
}

/// Reads a file. Of a bundle also who packed it; a bundle that is cut off or altered gives what is genuine in it all the same.
pub(super) fn gather(mut input: impl Read, mut each: impl FnMut(Record, Source)) -> Result<Option<Packed>, String> {
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
        return frames(input, |record| each(record, Source::Log)).map(Some);
    }
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    let records = text(&bytes)?;
    if records.is_empty() {
        return Err("the file holds no record".into());
    }
    records.into_iter().for_each(|record| each(record, Source::List));
    Ok(None)
}

/// One record with its proof, one a line, a list, or `{"records": […]}`.
fn text(bytes: &[u8]) -> Result<Vec<Record>, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| format!("broken UTF-8 at byte {}", e.valid_up_to()))?;
    match serde_json::from_str(text) {
        Ok(Value::Array(list)) => read_list(list),
        Ok(Value::Object(mut map)) if !map.contains_key("proof") && map.get("records").is_some_and(Value::is_array) => match map.remove("records") {
            Some(Value::Array(list)) => read_list(list),
            _ => Ok(vec![]),
        },
        Ok(_) => Ok(vec![read_one(text)?]),
        Err(_) => {
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            lines.map(|(at, line)| read_one(line).map_err(|e| format!("line {}: {e}", at + 1))).collect()
        }
    }
}

fn read_one(text: &str) -> Result<Record, String> {
    let (doc, signature) = record::split_proof(text.as_bytes()).map_err(|e| e.to_string())?;
    record::verify(doc, signature).map_err(|e| e.to_string())
}

fn read_list(list: Vec<Value>) -> Result<Vec<Record>, String> {
    let one = |value| -> Result<Record, RecordError> {
        let (doc, signature) = record::split_value(value)?;
        record::verify(doc, signature)
    };
    list.into_iter().enumerate().map(|(at, value)| one(value).map_err(|e| format!("record {}: {e}", at + 1))).collect()
}

fn frames(input: impl Read, mut each: impl FnMut(Record)) -> Result<Packed, String> {
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
    Ok(Packed { by, at, broken: broken.or_else(|| files.unfinished()) })
}

/// Hands on what is genuine in a frame; says what is not.
fn genuine(frame: Frame, files: &mut Files, each: &mut impl FnMut(Record)) -> Option<String> {
    match frame {
        Frame::Records(list) => {
            let (Genuine { records, .. }, bad) = check(list.items);
            records.into_iter().for_each(each);
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
