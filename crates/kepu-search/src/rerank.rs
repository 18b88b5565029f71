//! The third look at the best documents of a question, with the optional encoder: whose words mean what is asked, though they are other words?
//!
//! Only questions are looked at again, and only those of whose first document the words are not sure: what is asked in the words of the text is found by its words. The two
//! stretches of each document that hold most of the question are compared, whatever else it says. Stretches are cut without regard to any question, so that
//! their directions can be computed ahead ([`Index::read_ahead`]) and kept beside the index. How much the direction weighs beside the words was learnt; it stands in
//! `data/search/model.tsv`.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tantivy::{DocAddress, TantivyDocument};

use crate::encoder::{Encoder, Memory, Role};
use crate::error::SearchError;
use crate::index::Index;
use crate::lens::{Bits, Lens, Seen, TEXT_MAX};
use crate::rank::{TITLE_MAX, flat, worth};
use crate::schema::stored;
use crate::sentence::sentences;

/// Documents that are looked at again.
pub(crate) const READ: usize = 30;
/// Characters of a stretch: as many as one thought needs.
const STRETCH: usize = 180;
/// Stretches of a document that are compared.
const STRETCHES: usize = 2;
/// Characters of a title that stand before a stretch, which may not name its subject.
const TITLE: usize = 60;
/// Stretches whose directions are computed together.
const BATCH: usize = 32;
/// The file of directions beside an index.
const FILE: &str = "kepu-search.vectors";

/// The encoder of an index.
#[derive(Debug)]
pub(crate) struct Rerank {
    pub memory: Memory,
    /// Whether searches use it yet: on a node not before every document was read, so that two visitors see the same order and nobody waits.
    ready: AtomicBool,
}

impl Rerank {
    /// How near the best stretch of each document is to `question`.
    pub fn cosines(&self, question: &str, documents: &[Vec<String>]) -> Vec<f32> {
        let texts: Vec<&str> = documents.iter().flatten().map(String::as_str).collect();
        let question = self.memory.passing(Role::Query, question);
        let mut cosines = self.memory.get(Role::Passage, &texts, 1).into_iter().map(|vector| question.cosine(&vector));
        documents.iter().map(|stretches| cosines.by_ref().take(stretches.len()).fold(0.0, f32::max)).collect()
    }

    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }
}

impl Index {
    /// From now on questions are answered with the encoder too. Directions of documents are computed when they are first needed, or ahead by [`Self::read_ahead`], and kept
    /// beside the index `dir`.
    ///
    /// # Errors
    /// [`SearchError::Files`] if they cannot be kept there.
    pub fn use_encoder(&self, encoder: Arc<Encoder>, dir: &Path) -> Result<(), SearchError> {
        self.take_encoder(encoder, dir, true)
    }

    /// The same from the first [`Self::read_ahead`] on that has read every document.
    ///
    /// # Errors
    /// As [`Self::use_encoder`].
    pub fn use_encoder_once_read(&self, encoder: Arc<Encoder>, dir: &Path) -> Result<(), SearchError> {
        self.take_encoder(encoder, dir, false)
    }

    fn take_encoder(&self, encoder: Arc<Encoder>, dir: &Path, ready: bool) -> Result<(), SearchError> {
        let files = |source| SearchError::Files { action: "keep the directions of texts", dir: dir.to_owned(), source };
        let memory = Memory::beside(encoder, &dir.join(FILE)).map_err(files)?;
        // A second encoder would be the same one: there is one file.
        let _ = self.rerank.set(Rerank { memory, ready: AtomicBool::new(ready) });
        Ok(())
    }

    /// Computes the directions of all documents that have none yet, with `threads` threads; how many stretches there are. `go_on` hears how many are done and may stop it.
    /// Of a library with more stretches than are kept ([`Memory::MOST`]) nothing is read ahead.
    ///
    /// # Errors
    /// [`SearchError::Index`] if the files cannot be read.
    pub fn read_ahead(&self, threads: usize, go_on: &mut dyn FnMut(usize) -> bool) -> Result<usize, SearchError> {
        let Some(rerank) = self.rerank.get() else { return Ok(0) };
        let mut stretches = Vec::new();
        self.each_stretch(&mut |_, stretch| stretches.push(stretch)).map_err(SearchError::on("read"))?;
        if stretches.len() > Memory::MOST {
            return Ok(stretches.len());
        }
        for (n, batch) in stretches.chunks(BATCH).enumerate() {
            let texts: Vec<&str> = batch.iter().map(String::as_str).collect();
            let _ = rerank.memory.get(Role::Passage, &texts, threads);
            if !go_on(n * BATCH + batch.len()) {
                return Ok(stretches.len());
            }
        }
        rerank.ready.store(true, Ordering::Release);
        Ok(stretches.len())
    }

    fn each_stretch(&self, take: &mut dyn FnMut(&str, String)) -> tantivy::Result<()> {
        let searcher = self.searcher();
        for (segment, reader) in searcher.segment_readers().iter().enumerate() {
            for doc in reader.doc_ids_alive() {
                let doc: TantivyDocument = searcher.doc(DocAddress::new(u32::try_from(segment).unwrap_or(u32::MAX), doc))?;
                let (id, title, text) = (stored(&doc, self.fields.id), stored(&doc, self.fields.title), stored(&doc, self.fields.text));
                for range in stretches(sentences(bound(text)).into_iter()) {
                    take(id, words(title, text, &range));
                }
                if text.trim().is_empty() {
                    take(id, words(title, "", &(0..0)));
                }
            }
        }
        Ok(())
    }
}

/// Documents by nothing but their directions; for measuring what the words add.
#[cfg(feature = "learn")]
pub struct Nearest<'a> {
    rerank: &'a Rerank,
    stretches: Vec<(String, Arc<crate::encoder::Vector>)>,
}

#[cfg(feature = "learn")]
impl Index {
    /// Directions of all documents, without an encoder of none.
    ///
    /// # Errors
    /// [`SearchError::Index`] if the files cannot be read.
    pub fn nearest(&self) -> Result<Option<Nearest<'_>>, SearchError> {
        let Some(rerank) = self.rerank.get() else { return Ok(None) };
        let (mut ids, mut texts) = (Vec::new(), Vec::new());
        let mut take = |id: &str, stretch| {
            ids.push(id.to_owned());
            texts.push(stretch);
        };
        self.each_stretch(&mut take).map_err(SearchError::on("read"))?;
        let vectors = rerank.memory.get(Role::Passage, &texts.iter().map(String::as_str).collect::<Vec<_>>(), 1);
        Ok(Some(Nearest { rerank, stretches: ids.into_iter().zip(vectors).collect() }))
    }
}

#[cfg(feature = "learn")]
impl Nearest<'_> {
    /// The documents whose best stretch is nearest to `question`, best first.
    #[must_use]
    pub fn find(&self, question: &str, limit: usize) -> Vec<String> {
        let question = self.rerank.memory.passing(Role::Query, question);
        let mut near: Vec<(f32, &String)> = self.stretches.iter().map(|(id, vector)| (question.cosine(vector), id)).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let mut out: Vec<String> = Vec::new();
        for (_, id) in near {
            if out.len() < limit && !out.contains(id) {
                out.push(id.clone());
            }
        }
        out
    }
}

fn bound(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_MAX)]
}

/// Sentences put together to stretches of at most [`STRETCH`] Chinese characters; a longer sentence is one by itself.
fn stretches(sentences: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    for sentence in sentences {
        match out.last_mut() {
            Some(last) if sentence.end - last.start <= STRETCH * 3 => last.end = sentence.end,
            _ => out.push(sentence),
        }
    }
    out
}

/// What goes through the encoder for a stretch.
fn words(title: &str, text: &str, range: &Range<usize>) -> String {
    let title = &title[..title.floor_char_boundary(TITLE_MAX)];
    let title: String = title.chars().take(TITLE).collect();
    flat(&format!("{title} {}", &text[range.clone()]))
}

/// The stretches of a document that hold most of the question, most first.
pub(crate) fn best_stretches(lens: &Lens, seen: &Seen, title: &str, text: &str) -> Vec<String> {
    let mut weighed: Vec<(f32, Range<usize>)> = Vec::new();
    for stretch in stretches(seen.pieces.iter().map(|piece| piece.range.clone())) {
        let inside = seen.pieces.iter().filter(|piece| stretch.contains(&piece.range.start));
        let bits = inside.fold(Bits::default(), |bits, piece| bits.or(&piece.bits));
        weighed.push((worth(&lens.sums(&bits)), stretch));
    }
    // A document that is only a title is known by it.
    if weighed.is_empty() {
        return vec![words(title, "", &(0..0))];
    }
    // Stable: of equals the earlier.
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
    weighed.iter().take(STRETCHES).map(|(_, range)| words(title, text, range)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_sentences_and_whole() {
        let text = format!("{}。{}。{}。尾。", "一".repeat(100), "二".repeat(70), "三".repeat(300));
        let parts = stretches(sentences(&text).into_iter());
        assert!(parts.len() >= 3 && parts.iter().all(|part| part.len() <= 3 * 245));
        assert_eq!(&text[parts[0].clone()], &text[..3 * 172]);
        assert_eq!(parts.iter().map(ExactSizeIterator::len).sum::<usize>(), text.len());
        assert!(stretches(sentences("").into_iter()).is_empty());
    }

    #[test]
    fn a_stretch_names_its_subject_in_one_line() {
        assert_eq!(words("黑洞", "它\n很黑。白。", &(0.."它\n很黑。".len())), "黑洞 它 很黑。");
    }
}
