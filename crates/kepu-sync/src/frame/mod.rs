//! Frames: how records travel, the same over a socket, in a bundle and in an archive. No file names, no paths.
//!
//! ```text
//! frame   = "KF" version(1) type(1) raw_len(4 LE) packed_len(4 LE) packed
//! packed  = zstd( columns )                                     raw_len <= 1 MiB, enforced while unpacking
//! ```
//! How records lie in a frame is in `columns`. A bundle is such a run of frames with a header and a signed end: `bundle`.

mod columns;

use kepu_domain::ids::KeyId;
use kepu_domain::record::{DocHash, Place, Stream, Stub};
use std::io::Read;

/// Largest unpacked frame.
pub const RAW_MAX: usize = 1 << 20;
/// Unpacked size at which a frame is closed, at most.
const RAW_TARGET: usize = 256 * 1024;
/// Unpacked size at which the first frame of an answer is closed.
const RAW_FIRST: usize = 8 * 1024;
/// Most records in one frame.
pub const COUNT_MAX: usize = 4096;
const MAGIC: [u8; 3] = *b"KF\x01";
/// Bytes before the packed part.
pub const HEADER_BYTES: usize = 12;
/// What an item takes besides its document, about.
const ITEM_ROOM: usize = 76;

/// Unpacked sizes of the frames of one run, in bytes. What a broken line took with it is lost by whole frames: those of an answer begin small and double, so that
/// even a line that breaks after a few kilobytes brings something each time.
#[derive(Clone, Copy, Debug)]
pub struct Sizes(usize);

impl Sizes {
    /// Frames that grow.
    #[must_use]
    pub fn growing() -> Self {
        Self(RAW_FIRST)
    }
    /// All as large as they become: for a body or a file that is of no use in parts.
    #[must_use]
    pub fn full() -> Self {
        Self(RAW_TARGET)
    }
    fn next(&mut self) {
        self.0 = (self.0 * 2).min(RAW_TARGET);
    }
}

/// A record as it travels: nothing of it is trusted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it claims to stand. Redundant with the document, needed for erased ones.
    pub place: Place,
    /// The document, or what stays of it.
    pub content: Content,
    /// The signature.
    pub signature: Vec<u8>,
}

/// What an item says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The document.
    Doc(Vec<u8>),
    /// The body was erased by law; this still proves who signed something at this place, and when.
    Erased {
        /// `dateModified` exactly as signed.
        modified: String,
        /// Digest of the document.
        doc: DocHash,
    },
}

impl Item {
    /// A whole record.
    pub fn whole(place: Place, doc: Vec<u8>, signature: Vec<u8>) -> Self {
        Self { place, content: Content::Doc(doc), signature }
    }
    /// What stays of an erased record.
    pub fn erased(place: Place, stub: Stub) -> Self {
        Self { place, content: Content::Erased { modified: stub.modified, doc: stub.doc }, signature: stub.signature }
    }
    fn bytes(&self) -> usize {
        ITEM_ROOM + if let Content::Doc(doc) = &self.content { doc.len() } else { 52 }
    }
}

/// Numbers of a stream that lie outside the receiver's scope: known to be left out, so not missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skip {
    /// The key.
    pub key: KeyId,
    /// The stream.
    pub stream: Stream,
    /// First number left out …
    pub from: i64,
    /// … to the last one.
    pub to: i64,
}

/// A piece of a file, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// BLAKE3 of the whole file.
    pub hash: [u8; 32],
    /// Bytes of the whole file.
    pub size: u64,
    /// Where this piece begins.
    pub offset: u64,
    /// The piece.
    pub bytes: Vec<u8>,
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
    /// Numbers left out on purpose, by key, stream, number. They stand before the records around them.
    pub skips: Vec<Skip>,
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Records.
    Records(Records),
    /// Facts of a session or bundle as JSON: see `session` and `bundle`.
    Meta(Vec<u8>),
    /// A vector as JSON.
    Vector(Vec<u8>),
    /// A piece of a file.
    Chunk(Chunk),
    /// End of a bundle as JSON: what is where.
    Index(Vec<u8>),
    /// Very end of a bundle as JSON: digest and signature.
    Trailer(Vec<u8>),
}

impl Frame {
    fn code(&self) -> u8 {
        match self {
            Frame::Records(_) => 1,
            Frame::Meta(_) => 2,
            Frame::Vector(_) => 3,
            Frame::Chunk(_) => 4,
            Frame::Index(_) => 5,
            Frame::Trailer(_) => 6,
        }
    }
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
    let raw = match frame {
        Frame::Records(records) => columns::write(records),
        Frame::Meta(json) | Frame::Vector(json) | Frame::Index(json) | Frame::Trailer(json) => json.clone(),
        Frame::Chunk(chunk) => {
            let mut raw = Vec::with_capacity(48 + chunk.bytes.len());
            raw.extend_from_slice(&chunk.hash);
            raw.extend_from_slice(&chunk.size.to_le_bytes());
            raw.extend_from_slice(&chunk.offset.to_le_bytes());
            raw.extend_from_slice(&chunk.bytes);
            raw
        }
    };
    if raw.len() > RAW_MAX {
        return Err(FrameError::TooLarge(raw.len()));
    }
    let packed = zstd::bulk::compress(&raw, level).map_err(|e| FrameError::Packed(e.to_string()))?;
    let mut out = Vec::with_capacity(HEADER_BYTES + packed.len());
    out.extend_from_slice(&MAGIC);
    out.push(frame.code());
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
        1 => Ok(Frame::Records(columns::read(&raw)?)),
        2 => Ok(Frame::Meta(raw)),
        3 => Ok(Frame::Vector(raw)),
        4 => chunk(&raw).map(Frame::Chunk).ok_or(FrameError::Columns(raw.len())),
        5 => Ok(Frame::Index(raw)),
        6 => Ok(Frame::Trailer(raw)),
        _ => Err(FrameError::Magic),
    }
}

fn chunk(raw: &[u8]) -> Option<Chunk> {
    let (hash, rest) = raw.split_first_chunk::<32>()?;
    let (size, rest) = rest.split_first_chunk::<8>()?;
    let (offset, bytes) = rest.split_first_chunk::<8>()?;
    let (size, offset) = (u64::from_le_bytes(*size), u64::from_le_bytes(*offset));
    let end = offset.checked_add(bytes.len() as u64)?;
    (end <= size).then(|| Chunk { hash: *hash, size, offset, bytes: bytes.to_vec() })
}

/// Splits items into frames of about `sizes` unpacked bytes, in order. `arrivals` are the items' arrival numbers, from
/// high to low; the frames together cover `(above, up_to]` without gaps, so an interrupted sequence resumes exactly.
pub fn split(class: Stream, epoch: &str, items: Vec<(i64, Item)>, above: i64, up_to: i64, sizes: &mut Sizes) -> Vec<Records> {
    let mut frames = Vec::new();
    let (mut part, mut size, mut top) = (Vec::new(), 0, up_to);
    for (arrival, item) in items {
        let grown = size + item.bytes();
        if !part.is_empty() && (grown > sizes.0 || part.len() >= COUNT_MAX) {
            // This frame holds everything above the next item's arrival number.
            frames.push(Records { class, epoch: epoch.into(), above: arrival, up_to: top, items: std::mem::take(&mut part), skips: vec![] });
            top = arrival;
            size = 0;
            sizes.next();
        }
        size += item.bytes();
        part.push(item);
    }
    if !part.is_empty() || top > above {
        frames.push(Records { class, epoch: epoch.into(), above, up_to: top, items: part, skips: vec![] });
    }
    frames
}

/// Most ranges in one frame of [`split_skips`].
const SKIPS_MAX: usize = 20_000;

/// Ranges as frames that cover no arrivals of their own: they are sent before the records around them, whose intervals are
/// noted only when they came.
pub fn split_skips(class: Stream, epoch: &str, skips: Vec<Skip>) -> Vec<Records> {
    let mut frames = Vec::new();
    let mut part: Vec<Skip> = Vec::new();
    let mut keys = 0;
    for skip in skips {
        let new_key = part.last().is_none_or(|last| last.key != skip.key);
        if part.len() >= SKIPS_MAX || (new_key && keys >= COUNT_MAX) {
            frames.push(Records { class, epoch: epoch.into(), above: 0, up_to: 0, items: vec![], skips: std::mem::take(&mut part) });
            keys = 0;
        }
        keys += usize::from(new_key || part.is_empty());
        part.push(skip);
    }
    if !part.is_empty() {
        frames.push(Records { class, epoch: epoch.into(), above: 0, up_to: 0, items: vec![], skips: part });
    }
    frames
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
                Item::whole(record.envelope.place.clone(), record.doc, record.signature)
            })
            .collect();
        Records { class: Stream::Alert, epoch: "e1".into(), above: 7, up_to: 7 + count, items, skips: vec![] }
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
        let mut sizes = Sizes(1_000);
        let frames = split(Stream::Alert, "e", items, 10, 220, &mut sizes);
        assert!(frames.len() > 3);
        let counts: Vec<usize> = frames.iter().map(|f| f.items.len()).collect();
        assert!(counts[0] < counts[1] && sizes.0 > 1_000, "they grow: {counts:?}");
        assert_eq!((frames[0].up_to, frames[frames.len() - 1].above), (220, 10));
        for pair in frames.windows(2) {
            assert_eq!(pair[0].above, pair[1].up_to);
        }
        assert_eq!(frames.iter().map(|f| f.items.len()).sum::<usize>(), 50);
        assert_eq!(split(Stream::Lib, "e", vec![], 10, 220, &mut sizes).len(), 1, "an empty frame moves the cursor");
        assert_eq!(split(Stream::Lib, "e", vec![], 10, 10, &mut sizes).len(), 0);
    }

    #[test]
    fn a_piece_of_a_file_reads_back_and_never_lies_outside_it() {
        let piece = |size| Frame::Chunk(Chunk { hash: [9; 32], size, offset: 70, bytes: vec![1, 2, 3] });
        assert_eq!(read(&write(&piece(73), 3).expect("packed")), Ok(piece(73)));
        assert!(matches!(read(&write(&piece(72), 3).expect("packed")), Err(FrameError::Columns(_))));
        assert!(matches!(
            read(&write(&Frame::Chunk(Chunk { hash: [9; 32], size: 9, offset: u64::MAX, bytes: vec![1] }), 3).expect("packed")),
            Err(FrameError::Columns(_))
        ));
    }

    #[test]
    fn ranges_are_split_by_count_and_keys() {
        let skips: Vec<Skip> =
            (0..50_000).map(|at| Skip { key: KeyId(format!("k{}", at / 5)), stream: Stream::Lib, from: at % 5 * 2 + 1, to: at % 5 * 2 + 1 }).collect();
        let frames = split_skips(Stream::Lib, "e", skips.clone());
        assert!(frames.len() >= 3 && frames.iter().all(|f| f.skips.len() <= SKIPS_MAX && f.above == f.up_to));
        assert_eq!(frames.iter().flat_map(|f| f.skips.clone()).collect::<Vec<_>>(), skips);
        for frame in frames {
            let frame = Frame::Records(frame);
            assert_eq!(read(&write(&frame, 3).expect("packed")), Ok(frame));
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut framed = MAGIC.to_vec();
            framed.extend_from_slice(&bytes);
            let _ = read(&framed);
        }
    }
}
