//! Which documents count as found: the first of the two passes of a search.
//!
//! Every document that shares one pair of letters with a question would be half the index, and a total that says nothing; every pair
//! of a question in one document is next to never. So each document is weighed by the units of the query it holds:
//!
//! - **Up to three units** (a word or two: what people type into a search box): every word and 60 % of the pairs, rounded up. Absolute, so that
//!   a search for something we do not have finds nothing and can be counted as unanswered.
//! - **More**: units weigh by rarity (idf). A document must reach a share of what the best document reaches, 60 % falling by 4 points a unit to
//!   30 % from eleven units on, and 8 % of the whole query, below which everything is chance.
//!
//! Measured with `examples/measure.rs` on the 1,728 shared development questions over 3,039 documents (right document among the first ten, factoid /
//! colloquial; median total): any one unit .973 / .776, 870 documents; 60 % of all units .347 / .000, none; this rule .983 / .724, 4 and 33.
//!
//! Scores and order are the second pass, in `search`.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::index::SegmentId;
use tantivy::query::{
    BitSetDocSet, BooleanQuery, ConstScoreQuery, ConstScorer, EmptyScorer, EnableScoring, Explanation, Occur, Query as Clause, Scorer, Weight,
};
use tantivy::{BitSet, DocId, Score, Searcher, SegmentOrdinal, SegmentReader, TantivyError, Term};

use crate::needles::Needles;
use crate::query::{Query, filtered, term};
use crate::schema::Fields;

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

/// The documents found, as a clause for the second pass; adds nothing to the score.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// How many there are.
    pub total: usize,
    by_segment: Arc<HashMap<SegmentId, BitSet>>,
}

/// Finds what answers `needles` within the filters of `query`.
pub(crate) fn find(searcher: &Searcher, needles: &Needles, query: &Query, fields: &Fields) -> tantivy::Result<Found> {
    if needles.deciding.is_empty() {
        return Ok(Found { total: 0, by_segment: Arc::default() });
    }
    let bar = Bar::of(searcher, needles, fields)?;
    let any = needles.deciding.iter().zip(&bar.weights).map(|(unit, &weight)| {
        let clause: Box<dyn Clause> = Box::new(ConstScoreQuery::new(term(fields.body, &unit.text, 1.0), weight));
        (Occur::Should, clause)
    });
    let any = BooleanQuery::new(any.collect());
    let weighed = searcher.search(&filtered(Box::new(any), query, fields), &Weights)?;
    let best = weighed.iter().flat_map(|(_, docs)| docs).map(|&(_, weight)| weight).fold(0.0, f32::max);
    let least = bar.least.max(bar.share_of_best * best) - SLACK;

    let mut found = Found { total: 0, by_segment: Arc::default() };
    let mut by_segment = HashMap::new();
    for (segment, docs) in weighed {
        let reader = searcher.segment_reader(segment);
        let mut set = BitSet::with_max_value(reader.max_doc());
        for (doc, _) in docs.into_iter().filter(|&(_, weight)| weight >= least) {
            set.insert(doc);
            found.total += 1;
        }
        by_segment.insert(reader.segment_id(), set);
    }
    found.by_segment = Arc::new(by_segment);
    Ok(found)
}

/// How units weigh, and what a document must reach.
struct Bar {
    /// One for each deciding unit.
    weights: Vec<f32>,
    least: f32,
    share_of_best: f32,
}

impl Bar {
    fn of(searcher: &Searcher, needles: &Needles, fields: &Fields) -> tantivy::Result<Self> {
        let units = &needles.deciding;
        if units.len() <= SHORT {
            let pairs = units.iter().filter(|unit| !unit.is_word).count() as f32;
            // A word outweighs all pairs together, so that no number of pairs stands in for it.
            let word = pairs + 1.0;
            let words = units.len() as f32 - pairs;
            let weights = units.iter().map(|unit| if unit.is_word { word } else { 1.0 }).collect();
            return Ok(Self { weights, least: words * word + (pairs * SHARE).ceil(), share_of_best: 0.0 });
        }
        let weights = units.iter().map(|unit| idf(searcher, &Term::from_field_text(fields.body, &unit.text))).collect::<Result<Vec<f32>, _>>()?;
        let share_of_best = (SHARE - SHARE_FALL * (units.len() - SHORT) as f32).max(SHARE_LEAST);
        Ok(Self { least: FLOOR * weights.iter().sum::<f32>(), weights, share_of_best })
    }
}

/// Inverse document frequency as BM25 has it: high for what few documents hold, never negative.
pub(crate) fn idf(searcher: &Searcher, term: &Term) -> tantivy::Result<f32> {
    let (all, holding) = (searcher.num_docs() as f32, searcher.doc_freq(term)? as f32);
    // Deleted documents stay in `doc_freq` until segments merge, hence the bound.
    Ok((1.0 + ((all - holding).max(0.0) + 0.5) / (holding + 0.5)).ln())
}

/// Collects every document with its weight, by segment.
struct Weights;

struct SegmentWeights {
    segment: SegmentOrdinal,
    docs: Vec<(DocId, f32)>,
}

impl Collector for Weights {
    type Fruit = Vec<(SegmentOrdinal, Vec<(DocId, f32)>)>;
    type Child = SegmentWeights;

    fn for_segment(&self, segment: SegmentOrdinal, _reader: &SegmentReader) -> tantivy::Result<SegmentWeights> {
        Ok(SegmentWeights { segment, docs: Vec::new() })
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn merge_fruits(&self, segments: Vec<(SegmentOrdinal, Vec<(DocId, f32)>)>) -> tantivy::Result<Self::Fruit> {
        Ok(segments)
    }
}

impl SegmentCollector for SegmentWeights {
    type Fruit = (SegmentOrdinal, Vec<(DocId, f32)>);

    fn collect(&mut self, doc: DocId, weight: Score) {
        self.docs.push((doc, weight));
    }

    fn harvest(self) -> Self::Fruit {
        (self.segment, self.docs)
    }
}

impl Clause for Found {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for Found {
    fn scorer(&self, reader: &SegmentReader, _boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        Ok(match self.by_segment.get(&reader.segment_id()) {
            Some(set) => Box::new(ConstScorer::new(BitSetDocSet::from(set.clone()), 0.0)),
            None => Box::new(EmptyScorer),
        })
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        match self.by_segment.get(&reader.segment_id()) {
            Some(set) if set.contains(doc) => Ok(Explanation::new("found in the first pass", 0.0)),
            _ => Err(TantivyError::InvalidArgument(format!("document {doc} was not found in the first pass"))),
        }
    }
}
