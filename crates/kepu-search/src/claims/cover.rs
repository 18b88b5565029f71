//! How much of a wording stands in a text, in one place: the plain look that keeps the trees of `decide` honest where a collection is unlike those they learned from.

use super::reading::{IDENTITY, read};
use std::collections::{HashMap, HashSet};

/// Symbols around each other that count as one place, at least; a longer wording has three times its own length.
const PLACE: usize = 60;

/// Share of the wording's pairs of neighbours that stand together in `text`, from 0 to 1. A wording of one symbol has none.
#[must_use]
pub fn covered(text: &str, wording: &str) -> f32 {
    let (text, wording) = (read(text), read(wording));
    let pairs: HashSet<(u32, u32)> = wording.windows(2).map(|w| (w[0] & IDENTITY, w[1] & IDENTITY)).collect();
    if pairs.is_empty() {
        return 0.0;
    }
    let place = PLACE.max(wording.len() * 3);
    let met: Vec<(usize, (u32, u32))> =
        text.windows(2).enumerate().map(|(at, w)| (at, (w[0] & IDENTITY, w[1] & IDENTITY))).filter(|(_, pair)| pairs.contains(pair)).collect();
    let (mut inside, mut from, mut most): (HashMap<(u32, u32), u32>, usize, usize) = (HashMap::new(), 0, 0);
    for (at, pair) in &met {
        *inside.entry(*pair).or_insert(0) += 1;
        while at - met[from].0 > place {
            if let Some(times) = inside.get_mut(&met[from].1) {
                *times -= 1;
                if *times == 0 {
                    inside.remove(&met[from].1);
                }
            }
            from += 1;
        }
        most = most.max(inside.len());
    }
    most as f32 / pairs.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_in_chatter_is_whole_and_letters_from_everywhere_are_not() {
        let wording = "微波炉加热的食物会致癌";
        assert!((covered("家人们转起来！！微波爐加熱的食物會致癌😱", wording) - 1.0).abs() < 1e-6);
        let strewn = ["微波炉", "加热的", "的食物", "会致癌"].map(|part| format!("{part}{}", "今天天气很好我们去公园".repeat(8))).concat();
        assert!(covered(&strewn, wording) < 0.4);
        assert_eq!((covered("", wording), covered(wording, ""), covered("水", "水")), (0.0, 0.0, 0.0));
    }
}
