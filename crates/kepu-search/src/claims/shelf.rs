//! Claims as the matcher keeps them: ids, symbols, postings. What is asked of them is in `matcher`.

use super::pair::Known;
use super::postings::Postings;
use super::reading;

/// Some claims, in the order of their ids.
#[derive(Default)]
pub struct Shelf {
    ids: Vec<String>,
    /// Symbols of all claims, one after the other.
    symbols: Vec<u32>,
    ends: Vec<u32>,
    pub postings: Postings,
}

impl Shelf {
    /// Reads claims (id, text) with `threads` threads. Of two with one id the last counts.
    pub fn new(claims: Vec<(String, String)>, threads: usize) -> Self {
        let part = claims.len().div_ceil(threads.max(1)).max(1);
        let read: Vec<(String, Vec<u32>)> = std::thread::scope(|scope| {
            let mut claims = claims;
            let mut workers = Vec::new();
            while !claims.is_empty() {
                let mine = claims.split_off(claims.len().saturating_sub(part));
                workers.push(scope.spawn(move || mine.into_iter().map(|(id, text)| (id, reading::read(&text))).collect::<Vec<_>>()));
            }
            workers.into_iter().rev().flat_map(|w| w.join().unwrap_or_default()).collect()
        });
        Self::of(read)
    }

    /// Takes claims that were read.
    fn of(mut read: Vec<(String, Vec<u32>)>) -> Self {
        // Stable, so that the last of two with one id stays behind the first.
        read.sort_by(|a, b| a.0.cmp(&b.0));
        let mut out = Self::default();
        for (id, symbols) in read {
            if out.ids.last() == Some(&id) {
                let start = out.ends.iter().rev().nth(1).copied().unwrap_or(0);
                out.symbols.truncate(start as usize);
                out.ends.pop();
                out.ids.pop();
            }
            out.push(id, &symbols);
        }
        out.index();
        out
    }

    fn push(&mut self, id: String, symbols: &[u32]) {
        self.ids.push(id);
        self.symbols.extend_from_slice(symbols);
        self.ends.push(self.symbols.len() as u32);
    }

    fn index(&mut self) {
        let texts = (0..self.ends.len()).map(|n| slice(&self.symbols, &self.ends, n));
        self.postings = Postings::build(texts);
    }

    /// Adds one claim at the end; all of a small shelf is indexed anew, which takes a few milliseconds.
    pub fn put(&mut self, id: String, symbols: Vec<u32>) {
        self.push(id, &symbols);
        self.index();
    }

    /// Both shelves as one, without the claims that are `gone` (this shelf's first).
    pub fn with(self, other: Self, gone: &[bool]) -> Self {
        let (mine, theirs) = (self.len(), other.len());
        let all = (0..mine).map(|n| (&self, n)).chain((0..theirs).map(|n| (&other, n)));
        let read =
            all.zip(gone).filter(|(_, gone)| !**gone).map(|((shelf, n), _)| (shelf.ids[n].clone(), slice(&shelf.symbols, &shelf.ends, n).to_vec())).collect();
        Self::of(read)
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(String::as_str)
    }

    pub fn id(&self, number: u32) -> &str {
        &self.ids[number as usize]
    }

    pub fn known(&self, number: u32) -> Known<'_> {
        Known { symbols: slice(&self.symbols, &self.ends, number as usize), mass: self.postings.mass[number as usize] }
    }
}

fn slice<'a>(symbols: &'a [u32], ends: &[u32], n: usize) -> &'a [u32] {
    let start = n.checked_sub(1).map_or(0, |before| ends[before]);
    &symbols[start as usize..ends[n] as usize]
}
