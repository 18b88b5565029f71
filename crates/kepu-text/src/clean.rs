//! Cleaning text that people typed, before it is stored. Meaning and names stay; what nobody can see goes.
//!
//! Search keys, which may change much more, are made in [`mod@crate::fold`]; limits are counted with [`crate::graphemes`].
//!
//! - Letters and marks are put together (NFC, never NFKC), except that CJK compatibility ideographs stay as typed: even
//!   NFC would turn the U+F92C in somebody's name into another code.
//! - Removed: control characters except line feed and tab, the bidirectional overrides, embeddings, isolates and marks, zero-width spaces,
//!   blank fillers, tag characters outside flags, noncharacters.
//! - Kept: every variation selector (standard and ideographic, Mongolian too), and zero-width (non-)joiners where they
//!   shape something: between letters of Arabic, Mongolian or Indic kind, and inside emoji.

use icu_normalizer::ComposingNormalizerBorrowed;

const ZWNJ: char = '\u{200C}';
const ZWJ: char = '\u{200D}';

/// Text of one line (a name, a title): as [`clean_text`], with line breaks and tabs as spaces and each run of white space
/// as one space. A lone ideographic space stays.
///
/// ```
/// assert_eq!(kepu_text::clean::clean_line(" 王\u{202E}\t小明\u{200B} "), "王 小明");
/// ```
#[must_use]
pub fn clean_line(s: &str) -> String {
    let visible = compose(&visible(s));
    let mut out = String::with_capacity(visible.len());
    let mut space: Option<char> = None;
    for c in visible.trim().chars() {
        if c.is_whitespace() {
            space = match space {
                None if !matches!(c, '\n' | '\t') => Some(c),
                _ => Some(' '),
            };
        } else {
            out.extend(space.take());
            out.push(c);
        }
    }
    out
}

/// Text of several lines: line ends become `\n`, invisible characters go (see the module), white space at both ends goes.
#[must_use]
pub fn clean_text(s: &str) -> String {
    let visible = compose(&visible(s));
    match visible.trim() {
        whole if whole.len() == visible.len() => visible,
        part => part.to_owned(),
    }
}

/// `s` with line ends made `\n` and without what [`dropped`] names; joiners only where they join.
fn visible(s: &str) -> String {
    let mut kept: Vec<char> = Vec::with_capacity(s.len());
    let mut flag = false;
    let mut previous = '\0';
    for c in s.chars() {
        match c {
            '\n' if previous == '\r' => {}
            '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => kept.push('\n'),
            // Flags of regions are a black flag followed by tag characters; anywhere else tags only hide text.
            '\u{E0020}'..='\u{E007F}' => kept.extend(flag.then_some(c)),
            c if !dropped(c) => kept.push(c),
            _ => {}
        }
        flag = c == '\u{1F3F4}' || (flag && matches!(c, '\u{E0020}'..='\u{E007E}'));
        previous = c;
    }
    let mut out = String::with_capacity(s.len());
    let mut before = '\0';
    for (i, &c) in kept.iter().enumerate() {
        if matches!(c, ZWJ | ZWNJ) && !joins(before, c, kept.get(i + 1).copied().unwrap_or('\0')) {
            continue;
        }
        out.push(c);
        before = c;
    }
    out
}

/// NFC of everything except CJK compatibility ideographs.
fn compose(s: &str) -> String {
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    let mut out = String::with_capacity(s.len());
    let mut rest = s;
    // Compatibility ideographs are starters that compose with nothing, so the text may be cut around them.
    while let Some((at, c)) = rest.char_indices().find(|&(_, c)| is_compatibility_ideograph(c)) {
        out.push_str(&nfc.normalize(&rest[..at]));
        out.push(c);
        rest = &rest[at + c.len_utf8()..];
    }
    out.push_str(&nfc.normalize(rest));
    out
}

fn is_compatibility_ideograph(c: char) -> bool {
    matches!(c, '\u{F900}'..='\u{FAFF}' | '\u{2F800}'..='\u{2FA1F}')
}

/// Characters without a place in typed text: nobody sees them, and they reorder, hide or double what is seen.
fn dropped(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        c if c.is_control() => true,
        '\u{AD}'                                    // soft hyphen
        | '\u{61C}' | '\u{200E}' | '\u{200F}'       // direction marks: `dir` is set per edition
        | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' // embeddings, overrides, isolates
        | '\u{200B}' | '\u{2060}'..='\u{2064}' | '\u{206A}'..='\u{206F}' | '\u{FEFF}' // zero width
        | '\u{3164}' | '\u{FFA0}'                   // blank letters
        | '\u{FFF9}'..='\u{FFFB}'                   // annotation marks
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0001}' => true,
        c => matches!(c, '\u{FDD0}'..='\u{FDEF}') || (c as u32) & 0xFFFE == 0xFFFE,
    }
}

/// Whether the joiner `c` between `before` and `after` changes how they look.
fn joins(before: char, c: char, after: char) -> bool {
    if shaped(before) && shaped(after) {
        return true;
    }
    c == ZWJ && pictograph_end(before) && pictograph(after)
}

/// Letters and marks of scripts whose spelling uses joiners: Arabic and its neighbours (Uyghur, Kazakh), the Indic
/// scripts, Myanmar and Dai, Khmer, Mongolian, Phags-pa.
fn shaped(c: char) -> bool {
    matches!(c,
        '\u{600}'..='\u{8FF}' | '\u{900}'..='\u{DFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{18AF}'
        | '\u{1A20}'..='\u{1AAF}' | '\u{1B00}'..='\u{1BFF}' | '\u{A840}'..='\u{A8FF}' | '\u{A980}'..='\u{AADF}'
        | '\u{FB50}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}' | '\u{11000}'..='\u{11FFF}')
}

/// A sign that may stand in an emoji sequence. Wider than the property Extended_Pictographic, which does no harm here.
fn pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
}

fn pictograph_end(c: char) -> bool {
    pictograph(c) || matches!(c, '\u{FE0F}' | '\u{E007F}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::NAME;

    #[test]
    fn names_survive_unchanged() {
        assert_eq!(clean_line(NAME), NAME);
        // U+F92C and U+2F800 are compatibility ideographs that NFC would replace.
        for name in ["\u{F92C}\u{FA0E}\u{2F800}", "葛\u{E0101}城", "葛\u{FE00}", "阿依古丽·买买提", "张　三"] {
            assert_eq!(clean_line(name), name);
        }
    }

    #[test]
    fn text_nobody_can_see_goes() {
        assert_eq!(clean_line("管\u{202E}理\u{2066}员\u{200B}\u{FEFF}\u{0}\u{3164}"), "管理员");
        assert_eq!(clean_line("好\u{E0041}\u{E0042}"), "好");
        assert_eq!(clean_line("张\u{200D}三\u{200C}"), "张三");
    }

    #[test]
    fn joiners_stay_where_they_shape() {
        for s in ["می\u{200C}خواهم", "क\u{94D}\u{200D}ष", "ᠮᠣᠩᠭ\u{180B}ᠣᠯ", "👩\u{200D}🔬", "🏳\u{FE0F}\u{200D}🌈"] {
            assert_eq!(clean_line(s), s);
        }
        let england = "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}";
        assert_eq!(clean_line(england), england);
    }

    #[test]
    fn letters_are_put_together_but_never_replaced_by_likenesses() {
        assert_eq!(clean_line("e\u{301}"), "é");
        assert_eq!(clean_line("Ａ①㎡"), "Ａ①㎡");
    }

    #[test]
    fn line_ends_and_edges() {
        assert_eq!(clean_text(" 一\r\n二\r三\u{2028}四 \n"), "一\n二\n三\n四");
        assert_eq!(clean_line("一\r\n二\t 三"), "一 二 三");
        assert_eq!(clean_line(" \n "), "");
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(s in prop::collection::vec(prop_oneof![
            any::<char>(),
            prop::sample::select(vec!['\r', '\n', ' ', '\u{200D}', '\u{200C}', '\u{301}', 'ا', '🔬', '\u{1F3F4}', '\u{E0067}', '\u{FE0F}', 'e', '\u{F92C}', '\u{1100}', '\u{1161}']),
        ], 0..30)) {
            let s: String = s.into_iter().collect();
            let line = clean_line(&s);
            prop_assert_eq!(clean_line(&line), line.clone());
            let text = clean_text(&s);
            prop_assert_eq!(clean_text(&text), text.clone());
            prop_assert!(!line.contains(['\n', '\r', '\u{202E}']), "left in {:?}", line);
        }
    }
}
