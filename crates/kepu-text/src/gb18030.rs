//! GB 18030-2022 in detail: writing it, and the private-use codes older files and fonts used.
//!
//! Reading unknown files, of which GB 18030 is one case, is in [`mod@crate::decode`].
//!
//! Of U+3400..U+31FFF every character survives writing and reading. Outside that, 19 private-use codes do not:
//! 18 old ones (U+E78D to U+E796, U+E81E, U+E826, U+E82B, U+E82C, U+E832, U+E843, U+E854, U+E864) come back as the
//! characters that replaced them, which is what the 2022 standard asks for, and U+E5E5 cannot be written.

use encoding_rs::{EncoderResult, GB18030};

/// A character that GB 18030 has no code for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not write U+{:04X} as GB 18030: line {line}; save as UTF-8, or use another character", *character as u32)]
pub struct EncodeError {
    /// Line, counted from 1.
    pub line: usize,
    /// The character without a code; today only U+E5E5.
    pub character: char,
}

/// `text` as GB 18030 bytes, for the programs of county offices that expect it. No byte order mark is written.
///
/// # Errors
/// [`EncodeError`] at the first character without a code.
pub fn encode_gb18030(text: &str) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = GB18030.new_encoder();
    let mut out = Vec::with_capacity(text.len() + 16);
    let mut rest = text;
    loop {
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut out, true);
        rest = &rest[read..];
        match result {
            EncoderResult::InputEmpty => return Ok(out),
            EncoderResult::OutputFull => out.reserve(rest.len() * 2 + 16),
            EncoderResult::Unmappable(character) => {
                let line = 1 + text[..text.len() - rest.len()].matches('\n').count();
                return Err(EncodeError { line, character });
            }
        }
    }
}

/// Whether `c` is a private-use character: only programs that agreed on it show the same sign.
#[must_use]
pub fn is_private_use(c: char) -> bool {
    matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}')
}

/// The character that replaced the private-use code `c` in GB 18030-2022, if one did.
///
/// ```
/// assert_eq!(kepu_text::gb18030::modern('\u{E81E}'), Some('\u{9FB4}'));
/// ```
#[must_use]
pub fn modern(c: char) -> Option<char> {
    if !matches!(c, '\u{E78D}'..='\u{E864}') {
        return None;
    }
    // The codec itself holds the 18 pairs: it writes the old code's bytes and reads them as the new character.
    let mut buffer = [0; 4];
    let bytes = encode_gb18030(c.encode_utf8(&mut buffer)).ok()?;
    let (text, _) = GB18030.decode_without_bom_handling(&bytes);
    text.chars().next().filter(|&new| new != c)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing call fails its test")]
mod tests {
    use super::*;
    use crate::fixture::NAME;

    fn read(bytes: &[u8]) -> String {
        GB18030.decode_without_bom_handling_and_without_replacement(bytes).expect("what we wrote is well formed").into_owned()
    }

    #[test]
    fn exactly_nineteen_private_use_codes_do_not_survive() {
        let lost: Vec<u32> =
            ('\u{0}'..=char::MAX).filter(|c| encode_gb18030(&c.to_string()).map(|bytes| read(&bytes)) != Ok(c.to_string())).map(u32::from).collect();
        let mut expected: Vec<u32> = (0xE78D..=0xE796).collect();
        expected.extend([0xE5E5, 0xE81E, 0xE826, 0xE82B, 0xE82C, 0xE832, 0xE843, 0xE854, 0xE864]);
        expected.sort_unstable();
        assert_eq!(lost, expected);
        assert_eq!(lost.iter().filter_map(|&c| char::from_u32(c)).filter_map(modern).count(), 18);
    }

    #[test]
    fn the_fixture_person_survives() {
        assert_eq!(read(&encode_gb18030(NAME).unwrap()), NAME);
    }

    #[test]
    fn the_refused_character_is_named_with_its_line() {
        let error = encode_gb18030("一\n二\u{E5E5}").unwrap_err();
        assert_eq!(error, EncodeError { line: 2, character: '\u{E5E5}' });
        assert!(error.to_string().contains("U+E5E5"));
    }

    #[test]
    fn modern_code_of_an_old_vertical_mark() {
        assert_eq!(modern('\u{E78D}'), Some('\u{FE10}'));
        assert_eq!(modern('\u{E000}'), None);
        assert_eq!(modern('王'), None);
    }
}
