//! Frames: how records travel, the same over a socket, in a bundle and in an archive. No file names, no paths.
//!
//! ```text
//! frame   = "KF" version(1) type(1) raw_len(4 LE) packed_len(4 LE) packed
//! packed  = zstd( columns )                                     raw_len <= 1 MiB, enforced while unpacking
//! columns = class, above, up_to, epoch, keys[], count, key index[], stream[], n[], length[], sig[64·count], docs
//! ```
//! Numbers are unsigned LEB128. Columns keep like beside like: signatures (which do not compress) in one run, documents
//! (which share most of their text) in another. A length of 0 marks an erased body: hash and time stand in its place.

use kepu_domain::ids::KeyId;
use kepu_domain::record::{DOC_BYTES_MAX, Place, Stream};
use std::io::Read;

/// Largest unpacked frame.
pub const RAW_MAX: usize = 1 << 20;
/// Unpacked size at which a frame is closed.
pub const RAW_TARGET: usize = 256 * 1024;
/// Most records in one frame.
pub const COUNT_MAX: usize = 4096;
const MAGIC: [u8; 3] = *b"KF\x01";
/// Bytes before the packed part.
pub const HEADER_BYTES: usize = 12;
const SIGNATURE: usize = 64;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Records of one class.
    Records = 1,
    /// JSON: what the sender is called, its epoch, and other facts of a session or bundle.
    Meta = 2,
    /// A vector (JSON).
    Vector = 3,
}

/// A record as it travels: nothing of it is trusted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it claims to stand. Redundant with the document, needed for erased ones.
    pub place: Place,
    /// The document; empty if erased.
    pub doc: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// Records of one class with the piece of the sender's arrival order that they cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// Class.
    pub class: Stream,
    /// The sender's epoch.
    pub epoch: String,
    /// Arrival numbers covered: above this …
    pub above: i64,
    /// … up to this, in the sender's scope for the receiver.
    pub up_to: i64,
    /// Records in the order sent.
    pub items: Vec<Item>,
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Records.
    Records(Records),
    /// Facts as JSON.
    Meta(Vec<u8>),
    /// A vector as JSON.
    Vector(Vec<u8>),
}

/// Why bytes are no frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not begun like a frame, or of a later version.
    #[error("no frame of a known version begins here")]
    Magic,
    /// Larger than allowed.
    #[error("the frame says it holds {0} bytes, at most {RAW_MAX} are allowed")]
    TooLarge(usize),
    /// Cannot be unpacked, or unpacks to another size than it says.
    #[error("the frame cannot be unpacked: {0}")]
    Packed(String),
    /// The columns do not fit each other.
    #[error("the frame's columns do not fit each other at byte {0}")]
    Columns(usize),
}

/// Packs a frame. `level`: zstd 1–19; 3 for live traffic, 19 for archives.
pub fn write(frame: &Frame, level: i32) -> Result<Vec<u8>, FrameError> {
    let (kind, raw) = match frame {
        Frame::Records(records) => (Type::Records, columns(records)),
        Frame::Meta(json) => (Type::Meta, json.clone()),
        Frame::Vector(json) => (Type::Vector, json.clone()),
    };
    if raw.len() > RAW_MAX {
        return Err(FrameError::TooLarge(raw.len()));
    }
    let packed = zstd::bulk::compress(&raw, level).map_err(|e| FrameError::Packed(e.to_string()))?;
    let mut out = Vec::with_capacity(HEADER_BYTES + packed.len());
    out.extend_from_slice(&MAGIC);
    out.push(kind as u8);
    out.extend_from_slice(&(raw.len() as u32).to_le_bytes());
    out.extend_from_slice(&(packed.len() as u32).to_le_bytes());
    out.extend_from_slice(&packed);
    Ok(out)
}

/// How many bytes of `buffer` the first frame takes; `None` while its header is incomplete.
pub fn length(buffer: &[u8]) -> Result<Option<usize>, FrameError> {
    let Some(header) = buffer.get(..HEADER_BYTES) else { return Ok(None) };
    if header[..3] != MAGIC {
        return Err(FrameError::Magic);
    }
    let size = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]) as usize;
    let (raw, packed) = (size(4), size(8));
    if raw > RAW_MAX || packed > RAW_MAX + 4096 {
        return Err(FrameError::TooLarge(raw.max(packed)));
    }
    Ok(Some(HEADER_BYTES + packed))
}

/// Unpacks one whole frame (header included).
pub fn read(bytes: &[u8]) -> Result<Frame, FrameError> {
    match length(bytes)? {
        Some(size) if size == bytes.len() => {}
        _ => return Err(FrameError::Packed("its length does not fit".into())),
    }
    let kind = bytes[3];
    let raw_len = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
    let mut raw = Vec::with_capacity(raw_len);
    // One byte more than announced is asked for: a frame that unpacks to more is refused without unpacking the rest.
    let reader = zstd::stream::read::Decoder::new(&bytes[HEADER_BYTES..]).map_err(|e| FrameError::Packed(e.to_string()))?;
    reader.take(raw_len as u64 + 1).read_to_end(&mut raw).map_err(|e| FrameError::Packed(e.to_string()))?;
    if raw.len() != raw_len {
        return Err(FrameError::Packed("its unpacked length differs from what it says".into()));
    }
    match kind {
        1 => Ok(Frame::Records(uncolumn(&raw)?)),
        2 => Ok(Frame::Meta(raw)),
        3 => Ok(Frame::Vector(raw)),
        _ => Err(FrameError::Magic),
    }
}

/// Splits items into frames of about `target` unpacked bytes, in order. `arrivals` are the items' arrival numbers, from
/// high to low; the frames together cover `(above, up_to]` without gaps, so an interrupted sequence resumes exactly.
pub fn split(class: Stream, epoch: &str, items: Vec<(i64, Item)>, above: i64, up_to: i64, target: usize) -> Vec<Records> {
    let mut frames = Vec::new();
    let (mut part, mut size, mut top) = (Vec::new(), 0, up_to);
    for (arrival, item) in items {
        let grown = size + item.doc.len() + SIGNATURE + 12;
        if !part.is_empty() && (grown > target || part.len() >= COUNT_MAX) {
            // This frame holds everything above the next item's arrival number.
            frames.push(Records { class, epoch: epoch.into(), above: arrival, up_to: top, items: std::mem::take(&mut part) });
            top = arrival;
            size = 0;
        }
        size += item.doc.len() + SIGNATURE + 12;
        part.push(item);
    }
    if !part.is_empty() || top > above {
        frames.push(Records { class, epoch: epoch.into(), above, up_to: top, items: part });
    }
    frames
}

fn put(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push((n as u8) | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn columns(records: &Records) -> Vec<u8> {
    let mut keys: Vec<&KeyId> = Vec::new();
    let indices: Vec<usize> = records
        .items
        .iter()
        .map(|item| {
            keys.iter().position(|key| **key == item.place.key).unwrap_or_else(|| {
                keys.push(&item.place.key);
                keys.len() - 1
            })
        })
        .collect();
    let mut out = Vec::with_capacity(records.items.iter().map(|i| i.doc.len() + 80).sum::<usize>() + 200);
    out.push(records.class.code());
    put(&mut out, records.above as u64);
    put(&mut out, records.up_to as u64);
    put_text(&mut out, &records.epoch);
    put(&mut out, keys.len() as u64);
    keys.iter().for_each(|key| put_text(&mut out, &key.0));
    put(&mut out, records.items.len() as u64);
    indices.iter().for_each(|at| put(&mut out, *at as u64));
    records.items.iter().for_each(|item| out.push(item.place.stream.code()));
    records.items.iter().for_each(|item| put(&mut out, item.place.n as u64));
    records.items.iter().for_each(|item| put(&mut out, item.doc.len() as u64));
    records.items.iter().for_each(|item| out.extend_from_slice(&item.signature));
    records.items.iter().for_each(|item| out.extend_from_slice(&item.doc));
    out
}

struct Reader<'a> {
    raw: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn wrong<T>(&self) -> Result<T, FrameError> {
        Err(FrameError::Columns(self.at))
    }
    fn take(&mut self, count: usize) -> Result<&'a [u8], FrameError> {
        match self.at.checked_add(count).and_then(|end| self.raw.get(self.at..end)) {
            Some(part) => {
                self.at += count;
                Ok(part)
            }
            None => self.wrong(),
        }
    }
    fn number(&mut self) -> Result<u64, FrameError> {
        let mut n = 0u64;
        for shift in (0..63).step_by(7) {
            let byte = self.take(1)?[0];
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(n);
            }
        }
        self.wrong()
    }
    fn integer(&mut self) -> Result<i64, FrameError> {
        let n = self.number()?;
        i64::try_from(n).or_else(|_| self.wrong())
    }
    fn size(&mut self, most: usize) -> Result<usize, FrameError> {
        match usize::try_from(self.number()?) {
            Ok(n) if n <= most => Ok(n),
            _ => self.wrong(),
        }
    }
    fn text(&mut self, most: usize) -> Result<String, FrameError> {
        let size = self.size(most)?;
        match std::str::from_utf8(self.take(size)?) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => self.wrong(),
        }
    }
    fn stream(&mut self) -> Result<Stream, FrameError> {
        let code = self.take(1)?[0];
        Stream::from_code(code).map_or_else(|| self.wrong(), Ok)
    }
}

fn uncolumn(raw: &[u8]) -> Result<Records, FrameError> {
    let mut r = Reader { raw, at: 0 };
    let class = r.stream()?;
    let (above, up_to) = (r.integer()?, r.integer()?);
    let epoch = r.text(40)?;
    let key_count = r.size(COUNT_MAX)?;
    let keys: Vec<KeyId> = (0..key_count).map(|_| r.text(120).map(KeyId)).collect::<Result<_, _>>()?;
    let count = r.size(COUNT_MAX)?;
    let indices: Vec<usize> = (0..count).map(|_| r.size(key_count.saturating_sub(1))).collect::<Result<_, _>>()?;
    let streams: Vec<Stream> = (0..count).map(|_| r.stream()).collect::<Result<_, _>>()?;
    let numbers: Vec<i64> = (0..count).map(|_| r.integer()).collect::<Result<_, _>>()?;
    let lengths: Vec<usize> = (0..count).map(|_| r.size(DOC_BYTES_MAX)).collect::<Result<_, _>>()?;
    let signatures = r.take(count * SIGNATURE)?;
    let mut items = Vec::with_capacity(count);
    for at in 0..count {
        let Some(key) = keys.get(indices[at]) else { return r.wrong() };
        let place = Place { key: key.clone(), stream: streams[at], n: numbers[at] };
        let doc = r.take(lengths[at])?.to_vec();
        items.push(Item { place, doc, signature: signatures[at * SIGNATURE..(at + 1) * SIGNATURE].to_vec() });
    }
    if r.at != raw.len() {
        return r.wrong();
    }
    Ok(Records { class, epoch, above, up_to, items })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::{key, signed};
    use crate::suite::Suite;
    use proptest::prelude::*;

    fn records(count: i64) -> Records {
        let key = key(3, Suite::Ed25519);
        let items = (1..=count)
            .map(|n| {
                let record = signed(&key, n, "说法有误，已更正");
                Item { place: record.envelope.place.clone(), doc: record.doc, signature: record.signature }
            })
            .collect();
        Records { class: Stream::Alert, epoch: "e1".into(), above: 7, up_to: 7 + count, items }
    }

    #[test]
    fn a_frame_reads_back_and_is_small() {
        let frame = Frame::Records(records(200));
        let bytes = write(&frame, 3).expect("packed");
        assert_eq!(length(&bytes), Ok(Some(bytes.len())));
        assert_eq!(read(&bytes), Ok(frame));
        assert!(bytes.len() < 200 * 120, "{} bytes", bytes.len());
    }

    #[test]
    fn a_bomb_is_refused_before_it_grows() {
        let packed = zstd::bulk::compress(&vec![0; 64 << 20], 19).expect("packed");
        let mut bytes = MAGIC.to_vec();
        bytes.push(1);
        bytes.extend_from_slice(&1000u32.to_le_bytes());
        bytes.extend_from_slice(&(packed.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&packed);
        assert!(matches!(read(&bytes), Err(FrameError::Packed(_))));
        bytes[4..8].copy_from_slice(&(2u32 << 20).to_le_bytes());
        assert_eq!(read(&bytes), Err(FrameError::TooLarge(2 << 20)));
    }

    #[test]
    fn splitting_covers_without_gaps() {
        let all = records(50);
        let items: Vec<(i64, Item)> = all.items.into_iter().enumerate().map(|(at, item)| (200 - 2 * at as i64, item)).collect();
        let frames = split(Stream::Alert, "e", items, 10, 220, 2_000);
        assert!(frames.len() > 3);
        assert_eq!((frames[0].up_to, frames[frames.len() - 1].above), (220, 10));
        for pair in frames.windows(2) {
            assert_eq!(pair[0].above, pair[1].up_to);
        }
        assert_eq!(frames.iter().map(|f| f.items.len()).sum::<usize>(), 50);
        assert_eq!(split(Stream::Lib, "e", vec![], 10, 220, 2_000).len(), 1, "an empty frame moves the cursor");
        assert_eq!(split(Stream::Lib, "e", vec![], 10, 10, 2_000).len(), 0);
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = uncolumn(&bytes);
            let mut framed = MAGIC.to_vec();
            framed.extend_from_slice(&bytes);
            let _ = read(&framed);
        }
    }
}
