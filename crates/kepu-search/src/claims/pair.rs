//! One post beside one claim: the figures from which `decide` judges whether they say the same.
//!
//! All figures are shares or small counts, so that they mean the same in a collection of ten claims and in one of a million. What makes a gram weigh is how rare it
//! is among the claims, from 0 to 1.

use super::align::{Identities, lcs, spot};
use super::postings::{Map, Probe, impact};
use super::reading::{BREAK, NUMBER, SENTENCE, WORD, is_pair, one, two};
use super::slots::{self, Slots};

/// Symbols of a stretch that is aligned letter by letter.
const STRETCH_MAX: usize = 96;

/// Names of the figures, in their order; the model refers to them by place.
pub const NAMES: [&str; COUNT] = [
    "bm25_of_self",
    "bm25_of_top",
    "rank",
    "margin_next",
    "near_top",
    "one_in_claim",
    "two_in_claim",
    "one_in_post",
    "two_in_post",
    "sentence",
    "lead",
    "segment",
    "run",
    "rarest",
    "second",
    "missed",
    "shared",
    "alone",
    "post_len",
    "claim_len",
    "numbers_same",
    "numbers_clash",
    "places_same",
    "places_clash",
    "places_new",
    "align_post",
    "align_claim",
    "swapped",
    "swapped_most",
    "added",
    "dropped",
    "turned",
    "opposed",
    "number_swapped",
    "known",
    "mass",
    "title",
    "early",
    "bm25",
    "rank_cover",
    "cover_of_top",
    "prefix",
    "new_swapped",
    "new_swapped_most",
    "new_post",
    "new_claim",
    "swaps",
    "even_swaps",
    "new_post_most",
    "new_claim_most",
    "new_turned",
    "first_margin",
    "first_gap",
    "first_share",
    "judged",
    "cosine",
    "cosine_gap",
    "cosine_over_mean",
    "cosine_rank",
];
/// How many figures there are without the encoder; those behind are filled by `late`.
pub const BASIC: usize = 54;
/// How many figures there are.
pub const COUNT: usize = 59;
/// The figures of one pair.
pub type Figures = [f32; COUNT];

/// One gram of a post.
#[derive(Debug, Clone, Copy)]
struct Gram {
    rarity: f32,
    pair: bool,
    sentence: u32,
    times: f32,
    /// What it counts in the first order.
    weight: f32,
    lists: Lists,
}

/// The list of a key on each of the two shelves with its length, if there is one.
pub type Lists = [Option<(u32, u32)>; 2];

/// What the claims know about keys.
pub trait Rarity {
    /// Where a key is listed.
    fn lists(&self, key: u64) -> Lists;
    /// How rare a key is that stands in so many claims, from 0 to 1.
    fn of(&self, key: u64, len: u32) -> f32;
    /// What a key counts in the first order: see `matcher`.
    fn weight(&self, rarity: f32, times: f32) -> f32;
    /// Mean length of a claim in symbols.
    fn mean_length(&self) -> f32;
}

fn len(lists: &Lists) -> u32 {
    lists.iter().flatten().map(|list| list.1).sum()
}

/// A post made ready to be compared.
pub struct Asked<'a> {
    symbols: &'a [u32],
    /// How rare each symbol is.
    rarities: Vec<f32>,
    /// One bit for what some of the symbols are: most symbols of a claim are not in the post, and need not be looked for.
    some: [u64; 64],
    grams: Vec<Gram>,
    numbers: Map<u32>,
    /// Sums of rarity: of single symbols, of pairs.
    mass: [f32; 2],
    /// Sum of rarity of each sentence.
    sentences: Vec<f32>,
    /// Rarities of the two rarest grams.
    top: [f32; 2],
    slots: Slots,
    known: f32,
    /// What the post itself would get in the first order.
    full: f32,
}

/// A claim as it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Its text, read.
    pub symbols: &'a [u32],
    /// Sums of rarity: of distinct symbols, of distinct pairs.
    pub mass: [f32; 2],
}

/// What is noted while a post is compared with a claim; used again for the next claim.
#[derive(Default)]
pub struct Notes {
    /// How often each gram stands in the claim.
    seen: Vec<u32>,
    /// In which sentence of the claim each was last met.
    in_sentence: Vec<u32>,
    /// Of each sentence of the post what the claim holds.
    segments: Vec<f32>,
}

impl Notes {
    fn begin(&mut self, grams: usize, sentences: usize) {
        self.seen.clear();
        self.seen.resize(grams, 0);
        self.in_sentence.clear();
        self.in_sentence.resize(grams, u32::MAX);
        self.segments.clear();
        self.segments.resize(sentences, 0.0);
    }
}

/// Where a post and a claim say most of the same.
#[derive(Debug, Clone, Copy)]
pub struct Spot {
    /// Number of the post's sentence.
    sentence: usize,
    /// First symbol of the claim's sentence, and the first behind it.
    stretch: (usize, usize),
}

impl<'a> Asked<'a> {
    /// Looks every gram up once.
    pub fn new(symbols: &'a [u32], rarity: &impl Rarity) -> Self {
        let mut out = Self {
            symbols,
            rarities: Vec::new(),
            some: [0; 64],
            grams: Vec::with_capacity(symbols.len() * 2),
            numbers: Map::default(),
            mass: [0.0; 2],
            sentences: Vec::new(),
            top: [0.0; 2],
            slots: Slots::of(symbols),
            known: 0.0,
            full: 0.0,
        };
        out.numbers.reserve(symbols.len() * 2);
        let mut keys: Vec<u64> = Vec::with_capacity(symbols.len() * 2);
        let mut ones: Vec<u32> = Vec::with_capacity(symbols.len());
        let mut sentence = 0;
        for (i, symbol) in symbols.iter().enumerate() {
            sentence += u32::from(symbol & SENTENCE != 0 || i == 0);
            ones.push(out.note(one(*symbol), sentence - 1, &mut keys));
            let (word, bit) = spot(*symbol);
            out.some[word] |= 1 << bit;
            if i > 0 && symbol & BREAK == 0 {
                out.note(two(symbols[i - 1], *symbol), sentence - 1, &mut keys);
            }
        }
        // Looked up one behind the other and nothing between: memory is far away, and fetches that do not wait for each other overlap.
        let lists: Vec<Lists> = keys.iter().map(|key| rarity.lists(*key)).collect();
        out.sentences = vec![0.0; sentence as usize];
        for (number, (key, lists)) in keys.into_iter().zip(lists).enumerate() {
            out.weigh(number, rarity.of(key, len(&lists)), lists);
        }
        out.rarities = ones.into_iter().map(|number| out.grams[number as usize].rarity).collect();
        for gram in &mut out.grams {
            gram.weight = rarity.weight(gram.rarity, gram.times);
        }
        let held = out.grams.iter().filter(|gram| len(&gram.lists) > 0).count();
        out.known = held as f32 / out.grams.len().max(1) as f32;
        out.full = out.grams.iter().map(|gram| 0.6 * gram.weight).sum();
        out
    }

    /// Takes a gram down; its number.
    fn note(&mut self, key: u64, sentence: u32, keys: &mut Vec<u64>) -> u32 {
        let next = self.grams.len() as u32;
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            keys.push(key);
            self.grams.push(Gram { rarity: 0.0, pair: is_pair(key), sentence, times: 0.0, weight: 0.0, lists: [None; 2] });
        }
        self.grams[number as usize].times += 1.0;
        number
    }

    /// Notes how rare a gram is.
    fn weigh(&mut self, number: usize, rarity: f32, lists: Lists) {
        let gram = &mut self.grams[number];
        (gram.rarity, gram.lists) = (rarity, lists);
        self.mass[usize::from(gram.pair)] += rarity;
        self.sentences[gram.sentence as usize] += rarity;
        if gram.pair {
            if rarity > self.top[0] {
                self.top = [rarity, self.top[0]];
            } else if rarity > self.top[1] {
                self.top[1] = rarity;
            }
        }
    }

    /// Whether a symbol may be in the post.
    fn may(&self, symbol: u32) -> bool {
        let (word, bit) = spot(symbol);
        self.some[word] >> bit & 1 == 1
    }

    /// What is to be read on a shelf, rarest first.
    pub fn probes(&self, shelf: usize) -> Vec<Probe> {
        let probe = |gram: &Gram| gram.lists[shelf].map(|(list, len)| Probe { list, len, weight: gram.weight });
        let mut out: Vec<Probe> = self.grams.iter().filter_map(probe).collect();
        // The number of a list depends on the order of claims, its place in the post does not: a stable sort.
        out.sort_by_key(|probe| probe.len);
        out
    }

    /// The figures that need no other claim and no look letter by letter; and where the two say most of the same.
    pub fn compare(&self, claim: Known, rarity: &impl Rarity, notes: &mut Notes) -> (Figures, Spot) {
        let mut f: Figures = [0.0; COUNT];
        notes.begin(self.grams.len(), self.sentences.len());
        let Notes { seen, in_sentence, segments } = notes;
        let mut shared = [0.0f32; 2];
        let (mut sentence, mut sum, mut best, mut lead, mut best_at, mut start) = (0u32, 0.0f32, 0.0f32, 0.0f32, (0, 0), 0);
        let (mut run, mut run_best) = (0.0f32, 0.0f32);
        let (mut top_shared, mut shared_count) = ([0.0f32; 2], 0u32);
        let mut early = 0.0f32;
        let mut before = false;
        for (i, symbol) in claim.symbols.iter().enumerate() {
            if symbol & SENTENCE != 0 && i > 0 {
                if sentence == 0 {
                    lead = sum;
                }
                if sum > best {
                    (best, best_at) = (sum, (start, i));
                }
                (sentence, sum, start) = (sentence + 1, 0.0, i);
            }
            let mut hit = |key: u64| {
                let number = *self.numbers.get(&key)? as usize;
                let gram = self.grams[number];
                if in_sentence[number] != sentence {
                    in_sentence[number] = sentence;
                    sum += gram.rarity;
                }
                seen[number] += 1;
                if seen[number] == 1 {
                    shared[usize::from(gram.pair)] += gram.rarity;
                    segments[gram.sentence as usize] += gram.rarity;
                    if i < 40 {
                        early += gram.rarity;
                    }
                    shared_count += u32::from(gram.pair);
                    if gram.pair {
                        if gram.rarity > top_shared[0] {
                            top_shared = [gram.rarity, top_shared[0]];
                        } else if gram.rarity > top_shared[1] {
                            top_shared[1] = gram.rarity;
                        }
                    }
                }
                Some(gram.rarity)
            };
            let may = self.may(*symbol);
            if may {
                hit(one(*symbol));
            }
            let pair = (may && before && symbol & BREAK == 0).then(|| hit(two(claim.symbols[i - 1], *symbol))).flatten();
            before = may;
            run = pair.map_or(0.0, |rarity| run + rarity);
            run_best = run_best.max(run);
        }
        if sentence == 0 {
            lead = sum;
        }
        if sum > best {
            (best, best_at) = (sum, (start, claim.symbols.len()));
        }
        let all = (self.mass[0] + self.mass[1]).max(1e-6);
        let mean = rarity.mean_length();
        let (mut missed, mut bm25) = (0.0f32, 0.0f32);
        for (gram, times) in self.grams.iter().zip(seen.iter()) {
            if *times > 0 {
                bm25 += gram.weight * impact(*times as f32, claim.symbols.len(), mean);
            } else if gram.pair {
                missed = missed.max(gram.rarity);
            }
        }
        let segment = segments.iter().zip(&self.sentences).filter(|(_, whole)| **whole > 4.0).map(|(part, whole)| part / whole).fold(0.0, f32::max);
        let at = |name: usize, value: f32, f: &mut Figures| f[name] = value;
        at(0, bm25 / self.full.max(1e-6), &mut f);
        at(5, shared[0] / self.mass[0].max(1e-6), &mut f);
        at(6, shared[1] / self.mass[1].max(1e-6), &mut f);
        at(7, (shared[0] / claim.mass[0].max(1e-6)).min(1.0), &mut f);
        at(8, (shared[1] / claim.mass[1].max(1e-6)).min(1.0), &mut f);
        at(9, best / all, &mut f);
        at(10, lead / all, &mut f);
        at(11, segment, &mut f);
        at(12, run_best, &mut f);
        at(13, top_shared[0], &mut f);
        at(14, top_shared[1], &mut f);
        at(15, missed, &mut f);
        at(16, shared[1], &mut f);
        at(17, shared_count as f32, &mut f);
        at(18, (self.symbols.len() as f32).ln_1p(), &mut f);
        at(19, (claim.symbols.len() as f32).ln_1p(), &mut f);
        at(34, self.known, &mut f);
        at(35, all.ln_1p(), &mut f);
        at(36, self.sentences.first().map_or(0.0, |whole| segments[0] / whole.max(1e-6)), &mut f);
        at(37, early / all, &mut f);
        at(38, bm25.ln_1p(), &mut f);
        let held = segments.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i);
        (f, Spot { sentence: held, stretch: best_at })
    }

    /// Fills the figures that are looked for letter by letter.
    pub fn look_closely(&self, claim: Known, spot: Spot, rarity: &impl Rarity, f: &mut Figures) {
        self.slots_beside(claim, f);
        self.align(stretch(claim.symbols, spot.stretch), spot.sentence, rarity, f);
    }

    fn slots_beside(&self, claim: Known, f: &mut Figures) {
        let theirs = Slots::of(claim.symbols);
        let (same, clash) = self.slots.numbers_against(&theirs);
        (f[20], f[21]) = (same, clash);
        let (same, clash) = self.slots.places_against(&theirs);
        (f[22], f[23]) = (same, clash);
        f[24] = (theirs.places.len() as f32 - same).max(0.0);
    }

    /// The stretch of the post that says most of what the claim holds, letter by letter beside the claim's best stretch.
    fn align(&self, theirs: &[u32], sentence: usize, rarity: &impl Rarity, f: &mut Figures) {
        let (start, end) = if self.symbols.len() <= STRETCH_MAX {
            (0, self.symbols.len())
        } else {
            let mut bounds = self.symbols.iter().enumerate().filter(|(i, s)| *i == 0 || **s & SENTENCE != 0).map(|(i, _)| i).skip(sentence);
            let start = bounds.next().unwrap_or(0);
            let end = bounds.next().unwrap_or(self.symbols.len());
            (start, end.min(start + STRETCH_MAX))
        };
        let ours = &self.symbols[start..end];
        let weigh = |symbol: &u32| {
            let key = one(*symbol);
            // Those of the post were looked up already.
            let known = self.may(*symbol).then(|| self.numbers.get(&key)).flatten();
            known.map_or_else(|| rarity.of(key, len(&rarity.lists(key))), |number| self.grams[*number as usize].rarity)
        };
        let (a, b) = (&self.rarities[start..end], theirs.iter().map(weigh).collect::<Vec<f32>>());
        // What only one side says at all: words that merely moved are not new.
        let (in_ours, in_theirs) = (Identities::of(ours), Identities::of(theirs));
        let new = |symbols: &[u32], weights: &[f32], other: &Identities| -> Vec<f32> {
            symbols.iter().zip(weights).map(|(symbol, weight)| if other.hold(*symbol) { 0.0 } else { *weight }).collect()
        };
        let (new_a, new_b) = (new(ours, a, &in_theirs), new(theirs, &b, &in_ours));
        let matched = lcs(&in_theirs.places(ours), &in_ours.places(theirs), ours, theirs, a);
        let (whole_a, whole_b) = (a.iter().sum::<f32>().max(1e-6), b.iter().sum::<f32>().max(1e-6));
        let common: f32 = matched.iter().map(|(i, _)| a[*i]).sum();
        f[25] = common / whole_a;
        f[26] = common / whole_b;
        let least = whole_a.min(whole_b);
        let most = |w: &[f32]| w.iter().copied().fold(0.0, f32::max);
        (f[44], f[45]) = (new_a.iter().sum::<f32>() / whole_a, new_b.iter().sum::<f32>() / whole_b);
        (f[48], f[49]) = (most(&new_a), most(&new_b));
        let mut before = (0, 0);
        let anchors = matched.iter().copied().chain(std::iter::once((ours.len(), theirs.len())));
        for (n, (i, j)) in anchors.enumerate() {
            let (gap_a, gap_b) = (before.0..i, before.1..j);
            let inner = n > 0 && n < matched.len();
            let (sum_a, sum_b) = (a[gap_a.clone()].iter().sum::<f32>(), b[gap_b.clone()].iter().sum::<f32>());
            let (side_a, side_b) = (&ours[gap_a.clone()], &theirs[gap_b.clone()]);
            if !side_a.is_empty() && !side_b.is_empty() {
                f[27] += sum_a.min(sum_b) / least;
                let (only_a, only_b) = (&new_a[gap_a.clone()], &new_b[gap_b.clone()]);
                let (sum_new_a, sum_new_b) = (only_a.iter().sum::<f32>(), only_b.iter().sum::<f32>());
                if sum_new_a > 0.0 && sum_new_b > 0.0 {
                    f[42] += sum_new_a.min(sum_new_b) / least;
                    f[43] = f[43].max(most(only_a).min(most(only_b)));
                    f[46] += 1.0;
                    f[47] += f32::from(u8::from(side_a.len() == side_b.len()));
                }
                f[28] = f[28].max(most(&a[gap_a.clone()]).min(most(&b[gap_b.clone()])));
                if side_a.len() + side_b.len() <= 16 && slots::opposed(side_a, side_b) {
                    f[32] += 1.0;
                }
                let number = |side: &[u32]| side.iter().any(|s| s & (WORD | NUMBER) == WORD | NUMBER);
                if number(side_a) && number(side_b) {
                    f[33] += 1.0;
                }
            } else if inner {
                f[29] += sum_a / whole_a;
                f[30] += sum_b / whole_b;
            }
            let denials = |side: &[u32]| side.iter().filter(|s| slots::denies(**s)).count();
            if (inner || !matched.is_empty()) && side_a.len() + side_b.len() <= 12 && denials(side_a) % 2 != denials(side_b) % 2 {
                f[31] += 1.0;
            }
            let new_denial = |side: &[u32], new: &[f32]| side.iter().zip(new).any(|(s, n)| *n > 0.0 && slots::denies(*s));
            if new_denial(side_a, &new_a[gap_a]) != new_denial(side_b, &new_b[gap_b]) {
                f[50] += 1.0;
            }
            before = (i + 1, j + 1);
        }
        f[41] = matched.iter().take_while(|(i, j)| i == j).count() as f32 / ours.len().max(1) as f32;
    }
}

/// The part of a claim to align: the whole of a short one, else its best sentence with what follows.
fn stretch(symbols: &[u32], best: (usize, usize)) -> &[u32] {
    if symbols.len() <= STRETCH_MAX {
        return symbols;
    }
    &symbols[best.0..best.1.min(best.0 + STRETCH_MAX)]
}

/// Fills the figures that depend on the other candidates; `all` in the order of the postings.
pub fn relate(all: &mut [Figures]) {
    let Some(top) = all.first().map(|f| f[0]) else { return };
    let scores: Vec<f32> = all.iter().map(|f| f[0]).collect();
    let covers: Vec<f32> = all.iter().map(|f| f[9]).collect();
    let best_cover = covers.iter().copied().fold(0.0, f32::max);
    for (rank, f) in all.iter_mut().enumerate() {
        let other = if rank == 0 { scores.get(1).copied().unwrap_or(0.0) } else { top };
        f[1] = scores[rank] / top.max(1e-6);
        f[2] = (rank as f32).ln_1p();
        f[3] = (scores[rank] - other) / top.max(1e-6);
        f[4] = scores.iter().filter(|s| **s > 0.8 * top).count() as f32;
        f[39] = covers.iter().filter(|c| **c > covers[rank]).count() as f32;
        f[40] = covers[rank] / best_cover.max(1e-6);
    }
}
