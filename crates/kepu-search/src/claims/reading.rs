//! A text as the matcher reads it: a row of symbols with its breaks, whatever its script, width, numerals, spacing and ornaments were.
//!
//! A symbol is one letter of a script without spaces (mostly one Chinese character) or one whole word or number of any other. Folding of width, case and
//! script is `kepu_text::fold`; here addresses, masks, stickers and pictures go, spaces between letters go ("永 遠 斷 根"), and Chinese numerals become digits.
//! What is done with the symbols is in `index` (finding) and `pair` (comparing).

use kepu_text::fold::{fold, fold_aligned};
use std::ops::Range;

/// Symbols that are read of one text; the rest of a longer one is not looked at. Some 60 kB of Chinese.
pub const SYMBOLS_MAX: usize = 20_000;

/// Set in words and numbers; the other bits are then a hash.
pub const WORD: u32 = 1 << 31;
/// Set if something parts this symbol from the one before.
pub const BREAK: u32 = 1 << 30;
/// Set if a sentence begins here.
pub const SENTENCE: u32 = 1 << 29;
/// Set in numbers, together with [`WORD`].
pub const NUMBER: u32 = 1 << 28;
/// What makes two symbols the same.
pub const IDENTITY: u32 = WORD | NUMBER | (NUMBER - 1);

/// The symbols of `text`.
#[must_use]
pub fn read(text: &str) -> Vec<u32> {
    let bounded = bound(text);
    scan(&fold(bounded).chars().collect::<Vec<char>>(), None)
}

/// The symbols of `text`, each with the bytes of `text` it stands for.
#[must_use]
pub fn read_aligned(text: &str) -> (Vec<u32>, Vec<Range<usize>>) {
    let bounded = bound(text);
    let aligned = fold_aligned(bounded);
    let chars: Vec<char> = aligned.key.chars().collect();
    let mut places = Vec::new();
    let symbols = scan(&chars, Some(&mut places));
    let byte = |at: usize| aligned.from.get(at).copied().unwrap_or(bounded.len());
    // Several characters may have come from one; the end is where the next other one begins.
    let end = |at: usize| (at..=chars.len()).map(byte).find(|&b| at == 0 || b > byte(at - 1)).unwrap_or(bounded.len());
    let ranges = places.into_iter().map(|place| byte(place.start)..end(place.end)).collect();
    (symbols, ranges)
}

/// The part of `text` that can hold [`SYMBOLS_MAX`] symbols, so that a paste of any size costs the same.
fn bound(text: &str) -> &str {
    let most = SYMBOLS_MAX * 5;
    if text.len() <= most {
        return text;
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn scan(chars: &[char], mut places: Option<&mut Vec<Range<usize>>>) -> Vec<u32> {
    let mut out: Vec<u32> = Vec::with_capacity(chars.len());
    let mut gap = BREAK | SENTENCE;
    let mut at = 0;
    while at < chars.len() && out.len() < SYMBOLS_MAX {
        let c = chars[at];
        if let Some(end) = ornament(chars, at) {
            gap |= BREAK;
            at = end;
            continue;
        }
        let (symbol, end) = if let Some((value, end)) = numeral(chars, at) {
            (WORD | NUMBER | hash(&value), end)
        } else if is_word(c) {
            word(chars, at)
        } else if c.is_alphabetic() {
            (c as u32 & (NUMBER - 1), at + 1)
        } else {
            gap |= parting(c);
            at += 1;
            continue;
        };
        out.push(symbol | std::mem::take(&mut gap));
        if let Some(places) = places.as_deref_mut() {
            places.push(at..end);
        }
        at = end;
    }
    out
}

/// How strongly a character that is no letter parts its neighbours.
fn parting(c: char) -> u32 {
    match c {
        ' ' | '·' | '・' | '\'' | '’' | '-' | '_' | '*' | '~' | '\u{3000}' => 0,
        '。' | '！' | '!' | '？' | '?' | '；' | ';' | '\n' | '\r' | '…' | '|' | '┃' | '\u{2028}' => BREAK | SENTENCE,
        _ => BREAK,
    }
}

/// Words are written with spaces: Latin, digits, Greek, Cyrillic, Arabic and their like.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '\u{AA}'..='\u{DFF}' | '\u{F00}'..='\u{FFF}' | '\u{1800}'..='\u{18AF}' | '\u{1E00}'..='\u{1FFF}') && c.is_alphanumeric()
}

fn word(chars: &[char], at: usize) -> (u32, usize) {
    if chars[at].is_ascii_digit() {
        let mut end = at;
        let mut value = String::new();
        while let Some(&c) = chars.get(end) {
            let separator = matches!(c, '.' | ',') && chars.get(end + 1).is_some_and(char::is_ascii_digit);
            if c.is_ascii_digit() || (separator && c == '.') {
                value.push(c);
            } else if !separator {
                break;
            }
            end += 1;
        }
        // 3万 and 30000 are one number.
        let (scale, used) = scale(chars, end);
        if let (true, Ok(number)) = (scale > 1.0, value.parse::<f64>()) {
            value = plain(number * scale);
            end += used;
        }
        return (WORD | NUMBER | hash(value.trim_start_matches('0')), end);
    }
    let end = (at..chars.len()).find(|&i| !is_word(chars[i]) || chars[i].is_ascii_digit()).unwrap_or(chars.len());
    let text: String = chars[at..end.min(at + 64)].iter().collect();
    (WORD | hash(&text), end)
}

fn scale(chars: &[char], at: usize) -> (f64, usize) {
    let mut scale = 1.0;
    let mut used = 0;
    while let Some(more) = chars.get(at + used).and_then(|c| match c {
        '百' => Some(1e2),
        '千' => Some(1e3),
        '万' => Some(1e4),
        '亿' => Some(1e8),
        _ => None,
    }) {
        scale *= more;
        used += 1;
    }
    (scale, used)
}

fn plain(number: f64) -> String {
    format!("{number}")
}

/// Characters that count something when a numeral stands before them.
const MEASURES: &str = "个種种天年月日号號次人位名条條款件杯碗瓶颗片粒吨斤两克米厘里公秒分小时点岁周期项层度倍成折元块角毛万亿大类招步句张只头匹家所";

/// A number in Chinese characters, if one begins here: "二十", "三百万", "七" before what it counts; not "一" inside "一定".
fn numeral(chars: &[char], at: usize) -> Option<(String, usize)> {
    let digit = |c: char| {
        "零一二三四五六七八九两〇".chars().position(|d| d == c).map(|n| match n {
            10 => 2.0,
            11 => 0.0,
            n => n as f64,
        })
    };
    let unit = |c: char| match c {
        '十' => Some(1e1),
        '百' => Some(1e2),
        '千' => Some(1e3),
        '万' => Some(1e4),
        '亿' => Some(1e8),
        _ => None,
    };
    let first = chars[at];
    digit(first).or(if first == '十' { Some(1.0) } else { None })?;
    let mut end = at;
    let (mut total, mut section, mut current, mut units, mut digits) = (0.0, 0.0, None::<f64>, 0, String::new());
    while let Some(&c) = chars.get(end) {
        if let Some(d) = digit(c) {
            current = Some(d);
            digits.push(char::from(b'0' + d as u8));
        } else if let Some(u) = unit(c) {
            units += 1;
            if u >= 1e4 {
                section += current.take().unwrap_or(if section == 0.0 { 1.0 } else { 0.0 });
                total += section * u;
                section = 0.0;
            } else {
                section += current.take().unwrap_or(1.0) * u;
            }
        } else {
            break;
        }
        end += 1;
    }
    let length = end - at;
    if units == 0 && length >= 2 {
        // 二〇二〇 is read digit by digit; 三四 is "three or four".
        return (length >= 3).then_some((digits, end));
    }
    let counted = chars.get(end).is_some_and(|c| MEASURES.contains(*c));
    // 一 alone builds words (一定, 一起, 一般): it counts as little as "a".
    if length == 1 && (!counted || first == '一') {
        return None;
    }
    if units > 0 && length == 2 && first == '十' && !counted && chars[at + 1] == '万' {
        return Some(("100000".into(), end));
    }
    Some((plain(total + section + current.unwrap_or(0.0)), end))
}

/// Where something ends that no letter of the text says: an address, a mask, a sticker of a chat program.
fn ornament(chars: &[char], at: usize) -> Option<usize> {
    let starts = |word: &str| chars[at..].iter().copied().take(word.chars().count()).eq(word.chars());
    match chars[at] {
        'h' if starts("http://") || starts("https://") => Some(address_end(chars, at)),
        'w' if starts("www.") => Some(address_end(chars, at)),
        '<' => ["<url>", "<mail>", "<num>"].iter().find(|mask| starts(mask)).map(|mask| at + mask.len()),
        '(' => {
            let close = (at + 1..chars.len().min(at + 24)).find(|&i| chars[i] == ')')?;
            let inside = &chars[at + 1..close];
            (inside.len() >= 3 && inside.iter().all(|c| c.is_ascii_lowercase() || *c == ' ')).then_some(close + 1)
        }
        _ => None,
    }
}

fn address_end(chars: &[char], at: usize) -> usize {
    (at..chars.len()).find(|&i| !chars[i].is_ascii() || chars[i].is_ascii_whitespace()).unwrap_or(chars.len())
}

/// 28 bits of a word: enough to tell the words of one collection apart.
fn hash(text: &str) -> u32 {
    let mut state = 0xcbf2_9ce4_8422_2325u64;
    for byte in text.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    ((state >> 32) ^ state) as u32 & (NUMBER - 1)
}

/// One symbol as the finder's key.
#[must_use]
pub fn one(symbol: u32) -> u64 {
    u64::from(symbol & IDENTITY)
}

/// Two neighbours as the finder's key.
#[must_use]
pub fn two(a: u32, b: u32) -> u64 {
    (u64::from(a & IDENTITY) + 1) << 32 | u64::from(b & IDENTITY)
}

/// Whether a key stands for two neighbours.
#[must_use]
pub fn is_pair(key: u64) -> bool {
    key >> 32 > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        read(a).iter().map(|s| s & IDENTITY).eq(read(b).iter().map(|s| s & IDENTITY))
    }

    #[test]
    fn the_same_said_in_another_dress_reads_the_same() {
        for (a, b) in [
            ("高血壓特效：永 遠 斷 根！", "高血压特效永远断根"),
            ("７種食物", "七种食物"),
            ("三百万人", "3000000人"),
            ("3万人", "三万人"),
            ("10,000元", "一万元"),
            ("二〇二〇年", "2020年"),
            ("不能吃🍉🍉🍉(panda)<url>", "不能吃"),
            ("看這裡 https://example.org/a?b=1 快", "看這裡快"),
            ("不\u{200B}能\u{FEFF}吃", "不能吃"),
        ] {
            assert!(same(a, b), "{a} / {b}");
        }
        assert!(!same("一定要吃", "1定要吃") && !same("7種", "8種"));
    }

    #[test]
    fn nothing_to_read_gives_nothing() {
        for text in ["", "  \n", "😀😀😀😀", "<url> <num>", "！？…"] {
            assert!(read(text).is_empty(), "{text}");
        }
        assert_eq!(read(&"药".repeat(100_000)).len(), SYMBOLS_MAX);
    }

    #[test]
    fn every_symbol_knows_its_bytes() {
        let text = "喝Ｖｉｔａｍｉｎ C，每天三十杯🍵";
        let (symbols, places) = read_aligned(text);
        assert_eq!(symbols.len(), places.len());
        let parts: Vec<&str> = places.iter().map(|place| &text[place.clone()]).collect();
        assert_eq!(parts, ["喝", "Ｖｉｔａｍｉｎ", "C", "每", "天", "三十", "杯"]);
        assert_eq!(symbols, read(text));
    }
}
