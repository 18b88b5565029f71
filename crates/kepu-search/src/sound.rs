//! How a title sounds, so that a word typed by its sound, or with a wrong character of the same sound, still finds something.
//!
//! Asked only when nothing holds what was typed; see `guess`.

use kepu_text::fold::fold;
use pinyin::ToPinyin;

/// Most syllables of a title that are heard.
const SYLLABLES_MAX: usize = 64;
/// Longest syllable of standard Chinese without tone (zhuang, chuang, shuang).
const SYLLABLE_MAX: usize = 6;

/// Neighbouring syllables of the Chinese runs of `text`, such as `hei'dong`; a run of one gives its syllable.
pub(crate) fn pairs(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut out = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    for sound in folded.chars().map(|c| c.to_pinyin().map(|sound| sound.plain())).chain([None]).take(SYLLABLES_MAX) {
        match sound {
            Some(sound) => run.push(sound),
            None => flush(&mut run, &mut out),
        }
    }
    flush(&mut run, &mut out);
    out
}

fn flush(run: &mut Vec<&str>, out: &mut Vec<String>) {
    match run.as_slice() {
        [] => {}
        [one] => out.push((*one).to_owned()),
        many => out.extend(many.windows(2).map(|two| format!("{}'{}", two[0], two[1]))),
    }
    run.clear();
}

/// Pairs of syllables that Latin letters such as `heidong` or `hei dong` spell; empty if they spell no Chinese.
pub(crate) fn spelled(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words: Option<Vec<Vec<&str>>> = folded.split(|c: char| c == ' ' || c == '\'').filter(|word| !word.is_empty()).map(syllables).collect();
    let mut run: Vec<&str> = words.unwrap_or_default().concat();
    run.truncate(SYLLABLES_MAX);
    let mut out = Vec::new();
    flush(&mut run, &mut out);
    out
}

/// `word` as syllables, the fewest; `None` if it is not made of syllables.
fn syllables(word: &str) -> Option<Vec<&str>> {
    if !word.is_ascii() || word.len() > SYLLABLES_MAX * SYLLABLE_MAX {
        return None;
    }
    // Fewest syllables that end at each place, with where the last of them begins.
    let mut best: Vec<Option<(usize, usize)>> = vec![None; word.len() + 1];
    best[0] = Some((0, 0));
    for end in 1..=word.len() {
        for from in end.saturating_sub(SYLLABLE_MAX)..end {
            if let Some((count, _)) = best[from]
                && best[end].is_none_or(|(fewest, _)| count + 1 < fewest)
                && SYLLABLES.contains(&word[from..end])
            {
                best[end] = Some((count + 1, from));
            }
        }
    }
    let mut out = Vec::new();
    let mut end = word.len();
    while end > 0 {
        let (_, from) = best[end]?;
        out.push(&word[from..end]);
        end = from;
    }
    out.reverse();
    Some(out)
}

/// Every syllable that a common character has.
static SYLLABLES: std::sync::LazyLock<std::collections::HashSet<&'static str>> =
    std::sync::LazyLock::new(|| ('\u{4E00}'..='\u{9FA5}').filter_map(|c| c.to_pinyin().map(|sound| sound.plain())).collect());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_sound_gives_the_same_pairs() {
        assert_eq!(pairs("黑洞"), ["hei'dong"]);
        assert_eq!(pairs("黑动"), pairs("黑洞"));
        assert_eq!(pairs("水，DNA检测"), ["shui", "jian'ce"]);
        assert!(pairs("DNA").is_empty());
    }

    #[test]
    fn letters_are_read_as_syllables() {
        assert_eq!(spelled("heidong"), ["hei'dong"]);
        assert_eq!(spelled("Hei Dong"), ["hei'dong"]);
        assert_eq!(spelled("liangzi jiuchan"), ["liang'zi", "zi'jiu", "jiu'chan"]);
        assert!(spelled("xkcd").is_empty() && spelled("").is_empty());
        assert!(spelled(&"a".repeat(100_000)).is_empty());
    }
}
