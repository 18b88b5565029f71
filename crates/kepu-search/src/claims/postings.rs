//! The inverted index of the matcher: which claims hold a symbol or a pair of neighbours, and how much that says about them.
//!
//! Made for one question: the best few claims for one post, in bounded time whatever the number of claims. A list of postings is a row of claim
//! numbers with one byte of impact each (the part of BM25 that depends on the claim). Lists are read rarest first, and no more than [`Budget`] of them;
//! claims are scored in blocks whose sums fit the processor's cache. What the best few are worth is decided in `pair` and `decide`.

use super::common;
use super::copies::Copies;
use super::reading::{BREAK, is_pair, one, two};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::hint::black_box;

/// Claims scored together.
const BLOCK: usize = 1 << 16;
/// Saturation of repeated grams and weight of length, as BM25 names them.
const K1: f32 = 1.5;
const B: f32 = 0.75;
/// Places for the sums of a post that reads few postings.
const SPOTS: usize = 1 << 14;
/// Impacts are this many steps from 0 to 1.
const STEPS: f32 = 255.0;

/// Keys are well mixed by one multiplication.
#[derive(Default, Clone)]
pub struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }
    fn write_u64(&mut self, n: u64) {
        let mixed = (self.0 ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 29;
    }
}

/// A map with keys of `reading`.
pub type Map<V> = HashMap<u64, V, BuildHasherDefault<Mix>>;

/// Distinct keys of a text with how often each stands in it, in the order of the keys.
pub fn keys(symbols: &[u32]) -> Vec<(u64, u32)> {
    let mut all: Vec<u64> = Vec::with_capacity(symbols.len() * 2);
    for (i, symbol) in symbols.iter().enumerate() {
        all.push(one(*symbol));
        if let Some(before) = i.checked_sub(1).map(|b| symbols[b]).filter(|_| symbol & BREAK == 0) {
            all.push(two(before, *symbol));
        }
    }
    all.sort_unstable();
    let mut out: Vec<(u64, u32)> = Vec::with_capacity(all.len());
    for key in all {
        match out.last_mut() {
            Some((last, times)) if *last == key => *times += 1,
            _ => out.push((key, 1)),
        }
    }
    out
}

/// How much a claim of this length and mean length gets for a gram that stands in it so many times, from 0 to 1.
pub fn impact(times: f32, length: usize, mean: f32) -> f32 {
    times / (times + K1 * (1.0 - B + B * length as f32 / mean))
}

/// How rare a key is that `len` of `count` claims hold, beside everything that is said anyway: see `common`.
pub fn idf(key: u64, len: u32, count: usize) -> f32 {
    rare(count as f32 + common::TEXTS, len as f32 + common::TEXTS * common::share(key))
}

/// How rare a key is that nobody ever used.
pub fn idf_most(count: usize) -> f32 {
    rare(count as f32 + common::TEXTS, 0.0)
}

fn rare(n: f32, df: f32) -> f32 {
    (1.0 + (n - df + 0.5).max(0.5) / (df + 0.5)).ln()
}

/// Postings of some claims, by key.
#[derive(Default)]
pub struct Postings {
    /// Where the list of a key begins, and its length: one look into memory, not two.
    lists: Map<(u32, u32)>,
    claims: Vec<u32>,
    impacts: Vec<u8>,
    /// How many claims there are.
    pub count: usize,
    /// Their mean length in symbols.
    pub mean: f32,
    /// Of each claim the sums of rarity, from 0 to 1 a key: of distinct symbols, of distinct pairs.
    pub mass: Vec<[f32; 2]>,
}

/// A list to be read, with what a post makes of it.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// Where the list begins.
    pub list: u32,
    /// How many claims it names.
    pub len: u32,
    /// What the full impact is worth.
    pub weight: f32,
}

/// How much is read for one post.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Postings read, at least of the rarest list.
    pub postings: usize,
    /// Claims kept.
    pub keep: usize,
}

/// Memory that one thread uses again for every post; it also knows the answers to the texts of late.
pub struct Sums {
    sums: Vec<f32>,
    /// Claim and sum; a sum of 0 is a free place.
    spots: Vec<(u32, f32)>,
    touched: Vec<u32>,
    cursors: Vec<(usize, usize, f32)>,
    pub(super) copies: Copies,
}

impl Sums {
    /// Forgets which texts were asked, so that the next of them is looked for again.
    pub fn forget_copies(&mut self) {
        self.copies.clear();
    }
}

impl Default for Sums {
    fn default() -> Self {
        Self { sums: vec![0.0; BLOCK], spots: vec![(0, 0.0); SPOTS], touched: Vec::new(), cursors: Vec::new(), copies: Copies::default() }
    }
}

impl Postings {
    /// Indexes texts given as symbols; claim `n` is the `n`th of them.
    pub fn build<'a>(texts: impl Iterator<Item = &'a [u32]> + Clone) -> Self {
        let mut out = Self::default();
        let mut lengths: Vec<usize> = Vec::new();
        for text in texts.clone() {
            lengths.push(text.len());
            for (key, _) in keys(text) {
                out.lists.entry(key).or_default().1 += 1;
            }
        }
        out.count = lengths.len();
        out.mean = (lengths.iter().sum::<usize>() as f32 / lengths.len().max(1) as f32).max(1.0);
        let mut total = 0u32;
        for (start, len) in out.lists.values_mut() {
            *start = total;
            total += *len;
        }
        out.claims = vec![0; total as usize];
        out.impacts = vec![0; total as usize];
        let full = idf_most(out.count);
        for (claim, text) in texts.enumerate() {
            let mut mass = [0.0; 2];
            for (key, times) in keys(text) {
                let Some((next, len)) = out.lists.get_mut(&key) else { continue };
                let at = *next as usize;
                *next += 1;
                out.claims[at] = claim as u32;
                out.impacts[at] = (STEPS * impact(times as f32, lengths[claim], out.mean)).round().max(1.0) as u8;
                mass[usize::from(is_pair(key))] += idf(key, *len, out.count) / full;
            }
            out.mass.push(mass);
        }
        // Every list was filled to its end, where the next one begins.
        out.lists.values_mut().for_each(|(start, len)| *start -= *len);
        out
    }

    /// The list of a key and its length.
    pub fn list(&self, key: u64) -> Option<(u32, u32)> {
        self.lists.get(&key).copied()
    }

    /// The claims with the highest sums, in no order; of equals the first. `probes` come in the order in which they are to be read.
    pub fn best(&self, probes: &[Probe], budget: Budget, sums: &mut Sums) -> Vec<(u32, f32)> {
        sums.cursors.clear();
        let mut left = budget.postings;
        for probe in probes {
            let len = probe.len as usize;
            if len > left && !sums.cursors.is_empty() {
                break;
            }
            left = left.saturating_sub(len);
            let start = probe.list as usize;
            sums.cursors.push((start, start + len, probe.weight / STEPS));
        }
        let mut best = Best { keep: budget.keep, floor: 0.0, list: Vec::with_capacity(budget.keep * 4) };
        let whole: usize = sums.cursors.iter().map(|(from, to, _)| to - from).sum();
        if whole * 2 <= SPOTS && self.count > BLOCK {
            self.best_of_few(sums, &mut best);
        } else {
            self.best_in_blocks(sums, &mut best);
        }
        cut(&mut best.list, budget.keep);
        best.list
    }

    /// Few postings of many claims: each claim has a spot found by its number.
    fn best_of_few(&self, sums: &mut Sums, best: &mut Best) {
        // Each list is somewhere else in memory: touched one behind the other, they come together.
        black_box(sums.cursors.iter().fold(0, |all, (from, ..)| all ^ self.claims[*from] ^ u32::from(self.impacts[*from])));
        for (from, to, weight) in &sums.cursors {
            for (claim, impact) in self.claims[*from..*to].iter().zip(&self.impacts[*from..*to]) {
                let mut at = claim.wrapping_mul(0x9e37_79b1) as usize >> (32 - SPOTS.trailing_zeros());
                loop {
                    let spot = &mut sums.spots[at];
                    if spot.1 == 0.0 {
                        spot.0 = *claim;
                        sums.touched.push(at as u32);
                    }
                    if spot.0 == *claim {
                        spot.1 += *weight * f32::from(*impact);
                        break;
                    }
                    at = (at + 1) % SPOTS;
                }
            }
        }
        for at in sums.touched.drain(..) {
            let (claim, sum) = std::mem::take(&mut sums.spots[at as usize]);
            best.take(claim, sum);
        }
    }

    /// Many postings: claims by blocks whose sums stand side by side.
    fn best_in_blocks(&self, sums: &mut Sums, best: &mut Best) {
        for base in (0..self.count).step_by(BLOCK) {
            let end = (base + BLOCK).min(self.count) as u32;
            let last = end as usize == self.count;
            for (at, stop, weight) in &mut sums.cursors {
                let run = if last { *stop - *at } else { self.claims[*at..*stop].partition_point(|claim| *claim < end) };
                for (claim, impact) in self.claims[*at..*at + run].iter().zip(&self.impacts[*at..*at + run]) {
                    let sum = &mut sums.sums[*claim as usize - base];
                    if *sum == 0.0 {
                        sums.touched.push(*claim);
                    }
                    *sum += *weight * f32::from(*impact);
                }
                *at += run;
            }
            for claim in sums.touched.drain(..) {
                best.take(claim, std::mem::take(&mut sums.sums[claim as usize - base]));
            }
        }
    }
}

/// The claims with the highest sums so far.
struct Best {
    keep: usize,
    floor: f32,
    list: Vec<(u32, f32)>,
}

impl Best {
    fn take(&mut self, claim: u32, sum: f32) {
        // Of equals the first claim counts, in whatever order they come.
        if sum > 0.0 && sum >= self.floor {
            self.list.push((claim, sum));
            if self.list.len() >= self.keep * 4 {
                self.floor = cut(&mut self.list, self.keep);
            }
        }
    }
}

/// Keeps the best, in no order; how much the last of them has, or 0 while there are fewer.
fn cut(best: &mut Vec<(u32, f32)>, keep: usize) -> f32 {
    if best.len() < keep || keep == 0 {
        return 0.0;
    }
    let (_, last, _) = best.select_nth_unstable_by(keep - 1, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let floor = last.1;
    best.truncate(keep);
    floor
}
