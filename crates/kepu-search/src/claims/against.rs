//! Whether a text says the contrary of a claim in nearly its own words: a denial slipped in, a word replaced by its opposite, another number. The trees of
//! `decide` learn that too and may err; this is a rule, so that "not" in the middle of a known sentence is never answered with that sentence.

use super::reading::{BREAK, IDENTITY, NUMBER, WORD, read};
use super::slots::{denies, opposed};

/// Symbols of each text that are compared.
const COMPARED: usize = 400;
/// A longer gap between shared symbols is other matter, not one changed word.
const GAP: usize = 4;

/// Whether `text` and `claim` run along each other and differ in a denial, an opposite or a number.
#[must_use]
pub fn contradicts(text: &str, claim: &str) -> bool {
    let (a, b) = (read(text), read(claim));
    let (a, b) = (near(&a, &b), near(&b, &a));
    let shared = common(a, b);
    let leading = shared.first().is_some_and(|(i, j)| leads(a, *i) != leads(b, *j));
    let asks = a.iter().any(|symbol| symbol & IDENTITY == u32::from('吗'));
    let turned = |from: &(usize, usize), to: &(usize, usize)| {
        let (a, b) = (&a[from.0..=to.0], &b[from.1..=to.1]);
        if a.len() - 2 > GAP || b.len() - 2 > GAP {
            // Other matter stands between; a plain denial right before what goes on in common still turns it round.
            return leads(a, a.len() - 1) && !leads(b, b.len() - 1);
        }
        differs(a, b, asks)
    };
    leading || shared.windows(2).any(|pair| pair[1].0 - pair[0].0 + pair[1].1 - pair[0].1 > 2 && turned(&pair[0], &pair[1]))
}

/// The part of a long text around what it shares with the other.
fn near<'a>(symbols: &'a [u32], other: &[u32]) -> &'a [u32] {
    if symbols.len() <= COMPARED {
        return symbols;
    }
    let pairs: std::collections::HashSet<(u32, u32)> = other.windows(2).map(|w| (w[0] & IDENTITY, w[1] & IDENTITY)).collect();
    let hits: Vec<usize> = symbols.windows(2).enumerate().filter(|(_, w)| pairs.contains(&(w[0] & IDENTITY, w[1] & IDENTITY))).map(|(at, _)| at).collect();
    // The stretch that holds the most of them.
    let best = (0..hits.len()).max_by_key(|from| (hits[*from..].partition_point(|at| *at < hits[*from] + COMPARED / 2), usize::MAX - from));
    let from = best.map_or(0, |at| hits[at].saturating_sub(GAP));
    &symbols[from..symbols.len().min(from + COMPARED)]
}

/// Whether the two gaps, each between the shared symbols that begin and end it, say different things.
/// Whoever asks ("can it still be eaten?") does not contradict a claim that denies.
fn differs(a: &[u32], b: &[u32], asks: bool) -> bool {
    let (gap_a, gap_b) = (&a[1..a.len() - 1], &b[1..b.len() - 1]);
    // What stands in a clause of its own ("do not eat it, …") is advice about the claim, not the claim turned round.
    if a[1..].iter().chain(&b[1..]).any(|symbol| symbol & BREAK != 0) {
        return false;
    }
    let number = |side: &[u32]| side.iter().find(|s| **s & (WORD | NUMBER) == WORD | NUMBER).map(|s| s & IDENTITY);
    let other_number = matches!((number(gap_a), number(gap_b)), (Some(x), Some(y)) if x != y);
    let (ours, theirs) = (denials(a), denials(b));
    other_number || opposed(gap_a, gap_b) || (ours % 2 != theirs % 2 && !(asks && ours < theirs))
}

/// How many symbols between the first and the last deny; "is or is not" asks and denies nothing.
fn denials(stretch: &[u32]) -> usize {
    stretch.windows(3).filter(|w| denies(w[1]) && (w[0] ^ w[2]) & IDENTITY != 0).count()
}

/// Whether the symbol right before the first shared one denies it plainly: 不 and 没, not the advice 别 and 勿.
fn leads(symbols: &[u32], first: usize) -> bool {
    let plain = |symbol: u32| [u32::from('不'), u32::from('没')].contains(&(symbol & IDENTITY));
    first > 0 && symbols[first] & BREAK == 0 && plain(symbols[first - 1])
}

/// Places of the longest common subsequence.
fn common(a: &[u32], b: &[u32]) -> Vec<(usize, usize)> {
    let width = b.len() + 1;
    let mut table = vec![0u16; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            table[i * width + j] =
                if (a[i] ^ b[j]) & IDENTITY == 0 { table[(i + 1) * width + j + 1] + 1 } else { table[(i + 1) * width + j].max(table[i * width + j + 1]) };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        if (a[i] ^ b[j]) & IDENTITY == 0 {
            out.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if table[(i + 1) * width + j] >= table[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_slipped_in_turns_the_claim_round() {
        for (text, claim) in [
            ("大蒜不能治感冒", "大蒜能治感冒"),
            ("听说微波炉加热食物不会产生致癌物", "微波炉加热食物会产生致癌物"),
            ("不吃早餐会变胖", "吃早餐会变胖"),
            ("每天要喝3杯水", "每天要喝8杯水"),
            ("隔夜菜不会致癌", "隔夜菜千万别吃，亚硝酸盐超标，吃了会致癌"),
            ("大蒜不能治感冒，对吗", "大蒜能治感冒"),
            ("睡前喝牛奶会增高血压", "睡前喝牛奶会减高血压"),
        ] {
            assert!(contradicts(text, claim), "{text} / {claim}");
        }
    }

    #[test]
    fn questions_advice_and_other_words_for_it_do_not() {
        for (text, claim) in [
            ("大蒜能治感冒是真的吗", "大蒜能治感冒"),
            ("大蒜能不能治感冒", "大蒜能治感冒"),
            ("微波炉加热的食物不能吃，会产生致癌物", "微波炉加热食物会产生致癌物"),
            ("千万不要吃柿子配螃蟹，会中毒", "吃柿子配螃蟹会中毒"),
            ("不吃早餐会得胆结石吗", "不吃早餐会得胆结石"),
            ("每天要喝８杯水？", "每天要喝8杯水"),
            ("昨天的剩菜今天还能吃吗，都说亚硝酸盐太多要得癌", "昨天的剩菜不能吃，亚硝酸盐会致癌"),
            ("昨天的剩菜今天还能吃吗，都说亚硝酸盐太多要得癌", "隔夜菜千万别吃，亚硝酸盐超标，吃了会致癌"),
        ] {
            assert!(!contradicts(text, claim), "{text} / {claim}");
        }
    }

    #[test]
    fn a_long_message_is_looked_at_where_it_touches_the_claim() {
        let text = format!("{}大蒜不能治感冒{}", "今天天气很好我们去公园散步".repeat(60), "晚上回家做饭看电视".repeat(60));
        assert!(contradicts(&text, "大蒜能治感冒"));
        assert!(!contradicts("", ""));
    }
}
