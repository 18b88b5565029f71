//! Copies of what was just asked: most of what goes round is one text over and over, and its answer is known already.
//!
//! A copy is the same row of symbols (see `reading`), so other spacing, width, script or ornaments do not matter. Of a text only a keyed hash is noted, with a
//! key that no other run has; what is noted is forgotten when the claims change or there is too much of it.

use super::matcher::Found;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Texts that are remembered.
const MOST: usize = 2_048;

/// Answers to the texts of late.
#[derive(Default)]
pub struct Copies {
    keys: [RandomState; 2],
    /// Which state of which matcher the answers are of.
    state: u64,
    known: HashMap<Key, Found>,
}

/// A text of so many hits: 128 bits, so that two texts never share them.
pub type Key = ([u64; 2], usize);

impl Copies {
    /// The key of a text.
    pub fn key(&self, symbols: &[u32], limit: usize) -> Key {
        (self.keys.each_ref().map(|key| key.hash_one(symbols)), limit)
    }

    /// The answer of a matcher in this state, if the text was asked lately.
    pub fn get(&self, state: u64, key: &Key) -> Option<Found> {
        self.known.get(key).filter(|_| self.state == state).cloned()
    }

    /// Remembers an answer.
    pub fn put(&mut self, state: u64, key: Key, found: &Found) {
        if self.state != state || self.known.len() >= MOST {
            self.known.clear();
            self.state = state;
        }
        self.known.insert(key, found.clone());
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.known.clear();
    }
}
