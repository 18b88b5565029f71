//! Search tokens of a folded text. The index that stores them is in `kepu-search`; folding is in [`mod@crate::fold`].
//!
//! Scripts that write no spaces between words give every letter and every pair of neighbours: measured on the shared
//! questions, letters with pairs find more than a word list does, and a new word needs no dictionary. That is Chinese with all
//! extensions and private-use characters (old systems wrote names in them), kana, Bopomofo, Hangul (particles hang on the word), Yi,
//! Thai, Lao, Khmer, Myanmar and the Dai scripts. Everything else gives whole words: Latin, digits, Cyrillic, Arabic (Uyghur, Kazakh),
//! Mongolian, and Tibetan, whose tsheg ends each syllable.
//!
//! Variation selectors, joiners and combining marks are in no token and part no run.

use std::borrow::Cow;

use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;

use crate::fold::is_ignorable;

/// Longest word in characters; the rest of a longer one is left out of its token, in index and query alike.
pub const WORD_MAX: usize = 64;

/// One search token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gram<'a> {
    /// The token.
    pub text: Cow<'a, str>,
    /// Index of its first character in the folded text, counted in characters.
    pub start: usize,
    /// Index after its last character.
    pub end: usize,
    /// What kind of token it is.
    pub kind: Kind,
}

/// Kinds of search tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A letter without neighbour: the only token of its run.
    Lone,
    /// One letter of a longer run.
    One,
    /// Two neighbouring letters.
    Two,
    /// A whole word of a script that writes spaces, or a number.
    Word,
}

/// All tokens of `folded`, ordered by start; a letter before the pair it begins.
///
/// ```
/// let texts: Vec<String> = kepu_text::pieces::grams("pm2 空气质").map(|g| g.text.into_owned()).collect();
/// assert_eq!(texts, ["pm2", "空", "空气", "气", "气质", "质"]);
/// ```
#[must_use]
pub fn grams(folded: &str) -> Grams<'_> {
    let mut scan = Scan { text: folded, at: 0, index: 0, after_letter: false };
    let next = scan.piece();
    Grams { scan, current: None, next, pair_due: false }
}

/// Iterator of [`grams`].
#[derive(Debug, Clone)]
pub struct Grams<'a> {
    scan: Scan<'a>,
    current: Option<Piece<'a>>,
    next: Option<Piece<'a>>,
    pair_due: bool,
}

impl<'a> Iterator for Grams<'a> {
    type Item = Gram<'a>;

    fn next(&mut self) -> Option<Gram<'a>> {
        if std::mem::take(&mut self.pair_due)
            && let (Some(a), Some(b)) = (&self.current, &self.next)
        {
            let text =
                if a.at + a.text.len() == b.at { Cow::Borrowed(&self.scan.text[a.at..b.at + b.text.len()]) } else { Cow::Owned([&*a.text, &*b.text].concat()) };
            return Some(Gram { text, start: a.start, end: b.end, kind: Kind::Two });
        }
        let piece = self.next.take()?;
        self.next = self.scan.piece();
        let followed = piece.letter && self.next.as_ref().is_some_and(|next| next.joined);
        self.pair_due = followed;
        let kind = match (piece.letter, followed || piece.joined) {
            (false, _) => Kind::Word,
            (true, true) => Kind::One,
            (true, false) => Kind::Lone,
        };
        let gram = Gram { text: piece.text.clone(), start: piece.start, end: piece.end, kind };
        self.current = Some(piece);
        Some(gram)
    }
}

/// A letter or a word, with its place.
#[derive(Debug, Clone)]
struct Piece<'a> {
    text: Cow<'a, str>,
    /// Byte offset of its first character.
    at: usize,
    start: usize,
    end: usize,
    letter: bool,
    /// Whether a letter stands directly before this letter.
    joined: bool,
}

#[derive(Debug, Clone)]
struct Scan<'a> {
    text: &'a str,
    at: usize,
    index: usize,
    /// Whether the last piece was a letter and nothing parts it from what comes.
    after_letter: bool,
}

impl<'a> Scan<'a> {
    fn piece(&mut self) -> Option<Piece<'a>> {
        loop {
            let c = self.text[self.at..].chars().next()?;
            match class(c) {
                Class::Letter => {
                    let (at, start) = (self.at, self.index);
                    self.step(c);
                    let text = Cow::Borrowed(&self.text[at..self.at]);
                    // A letter directly after a word is no neighbour of it: only letters make pairs.
                    let joined = std::mem::replace(&mut self.after_letter, true);
                    return Some(Piece { text, at, start, end: self.index, letter: true, joined });
                }
                Class::Word => return Some(self.word()),
                Class::Skip => self.step(c),
                Class::Break => {
                    self.after_letter = false;
                    self.step(c);
                }
            }
        }
    }

    fn word(&mut self) -> Piece<'a> {
        self.after_letter = false;
        let (at, start) = (self.at, self.index);
        let (mut until, mut end, mut length, mut holes) = (at, start, 0, false);
        while let Some(c) = self.text[self.at..].chars().next() {
            match class(c) {
                Class::Word => {
                    self.step(c);
                    length += 1;
                    if length <= WORD_MAX {
                        (until, end) = (self.at, self.index);
                    }
                }
                Class::Skip => {
                    holes = true;
                    self.step(c);
                }
                Class::Letter | Class::Break => break,
            }
        }
        let text = &self.text[at..until];
        let text = if holes { Cow::Owned(text.chars().filter(|&c| class(c) == Class::Word).collect()) } else { Cow::Borrowed(text) };
        Piece { text, at, start, end, letter: false, joined: false }
    }

    fn step(&mut self, c: char) {
        self.at += c.len_utf8();
        self.index += 1;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Word,
    Skip,
    Break,
}

fn class(c: char) -> Class {
    const MARKS: CanonicalCombiningClassMapBorrowed<'static> = CanonicalCombiningClassMapBorrowed::new();
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Class::Word } else { Class::Break };
    }
    match c {
        '\u{4E00}'..='\u{9FFF}' => Class::Letter,
        c if is_ignorable(c) => Class::Skip,
        c if MARKS.get_u8(c) != 0 => Class::Skip,
        c if writes_no_spaces(c) => Class::Letter,
        c if c.is_alphanumeric() => Class::Word,
        _ => Class::Break,
    }
}

/// Letters of scripts without spaces between words. Whole blocks where all of a block are letters, also those not yet assigned: a
/// character added by the next standard must be findable the day somebody types it.
fn writes_no_spaces(c: char) -> bool {
    match c {
        '\u{2E80}'..='\u{2FDF}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{3035}' | '\u{3038}'..='\u{303C}'
        | '\u{3041}'..='\u{309F}' | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{318F}' | '\u{31A0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}'
        | '\u{A000}'..='\u{A4CF}' | '\u{1100}'..='\u{11FF}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}'
        | '\u{E000}'..='\u{FAFF}' // private use and compatibility ideographs
        | '\u{16FE0}'..='\u{18DFF}' | '\u{1AFF0}'..='\u{1B2FF}' // Tangut, Khitan, more kana, Nüshu
        | '\u{20000}'..='\u{3FFFD}' | '\u{F0000}'..='\u{10FFFF}' => true,
        // Thai, Lao · Myanmar · Khmer · Tai Le, New Tai Lue · Tai Tham · Myanmar extensions, Tai Viet
        '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{1950}'..='\u{19DF}' | '\u{1A20}'..='\u{1AAF}'
        | '\u{A9E0}'..='\u{A9FF}' | '\u{AA60}'..='\u{AADF}' => c.is_alphabetic(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::NAME;
    use crate::fold::fold;

    fn texts(s: &str) -> Vec<String> {
        grams(s).map(|g| g.text.into_owned()).collect()
    }

    #[test]
    fn letters_pairs_words_and_borders() {
        assert_eq!(texts("黑洞"), ["黑", "黑洞", "洞"]);
        assert_eq!(texts("5g技术，mrna疫苗2.5"), ["5g", "技", "技术", "术", "mrna", "疫", "疫苗", "苗", "2", "5"]);
        assert_eq!(texts("水,火"), ["水", "火"]);
        assert_eq!(texts(" ！？🎉 "), [""; 0]);
    }

    #[test]
    fn kinds_and_positions_in_characters() {
        let all: Vec<_> = grams("é水 天空").map(|g| (g.text.into_owned(), g.start, g.end, g.kind)).collect();
        let expected = [("é", 0, 1, Kind::Word), ("水", 1, 2, Kind::Lone), ("天", 3, 4, Kind::One), ("天空", 3, 5, Kind::Two), ("空", 4, 5, Kind::One)];
        assert_eq!(all, expected.map(|(t, s, e, k)| (t.to_owned(), s, e, k)));
    }

    #[test]
    fn every_character_of_the_fixture_person_is_a_letter_without_its_selector() {
        assert_eq!(texts(NAME), texts(&fold(NAME)));
        assert_eq!(texts("\u{20BB7}\u{E0100}\u{30000}"), ["\u{20BB7}", "\u{20BB7}\u{30000}", "\u{30000}"]);
        for c in ['\u{3400}', '\u{20BB7}', '\u{2B740}', '\u{2EBF0}', '\u{30000}', '\u{31350}', '\u{323B0}', '\u{E5E5}', '〇'] {
            assert_eq!(texts(&c.to_string()), [c.to_string()]);
        }
    }

    #[test]
    fn scripts_of_the_country() {
        assert_eq!(texts("ئىلىم-پەن"), ["ئىلىم", "پەن"]);
        assert_eq!(texts("བོད་ཡིག").len(), 2);
        assert_eq!(texts("ꆈꌠ"), ["ꆈ", "ꆈꌠ", "ꌠ"]);
        assert_eq!(texts("과학").len(), 3);
        assert_eq!(texts("ᠮᠣᠩᠭ\u{180B}ᠣᠯ"), ["ᠮᠣᠩᠭᠣᠯ"]);
        assert_eq!(texts("น้ำ"), texts("นำ"));
    }

    #[test]
    fn an_endless_word_gives_one_short_token() {
        assert_eq!(texts(&"a".repeat(100_000)), ["a".repeat(WORD_MAX)]);
    }

    proptest! {
        #[test]
        fn grams_never_panic_and_stay_inside(s in ".{0,60}") {
            let length = s.chars().count();
            let mut last = 0;
            for gram in grams(&s) {
                prop_assert!(!gram.text.is_empty() && gram.start < gram.end && gram.end <= length && gram.start >= last);
                last = gram.start;
            }
        }

        #[test]
        fn every_part_of_a_chinese_text_has_its_pairs_there(s in "[一-龥]{4,12}", a in 0usize..3) {
            let key = fold(&s);
            let part: String = key.chars().skip(a).take(2).collect();
            prop_assert!(texts(&key).contains(&part));
        }
    }
}
