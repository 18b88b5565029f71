//! Rows of the store as frames and back.

use crate::error::AppError;
use kepu_domain::deliver::scope::Scope;
use kepu_domain::history::Numbers;
use kepu_domain::ids::KeyId;
use kepu_domain::record::{STREAMS, Stream, Stub};
use kepu_store::record::{RegionFilter, Row};
use kepu_store::{Tx, record as records};
use kepu_sync::cursor::Vector;
use kepu_sync::frame::{self, Frame, Item, Records, Sizes};

/// Most bytes of a vector in one frame.
const VECTOR_BYTES: usize = 400_000;

/// The part of a scope that the store can look for.
pub(super) fn region_filter(scope: &Scope) -> RegionFilter {
    let below_prefix = scope.below.then(|| scope.region.to_string().trim_end_matches("00").to_owned());
    RegionFilter { chain: scope.region.chain(), below_prefix }
}

/// A row as it travels; of an erased one, what still verifies.
pub(crate) fn item(row: Row) -> Item {
    let place = row.place();
    match row.doc {
        Some(doc) => Item::whole(place, doc, row.sig),
        None => Item::erased(place, Stub { modified: row.modified, doc: row.doc_hash, signature: row.sig }),
    }
}

/// Packs a frame for a connection.
pub(super) fn pack(frame: &Frame) -> Result<Vec<u8>, AppError> {
    frame::write(frame, 3).map_err(|e| AppError::Record(e.to_string()))
}

/// All trust records as frames: what a node needs to believe its new certificate.
pub(crate) async fn trust_frames(tx: &mut Tx) -> Result<Vec<u8>, AppError> {
    let items: Vec<(i64, Item)> = records::list_trust(tx).await?.into_iter().rev().map(|row| (row.arrival, item(row))).collect();
    let top = items.first().map_or(0, |(arrival, _)| *arrival);
    let mut bytes = Vec::new();
    for part in frame::split(Stream::Trust, "", items, 0, top, &mut Sizes::full()) {
        bytes.extend(pack(&Frame::Records(part))?);
    }
    Ok(bytes)
}

/// What this node holds of each key.
pub(crate) async fn vector(tx: &mut Tx) -> Result<Vector, AppError> {
    let mut vector = Vector::default();
    for head in records::heads(tx).await? {
        vector.note(head.key, head.stream, Numbers { high: head.high, holes: head.holes });
    }
    Ok(vector)
}

/// What this node holds of one key.
pub(super) async fn vector_of(tx: &mut Tx, key: &KeyId) -> Result<Vector, AppError> {
    let streams: Vec<(KeyId, Stream)> = STREAMS[..3].iter().map(|stream| (key.clone(), *stream)).collect();
    let mut vector = Vector::default();
    for head in records::get_heads(tx, &streams).await? {
        vector.note(head.key, head.stream, Numbers { high: head.high, holes: head.holes });
    }
    Ok(vector)
}

/// A vector as packed frames.
pub(super) fn vector_frames(vector: &Vector) -> Result<Vec<u8>, AppError> {
    let mut bytes = Vec::new();
    for part in vector.to_parts(VECTOR_BYTES) {
        bytes.extend(pack(&Frame::Vector(part))?);
    }
    Ok(bytes)
}

/// Most frames in one body: what a node says in one request takes a few dozen.
const FRAMES_MAX: usize = 2_000;

/// The frames of a body, unpacked one after the other: a body of many frames that unpack to much is never in memory at once.
pub(super) fn frames_of(bytes: &[u8]) -> impl Iterator<Item = Result<Frame, AppError>> {
    let mut left = bytes;
    let mut count = 0;
    std::iter::from_fn(move || {
        if left.is_empty() {
            return None;
        }
        count += 1;
        let next = if count > FRAMES_MAX { Err(AppError::Record(format!("more than {FRAMES_MAX} frames in one body"))) } else { first_frame(left) };
        match next {
            Ok((frame, rest)) => {
                left = rest;
                Some(Ok(frame))
            }
            Err(error) => {
                left = &[];
                Some(Err(error))
            }
        }
    })
}

fn first_frame(bytes: &[u8]) -> Result<(Frame, &[u8]), AppError> {
    let wrong = |e: frame::FrameError| AppError::Record(e.to_string());
    let size = frame::length(bytes).map_err(wrong)?.filter(|size| *size <= bytes.len());
    let size = size.ok_or_else(|| AppError::Record("the last frame is cut off".into()))?;
    Ok((frame::read(&bytes[..size]).map_err(wrong)?, &bytes[size..]))
}

/// All items in a run of frames.
pub fn items_of(bytes: &[u8]) -> Result<Vec<Item>, AppError> {
    let mut items = Vec::new();
    for frame in frames_of(bytes) {
        if let Frame::Records(records) = frame? {
            items.extend(records.items);
        }
    }
    Ok(items)
}

/// A frame that only says how far the sender's arrivals are covered.
pub(super) fn cover(class: Stream, epoch: &str, above: i64, up_to: i64) -> Records {
    Records { class, epoch: epoch.into(), above, up_to, items: vec![], skips: vec![] }
}
