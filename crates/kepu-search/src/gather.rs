//! The first pass of a search: which documents count as found, and the best few by their words alone.
//!
//! Reads the lists of documents straight from the index, a window of documents at a time, so that scores stay in the processor's cache:
//! a million documents cost milliseconds. Two sums are kept for each document:
//!
//! - its **score**, BM25 over letters, pairs and words of text and title, which orders;
//! - its **cover**, the weight of the deciding units of the query that it holds, which decides whether it counts as found.
//!
//! Every document that shares one pair of letters with a question would be half the index, and a total that says nothing; every pair
//! of a question in one document is next to never. So:
//!
//! - **Up to three units** (a word or two: what people type into a search box): every word and 60 % of the pairs, rounded up. Absolute, so that
//!   a search for something we do not have finds nothing and can be counted as unanswered.
//! - **More**: units weigh by rarity (idf). A document must reach a share of what the best document reaches, 60 % falling by 4 points a unit to
//!   30 % from eleven units on, and 8 % of the whole query, below which everything is chance.
//!
//! The order of the best is the second pass, in `rank`.

use tantivy::postings::BlockSegmentPostings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, Searcher, SegmentReader, Term};

use crate::asked::{Asked, Shape};
use crate::model::{BM25_B, BM25_K1, MODEL};
use crate::query::{Query, groups};
use crate::schema::Fields;
use kepu_text::pieces::{Kind, grams};

/// Most units for which a fixed number must match.
const SHORT: usize = 3;
/// Share of the pairs of a short query.
const SHARE: f32 = 0.6;
/// What the share of the best document falls by with each further unit, and where it stops.
const SHARE_FALL: f32 = 0.04;
const SHARE_LEAST: f32 = 0.3;
/// Share of a whole longer query below which a match is chance.
const FLOOR: f32 = 0.08;
/// Room for sums of floats added in another order.
const SLACK: f32 = 1e-4;
/// Documents whose sums are kept at a time.
const WINDOW: usize = 1 << 15;
/// Documents that are looked at together when the sums are gone through.
const BLOCK: usize = 64;
/// How many entries of lists one search reads before it leaves the commonest tokens to the second pass, which knows them exactly.
const ENTRIES_MAX: usize = 250_000;
/// Tokens that are read whatever their lists cost.
const TOKENS_MIN: usize = 4;
/// Share of the best score from which on a document is read whole, and how many are at least and at most.
const NEAR_SHARE: f32 = 0.38;
pub(crate) const NEAR_MIN: usize = 30;
const NEAR_MAX: usize = 64;
/// Documents kept as the best while reading, equal scores included.
const KEPT: usize = 1_024;

/// A document that was reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reached {
    pub segment: u32,
    pub doc: DocId,
    pub score: f32,
    pub cover: f32,
}

/// What the first pass knows.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Every document that counts as found, in the order of the index.
    pub found: Vec<Reached>,
    /// The best by score, best first, whether they count as found or not; equal ones in the order of the index.
    pub best: Vec<Reached>,
    /// Cover from which on a document counts as found.
    pub least: f32,
    /// How many of the best are worth reading whole.
    pub near: usize,
    /// For each term of the question its idf in the index.
    pub idf: Vec<f32>,
    /// Mean length of a text in tokens.
    pub mean_length: f32,
}

/// One list to read.
struct Probe {
    field: Field,
    term: Term,
    /// What it adds to the score at most; for the body times the BM25 share of its frequency.
    weight: f32,
    /// What it adds to the cover.
    cover: f32,
    entries: usize,
}

/// Finds what answers `asked` within the filters of `query`.
pub(crate) fn gather(searcher: &Searcher, asked: &Asked, query: &Query, fields: &Fields) -> tantivy::Result<Gathered> {
    let mut gathered = Gathered { mean_length: mean_length(searcher, fields.body)?, ..Gathered::default() };
    for term in &asked.terms {
        gathered.idf.push(idf(searcher, &Term::from_field_text(fields.body, &term.text))?);
    }
    let bar = Bar::of(asked, &gathered.idf);
    let probes = probes(searcher, asked, &gathered.idf, &bar, fields)?;
    let mut sink = Sink { best_cover: 0.0, bar_now: bar.now(0.0), bar, found: Vec::new(), best: Vec::new(), cut: 0.0 };
    for (ordinal, reader) in searcher.segment_readers().iter().enumerate() {
        let allowed = allowed(reader, asked, query, fields)?;
        read(reader, u32::try_from(ordinal).unwrap_or(u32::MAX), &probes, allowed.as_deref(), (fields.body, gathered.mean_length), &mut sink)?;
    }
    gathered.least = sink.bar.least.max(sink.bar.share_of_best * sink.best_cover) - SLACK;
    sink.found.retain(|reached| reached.cover >= gathered.least);
    gathered.found = sink.found;
    gathered.best = sink.best;
    gathered.best.sort_unstable_by(better);
    gathered.near = near(&gathered.best);
    Ok(gathered)
}

/// How many of `best` may still come first: those whose score is not far below the best, at least [`NEAR_MIN`].
fn near(best: &[Reached]) -> usize {
    let bar = best.first().map_or(0.0, |first| first.score * NEAR_SHARE);
    best.partition_point(|reached| reached.score >= bar).clamp(NEAR_MIN.min(best.len()), NEAR_MAX.min(best.len()).max(NEAR_MIN.min(best.len())))
}

/// Inverse document frequency as BM25 has it: high for what few documents hold, never negative.
pub(crate) fn idf(searcher: &Searcher, term: &Term) -> tantivy::Result<f32> {
    let (all, holding) = (searcher.num_docs() as f32, searcher.doc_freq(term)? as f32);
    // Deleted documents count among those holding it until their files are merged.
    Ok((1.0 + (all - holding + 0.5).max(0.5) / (holding + 0.5)).ln())
}

fn mean_length(searcher: &Searcher, body: Field) -> tantivy::Result<f32> {
    let (mut tokens, mut docs) = (0, 0);
    for reader in searcher.segment_readers() {
        tokens += reader.inverted_index(body)?.total_num_tokens();
        docs += u64::from(reader.max_doc());
    }
    Ok(tokens as f32 / docs.max(1) as f32)
}

/// The lists to read, rarest token first.
fn probes(searcher: &Searcher, asked: &Asked, idf: &[f32], bar: &Bar, fields: &Fields) -> tantivy::Result<Vec<Probe>> {
    let mut probes = Vec::new();
    for (at, term) in asked.terms.iter().enumerate() {
        let weight = idf[at] * MODEL.share(term.part, term.shape);
        for (field, weight, cover) in [(fields.body, weight, bar.weights[at]), (fields.title, weight * MODEL.title, 0.0)] {
            let term = Term::from_field_text(field, &term.text);
            let entries = usize::try_from(searcher.doc_freq(&term)?).unwrap_or(usize::MAX);
            if entries > 0 {
                probes.push(Probe { field, term, weight, cover, entries });
            }
        }
    }
    probes.sort_by_key(|probe| probe.entries);
    let mut read = 0;
    let kept = probes.iter().take_while(|probe| {
        read += probe.entries;
        read <= ENTRIES_MAX
    });
    let kept = kept.count().max(TOKENS_MIN);
    probes.truncate(kept);
    Ok(probes)
}

/// How units weigh, and what a document must reach.
struct Bar {
    /// One for each term; 0 for those that do not decide.
    weights: Vec<f32>,
    least: f32,
    share_of_best: f32,
}

impl Bar {
    /// The cover that counts as found while `best` is the highest seen.
    fn now(&self, best: f32) -> f32 {
        (self.least.max(self.share_of_best * best) - SLACK).max(f32::MIN_POSITIVE)
    }

    fn of(asked: &Asked, idf: &[f32]) -> Self {
        let count = asked.deciding().count();
        if count <= SHORT {
            let pairs = asked.deciding().filter(|term| term.shape == Shape::Pair).count() as f32;
            // A word outweighs all pairs together, so that no number of pairs stands in for it.
            let word = pairs + 1.0;
            let words = count as f32 - pairs;
            let weigh = |shape| if shape == Shape::Word { word } else { 1.0 };
            let weights = asked.terms.iter().map(|term| if term.decides() { weigh(term.shape) } else { 0.0 }).collect();
            let least = words * word + (pairs * SHARE).ceil();
            return Self { weights, least, share_of_best: 0.0 };
        }
        let weights: Vec<f32> = asked.terms.iter().zip(idf).map(|(term, &idf)| if term.decides() { idf } else { 0.0 }).collect();
        let share_of_best = (SHARE - SHARE_FALL * (count - SHORT) as f32).max(SHARE_LEAST);
        Self { least: FLOOR * weights.iter().sum::<f32>(), weights, share_of_best }
    }
}

/// The better first; of equal ones that which stands first in the index.
fn better(a: &Reached, b: &Reached) -> std::cmp::Ordering {
    b.score.total_cmp(&a.score).then_with(|| (a.segment, a.doc).cmp(&(b.segment, b.doc)))
}

/// Documents as they come in.
struct Sink {
    bar: Bar,
    best_cover: f32,
    found: Vec<Reached>,
    best: Vec<Reached>,
    /// Score that a document must exceed to be among the best.
    cut: f32,
    /// Cover that a document must reach to count as found, as far as is known by now; above nothing.
    bar_now: f32,
}

impl Sink {
    fn take(&mut self, reached: Reached) {
        if reached.cover > self.best_cover {
            self.best_cover = reached.cover;
            self.bar_now = self.bar.now(self.best_cover);
        }
        // What falls short of the best so far will fall short of the best of all.
        if reached.cover >= self.bar_now {
            self.found.push(reached);
        }
        if reached.score > self.cut {
            self.best.push(reached);
            if self.best.len() >= 2 * KEPT {
                self.best.select_nth_unstable_by(KEPT - 1, better);
                self.best.truncate(KEPT);
                self.cut = self.best[KEPT - 1].score;
            }
        }
    }
}

/// A list being read.
struct Cursor {
    list: BlockSegmentPostings,
    /// Place within the block.
    at: usize,
    weight: f32,
    cover: f32,
    /// Whether frequency and length count, or presence alone.
    counts: bool,
}

fn read(reader: &SegmentReader, segment: u32, probes: &[Probe], allowed: Option<&[u64]>, (body, mean): (Field, f32), sink: &mut Sink) -> tantivy::Result<()> {
    let mut cursors = Vec::new();
    for probe in probes {
        let counts = probe.field == body;
        let option = if counts { IndexRecordOption::WithFreqs } else { IndexRecordOption::Basic };
        if let Some(list) = reader.inverted_index(probe.field)?.read_block_postings(&probe.term, option)? {
            cursors.push(Cursor { list, at: 0, weight: probe.weight, cover: probe.cover, counts });
        }
    }
    let lengths = reader.get_fieldnorms_reader(body)?;
    let damping = damping(mean);
    let length = WINDOW.min(reader.max_doc() as usize);
    let (mut scores, mut covers) = (vec![0.0_f32; length], vec![0.0_f32; length]);
    for start in (0..reader.max_doc()).step_by(WINDOW) {
        let end = reader.max_doc().min(start + WINDOW as u32);
        for cursor in &mut cursors {
            cursor.add(start, end, &mut scores, &mut covers, |doc| damping[usize::from(lengths.fieldnorm_id(doc))]);
        }
        let here = (end - start) as usize;
        for (block, (scores, covers)) in scores[..here].chunks(BLOCK).zip(covers[..here].chunks(BLOCK)).enumerate() {
            // Of a million documents most hold a letter or two of the question: they leave here many at a time, without a branch for each.
            let (cut, bar) = (sink.cut, sink.bar_now);
            let any = scores.iter().zip(covers).fold(false, |any, (&score, &cover)| any | (score > cut) | (cover >= bar));
            if !any {
                continue;
            }
            for (place, (&score, &cover)) in scores.iter().zip(covers).enumerate() {
                if score <= sink.cut && cover < sink.bar_now {
                    continue;
                }
                let doc = start + (block * BLOCK + place) as u32;
                let open = allowed.is_none_or(|bits| bits[doc as usize / 64] >> (doc % 64) & 1 == 1);
                if open && !reader.is_deleted(doc) {
                    sink.take(Reached { segment, doc, score, cover });
                }
            }
        }
        scores[..here].fill(0.0);
        covers[..here].fill(0.0);
    }
    Ok(())
}

impl Cursor {
    /// Adds what this list says of the documents from `start` to before `end`.
    fn add(&mut self, start: DocId, end: DocId, scores: &mut [f32], covers: &mut [f32], damping: impl Fn(DocId) -> f32) {
        loop {
            let docs = &self.list.docs()[self.at..];
            if docs.is_empty() {
                return;
            }
            let here = docs.partition_point(|&doc| doc < end);
            let docs = &docs[..here];
            if self.counts {
                for (&doc, &count) in docs.iter().zip(&self.list.freqs()[self.at..]) {
                    let (place, count) = ((doc - start) as usize, count as f32);
                    scores[place] += self.weight * count * (BM25_K1 + 1.0) / (count + damping(doc));
                    covers[place] += self.cover;
                }
            } else {
                for &doc in docs {
                    scores[(doc - start) as usize] += self.weight;
                }
            }
            self.at += here;
            if self.at < self.list.docs().len() {
                return;
            }
            self.list.advance();
            self.at = 0;
        }
    }
}

/// `k1 · (1 - b + b · length / mean)` for each of the 256 lengths that the index tells apart.
fn damping(mean: f32) -> [f32; 256] {
    std::array::from_fn(|id| {
        let length = tantivy::fieldnorm::FieldNormReader::id_to_fieldnorm(id as u8) as f32;
        BM25_K1 * (1.0 - BM25_B + BM25_B * length / mean.max(1.0))
    })
}

/// One bit a document that passes the filters and holds the tokens of every phrase; `None` if there are neither.
fn allowed(reader: &SegmentReader, asked: &Asked, query: &Query, fields: &Fields) -> tantivy::Result<Option<Vec<u64>>> {
    let filters = groups(query).into_iter().map(|group| group.iter().map(|term| Term::from_field_text(fields.filter, term)).collect::<Vec<_>>());
    let phrases = asked.phrases.iter().flat_map(|phrase| grams(phrase)).filter(|gram| gram.kind != Kind::One);
    let phrases = phrases.map(|gram| vec![Term::from_field_text(fields.body, &gram.text)]);
    let mut all: Option<Vec<u64>> = None;
    for group in filters.chain(phrases) {
        let mut bits = vec![0_u64; reader.max_doc() as usize / 64 + 1];
        for term in group {
            let Some(mut list) = reader.inverted_index(term.field())?.read_block_postings(&term, IndexRecordOption::Basic)? else { continue };
            while !list.docs().is_empty() {
                for &doc in list.docs() {
                    bits[doc as usize / 64] |= 1 << (doc % 64);
                }
                list.advance();
            }
        }
        match &mut all {
            Some(all) => all.iter_mut().zip(bits).for_each(|(all, bits)| *all &= bits),
            None => all = Some(bits),
        }
    }
    Ok(all)
}
