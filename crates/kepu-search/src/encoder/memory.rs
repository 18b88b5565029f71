//! Directions that were computed once: kept in memory, and in a file if there is one, so that no text goes through the network twice.
//!
//! A text is known by its sum only: the file holds no words. It is a cache like the index it lies beside; whoever empties the one empties the other.

use super::{DIM, Encoder, Role, Vector};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of the sum of a text.
const SUM: usize = 16;
/// Bytes of a row of the file.
const ROW: usize = SUM + DIM + 4;

type Sum = [u8; SUM];

/// An encoder with what it has read before. Share it by reference.
#[derive(Debug)]
pub struct Memory {
    encoder: Arc<Encoder>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    known: HashMap<Sum, Arc<Vector>>,
    file: Option<File>,
}

impl Memory {
    /// Directions kept at most: some 90 MB. When there are more, all are forgotten and computed again when asked for.
    pub const MOST: usize = 200_000;

    /// Remembers as long as the process lives.
    #[must_use]
    pub fn new(encoder: Arc<Encoder>) -> Self {
        Self { encoder, kept: Mutex::default() }
    }

    /// Remembers in the file `path` too, which is made if it is missing.
    ///
    /// # Errors
    /// The cause, if the file cannot be read or written.
    pub fn beside(encoder: Arc<Encoder>, path: &Path) -> std::io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let length = file.metadata()?.len();
        let most = (Self::MOST * ROW) as u64;
        // A row that was cut off by a crash would shift all behind it.
        if length % ROW as u64 != 0 || length > most {
            file.set_len(0)?;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut known = HashMap::with_capacity(bytes.len() / ROW);
        for row in bytes.as_chunks::<ROW>().0 {
            let (sum, vector) = row.split_at(SUM);
            if let (Ok(sum), Ok(vector)) = (sum.try_into(), vector.try_into()) {
                known.insert(sum, Arc::new(Vector::read(vector)));
            }
        }
        Ok(Self { encoder, kept: Mutex::new(Kept { known, file: Some(file) }) })
    }

    /// The encoder.
    #[must_use]
    pub fn encoder(&self) -> &Arc<Encoder> {
        &self.encoder
    }

    /// The directions of `texts`, in order; those not known yet are computed with `threads` threads and kept.
    #[must_use]
    pub fn get(&self, role: Role, texts: &[&str], threads: usize) -> Vec<Arc<Vector>> {
        let sums: Vec<Sum> = texts.iter().map(|text| sum(role, text)).collect();
        let mut found: HashMap<Sum, Arc<Vector>> = HashMap::new();
        let mut missing: Vec<(Sum, &str)> = Vec::new();
        {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            for (sum, text) in sums.iter().zip(texts) {
                match kept.known.get(sum) {
                    Some(vector) => drop(found.insert(*sum, vector.clone())),
                    None if missing.iter().all(|(known, _)| known != sum) => missing.push((*sum, text)),
                    None => {}
                }
            }
        }
        // Computed without the lock: two who ask for the same at once both compute it, and both come to the same.
        let texts: Vec<&str> = missing.iter().map(|(_, text)| *text).collect();
        let new: Vec<(Sum, Arc<Vector>)> =
            missing.iter().zip(self.encoder.encode_all(role, &texts, threads)).map(|((sum, _), vector)| (*sum, Arc::new(vector))).collect();
        if !new.is_empty() {
            self.keep(&new);
        }
        found.extend(new);
        sums.iter().filter_map(|sum| found.get(sum).cloned()).collect()
    }

    /// The direction of something asked, which nobody keeps.
    #[must_use]
    pub fn passing(&self, role: Role, text: &str) -> Arc<Vector> {
        Arc::new(self.encoder.encode(role, &[text]).swap_remove(0))
    }

    fn keep(&self, new: &[(Sum, Arc<Vector>)]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.known.len() + new.len() > Self::MOST {
            kept.empty();
        }
        let mut rows = Vec::with_capacity(new.len() * ROW);
        for (sum, vector) in new {
            if kept.known.insert(*sum, vector.clone()).is_none() {
                rows.extend(sum);
                vector.write(&mut rows);
            }
        }
        // A disk that is full costs speed, nothing else; what was cut off is thrown away at the next start.
        if kept.file.as_mut().is_some_and(|file| file.write_all(&rows).is_err()) {
            kept.file = None;
        }
    }

    /// Forgets everything, in the file too.
    pub fn forget(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).empty();
    }

    /// How many directions are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).known.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Kept {
    fn empty(&mut self) {
        self.known.clear();
        if self.file.as_mut().is_some_and(|file| file.set_len(0).is_err()) {
            self.file = None;
        }
    }
}

fn sum(role: Role, text: &str) -> Sum {
    let digest = Sha256::new().chain_update(role.prefix()).chain_update(text).finalize();
    let mut out = [0; SUM];
    out.iter_mut().zip(digest).for_each(|(out, byte)| *out = byte);
    out
}
