//! Counting and cutting in user characters (extended grapheme clusters, Unicode UAX 29).
//!
//! Every limit shown to people is meant in these: `𠮷` with a variation selector is one character, though it
//! is 8 bytes, 4 UTF-16 units and 2 scalars. The limits themselves live with the noun in `kepu-domain`.

use unicode_segmentation::UnicodeSegmentation;

/// Number of user characters in `s`. `"\r\n"` counts as one.
///
/// ```
/// assert_eq!(kepu_text::graphemes::count("\u{20BB7}\u{E0100}王"), 2);
/// ```
#[must_use]
pub fn count(s: &str) -> usize {
    // Up to here bytes are user characters; only "\r\n" would break that.
    if s.is_ascii() && !s.contains('\r') { s.len() } else { s.graphemes(true).count() }
}

/// The longest beginning of `s` that has at most `max` user characters; a cluster is never cut in two.
#[must_use]
pub fn truncate(s: &str, max: usize) -> &str {
    // A cluster has at least one byte, so short texts need no segmentation.
    if s.len() <= max {
        return s;
    }
    match s.grapheme_indices(true).nth(max) {
        Some((end, _)) => &s[..end],
        None => s,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::NAME;

    #[test]
    fn a_rare_name_counts_what_people_see() {
        assert_eq!(count(NAME), 5);
        assert_eq!(count("👩‍🔬👨‍👩‍👧"), 2);
        assert_eq!(count("བོད་ཡིག"), 5);
        assert_eq!(count("a\r\nb"), 3);
    }

    #[test]
    fn twenty_four_byte_characters_fit_a_limit_of_twenty() {
        let title = "\u{20BB7}".repeat(20);
        assert_eq!(count(&title), 20);
        assert_eq!(truncate(&title, 20), title);
    }

    #[test]
    fn cutting_keeps_the_variation_selector_with_its_character() {
        assert_eq!(truncate(NAME, 3), "王\u{3400}\u{20BB7}\u{E0100}");
        assert_eq!(truncate(NAME, 0), "");
    }

    proptest! {
        #[test]
        fn truncate_never_splits_a_cluster(s in "\\PC{0,40}[\u{300}\u{E0100}\u{200D}]?\\PC{0,10}", max in 0usize..30) {
            let cut = truncate(&s, max);
            let clusters: Vec<&str> = s.graphemes(true).take(max).collect();
            prop_assert_eq!(cut, clusters.concat());
            prop_assert!(count(cut) <= max);
        }
    }
}
