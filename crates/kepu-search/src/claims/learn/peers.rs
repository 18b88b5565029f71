//! What others do with the same posts and claims, written anew from their rules: for comparison only.
//!
//! All of them read texts folded (width, case, script), which most of them do not do at home.

use kepu_text::fold::fold;
use std::collections::HashMap;

/// A rule for finding the claim of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// BM25 over pairs of letters: the usual search engine for Chinese.
    Bm25Pairs,
    /// TF-IDF over one to three letters, cosine.
    TfIdf,
    /// BM25 over three letters, as SQLite's FTS5 ranks with its trigram tokenizer.
    Trigrams,
    /// Cofacts: candidates that hold 70 % of the pairs of the post (all below ten), ranked by Dice over pairs of letters; answers from 0.70.
    Cofacts,
    /// Meedan Check, lexical half: answers if a claim holds 87.5 % of the pairs of the post.
    Check,
}

impl Peer {
    pub const ALL: [Self; 5] = [Self::Bm25Pairs, Self::TfIdf, Self::Trigrams, Self::Cofacts, Self::Check];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bm25Pairs => "BM25 pairs",
            Self::TfIdf => "TF-IDF 1-3, cosine",
            Self::Trigrams => "trigrams as FTS5",
            Self::Cofacts => "Cofacts' rule",
            Self::Check => "Check's rule",
        }
    }

    /// Lengths of the grams it looks at.
    fn lengths(self) -> std::ops::RangeInclusive<usize> {
        match self {
            Self::TfIdf => 1..=3,
            Self::Trigrams => 3..=3,
            _ => 2..=2,
        }
    }
}

/// Claims as a peer keeps them.
pub struct Shelf {
    peer: Peer,
    ids: Vec<String>,
    lists: HashMap<u64, Vec<(u32, f32)>>,
    /// Grams of each claim; for cosines, its length.
    sizes: Vec<f32>,
    mean: f32,
}

fn grams(peer: Peer, text: &str) -> HashMap<u64, f32> {
    let chars: Vec<char> = fold(text).chars().collect();
    let mut out = HashMap::new();
    for run in chars.split(|c| !c.is_alphanumeric()) {
        for length in peer.lengths() {
            for gram in run.windows(length) {
                let key = gram.iter().fold(length as u64, |key, c| key << 21 ^ u64::from(*c as u32));
                *out.entry(key).or_insert(0.0) += 1.0;
            }
        }
    }
    out
}

impl Shelf {
    #[must_use]
    pub fn new(peer: Peer, claims: &[(String, String)]) -> Self {
        let mut out = Self { peer, ids: Vec::new(), lists: HashMap::new(), sizes: Vec::new(), mean: 1.0 };
        for (id, text) in claims {
            let number = out.ids.len() as u32;
            let grams = grams(peer, text);
            out.ids.push(id.clone());
            out.sizes.push(if peer == Peer::Cofacts { grams.len() as f32 } else { grams.values().sum() });
            for (gram, times) in grams {
                out.lists.entry(gram).or_default().push((number, times));
            }
        }
        out.mean = out.sizes.iter().sum::<f32>() / out.sizes.len().max(1) as f32;
        if peer == Peer::TfIdf {
            let mut squares = vec![0.0f32; out.ids.len()];
            let count = out.ids.len() as f32;
            for list in out.lists.values() {
                let idf = (count / list.len() as f32).ln() + 1.0;
                list.iter().for_each(|(claim, times)| squares[*claim as usize] += (idf * (1.0 + times.ln())).powi(2));
            }
            out.sizes = squares.into_iter().map(f32::sqrt).collect();
        }
        out
    }

    /// The best claims with their scores; only what the rule's own threshold lets through counts as answered (the score is then at least 1).
    #[must_use]
    pub fn find(&self, text: &str, limit: usize) -> Vec<(&str, f32)> {
        let asked = grams(self.peer, text);
        let count = self.ids.len() as f32;
        let mut sums: HashMap<u32, (f32, f32)> = HashMap::new();
        let mut own = 0.0;
        // In one order, so that sums come out the same each time.
        let mut ordered: Vec<(&u64, &f32)> = asked.iter().collect();
        ordered.sort_by_key(|(gram, _)| **gram);
        for (gram, times) in ordered {
            let Some(list) = self.lists.get(gram) else {
                own += ((count).ln() + 1.0).powi(2);
                continue;
            };
            let df = list.len() as f32;
            let idf = match self.peer {
                Peer::TfIdf => (count / df).ln() + 1.0,
                _ => (1.0 + (count - df + 0.5) / (df + 0.5)).ln(),
            };
            own += (idf * (1.0 + times.ln())).powi(2);
            for (claim, held) in list {
                let part = match self.peer {
                    Peer::TfIdf => idf * idf * (1.0 + times.ln()) * (1.0 + held.ln()) / self.sizes[*claim as usize].max(1e-6),
                    _ => idf * held * 2.2 / (held + 1.2 * (0.25 + 0.75 * self.sizes[*claim as usize] / self.mean)),
                };
                let sum = sums.entry(*claim).or_default();
                sum.0 += part;
                sum.1 += 1.0;
            }
        }
        let size = asked.len().max(1) as f32;
        let mut out: Vec<(u32, f32)> = sums
            .into_iter()
            .filter_map(|(claim, (score, shared))| {
                let share = shared / size;
                match self.peer {
                    Peer::TfIdf => Some((claim, score / own.sqrt().max(1e-6))),
                    Peer::Cofacts => (share >= if size > 10.0 { 0.7 } else { 1.0 }).then(|| (claim, 2.0 * shared / (size + self.sizes[claim as usize]) / 0.7)),
                    Peer::Check => Some((claim, share / 0.875)),
                    _ => Some((claim, score)),
                }
            })
            .collect();
        out.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| self.ids[a.0 as usize].cmp(&self.ids[b.0 as usize])));
        out.truncate(limit);
        out.into_iter().map(|(claim, score)| (self.ids[claim as usize].as_str(), score)).collect()
    }
}
