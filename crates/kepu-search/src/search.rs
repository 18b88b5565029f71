//! Running a search: how much of a query a document must hold, the order of hits, the page.
//!
//! **How much must match.** A query is cut into units: pairs of letters, words, letters that stand alone. Any one unit would find half of
//! the index for a long question, all of them would find nothing for it. TODO-EXPLAIN

use tantivy::collector::sort_key::{SortBySimilarityScore, SortByStaticFastValue, SortByString};
use tantivy::collector::{Count, TopDocs};
use tantivy::query::BooleanQuery;
use tantivy::{DocAddress, Order, Searcher, TantivyDocument};

use crate::error::SearchError;
use crate::index::Index;
use crate::query::{Hit, LIMIT_MAX, Needles, Page, Query, Sort, filtered, text_clause};
use crate::schema::stored;
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
            let all = filtered(None, query, &self.fields);
            run(&searcher, &all, query, Sort::Newest)
        } else {
            self.answer(&searcher, &needles, query)
        };
        let (total, found) = answer.map_err(SearchError::on("search"))?;
        let mut hits = Vec::with_capacity(found.len());
        for (score, address) in found {
            let doc: TantivyDocument = searcher.doc(address).map_err(SearchError::on("read a document of"))?;
            hits.push(Hit {
                id: stored(&doc, self.fields.id).to_owned(),
                kind: stored(&doc, self.fields.kind).to_owned(),
                score,
                snippet: snippet(stored(&doc, self.fields.text), &needles.units),
            });
        }
        Ok(Page { total, hits, truncated: needles.truncated })
    }

    fn answer(&self, searcher: &Searcher, needles: &Needles, query: &Query) -> tantivy::Result<Found> {
        for needed in steps(needles.units.len()) {
            let clause = filtered(Some(text_clause(needles, needed, &self.fields)), query, &self.fields);
            let found = run(searcher, &clause, query, query.sort)?;
            if found.0 > 0 {
                return Ok(found);
            }
        }
        Ok((0, Vec::new()))
    }
}

/// Total, and the page's hits with their scores.
type Found = (usize, Vec<(f32, DocAddress)>);

/// How many of `units` a document must hold: the first number that finds something counts.
fn steps(units: usize) -> Vec<usize> {
    if let Ok(v) = std::env::var("STEPS") {
        return v
            .split(',')
            .map(|spec| {
                let (head, tail) = spec.split_once('/').unwrap_or((spec, spec));
                let (h, t): (f64, f64) = (head.parse().unwrap_or(0.6), tail.parse().unwrap_or(0.6));
                let n = units as f64;
                ((n.min(5.0) * h + (n - 5.0).max(0.0) * t).ceil() as usize).clamp(1, units.max(1))
            })
            .collect();
    }
    vec![(units * 3).div_ceil(5).max(1)]
}

fn run(searcher: &Searcher, clause: &BooleanQuery, query: &Query, sort: Sort) -> tantivy::Result<Found> {
    let all = usize::try_from(searcher.num_docs()).unwrap_or(usize::MAX);
    let limit = query.limit.min(LIMIT_MAX);
    if limit == 0 || query.offset >= all {
        return Ok((searcher.search(clause, &Count)?, Vec::new()));
    }
    let top = TopDocs::with_limit(limit).and_offset(query.offset);
    let by_id = (SortByString::for_field("id"), Order::Asc);
    match sort {
        Sort::Relevance => {
            let (total, found) = searcher.search(clause, &(Count, top.order_by(((SortBySimilarityScore, Order::Desc), by_id))))?;
            Ok((total, found.into_iter().map(|((score, _), address)| (score, address)).collect()))
        }
        Sort::Newest => {
            let by_date = (SortByStaticFastValue::<i64>::for_field("date_ms"), Order::Desc);
            let by_seq = (SortByStaticFastValue::<i64>::for_field("seq"), Order::Desc);
            let (total, found) = searcher.search(clause, &(Count, top.order_by((by_date, by_seq, by_id))))?;
            Ok((total, found.into_iter().map(|(_, address)| (0.0, address)).collect()))
        }
    }
}
