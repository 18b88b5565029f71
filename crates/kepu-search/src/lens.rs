//! A question made ready to look at many texts: which of its words stand where, sentence by sentence.
//!
//! The second pass reads a hundred whole texts for each search, so a letter that is not in the question must cost next to nothing: one bit.

use std::collections::HashMap;
use std::ops::Range;

use kepu_text::fold::{fold, fold_char};
use tantivy::Score;

use crate::asked::{Asked, Part, Shape, Term};
use crate::sentence::sentences;

/// Longest text that is looked at, in bytes: some 12,000 Chinese characters.
pub(crate) const TEXT_MAX: usize = 36_000;
/// Words of bits for terms, and for runs.
const TERM_WORDS: usize = 8;
const WORDS: usize = 12;

/// A set of terms and runs of the question.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bits([u64; WORDS]);

impl Bits {
    fn set(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }
    pub fn or(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }
    pub fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }
    fn each(&self, mut visit: impl FnMut(usize)) {
        for (at, &word) in self.0.iter().enumerate() {
            let mut left = word;
            while left != 0 {
                visit(at * 64 + left.trailing_zeros() as usize);
                left &= left - 1;
            }
        }
    }
}

/// Weight of what stands somewhere, each kind as a share of all there is of it in the question (technical words: of its pairs).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sums {
    pub pairs: Score,
    pub letters: Score,
    pub border: Score,
    pub technical: Score,
    pub runs: Score,
    pub filler: Score,
}

/// One sentence of a text.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
    /// Its length in Chinese characters.
    pub length: usize,
    pub bits: Bits,
    pub sums: Sums,
}

/// What a text shows.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub title: Bits,
    /// Number of pairs and words of the title, and how many of them the question has.
    pub title_tokens: (usize, usize),
    pub pieces: Vec<Piece>,
    /// How often each term stands in the text.
    pub counts: Vec<u16>,
    /// Number of tokens of title and text.
    pub length: usize,
}

/// The question, made ready.
#[derive(Debug)]
pub(crate) struct Lens {
    /// One bit for each character up to U+FFFF that a letter or pair begins with or ends in.
    common: Box<[u64; 1024]>,
    letters: HashMap<char, usize>,
    pairs: HashMap<(char, char), usize>,
    words: HashMap<String, usize>,
    runs: HashMap<(char, char, char), usize>,
    /// What each bit weighs, and as what.
    weights: Vec<(Class, f32)>,
    terms: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Pair,
    Letter,
    Border,
    Technical,
    Run,
    Filler,
    Nothing,
}

impl Lens {
    /// `idf` has one number for each term of the question.
    pub fn new(asked: &Asked, question: &str, idf: &[f32]) -> Self {
        let mut lens = Self {
            common: Box::new([0; 1024]),
            letters: HashMap::new(),
            pairs: HashMap::new(),
            words: HashMap::new(),
            runs: HashMap::new(),
            weights: Vec::new(),
            terms: asked.terms.len(),
        };
        for (at, (term, &idf)) in asked.terms.iter().zip(idf).enumerate() {
            lens.add(at, term);
            lens.weights.push((class(term), idf));
        }
        lens.weights.resize(TERM_WORDS * 64, (Class::Nothing, 0.0));
        lens.add_runs(question);
        let mut totals = [0.0_f32; 7];
        lens.weights.iter().for_each(|(class, weight)| totals[*class as usize] += weight);
        totals[Class::Border as usize] = totals[Class::Border as usize].max(totals[Class::Pair as usize]);
        totals[Class::Filler as usize] = totals[Class::Filler as usize].max(totals[Class::Pair as usize]);
        totals[Class::Technical as usize] = totals[Class::Pair as usize];
        lens.weights.iter_mut().for_each(|(class, weight)| *weight /= totals[*class as usize].max(1e-6));
        lens
    }

    fn add(&mut self, at: usize, term: &Term) {
        let mut chars = term.text.chars();
        match (chars.next(), chars.next(), chars.next()) {
            (Some(a), None, _) if !a.is_ascii() => {
                self.mark(a);
                self.letters.entry(a).or_insert(at);
            }
            (Some(a), Some(b), None) if term.shape == Shape::Pair => {
                self.mark(a);
                self.mark(b);
                self.pairs.insert((a, b), at);
            }
            _ => drop(self.words.insert(term.text.clone(), at)),
        }
    }

    /// Three letters in a row weigh the mean of their two pairs.
    fn add_runs(&mut self, question: &str) {
        let chars: Vec<char> = question.chars().collect();
        for three in chars.windows(3) {
            let (Some(&one), Some(&two)) = (self.pairs.get(&(three[0], three[1])), self.pairs.get(&(three[1], three[2]))) else { continue };
            let weigh = |at: usize| if self.weights[at].0 == Class::Pair { self.weights[at].1 } else { 0.0 };
            let weight = (weigh(one) + weigh(two)) / 2.0;
            if weight > 0.0 && self.weights.len() < WORDS * 64 && !self.runs.contains_key(&(three[0], three[1], three[2])) {
                self.runs.insert((three[0], three[1], three[2]), self.weights.len());
                self.weights.push((Class::Run, weight));
            }
        }
    }

    fn mark(&mut self, c: char) {
        if let Some(word) = self.common.get_mut(c as usize / 64) {
            *word |= 1 << (c as usize % 64);
        }
    }

    /// Whether `c` may be in the question; for rare characters always.
    fn may(&self, c: char) -> bool {
        self.common.get(c as usize / 64).is_none_or(|word| word >> (c as usize % 64) & 1 == 1)
    }

    /// What `bits` weigh.
    pub fn sums(&self, bits: &Bits) -> Sums {
        let mut sums = Sums::default();
        bits.each(|at| {
            let Some(&(class, weight)) = self.weights.get(at) else { return };
            match class {
                Class::Pair => sums.pairs += weight,
                Class::Letter => sums.letters += weight,
                Class::Border => sums.border += weight,
                Class::Technical => sums.technical += weight,
                Class::Run => sums.runs += weight,
                Class::Filler => sums.filler += weight,
                Class::Nothing => {}
            }
        });
        sums.technical = sums.technical.min(1.0);
        sums
    }

    /// What `damped`, the damped frequency of each term, makes of pairs, letters and technical words.
    pub fn weigh(&self, damped: impl Fn(usize) -> f32) -> Sums {
        let mut sums = Sums::default();
        for (at, (class, weight)) in self.weights.iter().enumerate().take(self.terms) {
            match class {
                Class::Pair => sums.pairs += weight * damped(at),
                Class::Letter => sums.letters += weight * damped(at),
                Class::Border => sums.border += weight * damped(at),
                Class::Technical => sums.technical += weight * damped(at),
                Class::Filler => sums.filler += weight * damped(at),
                Class::Run | Class::Nothing => {}
            }
        }
        sums
    }

    /// Looks at a document.
    pub fn look(&self, title: &str, text: &str) -> Seen {
        let mut seen = Seen { counts: vec![0; self.terms], ..Seen::default() };
        let mut title_counts = seen.counts.clone();
        let text = &text[..text.floor_char_boundary(TEXT_MAX)];
        let (bits, tokens, hits) = self.read(title, &mut title_counts);
        (seen.title, seen.title_tokens, seen.length) = (bits, (tokens, hits), tokens * 2);
        for range in sentences(text) {
            let (bits, tokens, _) = self.read(&text[range.clone()], &mut seen.counts);
            seen.length += tokens * 2;
            seen.pieces.push(Piece { length: range.len() / 3, sums: self.sums(&bits), range, bits });
        }
        seen
    }

    /// The terms and runs that stand in `text`, how many letters and words it has, and how many of its pairs and words are in the question.
    fn read(&self, text: &str, counts: &mut [u16]) -> (Bits, usize, usize) {
        if text.chars().all(|c| fold_char(c).is_some()) { self.scan(text.chars().filter_map(fold_char), counts) } else { self.scan(fold(text).chars(), counts) }
    }

    fn scan(&self, folded: impl Iterator<Item = char>, counts: &mut [u16]) -> (Bits, usize, usize) {
        let (mut bits, mut tokens, mut hits) = (Bits::default(), 0, 0);
        let mut hit = |at: usize, bits: &mut Bits| {
            bits.set(at);
            if let Some(count) = counts.get_mut(at) {
                *count = count.saturating_add(1);
            }
        };
        // The two letters before, if they may be in the question.
        let (mut before, mut earlier) = (None, None);
        let mut word = String::new();
        for c in folded.chain([' ']) {
            if !is_letter(c) {
                (before, earlier) = (None, None);
                if c.is_alphanumeric() {
                    word.push(c);
                    continue;
                }
            }
            if !word.is_empty() {
                tokens += 1;
                if let Some(&at) = self.words.get(&word) {
                    hit(at, &mut bits);
                    hits += 1;
                }
                word.clear();
            }
            if !is_letter(c) {
                continue;
            }
            tokens += 1;
            if !self.may(c) {
                (before, earlier) = (None, None);
                continue;
            }
            if let Some(&at) = self.letters.get(&c) {
                hit(at, &mut bits);
            }
            if let Some(a) = before
                && let Some(&at) = self.pairs.get(&(a, c))
            {
                hit(at, &mut bits);
                hits += 1;
                if let Some(first) = earlier
                    && let Some(&run) = self.runs.get(&(first, a, c))
                {
                    bits.set(run);
                }
            }
            (earlier, before) = (before, Some(c));
        }
        (bits, tokens, hits)
    }
}

/// Letters that stand in pairs; near enough to what `kepu_text::pieces` calls a letter.
fn is_letter(c: char) -> bool {
    c >= '\u{E00}'
        && matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '\u{3005}'..='\u{30FF}' | '\u{20000}'..='\u{3FFFD}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{E000}'..='\u{F8FF}' | '\u{E00}'..='\u{E7F}')
}

fn class(term: &Term) -> Class {
    match (term.part, term.shape) {
        (Part::Technical, _) => Class::Technical,
        (Part::Subject, Shape::Letter) => Class::Letter,
        (Part::Subject, _) => Class::Pair,
        (Part::Border, _) => Class::Border,
        (Part::Filler, Shape::Letter) => Class::Nothing,
        (Part::Filler, _) => Class::Filler,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens(question: &str) -> Lens {
        let asked = Asked::parse(question);
        let idf = vec![1.0; asked.terms.len()];
        Lens::new(&asked, &fold(question), &idf)
    }

    #[test]
    fn shares_of_the_question_are_seen_where_they_stand() {
        let lens = lens("黑洞怎么形成");
        let seen = lens.look("黑洞", "它的形成需要大质量恒星。山洞很黑。");
        let title = lens.sums(&seen.title);
        let first = lens.sums(&seen.pieces[0].bits);
        let second = lens.sums(&seen.pieces[1].bits);
        assert!((title.pairs - 0.5).abs() < 1e-6 && (first.pairs - 0.5).abs() < 1e-6 && second.pairs == 0.0);
        assert!(second.letters > 0.0 && first.runs == 0.0);
        assert_eq!((seen.pieces.len(), seen.title_tokens), (2, (2, 1)));
    }

    #[test]
    fn words_runs_and_scripts_are_seen() {
        let lens = lens("mRNA疫苗接種");
        let seen = lens.look("", "關於mRNA與疫苗接种的問答。rna");
        let sums = lens.sums(&seen.pieces[0].bits);
        assert!((sums.pairs - 1.0).abs() < 1e-6 && (sums.runs - 1.0).abs() < 1e-6, "{sums:?}");
        assert_eq!(lens.sums(&seen.pieces[1].bits).pairs, 0.0);
    }
}
