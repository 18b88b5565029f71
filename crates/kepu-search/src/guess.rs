//! What somebody may have meant whose words are nowhere: by the sound of titles (`heidong`, 黑动), or with one letter of a Latin word wrong.
//!
//! Asked only for short queries that found nothing.

use tantivy::collector::TopDocs;
use tantivy::collector::sort_key::{SortBySimilarityScore, SortByString};
use tantivy::query::{BooleanQuery, ConstScoreQuery, FuzzyTermQuery, Occur, Query as Clause, TermQuery};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, Order, Searcher, Term};

use crate::asked::{Asked, Shape};
use crate::query::{LIMIT_MAX, Query, filtered, term};
use crate::schema::Fields;
use crate::sound;

/// Share of the pairs of syllables that a title must have.
const SHARE: f32 = 0.6;
/// Shortest word of which one letter may be wrong.
const WORD_MIN: usize = 4;
/// Most documents offered.
const OFFERED: usize = 20;

/// Documents whose title sounds like `query`, or that hold a Latin word one letter away; best first, equal ones by id.
pub(crate) fn guess(searcher: &Searcher, asked: &Asked, query: &Query, fields: &Fields) -> tantivy::Result<Vec<DocAddress>> {
    let mut pairs = sound::pairs(&query.text);
    let spelled = pairs.is_empty();
    if spelled {
        pairs = sound::spelled(&query.text);
    }
    let mut clauses: Vec<(Occur, Box<dyn Clause>)> = Vec::new();
    for pair in &pairs {
        let heard = TermQuery::new(Term::from_field_text(fields.sound, pair), IndexRecordOption::Basic);
        clauses.push((Occur::Should, Box::new(ConstScoreQuery::new(Box::new(heard), 1.0))));
    }
    let mut least = 1.0;
    if !clauses.is_empty() {
        // Words between the sounds are wanted too: "ebola 疫苗" is no question about 疫苗 alone.
        let words = asked.terms.iter().filter(|term| !spelled && term.decides() && term.shape == Shape::Word && sound::pairs(&term.text).is_empty());
        for word in words {
            clauses.push((Occur::Should, Box::new(ConstScoreQuery::new(term(fields.body, &word.text, 1.0), 1.0))));
        }
        least = (clauses.len() as f32 * SHARE).ceil().max(1.0);
    } else {
        let latin = |text: &str| text.len() >= WORD_MIN && text.is_ascii() && text.contains(|c: char| c.is_ascii_alphabetic());
        for term in asked.terms.iter().filter(|term| term.shape == Shape::Word && latin(&term.text)) {
            let near = FuzzyTermQuery::new(Term::from_field_text(fields.body, &term.text), 1, true);
            clauses.push((Occur::Should, Box::new(ConstScoreQuery::new(Box::new(near), 1.0))));
        }
    }
    if clauses.is_empty() {
        return Ok(Vec::new());
    }
    let clause = filtered(Box::new(BooleanQuery::new(clauses)), query, fields);
    let order = ((SortBySimilarityScore, Order::Desc), (SortByString::for_field("id"), Order::Asc));
    let hits = searcher.search(&clause, &TopDocs::with_limit(OFFERED.min(LIMIT_MAX)).order_by(order))?;
    Ok(hits.into_iter().filter(|((score, _), _)| *score >= least).map(|(_, address)| address).collect())
}
