//! The part of a text that shows why it was found, with the hits marked.
//!
//! Marks are found by folding the original again, not stored: `計畫` is marked for the query `计划`, and the text is shown as it was written.

use std::collections::HashMap;

use kepu_text::fold::fold_aligned;
use kepu_text::graphemes;
use kepu_text::pieces::grams;

/// Length of a snippet in characters of the search key, about the same as user characters.
const WINDOW: usize = 80;
/// How far before the window a sentence may have begun to be shown from its start.
const LEAD: usize = 20;
/// How much of a text is looked at, in user characters; the best part of a book is not worth reading it all.
const TEXT_MAX: usize = 20_000;

/// A piece of a snippet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Its text; line breaks are spaces.
    pub text: String,
    /// Whether it matches the query.
    pub hit: bool,
}

/// A token of the text that the query asked for, in characters of the key.
struct Match {
    start: usize,
    end: usize,
    /// Which unit of the query.
    unit: usize,
}

/// About 80 characters of `text` with as many different `units` (folded tokens of the query) as possible; its beginning if it holds none.
/// Neighbouring spans differ in `hit`; an ellipsis stands where text is left out. Empty for an empty text.
pub(crate) fn snippet(text: &str, units: &[&str]) -> Vec<Span> {
    let text = graphemes::truncate(text.trim(), TEXT_MAX);
    let aligned = fold_aligned(text);
    let length = aligned.from.len();
    let matches = find(&aligned.key, units);
    let window = window(&aligned.key, &matches, length);
    // Byte borders in the original for a place in the key.
    let byte = |at: usize| aligned.from.get(at).copied().unwrap_or(text.len());

    let mut spans = Spans::default();
    if window.start > 0 {
        spans.push("…", false);
    }
    let mut at = byte(window.start);
    for found in matches.iter().filter(|m| m.start >= window.start && m.end <= window.end) {
        let (from, to) = (byte(found.start), end_of(&aligned.from, found.end, text.len()));
        if to <= at {
            continue;
        }
        spans.push(&text[at..from.max(at)], false);
        spans.push(&text[from.max(at)..to], true);
        at = to;
    }
    let stop = byte(window.end).max(at);
    spans.push(&text[at..stop], false);
    if stop < text.len() {
        spans.push("…", false);
    }
    spans.0
}

/// Byte after the user character that holds the key's character before `end`.
fn end_of(from: &[usize], end: usize, length: usize) -> usize {
    let last = from[end - 1];
    from[end..].iter().copied().find(|&next| next > last).unwrap_or(length)
}

fn find(key: &str, units: &[&str]) -> Vec<Match> {
    let wanted: HashMap<&str, usize> = units.iter().enumerate().map(|(i, unit)| (*unit, i)).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    // A unit of one letter is marked wherever the letter stands.
    grams(key).filter_map(|gram| wanted.get(&*gram.text).map(|&unit| Match { start: gram.start, end: gram.end, unit })).collect()
}

/// Where the most different units stand together; the earliest such place.
fn window(key: &str, matches: &[Match], length: usize) -> std::ops::Range<usize> {
    let mut best = (0, 0, 0);
    let mut counts: HashMap<usize, usize> = HashMap::new();
    let mut first = 0;
    for (last, newest) in matches.iter().enumerate() {
        *counts.entry(newest.unit).or_default() += 1;
        while newest.end - matches[first].start > WINDOW {
            if let Some(count) = counts.get_mut(&matches[first].unit) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&matches[first].unit);
                }
            }
            first += 1;
        }
        if counts.len() > best.0 {
            best = (counts.len(), matches[first].start, matches[last].end);
        }
    }
    let (_, from, to) = best;
    // What room is left goes before the hits only as far as their sentence began.
    let room = WINDOW.saturating_sub(to - from).min(LEAD);
    let mut start = from.saturating_sub(room);
    let before: Vec<char> = key.chars().skip(start).take(from - start).collect();
    if let Some(stop) = before.iter().rposition(|c| matches!(c, '。' | '!' | '?' | ';' | '\n' | '.')) {
        start += stop + 1;
    }
    start..(start + WINDOW).max(to).min(length)
}

/// Spans being put together: white space joined, neighbours of the same kind merged.
#[derive(Default)]
struct Spans(Vec<Span>);

impl Spans {
    fn push(&mut self, text: &str, hit: bool) {
        let mut text: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        while text.contains("  ") {
            text = text.replace("  ", " ");
        }
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(last) if last.hit == hit => last.text.push_str(&text),
            _ => self.0.push(Span { text, hit }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str, units: &[&str]) -> String {
        snippet(text, units).iter().map(|s| if s.hit { format!("[{}]", s.text) } else { s.text.clone() }).collect()
    }

    #[test]
    fn overlapping_pairs_become_one_mark() {
        assert_eq!(show("研究量子纠缠的人", &["量子", "子纠", "纠缠"]), "研究[量子纠缠]的人");
    }

    #[test]
    fn the_original_is_shown_as_written() {
        assert_eq!(show("這項計畫檢測ＤＮＡ。", &["计划", "dna"]), "這項[計畫]檢測[ＤＮＡ]。");
        assert_eq!(show("王\u{20BB7}\u{E0100}明", &["\u{20BB7}明"]), "王[\u{20BB7}\u{E0100}明]");
        assert_eq!(show("25㎏重", &["25kg"]), "[25㎏]重");
    }

    #[test]
    fn the_window_has_the_most_different_units_and_starts_with_its_sentence() {
        let text = format!("黑洞黑洞黑洞{}。前一句话。引力波来自黑洞合并{}", "啊".repeat(200), "哦".repeat(200));
        let shown = show(&text, &["引力", "力波", "黑洞"]);
        assert!(shown.starts_with("…[引力波]来自[黑洞]合并哦"), "{shown}");
        assert!(shown.ends_with("哦…") && graphemes::count(&shown) < 90);
    }

    #[test]
    fn without_hits_the_beginning_is_shown() {
        assert_eq!(show("一\n\n二", &["不在"]), "一 二");
        assert_eq!(show(&"字".repeat(100), &[]), format!("{}…", "字".repeat(80)));
        assert_eq!(show("", &["a"]), "");
    }
}
