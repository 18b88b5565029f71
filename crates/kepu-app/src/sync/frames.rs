//! Rows of the store as frames and back.

use crate::error::AppError;
use kepu_domain::deliver::scope::Scope;
use kepu_domain::record::Stream;
use kepu_store::record::{RegionFilter, Row};
use kepu_store::{Tx, record as records};
use kepu_sync::frame::{self, Frame, Item, RAW_TARGET};

pub(super) fn region_filter(scope: &Scope) -> RegionFilter {
    let below_prefix = scope.below.then(|| scope.region.to_string().trim_end_matches("00").to_owned());
    RegionFilter { chain: scope.region.chain(), below_prefix }
}

/// A row as it travels; erased bodies stay at home until stubs travel too.
pub(super) fn item(row: Row) -> Option<Item> {
    let place = row.place();
    Some(Item { place, doc: row.doc?, signature: row.sig })
}

/// All trust records as frames: what a node needs to believe its new certificate.
pub(crate) async fn trust_frames(tx: &mut Tx) -> Result<Vec<u8>, AppError> {
    let items: Vec<(i64, Item)> = records::list_trust(tx).await?.into_iter().rev().filter_map(|row| Some((row.arrival, item(row)?))).collect();
    let top = items.first().map_or(0, |(arrival, _)| *arrival);
    let mut bytes = Vec::new();
    for part in frame::split(Stream::Trust, "", items, 0, top, RAW_TARGET) {
        bytes.extend(frame::write(&Frame::Records(part), 3).map_err(|e| AppError::Record(e.to_string()))?);
    }
    Ok(bytes)
}

pub(super) fn frames_of(mut bytes: &[u8]) -> Result<Vec<Frame>, AppError> {
    let wrong = |e: frame::FrameError| AppError::Record(e.to_string());
    let mut list = Vec::new();
    while !bytes.is_empty() {
        let size = frame::length(bytes).map_err(wrong)?.filter(|size| *size <= bytes.len());
        let size = size.ok_or_else(|| AppError::Record("the last frame is cut off".into()))?;
        list.push(frame::read(&bytes[..size]).map_err(wrong)?);
        bytes = &bytes[size..];
    }
    Ok(list)
}

/// All items in a run of frames.
pub fn items_of(bytes: &[u8]) -> Result<Vec<Item>, AppError> {
    let lists = frames_of(bytes)?.into_iter().filter_map(|f| if let Frame::Records(r) = f { Some(r.items) } else { None });
    Ok(lists.flatten().collect())
}
