//! What a search asks and answers, and its filters as clauses of the index.
//!
//! The text of a query is taken apart in `needles`; running it is in `found` and `search`.

use tantivy::Term;
use tantivy::query::{BooleanQuery, BoostQuery, ConstScoreQuery, Occur, Query as Clause, TermQuery, TermSetQuery};
use tantivy::schema::{Field, IndexRecordOption};

use crate::schema::{ANYWHERE, Fields, filter_term};
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
    /// Further filters as name and value ([`crate::Doc::more`]); all must hold.
    pub more: Vec<(String, String)>,
    /// Names of filters whose values are to be counted among everything found, such as `field`.
    pub facets: Vec<String>,
    /// How many documents to offer for a question even if they hold less of it than counts as found.
    pub at_least: usize,
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
    /// For each name of [`Query::facets`] the values of the documents found with their number, most frequent first.
    pub facets: Vec<(String, Vec<(String, usize)>)>,
    /// The sentence that answers best, if any does. Only on the first page, by relevance.
    pub answer: Option<Answer>,
    /// Nothing holds what was asked, so that these hits only sound or look like it.
    pub guessed: bool,
}

/// A sentence quoted as the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Id of the document it stands in.
    pub id: String,
    /// The sentence, as it stands there.
    pub quote: String,
    /// How sure it is that the document speaks of what was asked, from 0 to 1.
    pub confidence: f32,
}

/// Why a document was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Why {
    /// Words of the question that stand in its title.
    pub title: Vec<String>,
    /// Words of the question that stand in its text.
    pub text: Vec<String>,
    /// Everyday words of the question with the technical word for it that stands in the document.
    pub everyday: Vec<(String, String)>,
}

/// One document found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Compares only within one answer. 0 for listings by date.
    pub score: f32,
    /// The best part of its text, in pieces.
    pub snippet: Vec<Span>,
    /// Up to three whole sentences that say most about what was asked, in their order; an ellipsis stands where text is left out.
    pub passage: String,
    /// Why it was found.
    pub why: Why,
}

/// The filters of `query`: of each group a document must have one.
pub(crate) fn groups(query: &Query) -> Vec<Vec<String>> {
    let of = |name: &str, values: &mut dyn Iterator<Item = &String>| values.map(|value| filter_term(name, value)).collect::<Vec<_>>();
    let mut groups = vec![
        of("kind", &mut query.kinds.iter()),
        of("field", &mut query.field.iter()),
        of("audience", &mut query.audience.iter()),
        of("lang", &mut query.lang.iter()),
    ];
    let mut regions = of("region", &mut query.region_chain.iter());
    if !regions.is_empty() {
        regions.push(filter_term("region", ANYWHERE));
    }
    groups.push(regions);
    groups.extend(query.more.iter().map(|(name, value)| vec![filter_term(name, value)]));
    groups.retain(|group| !group.is_empty());
    groups
}

/// `clause` within the filters of `query`; filters add nothing to the score.
pub(crate) fn filtered(clause: Box<dyn Clause>, query: &Query, fields: &Fields) -> BooleanQuery {
    let mut clauses = vec![(Occur::Must, clause)];
    for group in groups(query) {
        let terms = group.iter().map(|term| Term::from_field_text(fields.filter, term));
        clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(Box::new(TermSetQuery::new(terms)), 0.0))));
    }
    BooleanQuery::new(clauses)
}

/// Documents with the token `text` in `field`, scored by BM25 times `weight`.
pub(crate) fn term(field: Field, text: &str, weight: f32) -> Box<dyn Clause> {
    let query = Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs));
    if weight == 1.0 { query } else { Box::new(BoostQuery::new(query, weight)) }
}
