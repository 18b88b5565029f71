//! A bundle: a recorded session as a file, for a stick, an archive, a backup. Frames only; no file names, so nothing in it
//! can point outside. Useful as far as it is whole: whatever stands before a cut can be read and checked by itself.
//!
//! ```text
//! bundle  = Meta(Header) Records* Chunk* Index Trailer
//! Trailer = digest (SHA-256) of every byte before it, signed by the node that made the bundle
//! ```
//! The signature says who packed it, not that what is in it is true: records carry their own.

use crate::frame::{self, Chunk, Frame, FrameError, HEADER_BYTES};
use crate::suite::{self, Check, SigningKey};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use kepu_domain::ids::KeyId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

/// Format word of a bundle of records.
pub const FORMAT: &str = "kepu-bundle-1";
/// Largest bundle: what fits on a stick formatted as FAT32.
pub const BYTES_MAX: u64 = (1 << 32) - 1;
/// A file travels in pieces of this size.
pub const CHUNK_BYTES: usize = 512 * 1024;

/// First frame: what this is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`], or that of a backup.
    pub format: String,
    /// Key of the node that made it.
    pub by: String,
    /// Its name.
    pub name: String,
    /// When, as `2026-01-31T08:00:00Z`.
    pub at: String,
    /// What was chosen, as JSON of the scope; empty for a backup.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The node whose ask file was answered; empty if everything is in it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answers: String,
    /// Whatever else the maker wants to say, such as which file is which in a backup.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub more: serde_json::Map<String, serde_json::Value>,
}

/// One line of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Byte at which the frame begins.
    pub at: u64,
    /// `trust`, `alert`, `lib`, or `file`.
    pub what: String,
    /// Records in it, or bytes of a file.
    pub count: u64,
}

#[derive(Serialize, Deserialize)]
struct TrailerJson {
    frames: u64,
    bytes: u64,
    digest: String,
    signature: String,
}

/// Why a bundle cannot be read on from here.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It ends within a frame or before its trailer.
    #[error("it is cut off at byte {0}; what stands before is whole")]
    Cut(u64),
    /// A frame that is none.
    #[error("byte {at}: {cause}")]
    Frame {
        /// Where the frame begins.
        at: u64,
        /// What is wrong.
        cause: FrameError,
    },
    /// No header, or one of another format.
    #[error("it does not begin like a bundle of this release")]
    Header,
    /// The end does not fit what stands before it.
    #[error("its end does not fit: {0}")]
    Trailer(&'static str),
    /// Reading or writing failed.
    #[error("could not {action}")]
    Io {
        /// Attempt.
        action: &'static str,
        /// Cause.
        #[source]
        source: io::Error,
    },
}

/// Writes a bundle frame by frame.
pub struct Writer<W> {
    out: W,
    at: u64,
    frames: u64,
    digest: Sha256,
    index: Vec<Entry>,
    level: i32,
}

impl<W: Write> Writer<W> {
    /// Begins with the header. `level`: zstd 1–19.
    pub fn begin(out: W, header: &Header, level: i32) -> Result<Self, BundleError> {
        let mut writer = Self { out, at: 0, frames: 0, digest: Sha256::new(), index: vec![], level };
        writer.frame(&Frame::Meta(serde_json::to_vec(header).unwrap_or_default()))?;
        Ok(writer)
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.at
    }

    /// Adds a frame.
    pub fn frame(&mut self, frame: &Frame) -> Result<(), BundleError> {
        let entry = |what: &str, count: usize| Entry { at: self.at, what: what.into(), count: count as u64 };
        match frame {
            Frame::Records(records) => self.index.push(entry(records.class.as_str(), records.items.len())),
            Frame::Chunk(chunk) => self.index.push(entry("file", chunk.bytes.len())),
            _ => {}
        }
        let bytes = frame::write(frame, self.level).map_err(|cause| BundleError::Frame { at: self.at, cause })?;
        self.digest.update(&bytes);
        self.put(&bytes)
    }

    /// Adds a file from `read`, in pieces. `hash` (BLAKE3) and `size` are the caller's word; a reader that gives another size is an error.
    pub fn file(&mut self, hash: [u8; 32], size: u64, mut read: impl Read) -> Result<(), BundleError> {
        let mut offset = 0;
        let failed = |source| BundleError::Io { action: "read a file for the bundle", source };
        while offset < size {
            let mut bytes = Vec::with_capacity(CHUNK_BYTES);
            read.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut bytes).map_err(failed)?;
            if bytes.is_empty() || offset + bytes.len() as u64 > size {
                return Err(failed(io::Error::new(io::ErrorKind::UnexpectedEof, "a file has another size than is known of it")));
            }
            let piece = bytes.len() as u64;
            self.frame(&Frame::Chunk(Chunk { hash, size, offset, bytes }))?;
            offset += piece;
        }
        Ok(())
    }

    /// Ends with index and signed trailer.
    pub fn finish(mut self, key: &SigningKey) -> Result<W, BundleError> {
        // An index that no longer fits into one frame keeps what it can: it only quickens looking.
        let mut index = std::mem::take(&mut self.index);
        let mut json = serde_json::to_vec(&index).unwrap_or_default();
        while json.len() > frame::RAW_MAX {
            index = index.into_iter().step_by(2).collect();
            json = serde_json::to_vec(&index).unwrap_or_default();
        }
        self.frame(&Frame::Index(json))?;
        let digest: [u8; 32] = self.digest.clone().finalize().into();
        let signature = BASE64URL_NOPAD.encode(&key.sign(&message(&digest)));
        let trailer = TrailerJson { frames: self.frames, bytes: self.at, digest: HEXLOWER.encode(&digest), signature };
        let bytes =
            frame::write(&Frame::Trailer(serde_json::to_vec(&trailer).unwrap_or_default()), 3).map_err(|cause| BundleError::Frame { at: self.at, cause })?;
        self.put(&bytes)?;
        self.out.flush().map_err(|source| BundleError::Io { action: "write the bundle", source })?;
        Ok(self.out)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), BundleError> {
        self.out.write_all(bytes).map_err(|source| BundleError::Io { action: "write the bundle", source })?;
        self.at += bytes.len() as u64;
        self.frames += 1;
        Ok(())
    }
}

fn message(digest: &[u8; 32]) -> [u8; 64] {
    let mut message = [0; 64];
    message[..32].copy_from_slice(&Sha256::digest(b"kepu-bundle"));
    message[32..].copy_from_slice(digest);
    message
}

/// Reads a bundle frame by frame, with one frame in memory at a time.
pub struct Reader<R> {
    input: R,
    at: u64,
    frames: u64,
    digest: Sha256,
    header: Header,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the header. `formats` are those that the caller can take.
    pub fn begin(input: R, formats: &[&str]) -> Result<Self, BundleError> {
        let mut reader = Self { input, at: 0, frames: 0, digest: Sha256::new(), header: Header::default(), ended: false };
        let Ok(Some((Frame::Meta(json), bytes))) = reader.raw() else { return Err(BundleError::Header) };
        reader.header = serde_json::from_slice(&json).map_err(|_| BundleError::Header)?;
        if !formats.contains(&reader.header.format.as_str()) {
            return Err(BundleError::Header);
        }
        reader.digest.update(&bytes);
        Ok(reader)
    }

    /// Whether nothing more can be read: the end was reached, or frames can no longer be told apart. After other errors the
    /// next frame may be sound.
    pub fn is_over(&self) -> bool {
        self.ended
    }

    /// What it says of itself. Nothing of it is proved before [`Reader::next_frame`] has given `None`.
    pub fn header(&self) -> &Header {
        &self.header
    }
    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.at
    }

    /// The next frame; `None` after a trailer that fits everything before it and is signed by the node named in the header.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, BundleError> {
        if self.ended {
            return Ok(None);
        }
        let Some((frame, bytes)) = self.raw()? else {
            self.ended = true;
            return Err(BundleError::Cut(self.at));
        };
        if let Frame::Trailer(json) = frame {
            self.ended = true;
            return self.check_end(&json, bytes.len() as u64).map(|()| None);
        }
        self.digest.update(&bytes);
        Ok(Some(frame))
    }

    fn check_end(&mut self, json: &[u8], trailer_bytes: u64) -> Result<(), BundleError> {
        let trailer: TrailerJson = serde_json::from_slice(json).map_err(|_| BundleError::Trailer("it cannot be read"))?;
        let digest: [u8; 32] = self.digest.clone().finalize().into();
        if trailer.digest != HEXLOWER.encode(&digest) || trailer.bytes != self.at - trailer_bytes || trailer.frames + 1 != self.frames {
            return Err(BundleError::Trailer("its digest is another; something before it was altered or left out"));
        }
        let signature = BASE64URL_NOPAD.decode(trailer.signature.as_bytes()).unwrap_or_default();
        if !suite::verify(&Check { key: KeyId(self.header.by.clone()), message: message(&digest), signature }) {
            return Err(BundleError::Trailer("it is not signed by the node named at the beginning"));
        }
        let mut more = [0];
        match self.input.read(&mut more) {
            Ok(0) => Ok(()),
            _ => Err(BundleError::Trailer("something stands behind it")),
        }
    }

    /// One frame with its bytes; `None` at the end of the input.
    fn raw(&mut self) -> Result<Option<(Frame, Vec<u8>)>, BundleError> {
        let begin = self.at;
        let wrong = |cause| BundleError::Frame { at: begin, cause };
        let mut bytes = Vec::new();
        self.fill(&mut bytes, HEADER_BYTES)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.ended = true;
        let Some(size) = frame::length(&bytes).map_err(wrong)? else { return Err(BundleError::Cut(self.at)) };
        self.fill(&mut bytes, size)?;
        if bytes.len() < size {
            return Err(BundleError::Cut(self.at));
        }
        self.ended = false;
        self.frames += 1;
        Ok(Some((frame::read(&bytes).map_err(wrong)?, bytes)))
    }

    fn fill(&mut self, bytes: &mut Vec<u8>, size: usize) -> Result<(), BundleError> {
        let lacking = size.saturating_sub(bytes.len()) as u64;
        let got = self.input.by_ref().take(lacking).read_to_end(bytes).map_err(|source| BundleError::Io { action: "read the bundle", source })?;
        self.at += got as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::{key, signed};
    use crate::suite::Suite;
    use kepu_domain::record::Stream;

    fn bundle(suite: Suite) -> Vec<u8> {
        let key = key(5, suite);
        let header = Header { format: FORMAT.into(), by: key.id().0, name: "示例".into(), at: "2026-01-31T08:00:00Z".into(), ..Header::default() };
        let mut writer = Writer::begin(Vec::new(), &header, 3).expect("begun");
        let items = (1..=3).map(|n| signed(&key, n, "说法有误")).map(|r| frame::Item::whole(r.envelope.place.clone(), r.doc, r.signature)).collect();
        let records = frame::Records { class: Stream::Alert, epoch: "e".into(), above: 0, up_to: 0, items, skips: vec![] };
        writer.frame(&Frame::Records(records)).expect("written");
        let file = vec![7; CHUNK_BYTES + 10];
        writer.file([1; 32], file.len() as u64, file.as_slice()).expect("written");
        writer.finish(&key).expect("finished")
    }

    fn read_all(bytes: &[u8]) -> Result<usize, BundleError> {
        let mut reader = Reader::begin(bytes, &[FORMAT])?;
        let mut count = 0;
        while reader.next_frame()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    #[test]
    fn a_bundle_reads_back_in_both_suites() {
        for suite in [Suite::Ed25519, Suite::Sm2] {
            let bytes = bundle(suite);
            assert_eq!(read_all(&bytes).expect("whole"), 4, "one frame of records, two pieces, the index");
        }
    }

    #[test]
    fn a_cut_bundle_says_so_and_an_altered_one_is_noticed() {
        let bytes = bundle(Suite::Ed25519);
        for end in 0..bytes.len() {
            assert!(read_all(&bytes[..end]).is_err(), "cut at {end}");
        }
        // The trailer's own packing may be written in more than one way; what it says may not.
        let trailer = bytes.windows(3).rposition(|three| three == b"KF\x01").expect("a trailer");
        for at in 0..trailer {
            let mut other = bytes.clone();
            other[at] ^= 4;
            assert!(read_all(&other).is_err(), "byte {at}");
        }
        let header = Header { format: FORMAT.into(), ..Header::default() };
        let mut writer = Writer::begin(Vec::new(), &header, 3).expect("begun");
        assert!(writer.file([1; 32], 20, [0; 19].as_slice()).is_err(), "a file of another size");
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(matches!(read_all(&longer), Err(BundleError::Trailer(_))));
        assert!(matches!(Reader::begin(bytes.as_slice(), &["kepu-backup-1"]), Err(BundleError::Header)));
    }
}
