//! Two lists of words that searching knows: what only builds questions, and what technical word an everyday word stands for.
//!
//! Both are plain files in `data/search`, general knowledge about the language and nothing about particular documents; how they are used is in `asked`.

use std::collections::HashMap;
use std::sync::LazyLock;

use kepu_text::fold::fold;

use crate::asked::particles;

/// Phrases that only build questions.
pub(crate) static FILLERS: LazyLock<Fillers> = LazyLock::new(|| Fillers::read(include_str!("../../../data/search/fillers.txt")));
/// Technical words by everyday word.
pub(crate) static EVERYDAY: LazyLock<Everyday> = LazyLock::new(|| Everyday::read(include_str!("../../../data/search/everyday.tsv")));

/// Lines that say something.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Phrases by their first letter, longest first.
#[derive(Debug, Default)]
pub(crate) struct Fillers(HashMap<char, Vec<Vec<char>>>);

impl Fillers {
    fn read(text: &str) -> Self {
        let mut by_first: HashMap<char, Vec<Vec<char>>> = HashMap::new();
        for line in lines(text) {
            let phrase: Vec<char> = fold(line).chars().collect();
            by_first.entry(phrase[0]).or_default().push(phrase);
        }
        by_first.values_mut().for_each(|list| list.sort_by_key(|phrase| std::cmp::Reverse(phrase.len())));
        Self(by_first)
    }

    /// For each character of `folded`, whether it only builds the question.
    pub fn mark(&self, folded: &str) -> Vec<bool> {
        let chars: Vec<char> = folded.chars().collect();
        let mut marks = particles(folded);
        let mut at = 0;
        while at < chars.len() {
            let phrase = self.0.get(&chars[at]).and_then(|list| list.iter().find(|phrase| chars[at..].starts_with(phrase)));
            let length = phrase.map_or(0, Vec::len);
            marks[at..at + length].fill(true);
            at += length.max(1);
        }
        marks
    }
}

/// Technical words by everyday word, both folded.
#[derive(Debug, Default)]
pub(crate) struct Everyday {
    words: HashMap<String, Vec<String>>,
    /// Length of the longest everyday word in characters.
    longest: usize,
}

impl Everyday {
    fn read(text: &str) -> Self {
        let mut all = Self::default();
        for line in lines(text) {
            let Some((said, technical)) = line.split_once('\t') else { continue };
            let technical: Vec<String> = technical.split_whitespace().map(fold).collect();
            for said in said.split_whitespace().map(fold) {
                all.longest = all.longest.max(said.chars().count());
                all.words.entry(said).or_default().extend(technical.iter().cloned());
            }
        }
        all
    }

    /// Everyday words inside `folded` with their technical words; a word inside a longer one that is known does not count.
    pub fn within<'a>(&'a self, folded: &str) -> Vec<(&'a str, &'a [String])> {
        let borders: Vec<usize> = folded.char_indices().map(|(at, _)| at).chain([folded.len()]).collect();
        let mut found: Vec<(&str, &[String])> = Vec::new();
        let mut at = 0;
        while at + 1 < borders.len() {
            let ends = (at + 1..borders.len().min(at + self.longest + 1)).rev();
            let hit = ends.into_iter().find_map(|end| self.words.get_key_value(&folded[borders[at]..borders[end]]).map(|hit| (end, hit)));
            match hit {
                Some((end, (said, technical))) => {
                    if !found.iter().any(|(known, _)| known == said) {
                        found.push((said, technical));
                    }
                    at = end;
                }
                None => at += 1,
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lists_are_in_order() {
        assert!(FILLERS.0.len() > 20 && EVERYDAY.words.len() > 200);
        for line in lines(include_str!("../../../data/search/everyday.tsv")) {
            let (said, technical) = line.split_once('\t').expect(line);
            assert!(!said.trim().is_empty() && !technical.trim().is_empty(), "{line}");
        }
    }

    #[test]
    fn the_longest_phrase_fills() {
        let marks = |text: &str| -> String {
            let marks = FILLERS.mark(text);
            text.chars().zip(marks).filter(|(_, fills)| !fills).map(|(c, _)| c).collect()
        };
        assert_eq!(marks("地震来了怎么办"), "地震来");
        assert_eq!(marks("有没有有机物"), "有机物");
    }

    #[test]
    fn the_longest_everyday_word_counts() {
        let all = Everyday::read("风车\t风力机\n大风车\t风力发电机\n");
        assert_eq!(all.within("为什么大风车要高"), [("大风车", &["风力发电机".to_owned()][..])]);
    }
}
