//! Running a search: the order of the documents found, and the page of them that is shown.
//!
//! Which documents are found at all is decided in `found`. Their order is BM25 over letters, pairs and words of the text (title included), plus the
//! same over the title alone; a letter weighs half of a pair, for it is half of a word. Two passes cost less than one: scoring visits only what was found.

use tantivy::collector::sort_key::{SortBySimilarityScore, SortByStaticFastValue, SortByString};
use tantivy::collector::{Count, TopDocs};
use tantivy::query::{AllQuery, BooleanQuery, Occur, Query as Clause};
use tantivy::{DocAddress, Order, Searcher, TantivyDocument};

use crate::error::SearchError;
use crate::found::{Found, find};
use crate::index::Index;
use crate::needles::Needles;
use crate::query::{Hit, LIMIT_MAX, Page, Query, Sort, filtered, term};
use crate::schema::{Fields, stored};
use crate::snippet::snippet;

impl Index {
    /// The documents that answer `query`, one page of them.
    ///
    /// No text is refused: punctuation alone finds nothing, too long a text is cut and the page says so.
    ///
    /// # Errors
    /// [`SearchError::Index`] if the files cannot be read; opening the index again repairs it.
    pub fn search(&self, query: &Query) -> Result<Page, SearchError> {
        let needles = Needles::parse(&query.text);
        let searcher = self.searcher();
        let answer = if needles.blank {
            listing(&searcher, &filtered(Box::new(AllQuery), query, &self.fields), query)
        } else {
            find(&searcher, &needles, query, &self.fields).and_then(|found| ranking(&searcher, found, &needles, query, &self.fields))
        };
        let (total, found) = answer.map_err(SearchError::on("search"))?;
        let marks: Vec<&str> = needles.deciding.iter().map(|unit| unit.text.as_str()).collect();
        let mut hits = Vec::with_capacity(found.len());
        for (score, address) in found {
            let doc: TantivyDocument = searcher.doc(address).map_err(SearchError::on("read a document of"))?;
            hits.push(Hit {
                id: stored(&doc, self.fields.id).to_owned(),
                kind: stored(&doc, self.fields.kind).to_owned(),
                score,
                snippet: snippet(stored(&doc, self.fields.text), &marks),
            });
        }
        Ok(Page { total, hits, truncated: needles.truncated })
    }
}

/// Total, and the documents of one page with their scores.
type Ranked = (usize, Vec<(f32, DocAddress)>);

/// Weights in the score of a pair or word, and of a single letter; in the text and again in the title.
/// Measured on the shared development questions with `examples/measure.rs`: other weights near these change R@10 by less than 0.01. The title
/// weighs for short queries, of which that set has none.
const TEXT: (f32, f32) = (1.0, 0.5);
const TITLE: (f32, f32) = (0.5, 0.25);

/// The documents of `found` by score.
fn ranking(searcher: &Searcher, found: Found, needles: &Needles, query: &Query, fields: &Fields) -> tantivy::Result<Ranked> {
    let total = found.total;
    if query.sort == Sort::Newest {
        return listing(searcher, &found, query);
    }
    let Some(top) = page(query, total) else { return Ok((total, Vec::new())) };
    let mut clauses: Vec<(Occur, Box<dyn Clause>)> = vec![(Occur::Must, Box::new(found))];
    for (field, (whole, letter)) in [(fields.body, TEXT), (fields.title, TITLE)] {
        let wholes = needles.deciding.iter().map(|unit| &unit.text).chain(&needles.passing);
        clauses.extend(wholes.map(|text| (Occur::Should, term(field, text, whole))));
        clauses.extend(needles.letters.iter().map(|text| (Occur::Should, term(field, text, letter))));
    }
    let order = ((SortBySimilarityScore, Order::Desc), by_id());
    let hits = searcher.search(&BooleanQuery::new(clauses), &top.order_by(order))?;
    Ok((total, hits.into_iter().map(|((score, _), address)| (score, address)).collect()))
}

/// The documents of `clause` by date.
fn listing(searcher: &Searcher, clause: &dyn Clause, query: &Query) -> tantivy::Result<Ranked> {
    let total = searcher.search(clause, &Count)?;
    let Some(top) = page(query, total) else { return Ok((total, Vec::new())) };
    let newest = |name| (SortByStaticFastValue::<i64>::for_field(name), Order::Desc);
    let hits = searcher.search(clause, &top.order_by((newest("date_ms"), newest("seq"), by_id())))?;
    Ok((total, hits.into_iter().map(|(_, address)| (0.0, address)).collect()))
}

/// The page asked for, unless nothing is on it.
fn page(query: &Query, total: usize) -> Option<TopDocs> {
    let limit = query.limit.min(LIMIT_MAX);
    (limit > 0 && query.offset < total).then(|| TopDocs::with_limit(limit).and_offset(query.offset))
}

fn by_id() -> (SortByString, Order) {
    (SortByString::for_field("id"), Order::Asc)
}
