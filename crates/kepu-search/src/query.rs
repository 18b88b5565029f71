//! What a search asks and answers, and its filters as clauses of the index.
//!
//! The text of a query is taken apart in `needles`; running it is in `found` and `search`.

use tantivy::Term;
use tantivy::query::{BooleanQuery, BoostQuery, ConstScoreQuery, Occur, Query as Clause, TermQuery, TermSetQuery};
use tantivy::schema::{Field, IndexRecordOption};

use crate::schema::{ANYWHERE, Fields};
use crate::snippet::Span;

/// Longest query in user characters; of a longer one the beginning is searched.
pub const QUERY_MAX: usize = 200;
/// Most hits on one page.
pub const LIMIT_MAX: usize = 1_000;

/// A search. The default finds everything, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// What somebody typed, as it is. Empty or blank: everything that passes the filters, newest first.
    pub text: String,
    /// Kinds to show; empty for all.
    pub kinds: Vec<String>,
    /// Only documents with this field of knowledge.
    pub field: Option<String>,
    /// Only documents for this audience.
    pub audience: Option<String>,
    /// A region with what it lies in (county, prefecture, province …): only documents of one of these, and those of no
    /// particular region. Empty for any.
    pub region_chain: Vec<String>,
    /// Only documents in this language; `zh` finds `zh-Hans-CN`.
    pub lang: Option<String>,
    /// Hits to skip.
    pub offset: usize,
    /// Hits to return, at most [`LIMIT_MAX`]; 0 only counts.
    pub limit: usize,
    /// Order of the hits.
    pub sort: Sort,
}

/// Order of hits. Both orders are total: ties end with the id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// Best score first.
    #[default]
    Relevance,
    /// Latest date first, then the highest number in the log.
    Newest,
}

/// One page of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// Number of documents found, on all pages.
    pub total: usize,
    /// The hits of this page, in order.
    pub hits: Vec<Hit>,
    /// Whether the query was longer than [`QUERY_MAX`] and its end was not searched.
    pub truncated: bool,
}

/// One document found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// BM25 score; compares only within one answer. 0 for listings by date.
    pub score: f32,
    /// The best part of its text, in pieces.
    pub snippet: Vec<Span>,
}

/// `clause` within the filters of `query`; filters add nothing to the score.
pub(crate) fn filtered(clause: Box<dyn Clause>, query: &Query, fields: &Fields) -> BooleanQuery {
    let mut clauses = vec![(Occur::Must, clause)];
    let mut filter = |field: Field, values: Vec<&str>| {
        if !values.is_empty() {
            let terms = values.into_iter().map(|value| Term::from_field_text(field, value));
            clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(Box::new(TermSetQuery::new(terms)), 0.0))));
        }
    };
    filter(fields.kind, query.kinds.iter().map(String::as_str).collect());
    filter(fields.field, query.field.as_deref().into_iter().collect());
    filter(fields.audience, query.audience.as_deref().into_iter().collect());
    filter(fields.lang, query.lang.as_deref().into_iter().collect());
    let mut regions: Vec<&str> = query.region_chain.iter().map(String::as_str).collect();
    if !regions.is_empty() {
        regions.push(ANYWHERE);
    }
    filter(fields.region, regions);
    BooleanQuery::new(clauses)
}

/// Documents with the token `text` in `field`, scored by BM25 times `weight`.
pub(crate) fn term(field: Field, text: &str, weight: f32) -> Box<dyn Clause> {
    let query = Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs));
    if weight == 1.0 { query } else { Box::new(BoostQuery::new(query, weight)) }
}
