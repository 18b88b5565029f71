//! A query text taken apart into what is looked for.
//!
//! How much of it a document must hold is decided in `found`; how it scores, in `search`.

use std::collections::HashSet;

use kepu_text::fold::fold;
use kepu_text::graphemes;
use kepu_text::pieces::{Kind, grams};

use crate::query::QUERY_MAX;

/// Letters that build questions and sentences, not subjects. A pair with one of them says nothing about what is asked: without this, "什么是黑洞" would
/// ask for 什么, 么是 and 是黑 as much as for 黑洞. Only letters that hardly occur in words of a subject stand here (not 为, 和, 能, 会, 有: 行为, 碳中和, 能源 …).
const PARTICLES: &str = "的了吗呢吧啊呀嘛么什怎哪谁是";

/// Whether a token holds a letter that only builds sentences.
pub(crate) fn is_particle(token: &str) -> bool {
    token.contains(|c| PARTICLES.contains(c))
}

/// A query text taken apart. Nothing occurs twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needles {
    /// What decides whether a document is found: pairs of letters, words, letters that stand alone.
    pub deciding: Vec<Unit>,
    /// Pairs with a particle: they help the order only. (If there is nothing else, they decide.)
    pub passing: Vec<String>,
    /// Letters inside runs: they help the order only.
    pub letters: Vec<String>,
    /// Whether the text was longer than [`QUERY_MAX`].
    pub truncated: bool,
    /// Whether there was no text at all.
    pub blank: bool,
}

/// One folded token that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    pub text: String,
    /// A word or number stands for itself; pairs of letters overlap and stand for their word together.
    pub is_word: bool,
}

impl Needles {
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let kept = graphemes::truncate(text, QUERY_MAX);
        // One user character can be ten thousand marks on one letter.
        let kept = kept.char_indices().nth(QUERY_MAX * 8).map_or(kept, |(end, _)| &kept[..end]);
        let mut needles = Self { truncated: kept.len() < text.len(), blank: text.is_empty(), ..Self::default() };
        let mut seen = HashSet::new();
        for gram in grams(&fold(kept)) {
            if !seen.insert((gram.kind == Kind::One, gram.text.to_string())) {
                continue;
            }
            let text = gram.text.into_owned();
            match gram.kind {
                Kind::One => needles.letters.push(text),
                Kind::Two if is_particle(&text) => needles.passing.push(text),
                Kind::Two => needles.deciding.push(Unit { text, is_word: false }),
                Kind::Word | Kind::Lone => needles.deciding.push(Unit { text, is_word: true }),
            }
        }
        if needles.deciding.is_empty() {
            needles.deciding = needles.passing.drain(..).map(|text| Unit { text, is_word: false }).collect();
        }
        needles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deciding(text: &str) -> Vec<String> {
        Needles::parse(text).deciding.into_iter().map(|unit| unit.text).collect()
    }

    #[test]
    fn questions_are_about_their_subject() {
        assert_eq!(deciding("什么是黑洞？"), ["黑洞"]);
        assert_eq!(deciding("Wi-Fi 致癌嗎"), ["wi", "fi", "致癌"]);
        assert_eq!(deciding("是什么"), ["是什", "什么"]);
        assert_eq!(deciding("水"), ["水"]);
    }

    #[test]
    fn nothing_is_looked_for_twice_and_the_end_of_a_long_text_not_at_all() {
        let needles = Needles::parse(&"天空".repeat(5_000));
        assert!(needles.truncated && !needles.blank);
        assert_eq!((needles.deciding.len(), needles.letters.len()), (2, 2));
        assert!(Needles::parse(" \n ").blank);
        assert!(!Needles::parse("？！").blank);
    }
}
