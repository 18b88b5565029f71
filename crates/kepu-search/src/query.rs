//! What a search asks and answers, and how a text becomes a question to the index.
//!
//! Running it is in `search`; finding known claims, which scores differently, is in `similar`.

use kepu_text::fold::fold;
use kepu_text::graphemes;
use kepu_text::pieces::{Kind, grams};
use tantivy::Term;
use tantivy::query::{AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, Occur, Query as Clause, TermQuery, TermSetQuery};
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

/// Weights in the score: what a pair (or word) adds in the text and in the title, and a single letter in each.
/// Chosen on the shared development questions with `examples/measure.rs`.
const TEXT_UNIT: f32 = 1.0;
const TEXT_ONE: f32 = 0.5;
const TITLE_UNIT: f32 = 1.0;
const TITLE_ONE: f32 = 0.5;

/// A query text taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needles {
    /// What decides whether a document is found: pairs of letters, words, letters that stand alone. No repeats.
    pub units: Vec<String>,
    /// Letters inside runs: they only help the order.
    pub ones: Vec<String>,
    /// Whether the text was longer than [`QUERY_MAX`].
    pub truncated: bool,
    /// Whether there was no text at all.
    pub blank: bool,
}

impl Needles {
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let kept = graphemes::truncate(text, QUERY_MAX);
        let mut needles = Self { truncated: kept.len() < text.len(), blank: text.is_empty(), ..Self::default() };
        let mut seen = std::collections::HashSet::new();
        for gram in grams(&fold(kept)) {
            if !seen.insert((gram.kind == Kind::One, gram.text.to_string())) {
                continue;
            }
            match gram.kind {
                Kind::One => needles.ones.push(gram.text.into_owned()),
                Kind::Two | Kind::Word | Kind::Lone => needles.units.push(gram.text.into_owned()),
            }
        }
        needles
    }
}

/// The clause that finds and scores documents holding at least `needed` of the units.
pub(crate) fn text_clause(needles: &Needles, needed: usize, fields: &Fields) -> Box<dyn Clause> {
    let must_have = needles.units.iter().map(|unit| (Occur::Should, term(fields.body, unit, TEXT_UNIT))).collect();
    let mut clauses = vec![(Occur::Must, Box::new(BooleanQuery::with_minimum_required_clauses(must_have, needed)) as Box<dyn Clause>)];
    clauses.extend(needles.ones.iter().map(|one| (Occur::Should, term(fields.body, one, TEXT_ONE))));
    clauses.extend(needles.units.iter().map(|unit| (Occur::Should, term(fields.title, unit, TITLE_UNIT))));
    clauses.extend(needles.ones.iter().map(|one| (Occur::Should, term(fields.title, one, TITLE_ONE))));
    Box::new(BooleanQuery::new(clauses))
}

/// `found` (or everything) within the filters of `query`; filters add nothing to the score.
pub(crate) fn filtered(found: Option<Box<dyn Clause>>, query: &Query, fields: &Fields) -> BooleanQuery {
    let mut clauses = vec![(Occur::Must, found.unwrap_or_else(|| Box::new(AllQuery)))];
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

pub(crate) fn term(field: Field, text: &str, weight: f32) -> Box<dyn Clause> {
    let query = Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs));
    if weight == 1.0 { query } else { Box::new(BoostQuery::new(query, weight)) }
}
