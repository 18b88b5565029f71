//! Why a claim was found: the stretches of post and claim that say the same, to be shown to the reader.

use super::reading::{BREAK, IDENTITY, read_aligned};
use std::collections::HashSet;
use std::ops::Range;

/// Stretches in bytes of the two texts, in order, not overlapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shared {
    /// Of the post.
    pub post: Vec<Range<usize>>,
    /// Of the claim.
    pub claim: Vec<Range<usize>>,
}

/// The stretches of at least two symbols that both texts hold, however they are written.
#[must_use]
pub fn shared(post: &str, claim: &str) -> Shared {
    let (a, b) = (read_aligned(post), read_aligned(claim));
    let (in_a, in_b) = (pairs(&a.0), pairs(&b.0));
    Shared { post: stretches(&a, &in_b), claim: stretches(&b, &in_a) }
}

fn pairs(symbols: &[u32]) -> HashSet<(u32, u32)> {
    symbols.windows(2).filter(|w| w[1] & BREAK == 0).map(|w| (w[0] & IDENTITY, w[1] & IDENTITY)).collect()
}

fn stretches((symbols, places): &(Vec<u32>, Vec<Range<usize>>), other: &HashSet<(u32, u32)>) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    for i in 1..symbols.len() {
        if symbols[i] & BREAK != 0 || !other.contains(&(symbols[i - 1] & IDENTITY, symbols[i] & IDENTITY)) {
            continue;
        }
        match out.last_mut() {
            Some(last) if last.end >= places[i - 1].end => last.end = last.end.max(places[i].end),
            _ => out.push(places[i - 1].start..places[i].end),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_shown_in_the_words_of_each_text() {
        let (post, claim) = ("【快看】喝 檸 檬 水可以抗癌！", "网传「柠檬水可以抗癌」，没有根据。");
        let reason = shared(post, claim);
        assert_eq!(reason.post.iter().map(|r| &post[r.clone()]).collect::<Vec<_>>(), ["檸 檬 水可以抗癌"]);
        assert_eq!(reason.claim.iter().map(|r| &claim[r.clone()]).collect::<Vec<_>>(), ["柠檬水可以抗癌"]);
        assert_eq!(shared("苹果", "香蕉"), Shared::default());
    }
}
