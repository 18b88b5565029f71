//! What the teacher sees (`examples/teach.rs`): the signs of each document and sentence that the numbers of `data/search/model.tsv` weigh.
//! Only in builds with the feature `teach`.

use tantivy::{DocAddress, TantivyDocument};

use crate::asked::Asked;
use crate::gather::gather;
use crate::index::Index;
use crate::query::Query;
use crate::rank::{Judge, flat};
use crate::rerank::{READ, best_stretches};
use crate::schema::stored;
use crate::{SearchError, model};

/// One document that the second pass would judge.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// Its signs in the order of [`names`].
    pub signs: Vec<f32>,
    /// Score by the numbers in use.
    pub score: f32,
    /// Sentences with their signs; of the first documents only.
    pub sentences: Vec<(String, Vec<f32>)>,
    /// Signs that it answers; of the first document only.
    pub answer: Vec<f32>,
    /// The stretches that the encoder would compare; of the documents it would look at only.
    pub stretches: Vec<String>,
}

/// Names of the signs of documents, of sentences and of answers.
#[must_use]
pub fn names() -> [&'static [&'static str]; 3] {
    [&model::RANK, &model::SENTENCE, &model::ANSWER]
}

impl Index {
    /// The documents that the second pass would judge for `text`, best first by the numbers in use.
    ///
    /// # Errors
    /// [`SearchError::Index`] if the files cannot be read.
    pub fn show(&self, text: &str, without: &[String]) -> Result<Vec<Shown>, SearchError> {
        let searcher = self.searcher();
        let show = || -> tantivy::Result<Vec<Shown>> {
            let asked = Asked::parse(text);
            let gathered = gather(&searcher, &asked, &Query::default(), &self.fields)?;
            let judge = Judge::new(&asked, text, &gathered);
            let mut all = Vec::new();
            for reached in gathered.best.iter().take(gathered.near + without.len()) {
                let doc: TantivyDocument = searcher.doc(DocAddress::new(reached.segment, reached.doc))?;
                let id = stored(&doc, self.fields.id).to_owned();
                if !without.contains(&id) {
                    all.push((judge.judge(stored(&doc, self.fields.title), stored(&doc, self.fields.text)), id, doc));
                }
            }
            all.sort_by(|a, b| b.0.score.total_cmp(&a.0.score).then_with(|| a.1.cmp(&b.1)));
            let first = all.first().map_or(0.0, |one| one.0.score).max(1e-3);
            let second = all.get(1).map_or(0.0, |one| one.0.score);
            let mut out = Vec::new();
            for (rank, (judged, id, doc)) in all.iter().enumerate() {
                let text = stored(doc, self.fields.text);
                let mut sentences = Vec::new();
                if rank < 3 {
                    let signs = judge.sentences(judged, text, judged.score / first, rank);
                    sentences = judged.seen.pieces.iter().zip(signs).map(|(piece, (_, signs))| (flat(&text[piece.range.clone()]), signs.to_vec())).collect();
                }
                let title = stored(doc, self.fields.title);
                let stretches = if rank < 2 * READ { best_stretches(&judge.lens, &judged.seen, title, text) } else { Vec::new() };
                let answer = if rank == 0 { judge.answer_signs(judged, second).to_vec() } else { Vec::new() };
                out.push(Shown { id: id.clone(), signs: judged.signs.to_vec(), score: judged.score, sentences, answer, stretches });
            }
            Ok(out)
        };
        show().map_err(SearchError::on("search"))
    }
}
