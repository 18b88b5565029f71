//! Plain ways of searching that ours is measured against: BM25 over characters and pairs of folded text, always; with the feature `peers` also BM25 over
//! the words of a segmenter, and SQLite's trigram index. None of it is in the product.

use super::Way;
use kepu_search::Doc;
use kepu_text::fold::fold;
use kepu_text::pieces::grams;
use std::collections::HashMap;
use std::path::Path;

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// The ways there are in this build.
pub fn all<'a>(docs: &'a [Doc], folder: &Path) -> anyhow::Result<Vec<(String, Way<'a>)>> {
    let grams = Bm25::new(docs, |text| grams(&fold(text)).map(|gram| gram.text.into_owned()).collect());
    let plain: Way<'a> = Box::new(move |text| Ok(grams.search(text)));
    #[cfg_attr(not(feature = "peers"), expect(unused_mut, reason = "the others come with the feature"))]
    let mut ways = vec![("BM25, characters and pairs".to_owned(), plain)];
    #[cfg(feature = "peers")]
    {
        let jieba = jieba_rs::Jieba::new();
        let words = Bm25::new(docs, move |text| {
            let folded = fold(text);
            let cut = jieba.cut_for_search(&folded, true).into_iter().map(|token| token.word.to_owned());
            cut.filter(|word| word.chars().any(char::is_alphanumeric)).collect()
        });
        ways.push(("BM25, words of jieba".to_owned(), Box::new(move |text| Ok(words.search(text)))));
        ways.push(("SQLite FTS5 trigram".to_owned(), fts5(docs, folder)?));
    }
    #[cfg(not(feature = "peers"))]
    {
        let _ = folder;
        eprintln!("kepu: built without the feature peers; words of jieba and SQLite's trigram index are not measured beside");
    }
    Ok(ways)
}

/// Cuts a text into words.
type Cut<'a> = Box<dyn Fn(&str) -> Vec<String> + 'a>;

/// BM25 as in the textbook.
struct Bm25<'a> {
    ids: Vec<&'a str>,
    cut: Cut<'a>,
    lists: HashMap<String, Vec<(usize, f64)>>,
    lengths: Vec<f64>,
    mean: f64,
}

impl<'a> Bm25<'a> {
    fn new(docs: &'a [Doc], cut: impl Fn(&str) -> Vec<String> + 'a) -> Self {
        let mut lists: HashMap<String, Vec<(usize, f64)>> = HashMap::new();
        let mut lengths = Vec::new();
        for (at, doc) in docs.iter().enumerate() {
            let tokens = cut(&format!("{}\n{}", doc.title, doc.text));
            lengths.push(tokens.len() as f64);
            let mut counts: HashMap<String, f64> = HashMap::new();
            tokens.into_iter().for_each(|token| *counts.entry(token).or_default() += 1.0);
            counts.into_iter().for_each(|(token, count)| lists.entry(token).or_default().push((at, count)));
        }
        let mean = lengths.iter().sum::<f64>() / lengths.len().max(1) as f64;
        Self { ids: docs.iter().map(|doc| doc.id.as_str()).collect(), cut: Box::new(cut), lists, lengths, mean }
    }

    fn search(&self, text: &str) -> Vec<String> {
        let mut scores = vec![0.0; self.ids.len()];
        let mut tokens = (self.cut)(text);
        tokens.sort_unstable();
        tokens.dedup();
        for list in tokens.iter().filter_map(|token| self.lists.get(token)) {
            let (all, holding) = (self.ids.len() as f64, list.len() as f64);
            let idf = (1.0 + (all - holding + 0.5) / (holding + 0.5)).ln();
            for &(doc, count) in list {
                scores[doc] += idf * count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * self.lengths[doc] / self.mean));
            }
        }
        let mut order: Vec<usize> = (0..scores.len()).filter(|&doc| scores[doc] > 0.0).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        order.into_iter().take(10).map(|doc| self.ids[doc].to_owned()).collect()
    }
}

/// SQLite's own full-text index over trigrams, any of the trigrams of the question.
#[cfg(feature = "peers")]
fn fts5<'a>(docs: &[Doc], folder: &Path) -> anyhow::Result<Way<'a>> {
    let db = rusqlite::Connection::open(folder.join("fts5.db"))?;
    db.execute_batch("CREATE VIRTUAL TABLE doc USING fts5(id UNINDEXED, title, text, tokenize = 'trigram'); BEGIN")?;
    for doc in docs {
        db.execute("INSERT INTO doc VALUES (?1, ?2, ?3)", (&doc.id, &doc.title, &doc.text))?;
    }
    db.execute_batch("COMMIT")?;
    Ok(Box::new(move |text| {
        let chars: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
        let any: Vec<String> = chars.windows(3).map(|three| format!("\"{}\"", three.iter().collect::<String>())).collect();
        if any.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = db.prepare("SELECT id FROM doc WHERE doc MATCH ?1 ORDER BY rank LIMIT 10")?;
        let ids = query.query_map([any.join(" OR ")], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        Ok(ids)
    }))
}
