//! The matcher: claims kept ready, and the claim that says what a post says.
//!
//! Claims come in bulk ([`Matcher::new`]) or one by one ([`Matcher::put`]); what came one by one waits on a small shelf of its own, so that it is found at
//! once, until [`Matcher::settle`] puts it among the others. The order in which claims came changes nothing.

use super::decide::{Forest, Model, Opinion, OrNone};
use super::late::{self, LOOKED, Late};
use super::pair::{Asked, BASIC, Figures, Known, Lists, Notes, Rarity, Spot, relate};
use super::postings::{Budget, Sums, idf, idf_most};
use super::reading::{self, SENTENCE};
use super::shelf::Shelf;
use crate::encoder::Memory;
use std::collections::HashMap;
use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Candidates that are compared.
const CANDIDATES: usize = 24;
/// More of them that the postings, read in part, name: the exact look may prefer one.
const SPARE: usize = 8;
/// Postings read for one stretch of a post, at least and at most; all of them while there are few claims.
const POSTINGS: (usize, usize) = (4_000, 60_000);
/// Between the two, fewer the more claims there are.
const POSTINGS_TIMES_CLAIMS: usize = 300_000_000;
/// Symbols of a post that is compared as one; a longer one is also taken apart.
const WHOLE_MAX: usize = 320;
/// Symbols of a part of a long post, about.
const PART: usize = 120;
/// Claims of the small shelf before it is settled by itself.
const LOOSE_MAX: usize = 2_000;

/// Stretches of one post that get a second look with the encoder, so that a paste of any size costs the same.
const SECOND_LOOKS: usize = 4;

/// Candidates that are judged letter by letter.
pub const JUDGED: usize = 4;

/// A claim that comes into question.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its number, for [`Matcher::id`].
    pub number: u32,
    /// What is known about it.
    pub figures: Figures,
    /// What was known at the first look.
    pub first: Figures,
    margin: f32,
    spot: Spot,
}

/// What is to be done with a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// The first claim says the same: answer with it.
    Answer,
    /// It may, or one of several does: a person should look.
    Ask,
    /// No claim says the same.
    None,
}

/// A claim that may say what the post says.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its id.
    pub claim: String,
    /// Its share of the confidence, from 0 to 1.
    pub score: f32,
}

/// What was found for a post.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Whether any of the claims says what the post says.
    pub matched: bool,
    /// What is to be done.
    pub band: Band,
    /// Honest chance that any of the claims says what the post says; 0 without candidates.
    pub confidence: f32,
    /// Best first; ties by id.
    pub hits: Vec<Hit>,
}

/// Claims kept ready.
pub struct Matcher {
    settled: Shelf,
    loose: Shelf,
    /// Claims that are no more, by number; settled ones first.
    gone: Vec<bool>,
    /// Numbers by id; made when the first claim comes or goes alone.
    numbers: Option<HashMap<String, u32>>,
    model: &'static Model,
    late: Option<Late>,
    /// Another one after every change, and in every matcher.
    state: u64,
}

fn next_state() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

impl Matcher {
    /// Reads and indexes claims, with `threads` threads. Of two claims with one id the last counts.
    #[must_use]
    pub fn new(claims: Vec<(String, String)>, threads: usize) -> Self {
        let settled = Shelf::new(claims, threads);
        let gone = vec![false; settled.len()];
        Self { settled, loose: Shelf::default(), gone, numbers: None, model: Model::built_in(), late: None, state: next_state() }
    }

    /// The same, with the optional encoder for a second look at what is neither sure to match nor sure not to.
    #[must_use]
    pub fn with_encoder(claims: Vec<(String, String)>, threads: usize, memory: Arc<Memory>) -> Self {
        let late = Late::new(memory, claims.iter().map(|(id, text)| (id.as_str(), text.as_str())));
        Self { late: Some(late), ..Self::new(claims, threads) }
    }

    /// From now on [`Self::find`] takes a second look with the encoder; `claims` are those that are here.
    pub fn use_encoder<'a>(&mut self, memory: Arc<Memory>, claims: impl Iterator<Item = (&'a str, &'a str)>) {
        self.late = Some(Late::new(memory, claims));
    }

    /// How many claims there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.gone.iter().filter(|gone| !**gone).count()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a claim, or says anew what it says. It is found from now on.
    pub fn put(&mut self, id: &str, text: &str) {
        self.remove(id);
        self.loose.put(id.to_owned(), reading::read(text));
        if let Some(late) = &mut self.late {
            late.put(id, text);
        }
        self.gone.push(false);
        let number = self.gone.len() as u32 - 1;
        self.number_of().insert(id.to_owned(), number);
        self.state = next_state();
        if self.loose.len() >= LOOSE_MAX {
            self.settle();
        }
    }

    /// Takes a claim away; whether there was one.
    pub fn remove(&mut self, id: &str) -> bool {
        let Some(number) = self.number_of().remove(id) else { return false };
        self.gone[number as usize] = true;
        self.state = next_state();
        if let Some(late) = &mut self.late {
            late.remove(id);
        }
        true
    }

    /// Puts what came one by one among the others and forgets what is gone. Takes about as long as [`Self::new`].
    pub fn settle(&mut self) {
        let gone = std::mem::take(&mut self.gone);
        self.settled = std::mem::take(&mut self.settled).with(std::mem::take(&mut self.loose), &gone);
        self.gone = vec![false; self.settled.len()];
        self.numbers = None;
        self.state = next_state();
    }

    fn number_of(&mut self) -> &mut HashMap<String, u32> {
        let (settled, loose, gone) = (&self.settled, &self.loose, &self.gone);
        self.numbers.get_or_insert_with(|| {
            let ids = settled.ids().chain(loose.ids()).enumerate().filter(|(n, _)| !gone[*n]);
            ids.map(|(n, id)| (id.to_owned(), n as u32)).collect()
        })
    }

    /// The claims that may say what `text` says, at most `limit`. With an encoder that takes a tenth of a second where the first look is in doubt.
    #[must_use]
    pub fn find(&self, text: &str, limit: usize, sums: &mut Sums) -> Found {
        self.find_with(text, limit, sums, self.late.as_ref())
    }

    /// The same without a second look: for thousands of posts.
    #[must_use]
    pub fn find_quickly(&self, text: &str, limit: usize, sums: &mut Sums) -> Found {
        self.find_with(text, limit, sums, None)
    }

    fn find_with(&self, text: &str, limit: usize, sums: &mut Sums, late: Option<&Late>) -> Found {
        let symbols = reading::read(text);
        if late.is_some() {
            return self.look(text, &symbols, limit, sums, late);
        }
        let key = sums.copies.key(&symbols, limit);
        if let Some(found) = sums.copies.get(self.state, &key) {
            return found;
        }
        let found = self.look(text, &symbols, limit, sums, None);
        sums.copies.put(self.state, key, &found);
        found
    }

    fn look(&self, text: &str, symbols: &[u32], limit: usize, sums: &mut Sums, late: Option<&Late>) -> Found {
        let mut best: Vec<(u32, f32)> = Vec::new();
        let mut confidence = 0.0f32;
        let mut looks = SECOND_LOOKS;
        for range in parts(symbols) {
            let rows = self.candidates(&symbols[range.clone()], sums, &self.model.order, if late.is_some() { LOOKED } else { JUDGED });
            let margins: Vec<f32> = rows.iter().take(JUDGED).map(|row| self.model.judge.margin(&row.figures)).collect();
            let mut opinion = self.model.opinion(&margins);
            if let Some(late) = late.filter(|late| looks > 0 && late.asks(opinion.sure)) {
                looks -= 1;
                opinion = self.second(late, &passage(text, range, symbols.len()), &rows);
            }
            let Opinion { chances, any, sure } = opinion;
            // What is not judged is worth less than what is.
            let least = chances.iter().copied().fold(1.0, f32::min);
            let rest = rows.iter().skip(chances.len()).enumerate().map(|(n, row)| (row.number, least / (n + 2) as f32));
            let judged = rows.iter().map(|row| row.number).zip(chances.iter().copied());
            best.extend(judged.chain(rest).map(|(number, chance)| (number, sure * chance / any.max(1e-9))));
            confidence = confidence.max(sure);
        }
        // A claim found in several parts counts once, where it was surest.
        best.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        best.dedup_by_key(|hit| hit.0);
        best.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| self.id(a.0).cmp(self.id(b.0))));
        best.truncate(limit);
        let matched = confidence >= self.model.answer;
        let sure_of_first = best.first().is_some_and(|(_, score)| *score >= 0.5 * confidence);
        let band = match (matched, confidence >= self.model.ask) {
            (true, _) if sure_of_first => Band::Answer,
            (false, false) => Band::None,
            _ => Band::Ask,
        };
        let hits = best.into_iter().map(|(n, score)| Hit { claim: self.id(n).to_owned(), score: score.clamp(0.0, 1.0) }).collect();
        Found { matched, band, confidence, hits }
    }

    /// What a second look with the encoder comes to.
    fn second(&self, late: &Late, post: &str, rows: &[Candidate]) -> Opinion {
        let claims: Vec<&str> = rows.iter().take(LOOKED).map(|row| self.id(row.number)).collect();
        let mut figures: Vec<Figures> = rows.iter().take(LOOKED).map(|row| row.figures).collect();
        late::look(&mut figures, &self.model.judge, &late.cosines(post, &claims));
        late.model.opinion(&figures.iter().map(|row| late.model.judge.margin(row)).collect::<Vec<f32>>())
    }

    /// The candidates for one stretch of a post, in the order that `order` gives them; the first `judged` with all their figures. For [`Self::find`] and
    /// for learning.
    #[must_use]
    pub fn candidates(&self, symbols: &[u32], sums: &mut Sums, order: &Forest, judged: usize) -> Vec<Candidate> {
        let asked = Asked::new(symbols, self);
        let mut best: Vec<(u32, f32)> = Vec::new();
        let budget = Budget { postings: (POSTINGS_TIMES_CLAIMS / self.gone.len().max(1)).clamp(POSTINGS.0, POSTINGS.1), keep: CANDIDATES + SPARE };
        for (n, (shelf, base)) in [(&self.settled, 0), (&self.loose, self.settled.len() as u32)].into_iter().enumerate() {
            let found = shelf.postings.best(&asked.probes(n), budget, sums);
            best.extend(found.into_iter().map(|(n, sum)| (n + base, sum)).filter(|(n, _)| !self.gone[*n as usize]));
        }
        // The postings were read in part; the first look is exact.
        let known: Vec<(u32, Known)> = best.iter().map(|(n, _)| (*n, self.known(*n))).collect();
        // Each is somewhere else in memory: touched one behind the other, they come together.
        black_box(known.iter().filter_map(|(_, claim)| claim.symbols.first()).fold(0, |all, symbol| all ^ symbol));
        let mut notes = Notes::default();
        let mut first: Vec<(u32, (Figures, Spot))> = known.into_iter().map(|(n, claim)| (n, asked.compare(claim, self, &mut notes))).collect();
        first.sort_by(|a, b| b.1.0[0].total_cmp(&a.1.0[0]).then_with(|| self.id(a.0).cmp(self.id(b.0))));
        first.truncate(CANDIDATES);
        let (best, looks): (Vec<u32>, Vec<(Figures, Spot)>) = first.into_iter().unzip();
        let (mut figures, spots): (Vec<Figures>, Vec<Spot>) = looks.into_iter().unzip();
        relate(&mut figures);
        let candidate = |(number, (figures, spot))| Candidate { number, margin: order.margin(&figures), first: figures, figures, spot };
        let mut out: Vec<Candidate> = best.into_iter().zip(figures.into_iter().zip(spots)).map(candidate).collect();
        // Stable: equals stay in the order of the postings, then of their ids.
        out.sort_by(|a, b| b.margin.total_cmp(&a.margin));
        let margins: Vec<f32> = out.iter().map(|c| c.margin).collect();
        let shares = Model::chances(&margins, OrNone::Never);
        for (n, candidate) in out.iter_mut().take(judged).enumerate() {
            asked.look_closely(self.known(candidate.number), candidate.spot, self, &mut candidate.figures);
            let other = margins.get(usize::from(n == 0)).copied().unwrap_or(candidate.margin - 5.0);
            candidate.figures[BASIC - 3..BASIC].copy_from_slice(&[candidate.margin, candidate.margin - other, shares[n]]);
        }
        out
    }

    fn known(&self, number: u32) -> Known<'_> {
        let settled = self.settled.len() as u32;
        if number < settled { self.settled.known(number) } else { self.loose.known(number - settled) }
    }

    /// The id of a claim by its number.
    #[must_use]
    pub fn id(&self, number: u32) -> &str {
        let settled = self.settled.len() as u32;
        if number < settled { self.settled.id(number) } else { self.loose.id(number - settled) }
    }
}

/// The stretches of a post that are asked for: the whole of an ordinary one; of a long one its beginning and its parts of some sentences each, so that each
/// of several claims is found.
#[expect(clippy::single_range_in_vec_init, reason = "a list of ranges is what is meant")]
fn parts(symbols: &[u32]) -> Vec<Range<usize>> {
    if symbols.is_empty() {
        return Vec::new();
    }
    if symbols.len() <= WHOLE_MAX {
        return vec![0..symbols.len()];
    }
    let mut out = vec![0..WHOLE_MAX];
    let mut start = 0;
    for (i, symbol) in symbols.iter().enumerate() {
        if (symbol & SENTENCE != 0 && i - start >= PART) || i - start >= 2 * PART {
            out.push(start..i);
            start = i;
        }
    }
    out.push(start..symbols.len());
    out
}

/// The words of a stretch of `text`, which has `count` symbols in all.
fn passage(text: &str, range: Range<usize>, count: usize) -> String {
    if range == (0..count) {
        return text.to_owned();
    }
    let places = reading::read_aligned(text).1;
    let at = |symbol: usize| places.get(symbol).map_or(text.len(), |place| place.start);
    text[at(range.start)..at(range.end)].to_owned()
}

impl Rarity for Matcher {
    fn lists(&self, key: u64) -> Lists {
        [self.settled.postings.list(key), self.loose.postings.list(key)]
    }
    fn of(&self, key: u64, len: u32) -> f32 {
        idf(key, len, self.gone.len()) / idf_most(self.gone.len())
    }
    /// Rare keys count more than BM25 lets them: most keys of a message are chatter.
    fn weight(&self, rarity: f32, times: f32) -> f32 {
        (rarity * idf_most(self.gone.len())).powf(1.8) * times.sqrt()
    }
    fn mean_length(&self) -> f32 {
        let (a, b) = (&self.settled.postings, &self.loose.postings);
        (a.mean * a.count as f32 + b.mean * b.count as f32) / (a.count + b.count).max(1) as f32
    }
}
