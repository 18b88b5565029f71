//! "Is this true?": which known claims say nearly what a text says, by their words alone.
//!
//! Meaning beyond words (a model's vectors) is not here; neither is the verdict. Ordinary search is in `search`.
//!
//! **Formula.** TODO-EXPLAIN

use std::collections::{HashMap, HashSet};

use kepu_text::fold::fold;
use kepu_text::graphemes;
use kepu_text::pieces::{Kind, grams};
use tantivy::collector::TopDocs;
use tantivy::collector::sort_key::{SortBySimilarityScore, SortByString};
use tantivy::query::{BooleanQuery, Occur};
use tantivy::{Order, Searcher, TantivyDocument, Term};

use crate::error::SearchError;
use crate::index::Index;
use crate::query::{Query, filtered, term};
use crate::schema::stored;

/// How much of the text is compared, in user characters.
const TEXT_MAX: usize = 1_000;
/// How many of its rarest tokens look for candidates.
const PROBES: usize = 64;
/// How many candidates are compared.
const CANDIDATES: usize = 50;

/// A known claim and how near it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Id of the document.
    pub id: String,
    /// From 0 (nothing in common) to 1 (the same pairs and words).
    pub score: f32,
}

impl Index {
    /// Documents of `kinds` (empty for all) whose title, or one line of whose text, is near to `text`; nearest first, ties by id, at most `limit`.
    ///
    /// # Errors
    /// [`SearchError::Index`] if the files cannot be read.
    pub fn similar(&self, text: &str, kinds: &[String], limit: usize) -> Result<Vec<Scored>, SearchError> {
        let searcher = self.searcher();
        let mut scored = self.compare(&searcher, text, kinds).map_err(SearchError::on("search"))?;
        scored.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        scored.truncate(limit);
        Ok(scored)
    }

    fn compare(&self, searcher: &Searcher, text: &str, kinds: &[String]) -> tantivy::Result<Vec<Scored>> {
        let mut idf = Idf { searcher, fields: &self.fields, cache: HashMap::new() };
        let asked = idf.weigh(graphemes::truncate(text.trim(), TEXT_MAX))?;
        let mut probes: Vec<(&String, f32)> = asked.weights.iter().map(|(token, weight)| (token, *weight)).collect();
        probes.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        probes.truncate(PROBES);
        if probes.is_empty() {
            return Ok(Vec::new());
        }
        let any = probes.iter().map(|(token, _)| (Occur::Should, term(self.fields.body, token, 1.0))).collect();
        let filter = Query { kinds: kinds.to_vec(), ..Query::default() };
        let clause = filtered(Some(Box::new(BooleanQuery::new(any))), &filter, &self.fields);
        let order = ((SortBySimilarityScore, Order::Desc), (SortByString::for_field("id"), Order::Asc));
        let found = searcher.search(&clause, &TopDocs::with_limit(CANDIDATES).order_by(order))?;

        let mut scored = Vec::with_capacity(found.len());
        for (_, address) in found {
            let doc: TantivyDocument = searcher.doc(address)?;
            let lines = std::iter::once(stored(&doc, self.fields.title)).chain(stored(&doc, self.fields.text).lines());
            let mut score = 0.0f32;
            for line in lines {
                score = score.max(nearness(&asked, &idf.weigh(line)?));
            }
            scored.push(Scored { id: stored(&doc, self.fields.id).to_owned(), score });
        }
        Ok(scored)
    }
}

/// Tokens of one text with their weights.
struct Weighed {
    weights: HashMap<String, f32>,
    sum: f32,
}

fn nearness(asked: &Weighed, known: &Weighed) -> f32 {
    let shared: f32 = known.weights.iter().filter(|(token, _)| asked.weights.contains_key(*token)).map(|(_, weight)| weight).sum();
    if shared == 0.0 {
        return 0.0;
    }
    let n = known.weights.keys().filter(|t| asked.weights.contains_key(*t)).count() as f32;
    let (in_asked, in_known) = (shared / asked.sum, shared / known.sum);
    let (hi, lo) = (in_asked.max(in_known), in_asked.min(in_known));
    let f: Vec<f32> = std::env::var("NEAR").unwrap_or("0,0.7,0".into()).split(',').map(|x| x.parse().unwrap_or(0.0)).collect();
    let base = match f[0] as i32 {
        0 => f[1] * hi + (1.0 - f[1]) * lo,
        1 => (hi * lo).sqrt(),
        2 => 2.0 * hi * lo / (hi + lo),
        3 => hi.powf(f[1]) * lo.powf(1.0 - f[1]),
        _ => in_known * f[1] + in_asked * (1.0 - f[1]),
    };
    base * n / (n + f[2])
}

/// Inverse document frequencies, looked up once a token.
struct Idf<'a> {
    searcher: &'a Searcher,
    fields: &'a crate::schema::Fields,
    cache: HashMap<String, f32>,
}

impl Idf<'_> {
    fn weigh(&mut self, text: &str) -> tantivy::Result<Weighed> {
        let mut weights = HashMap::new();
        let tokens: HashSet<String> = grams(&fold(text)).filter(|g| g.kind != Kind::One).map(|g| g.text.into_owned()).collect();
        for token in tokens {
            let weight = match self.cache.get(&token) {
                Some(weight) => *weight,
                None => {
                    let weight = self.look_up(&token)?;
                    self.cache.insert(token.clone(), weight);
                    weight
                }
            };
            weights.insert(token, weight);
        }
        let sum = weights.values().sum();
        Ok(Weighed { weights, sum })
    }

    fn look_up(&self, token: &str) -> tantivy::Result<f32> {
        let (all, holding) = (self.searcher.num_docs() as f32, self.searcher.doc_freq(&Term::from_field_text(self.fields.body, token))? as f32);
        // Deleted documents still count in `doc_freq` until a merge, hence the bound.
        Ok((1.0 + ((all - holding).max(0.0) + 0.5) / (holding + 0.5)).ln())
    }
}
