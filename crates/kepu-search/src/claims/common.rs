//! How often words are used anyway. In three claims every word is rare, "听说" and "大家" too; a new node would take the chatter around a claim for what is said. So every
//! ledger is read beside [`TEXTS`] texts of everyday use: three claims lean on them wholly, a million hardly notice.
//!
//! The table `common.tsv` holds the letters and pairs that stand in at least three of a thousand texts (fact-checks, doubts, questions, headlines,
//! encyclopedia sentences in equal parts), with their share; `examples/train_claims` writes it.

use super::postings::Map;
use super::reading::{one, two};
use std::sync::LazyLock;

/// How many claims the table stands for.
pub const TEXTS: f32 = 2_000.0;

static SHARES: LazyLock<Map<f32>> = LazyLock::new(|| read(include_str!("common.tsv")).collect());

/// The share of everyday texts that hold a key of `reading`; 0 for what is rare.
pub fn share(key: u64) -> f32 {
    SHARES.get(&key).copied().unwrap_or(0.0)
}

/// Lines of a letter or pair and its share, parted by a tab; others are notes.
fn read(text: &str) -> impl Iterator<Item = (u64, f32)> {
    text.lines().filter_map(|line| {
        let (gram, share) = line.split_once('\t')?;
        let mut letters = gram.chars().map(u32::from);
        let key = match (letters.next()?, letters.next(), letters.next()) {
            (letter, None, _) => one(letter),
            (a, Some(b), None) => two(a, b),
            _ => return None,
        };
        Some((key, share.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::reading;

    #[test]
    fn chatter_is_common_and_a_subject_is_not() {
        let pair = |text: &str| {
            let symbols = reading::read(text);
            two(symbols[0], symbols[1])
        };
        assert!(share(one(reading::read("的")[0])) > 0.3);
        assert!(share(pair("可以")) > 0.02 && share(pair("什么")) > 0.02);
        assert!(share(pair("亚硝")) == 0.0 && share(pair("基站")) == 0.0);
        assert!(SHARES.len() > 1_000 && SHARES.values().all(|share| (0.003..=1.0).contains(share)));
    }
}
