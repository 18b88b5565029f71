//! Search keys: text with everything merged that a searcher would call the same.
//!
//! Never shown and never stored as somebody's text; cleaning what is stored is in [`crate::clean`]. Cutting keys into
//! tokens is in [`crate::pieces`].
//!
//! In this order: NFKC (full width, ligatures, compatibility forms); lower case without context, so that a piece of a
//! word folds as it does inside the word; variation selectors and other invisible characters away; traditional to
//! simplified Chinese; white space to single spaces.
//!
//! Traditional to simplified is OpenCC's `t2s`: first by phrase (計畫 → 计划, which no single character says), then once
//! more character by character, because phrases also *keep* some characters (乾坤, 瞭望) and a query that holds only a part of
//! such a phrase would miss it.

use std::collections::HashMap;
use std::sync::LazyLock;

use ferrous_opencc::OpenCC;
use ferrous_opencc::config::BuiltinConfig;
use icu_normalizer::ComposingNormalizerBorrowed;
use unicode_segmentation::UnicodeSegmentation;

/// The search key of `s`. Equal keys mean "the same to a searcher"; the key of a part is found in the key of the whole.
///
/// ```
/// assert_eq!(kepu_text::fold::fold("  ＤＮＡ　檢測計畫 "), "dna 检测计划");
/// ```
#[must_use]
pub fn fold(s: &str) -> String {
    let mut key = String::with_capacity(s.len());
    if s.is_ascii() {
        key.extend(s.chars().map(|c| c.to_ascii_lowercase()));
    } else {
        extend_lower(&mut key, &ComposingNormalizerBorrowed::new_nfkc().normalize(s));
    }
    squeeze(simplify(key))
}

/// A search key that remembers where it came from, for showing hits in the original text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aligned {
    /// As [`fold`] gives it, but white space neither joined nor trimmed.
    pub key: String,
    /// For each character of `key`, the byte offset of the user character of the original it came from; never falling.
    pub from: Vec<usize>,
}

/// Folds `s` as [`fold`] does and keeps the way back.
#[must_use]
pub fn fold_aligned(s: &str) -> Aligned {
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    let mut key = String::with_capacity(s.len());
    let mut from = Vec::with_capacity(s.len() / 2);
    for (offset, cluster) in s.grapheme_indices(true) {
        let start = key.len();
        match plain(cluster) {
            Some(c) => key.push(c.to_ascii_lowercase()),
            None => extend_lower(&mut key, &nfkc.normalize(cluster)),
        }
        from.extend(key[start..].chars().map(|_| offset));
    }
    Aligned { key: simplify(key), from }
}

/// The key of `c`, if it is the same whatever stands beside it: for ASCII, simplified Chinese, its punctuation and full width. `None` where only [`fold`]
/// can tell. A text of such characters alone needs no [`fold`] to be read one by one.
#[must_use]
pub fn fold_char(c: char) -> Option<char> {
    match c {
        c if c.is_ascii() => Some(c.to_ascii_lowercase()),
        '\u{4E00}'..='\u{9FFF}' => (!HAN.touches(c)).then_some(c),
        '\u{3000}' => Some(' '),
        '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{2018}' | '\u{2019}' | '\u{201C}' | '\u{201D}' | '\u{B7}' | '\u{2014}' => Some(c),
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).map(|c| c.to_ascii_lowercase()),
        _ => None,
    }
}

/// The one character of `cluster`, if neither NFKC nor lower case beyond ASCII concern it.
fn plain(cluster: &str) -> Option<char> {
    let mut chars = cluster.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if c.is_ascii() || matches!(c, '\u{4E00}'..='\u{9FFF}') => Some(c),
        _ => None,
    }
}

fn extend_lower(key: &mut String, normal: &str) {
    for c in normal.chars().filter(|&c| !is_ignorable(c)) {
        match c {
            'ς' => key.push('σ'),
            c if c.is_ascii() => key.push(c.to_ascii_lowercase()),
            c => key.extend(c.to_lowercase()),
        }
    }
}

/// Characters that change how their neighbours look or break, but never what is searched for.
pub(crate) fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' | '\u{180B}'..='\u{180F}' // variation selectors
        | '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

/// White space runs as one space, none at the ends.
fn squeeze(key: String) -> String {
    let clean = |k: &str| !k.contains(|c: char| c.is_whitespace() && c != ' ') && !k.contains("  ");
    if !key.starts_with(' ') && !key.ends_with(' ') && clean(&key) {
        return key;
    }
    let mut out = String::with_capacity(key.len());
    for word in key.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Characters that only whole phrases of `t2s` change: alone they stay, or may stay.
const PHRASE_ONLY: &str = "彷牴瞭祇藉衹覆阪沈";

/// What `t2s` does, taken apart once so that simplified text, nearly all of ours, costs one bit test a character.
struct Han {
    opencc: OpenCC,
    /// Characters that change alone, with what they end as.
    simple: HashMap<char, char>,
    /// One bit a code point below [`HAN_END`]: set if the character can take part in a change.
    touched: Vec<u64>,
}

const HAN_END: u32 = 0x33480;

static HAN: LazyLock<Han> = LazyLock::new(|| {
    let opencc = OpenCC::from_config(BuiltinConfig::T2s).expect("the t2s tables are compiled into ferrous-opencc");
    let mut simple = HashMap::new();
    let mut touched = vec![0; HAN_END as usize / 64 + 1];
    let mut touch = |c: char| touched[c as usize / 64] |= 1u64 << (c as u32 % 64);
    let alone = |c: char| opencc.convert(c.encode_utf8(&mut [0; 4])).chars().next().unwrap_or(c);
    for c in ('\u{3400}'..='\u{9FFF}').chain('\u{20000}'..='\u{33479}') {
        // Twice, for the one chain in the tables (薴 → 苧 → 苎): without following it, folding twice would differ.
        let target = alone(alone(c));
        if target != c {
            simple.insert(c, target);
            touch(c);
        }
    }
    PHRASE_ONLY.chars().for_each(&mut touch);
    Han { opencc, simple, touched }
});

impl Han {
    fn touches(&self, c: char) -> bool {
        c >= '\u{3400}' && (c as u32) < HAN_END && self.touched[c as usize / 64] >> (c as u32 % 64) & 1 == 1
    }
}

/// Traditional to simplified; as many characters as before, so that [`Aligned::from`] stays right.
fn simplify(key: String) -> String {
    if key.is_ascii() {
        return key;
    }
    let han = &*HAN;
    if !key.chars().any(|c| han.touches(c)) {
        return key;
    }
    let mut out = String::with_capacity(key.len());
    // Phrases hold ideographs only, so each run of them is converted by itself, and only if something in it can change.
    let mut rest = key.as_str();
    while !rest.is_empty() {
        let first_is_han = rest.starts_with(is_ideograph);
        let end = rest.find(|c| is_ideograph(c) != first_is_han).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        if first_is_han && run.chars().any(|c| han.touches(c)) {
            let phrases = han.opencc.convert(run);
            let same_length = phrases.chars().count() == run.chars().count();
            let source = if same_length { phrases.as_str() } else { run };
            out.extend(source.chars().map(|c| if han.touches(c) { *han.simple.get(&c).unwrap_or(&c) } else { c }));
        } else {
            out.push_str(run);
        }
        rest = after;
    }
    out
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFD}')
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing call fails its test")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::NAME;

    #[test]
    fn traditional_and_simplified_meet() {
        for (traditional, simplified) in [
            ("臺灣的颱風計畫", "台湾的台风计划"),
            ("瞭解錢鍾書", "了解钱锺书"),
            ("乾坤、乾燥與乾隆", "乾坤、干燥与乾隆"),
            ("瞭望塔答覆", "瞭望塔答复"),
            ("沈默的項鍊", "沉默的项链"),
            ("薴", "苧"),
            ("頭髮與發展", "头发与发展"),
        ] {
            assert_eq!(fold(traditional), fold(simplified), "{traditional}");
        }
    }

    #[test]
    fn part_of_a_kept_phrase_is_found_in_it() {
        assert!(fold("乾隆皇帝").contains(&fold("乾")));
        assert!(fold("地球科學").contains(&fold("球科")));
        assert!(fold("ΟΔΟΣ ΟΔΟΣΑ").contains(&fold("οδος")));
    }

    #[test]
    fn width_case_and_space() {
        assert_eq!(fold(" ＰＭ２．５ ㎏\u{3000}\n①"), "pm2.5 kg 1");
        assert_eq!(fold("DNA"), "dna");
        assert_eq!(fold(" \t "), "");
    }

    #[test]
    fn rare_characters_keep_their_identity_without_their_selectors() {
        assert_eq!(fold(NAME), "王\u{3400}\u{20BB7}\u{30000}\u{2EBF0}");
    }

    #[test]
    fn every_single_conversion_of_opencc_is_known_to_the_fast_path() {
        let opencc = OpenCC::from_config(BuiltinConfig::T2s).unwrap();
        for c in ('\u{0}'..='\u{33FFF}').filter(|c| !HAN.touches(*c)) {
            assert_eq!(opencc.convert(&c.to_string()), c.to_string());
        }
    }

    #[test]
    fn characters_that_fold_alone_fold_the_same_in_company() {
        for c in ('\u{1}'..='\u{FFFF}').filter(|c| !c.is_whitespace()) {
            if let Some(key) = fold_char(c) {
                assert_eq!(fold(&format!("天{c}地")), format!("天{key}地"), "{c:?}");
            }
        }
        assert_eq!((fold_char('灣'), fold_char('é'), fold_char('Ａ')), (None, None, Some('a')));
    }

    #[test]
    fn alignment_points_at_the_user_character() {
        let text = "Ａ\u{20BB7}\u{E0100}㎏ 計畫";
        let aligned = fold_aligned(text);
        assert_eq!(aligned.key, "a\u{20BB7}kg 计划");
        assert_eq!(aligned.from.len(), aligned.key.chars().count());
        assert_eq!(aligned.from, [0, 3, 11, 11, 14, 15, 18]);
    }

    proptest! {
        #[test]
        fn alignment_fits_any_text(s in ".{0,40}") {
            let aligned = fold_aligned(&s);
            prop_assert_eq!(aligned.from.len(), aligned.key.chars().count());
            prop_assert!(aligned.from.is_sorted());
            prop_assert!(aligned.from.iter().all(|&at| s.is_char_boundary(at)));
        }

        #[test]
        fn aligned_and_plain_folding_agree_on_chinese(s in "[一-龥a-zA-Z０-９，。 ]{0,40}") {
            prop_assert_eq!(squeeze(fold_aligned(&s).key), fold(&s));
        }

        #[test]
        fn folding_chinese_twice_changes_nothing(s in "[一-龥]{0,12}[a-zA-Z ０-９]{0,4}") {
            let key = fold(&s);
            prop_assert_eq!(fold(&key), key);
        }
    }
}
