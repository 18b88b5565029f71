//! Bytes of an uploaded file to text: which encoding it is, and where it is broken.
//!
//! Writing GB 18030 and its private-use codes are in [`crate::gb18030`]; removing invisible characters is in
//! [`crate::clean`]. What the text means (CSV, JSON …) is the caller's business.

use encoding_rs::{DecoderResult, GB18030, UTF_16BE, UTF_16LE};

use crate::gb18030::{is_private_use, modern};

/// How many broken places an error names; the rest are counted.
const PLACES_SHOWN: usize = 5;
/// How many lines with private-use characters get their own warning; the rest are counted.
const WARNINGS_SHOWN: usize = 100;

/// A file read as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The whole text, without byte order mark; line ends as they were.
    pub text: String,
    /// How the file was written.
    pub encoding: Encoding,
    /// What the reader of the file should look at, in the order of lines.
    pub warnings: Vec<Warning>,
}

/// How a text file was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 without mark; plain ASCII too.
    Utf8,
    /// UTF-8 with byte order mark (EF BB BF), as Excel's "CSV UTF-8" writes it.
    Utf8Bom,
    /// GB 18030-2022; GBK and GB 2312 are parts of it.
    Gb18030,
    /// UTF-16, little end first, with mark (FF FE): Excel's "Unicode text".
    Utf16Le,
    /// UTF-16, big end first, with mark (FE FF).
    Utf16Be,
}

impl Encoding {
    /// The name people know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8Bom => "UTF-8 (BOM)",
            Self::Gb18030 => "GB 18030",
            Self::Utf16Le => "UTF-16 LE",
            Self::Utf16Be => "UTF-16 BE",
        }
    }
}

/// Something readable but doubtful in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Line, counted from 1.
    pub line: usize,
    /// What was found and what to do.
    pub text: String,
}

/// One place that is not valid in the file's encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Line, counted from 1.
    pub line: usize,
    /// Offset in bytes from the start of the file, counted from 0.
    pub offset: usize,
    /// The offending bytes in hex, such as `E5 BC`.
    pub hex: String,
}

/// All places of a file that are not valid in its encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The first few, at least one.
    pub first: Vec<Place>,
    /// How many there are altogether.
    pub total: usize,
}

impl std::fmt::Display for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, place) in self.first.iter().enumerate() {
            let sep = if i == 0 { "" } else { "; " };
            write!(f, "{sep}line {}, byte {}: {}", place.line, place.offset, place.hex)?;
        }
        match self.total - self.first.len() {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// Why a file could not be read as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A spreadsheet, a PDF or another file that is no text at all.
    #[error("could not read the file as text: it looks like {looks_like}; open it in its program and save it as CSV (UTF-8)")]
    NotText {
        /// What it looks like, for people.
        looks_like: &'static str,
    },
    /// UTF-8 with damage; reading it as GB 18030 would give nonsense, so it is not tried.
    #[error("could not read the file as UTF-8: {0}; correct these places, or save the file again as UTF-8 in the program it came from")]
    BrokenUtf8(Places),
    /// Neither UTF-8 nor, because of these places, GB 18030.
    #[error("could not read the file as GB 18030: {0}; correct these places, or save the file again as UTF-8 in the program it came from")]
    BrokenGb18030(Places),
    /// UTF-16 by its mark, but with half characters.
    #[error("could not read the file as UTF-16: {0}; save the file again as UTF-8 in the program it came from")]
    BrokenUtf16(Places),
}

/// Reads a file somebody uploaded.
///
/// A byte order mark decides first. Otherwise valid UTF-8 is UTF-8. Otherwise the file is GB 18030, unless most of its
/// non-ASCII bytes form UTF-8 characters: then it is UTF-8 with damage and refused with the places. (Measured on the
/// shared documents written as GB 18030: at most 61 % of the non-ASCII bytes of a text of 40 or more characters look like
/// UTF-8, and mostly as two-byte characters, which therefore count half. The border is at 75 %.)
///
/// # Errors
/// [`DecodeError`], naming line, byte offset and bytes of the first broken places.
pub fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    if let Some(looks_like) = not_text(bytes) {
        return Err(DecodeError::NotText { looks_like });
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return decode_utf16(bytes);
    }
    let (body, encoding) = match bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]) {
        Some(body) => (body, Encoding::Utf8Bom),
        None => (bytes, Encoding::Utf8),
    };
    match std::str::from_utf8(body) {
        Ok(text) => Ok(decoded(text.to_owned(), encoding)),
        Err(_) if encoding == Encoding::Utf8Bom || meant_as_utf8(body) => Err(DecodeError::BrokenUtf8(broken_utf8(body, bytes.len() - body.len()))),
        Err(_) => decode_gb18030(body),
    }
}

/// Reads a file known to be GB 18030, for forms where the sender said so; [`decode`] finds it out itself.
///
/// # Errors
/// [`DecodeError::BrokenGb18030`] with the broken places.
pub fn decode_gb18030(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let mark: &[u8] = &[0x84, 0x31, 0x95, 0x33];
    let start = if bytes.starts_with(mark) { mark.len() } else { 0 };
    strict(GB18030, bytes, start).map(|text| decoded(text, Encoding::Gb18030)).map_err(DecodeError::BrokenGb18030)
}

fn decode_utf16(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let (codec, encoding) = match bytes[0] {
        0xFF => (UTF_16LE, Encoding::Utf16Le),
        _ => (UTF_16BE, Encoding::Utf16Be),
    };
    strict(codec, bytes, 2).map(|text| decoded(text, encoding)).map_err(DecodeError::BrokenUtf16)
}

/// Files that people upload by mistake, by their first bytes; and binary files, by their NULs.
fn not_text(bytes: &[u8]) -> Option<&'static str> {
    const KNOWN: [(&[u8], &str); 4] = [
        (b"PK\x03\x04", "an Excel or Word file, or a ZIP archive"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an old Excel or Word file"),
        (b"%PDF-", "a PDF"),
        (b"\x1F\x8B\x08", "a gzip archive"),
    ];
    if let Some((_, name)) = KNOWN.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(name);
    }
    let utf16 = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    (!utf16 && bytes.contains(&0)).then_some("a binary file, or UTF-16 without its mark")
}

/// Whether bytes that are not valid UTF-8 were nevertheless meant as UTF-8.
fn meant_as_utf8(bytes: &[u8]) -> bool {
    let (mut long, mut short, mut bad) = (0, 0, 0);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c.len_utf8() {
                1 => {}
                2 => short += 1,
                n => long += n,
            }
        }
        bad += chunk.invalid().len();
    }
    // Two three-byte or six two-byte characters at least: less is no evidence.
    long + short >= 6 && long + short >= 3 * bad
}

/// The invalid places of `body`, which starts at byte `start` of its file.
fn broken_utf8(body: &[u8], start: usize) -> Places {
    let mut places = Places { first: Vec::new(), total: 0 };
    let (mut offset, mut line) = (start, 1);
    for chunk in body.utf8_chunks() {
        line += chunk.valid().matches('\n').count();
        offset += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            places.add(line, offset, chunk.invalid());
            offset += chunk.invalid().len();
        }
    }
    places
}

impl Places {
    fn add(&mut self, line: usize, offset: usize, bytes: &[u8]) {
        self.total += 1;
        if self.first.len() < PLACES_SHOWN {
            let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02X}")).collect();
            self.first.push(Place { line, offset, hex: hex.join(" ") });
        }
    }
}

/// `bytes` from `start` on in `codec`, or every place where they are not valid.
fn strict(codec: &'static encoding_rs::Encoding, bytes: &[u8], start: usize) -> Result<String, Places> {
    let mut decoder = codec.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(bytes.len() * 3 / 2 + 16);
    let mut places = Places { first: Vec::new(), total: 0 };
    let (mut at, mut line, mut counted) = (start, 1, 0);
    loop {
        let (result, read) = decoder.decode_to_string_without_replacement(&bytes[at..], &mut text, true);
        at += read;
        match result {
            DecoderResult::InputEmpty => break,
            DecoderResult::OutputFull => text.reserve(bytes.len() - at + 16),
            DecoderResult::Malformed(length, after) => {
                line += text[counted..].matches('\n').count();
                counted = text.len();
                let end = at - usize::from(after);
                let from = end.saturating_sub(usize::from(length)).max(start);
                places.add(line, from, &bytes[from..end]);
            }
        }
    }
    if places.total == 0 { Ok(text) } else { Err(places) }
}

fn decoded(text: String, encoding: Encoding) -> Decoded {
    let warnings = doubtful(&text);
    Decoded { text, encoding, warnings }
}

/// One warning for each line with private-use characters or with U+FFFD, which an earlier program put for what it lost.
fn doubtful(text: &str) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut more = 0;
    for (i, line) in text.split('\n').enumerate() {
        // Every private-use character and U+FFFD start with one of these bytes in UTF-8; most lines have none.
        if !line.bytes().any(|b| matches!(b, 0xEE | 0xEF | 0xF3 | 0xF4)) {
            continue;
        }
        let mut found: Vec<String> = Vec::new();
        for c in line.chars().filter(|&c| is_private_use(c) || c == '\u{FFFD}') {
            let name = describe(c);
            if !found.contains(&name) {
                found.push(name);
            }
        }
        if found.is_empty() {
            continue;
        }
        if warnings.len() == WARNINGS_SHOWN {
            more += 1;
            continue;
        }
        found.truncate(PLACES_SHOWN);
        warnings.push(Warning { line: i + 1, text: found.join("; ") });
    }
    if more > 0
        && let Some(last) = warnings.last_mut()
    {
        last.text.push_str(&format!("; and {more} more lines like this"));
    }
    warnings
}

fn describe(c: char) -> String {
    match modern(c) {
        _ if c == '\u{FFFD}' => "U+FFFD: an earlier program lost a character here; look it up in the original".to_owned(),
        Some(new) => {
            format!("U+{:04X} is an old private code of GB 18030; today it is {new} (U+{:04X})", c as u32, new as u32)
        }
        None => format!("U+{:04X} is a private-use character that other computers show differently; replace it by its standard code", c as u32),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing call fails its test")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::NAME;
    use crate::gb18030::encode_gb18030;

    #[test]
    fn the_fixture_person_arrives_in_every_encoding() {
        let csv = format!("姓名,单位\r\n{NAME},科普馆\r\n");
        let utf16: Vec<u8> = std::iter::once(0xFEFF).chain(csv.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let utf16_be: Vec<u8> = std::iter::once(0xFEFF).chain(csv.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        let with_mark = [b"\xEF\xBB\xBF", csv.as_bytes()].concat();
        let gb = encode_gb18030(&csv).unwrap();
        for (bytes, encoding) in [
            (csv.as_bytes(), Encoding::Utf8),
            (&with_mark, Encoding::Utf8Bom),
            (&utf16, Encoding::Utf16Le),
            (&utf16_be, Encoding::Utf16Be),
            (&gb, Encoding::Gb18030),
        ] {
            let read = decode(bytes).unwrap();
            assert_eq!((read.text.as_str(), read.encoding), (csv.as_str(), encoding));
            assert_eq!(read.warnings, []);
        }
    }

    #[test]
    fn a_few_bad_bytes_in_utf8_are_named_and_not_read_as_gb18030() {
        let mut bytes = "第一行正常\n第二行也正常\n张三".as_bytes().to_vec();
        bytes.truncate(bytes.len() - 1);
        bytes[20] = b'?';
        let Err(DecodeError::BrokenUtf8(places)) = decode(&bytes) else { panic!("broken UTF-8 expected") };
        assert_eq!(places.total, 3);
        let last = places.first.last().unwrap();
        assert_eq!((last.line, last.offset, last.hex.as_str()), (3, 38, "E4 B8"));
        let message = decode(&bytes).unwrap_err().to_string();
        assert!(message.contains("line 2, byte 19: E4") && message.contains("save the file again as UTF-8"), "{message}");
    }

    #[test]
    fn broken_uyghur_utf8_is_named_too() {
        let mut bytes = "ئىلىم-پەن بىلىملىرىنى ئومۇملاشتۇرۇش".as_bytes().to_vec();
        bytes.push(0xD8);
        assert!(matches!(decode(&bytes), Err(DecodeError::BrokenUtf8(_))));
    }

    #[test]
    fn broken_gb18030_names_line_offset_and_bytes() {
        let mut bytes = encode_gb18030("科学普及\n全民科学素质行动\n").unwrap();
        let at = bytes.len();
        bytes.extend([0xFF, b'\n']);
        let Err(DecodeError::BrokenGb18030(places)) = decode(&bytes) else { panic!("broken GB 18030 expected") };
        assert_eq!(places.first, [Place { line: 3, offset: at, hex: "FF".into() }]);
    }

    #[test]
    fn half_a_character_at_the_end_is_not_dropped_silently() {
        let mut bytes = encode_gb18030("科学普及工作年度总结报告").unwrap();
        bytes.pop();
        assert!(matches!(decode(&bytes), Err(DecodeError::BrokenGb18030(p)) if p.total == 1));
        let odd = [0xFF, 0xFE, 0x2D, 0x4E, 0x2D];
        assert!(matches!(decode(&odd), Err(DecodeError::BrokenUtf16(p)) if p.first[0].offset == 4));
    }

    #[test]
    fn private_use_characters_are_warned_about_with_the_modern_code() {
        let read = decode("好\n\u{E81E}a\u{E000}".as_bytes()).unwrap();
        assert_eq!(read.warnings.len(), 1);
        assert_eq!(read.warnings[0].line, 2);
        assert!(read.warnings[0].text.contains("U+9FB4") && read.warnings[0].text.contains("U+E000"));
        // User-defined area of an old county system: bytes AAA1.
        let old = [encode_gb18030("姓名：").unwrap(), vec![0xAA, 0xA1]].concat();
        assert!(decode(&old).unwrap().warnings[0].text.contains("U+E000"));
    }

    #[test]
    fn many_private_use_lines_do_not_flood() {
        let read = decode("\u{E000}\n".repeat(1000).as_bytes()).unwrap();
        assert_eq!(read.warnings.len(), WARNINGS_SHOWN);
        assert!(read.warnings.last().unwrap().text.contains("900 more"));
    }

    #[test]
    fn a_spreadsheet_is_called_a_spreadsheet() {
        let error = decode(b"PK\x03\x04\x14\x00").unwrap_err();
        assert!(error.to_string().contains("Excel"));
        assert!(matches!(decode(b"a\0b"), Err(DecodeError::NotText { .. })));
        assert_eq!(decode(b"").unwrap().encoding, Encoding::Utf8);
    }

    proptest! {
        #[test]
        fn chinese_text_written_as_gb18030_is_found_and_read(
            s in "[\u{3400}-\u{9FFF}\u{20000}-\u{323AF}a-z,。\n]{0,80}[一-龥]{40}",
        ) {
            let read = decode(&encode_gb18030(&s).unwrap()).unwrap();
            prop_assert_eq!(read.encoding, Encoding::Gb18030);
            prop_assert_eq!(read.text, s);
        }

        #[test]
        fn anything_but_the_known_points_comes_back_from_gb18030(s in ".{0,60}") {
            prop_assume!(!s.starts_with('\u{FEFF}') && s.chars().all(|c| c != '\u{E5E5}' && modern(c).is_none()));
            prop_assert_eq!(decode_gb18030(&encode_gb18030(&s).unwrap()).unwrap().text, s);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }
}
