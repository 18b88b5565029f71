//! Running a search: from the query to the page of hits that is shown.
//!
//! Which documents are found is decided in `gather`, their order in `rank`; without a text to look for, the newest come first.

use std::collections::HashSet;

use kepu_text::pieces::{Kind, grams};
use tantivy::collector::sort_key::{SortByStaticFastValue, SortByString};
use tantivy::collector::{Count, TopDocs};
use tantivy::query::AllQuery;
use tantivy::{DocAddress, Order, Searcher, TantivyDocument};

use crate::asked::{Asked, Part, Shape};
use crate::error::SearchError;
use crate::facets;
use crate::gather::{Gathered, NEAR_MIN, Reached, gather};
use crate::guess::guess;
use crate::index::Index;
use crate::model::MODEL;
use crate::query::{Answer, Hit, LIMIT_MAX, Page, Query, Sort, Why, filtered};
use crate::rank::{Judge, Judged, flat, passage};
use crate::rerank::{READ, Rerank, best_stretches};
use crate::schema::{Fields, stored};
use crate::snippet::snippet;

/// From how many deciding units on a query is a question, of which the nearest are offered even if they hold little of it.
const QUESTION: usize = 4;
/// How many are.
const OFFERED: usize = 10;
/// Documents in which a sentence is looked for to quote.
const QUOTED: usize = 3;
/// Documents read at most to find enough in which a phrase of several pairs stands as it is; of those behind them, the pairs decide.
const VERIFIED: usize = 500;

/// Documents that were read in vain, by segment and number.
type Without = HashSet<(u32, u32)>;

/// Whether the lists leave it open if a phrase stands somewhere: it has more than one pair or word.
fn is_open(phrase: &str) -> bool {
    grams(phrase).filter(|gram| gram.kind != Kind::One).count() > 1
}

/// In the order of the index, each once.
fn in_order(found: &mut Vec<Reached>) {
    found.sort_by_key(|reached| (reached.segment, reached.doc));
    found.dedup_by_key(|reached| (reached.segment, reached.doc));
}

impl Index {
    /// The documents that answer `query`, one page of them.
    ///
    /// No text is refused: punctuation alone finds nothing, too long a text is cut and the page says so.
    ///
    /// # Errors
    /// [`SearchError::Index`] if the files cannot be read; opening the index again repairs it.
    pub fn search(&self, query: &Query) -> Result<Page, SearchError> {
        let searcher = self.searcher();
        let run = Run { searcher: &searcher, fields: &self.fields, query, asked: Asked::parse(&query.text), rerank: self.rerank.get() };
        let page = if run.asked.blank { run.listing() } else { run.answer() };
        page.map_err(SearchError::on("search"))
    }
}

/// So many documents stand on the first page; reading on ends after so many documents in a row of which none came among them. The same whatever
/// page is asked for, or pages would repeat each other.
const FIRST: usize = 10;
const PATIENCE: usize = 24;

/// One search under way.
struct Run<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
    query: &'a Query,
    asked: Asked,
    rerank: Option<&'a Rerank>,
}

/// A document on its way to the page.
struct Placed {
    reached: Reached,
    id: String,
    score: f32,
    /// With its text, if it was read whole.
    judged: Option<(Judged, TantivyDocument)>,
}

impl Run<'_> {
    /// Everything within the filters, newest first.
    fn listing(&self) -> tantivy::Result<Page> {
        let clause = filtered(Box::new(AllQuery), self.query, self.fields);
        let total = self.searcher.search(&clause, &Count)?;
        let mut page = Page { total, ..Page::default() };
        if !self.query.facets.is_empty() {
            let all = self.searcher.search(&clause, &tantivy::collector::DocSetCollector)?;
            let mut all: Vec<Reached> = all.into_iter().map(|at| Reached { segment: at.segment_ord, doc: at.doc_id, score: 0.0, cover: 0.0 }).collect();
            all.sort_by_key(|reached| (reached.segment, reached.doc));
            page.facets = facets::count(self.searcher, &all, &self.query.facets)?;
        }
        let limit = self.query.limit.min(LIMIT_MAX);
        if limit > 0 && self.query.offset < total {
            let newest = |name| (SortByStaticFastValue::<i64>::for_field(name), Order::Desc);
            let order = (newest("date_ms"), newest("seq"), (SortByString::for_field("id"), Order::Asc));
            let top = TopDocs::with_limit(limit).and_offset(self.query.offset).order_by(order);
            for (_, address) in self.searcher.search(&clause, &top)? {
                page.hits.push(self.plain(address)?);
            }
        }
        Ok(page)
    }

    fn answer(&self) -> tantivy::Result<Page> {
        let page = Page { truncated: self.asked.truncated, ..Page::default() };
        if self.asked.deciding().next().is_none() && self.asked.phrases.is_empty() {
            return Ok(page);
        }
        let mut gathered = gather(self.searcher, &self.asked, self.query, self.fields)?;
        if !self.asked.phrases.is_empty() {
            // Whatever holds the phrase is found, whether it holds much of the rest or not.
            gathered.found.extend_from_slice(&gathered.best);
            in_order(&mut gathered.found);
            gathered.least = 0.0;
        }
        let question = self.asked.deciding().count() >= QUESTION || self.query.at_least > 0;
        if gathered.found.is_empty() && (gathered.best.is_empty() || !question) {
            return self.guessed(page);
        }
        let judge = Judge::new(&self.asked, &self.query.text, &gathered);
        self.page(page, gathered, &judge)
    }

    /// What may have been meant, as nothing was found.
    fn guessed(&self, mut page: Page) -> tantivy::Result<Page> {
        let guessed = guess(self.searcher, &self.asked, self.query, self.fields)?;
        page.guessed = !guessed.is_empty();
        page.total = guessed.len();
        let limit = self.query.limit.min(LIMIT_MAX);
        for address in guessed.into_iter().skip(self.query.offset).take(limit) {
            page.hits.push(self.plain(address)?);
        }
        Ok(page)
    }

    /// Whether every phrase of which the lists do not decide stands in the document as it is.
    fn holds(&self, doc: &TantivyDocument) -> bool {
        let mut open = self.asked.phrases.iter().filter(|phrase| is_open(phrase)).peekable();
        if open.peek().is_none() {
            return true;
        }
        let text = kepu_text::fold::fold(&format!("{}\n{}", stored(doc, self.fields.title), stored(doc, self.fields.text)));
        open.all(|phrase| text.contains(phrase.as_str()))
    }

    fn page(&self, mut page: Page, mut gathered: Gathered, judge: &Judge) -> tantivy::Result<Page> {
        let offered = if self.asked.deciding().count() >= QUESTION { OFFERED.max(self.query.at_least) } else { self.query.at_least };
        let (mut top, without) = self.placed(&gathered, judge, offered)?;
        if !without.is_empty() {
            gathered.found.retain(|reached| !without.contains(&(reached.segment, reached.doc)));
            if gathered.found.is_empty() {
                return self.guessed(page);
            }
        }
        let gathered = &gathered;
        page.facets = facets::count(self.searcher, &gathered.found, &self.query.facets)?;
        if self.query.sort == Sort::Newest {
            return self.newest(page, gathered, judge);
        }
        page.total = gathered.found.len().max(top.len().min(offered));
        if self.query.offset == 0 && self.query.limit > 0 {
            page.answer = self.quote(&top, judge);
        }
        let limit = self.query.limit.min(LIMIT_MAX);
        let end = self.query.offset.saturating_add(limit);
        if end > top.len() && gathered.found.len() > top.len() {
            self.append(&mut top, gathered, end)?;
        }
        let first = top.first().map_or(0.0, |placed| placed.score);
        for (rank, placed) in top.iter().enumerate().take(end.min(page.total)).skip(self.query.offset) {
            page.hits.push(self.hit(placed, judge, placed.score / first.max(1e-3), rank)?);
        }
        Ok(page)
    }

    /// The best of the first pass in their final order, and those read in vain: a phrase does not stand in them.
    fn placed(&self, gathered: &Gathered, judge: &Judge, offered: usize) -> tantivy::Result<(Vec<Placed>, Without)> {
        let mut best: Vec<Reached> = gathered.best.clone();
        let read = if self.asked.phrases.iter().any(|phrase| is_open(phrase)) { VERIFIED } else { gathered.near };
        if best.len() > read {
            self.settle(&mut best, read)?;
        }
        let (mut top, mut without) = (Vec::with_capacity(gathered.near), Without::new());
        let (mut highest, mut entered) = ([f32::NEG_INFINITY; FIRST], 0);
        for reached in best {
            let at = top.len();
            if at >= gathered.near || at >= NEAR_MIN && at - entered > PATIENCE {
                break;
            }
            let doc: TantivyDocument = self.searcher.doc(DocAddress::new(reached.segment, reached.doc))?;
            if !self.holds(&doc) {
                without.insert((reached.segment, reached.doc));
                continue;
            }
            let judged = judge.judge(stored(&doc, self.fields.title), stored(&doc, self.fields.text));
            let place = highest.partition_point(|&score| score >= judged.score);
            if place < FIRST {
                highest[place..].rotate_right(1);
                highest[place] = judged.score;
                entered = at;
            }
            top.push(Placed { reached, id: stored(&doc, self.fields.id).to_owned(), score: judged.score.max(0.0), judged: Some((judged, doc)) });
        }
        top.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        let mut kept = 0;
        top.retain(|placed| {
            let found = placed.reached.cover >= gathered.least && (placed.reached.cover > 0.0 || !self.asked.phrases.is_empty());
            let keep = found || kept < offered;
            kept += usize::from(keep);
            keep
        });
        self.rerank(&mut top, judge);
        Ok((top, without))
    }

    /// Puts the first documents of a question in order anew where their words leave it open and there is an encoder.
    fn rerank(&self, top: &mut [Placed], judge: &Judge) {
        let Some(rerank) = self.rerank.filter(|rerank| rerank.is_ready()) else { return };
        let [first, second, ..] = &*top else { return };
        let sure = first.score - second.score >= MODEL.lead * first.score;
        if sure || MODEL.cosine <= 0.0 || self.asked.deciding().count() < QUESTION {
            return;
        }
        let (read, rest) = top.split_at_mut(READ.min(top.len()));
        let stretches = |placed: &Placed| {
            let (judged, doc) = placed.judged.as_ref()?;
            Some(best_stretches(&judge.lens, &judged.seen, stored(doc, self.fields.title), stored(doc, self.fields.text)))
        };
        let documents: Vec<Vec<String>> = read.iter().map(|placed| stretches(placed).unwrap_or_default()).collect();
        let cosines = rerank.cosines(&self.query.text, &documents);
        let best = cosines.iter().copied().fold(0.0, f32::max);
        read.iter_mut().zip(cosines).for_each(|(placed, cosine)| placed.score += MODEL.cosine * (cosine - best));
        read.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        read.iter_mut().for_each(|placed| placed.score = placed.score.max(0.0));
        let least = read.last().map_or(0.0, |placed| placed.score);
        rest.iter_mut().for_each(|placed| placed.score = placed.score.min(least));
    }

    /// Cuts `best`, which is in order, to `count`; of equal ones at the border those with the lowest ids stay.
    fn settle(&self, best: &mut Vec<Reached>, count: usize) -> tantivy::Result<()> {
        let border = best[count - 1].score;
        let from = best.partition_point(|reached| reached.score > border);
        let to = best.partition_point(|reached| reached.score >= border);
        if to > count {
            let mut equal: Vec<(String, Reached)> = self.ids(&best[from..to])?.into_iter().zip(best[from..to].iter().copied()).collect();
            equal.sort_by(|a, b| a.0.cmp(&b.0));
            best.truncate(from);
            best.extend(equal.into_iter().map(|(_, reached)| reached));
        }
        best.truncate(count);
        Ok(())
    }

    /// Adds the found documents behind those that were read whole, as the first pass has them, until there are `end`.
    fn append(&self, top: &mut Vec<Placed>, gathered: &Gathered, end: usize) -> tantivy::Result<()> {
        let known: HashSet<(u32, u32)> = top.iter().map(|placed| (placed.reached.segment, placed.reached.doc)).collect();
        let mut rest: Vec<Reached> = gathered.found.iter().copied().filter(|reached| !known.contains(&(reached.segment, reached.doc))).collect();
        rest.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| (a.segment, a.doc).cmp(&(b.segment, b.doc))));
        let wanted = end.saturating_sub(top.len()).min(rest.len());
        if wanted > 0 && wanted < rest.len() {
            self.settle(&mut rest, wanted)?;
        }
        let least = top.last().map_or(1.0, |placed| placed.score);
        let highest = rest.first().map_or(1.0, |reached| reached.score.max(1e-6));
        let mut placed = Vec::with_capacity(rest.len());
        for (id, reached) in self.ids(&rest)?.into_iter().zip(rest) {
            placed.push(Placed { id, score: least * (reached.score / highest).min(1.0), reached, judged: None });
        }
        placed.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        top.extend(placed);
        Ok(())
    }

    /// The found documents by date.
    fn newest(&self, mut page: Page, gathered: &Gathered, judge: &Judge) -> tantivy::Result<Page> {
        page.total = gathered.found.len();
        let mut dated = Vec::with_capacity(gathered.found.len());
        for part in gathered.found.chunk_by(|a, b| a.segment == b.segment) {
            let columns = self.searcher.segment_reader(part[0].segment).fast_fields();
            let (date, seq) = (columns.i64("date_ms")?, columns.i64("seq")?);
            dated.extend(part.iter().map(|reached| (date.first(reached.doc), seq.first(reached.doc), *reached)));
        }
        dated.sort_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then_with(|| (a.2.segment, a.2.doc).cmp(&(b.2.segment, b.2.doc))));
        let limit = self.query.limit.min(LIMIT_MAX);
        let shown: Vec<Reached> = dated.into_iter().skip(self.query.offset).take(limit).map(|(_, _, reached)| reached).collect();
        for (id, reached) in self.ids(&shown)?.into_iter().zip(shown) {
            let placed = Placed { id, score: 0.0, reached, judged: None };
            page.hits.push(self.hit(&placed, judge, 0.0, 0)?);
        }
        Ok(page)
    }

    /// The ids of documents, in their order; the column of a segment is opened once, and its dictionary read in its own order.
    fn ids(&self, list: &[Reached]) -> tantivy::Result<Vec<String>> {
        let mut ids = vec![String::new(); list.len()];
        let mut segments: Vec<u32> = list.iter().map(|reached| reached.segment).collect();
        segments.sort_unstable();
        segments.dedup();
        for segment in segments {
            let Some(column) = self.searcher.segment_reader(segment).fast_fields().str("id")? else { continue };
            let here = list.iter().enumerate().filter(|(_, reached)| reached.segment == segment);
            let mut wanted: Vec<(u64, usize)> = here.filter_map(|(at, reached)| Some((column.term_ords(reached.doc).next()?, at))).collect();
            wanted.sort_unstable();
            let ordinals: Vec<u64> = wanted.iter().map(|(ordinal, _)| *ordinal).collect();
            let mut next = wanted.iter();
            column.dictionary().sorted_ords_to_term_cb(&ordinals, |term| {
                if let Some((_, at)) = next.next() {
                    ids[*at] = String::from_utf8_lossy(term).into_owned();
                }
            })?;
        }
        Ok(ids)
    }

    /// The best sentence of the first documents, if the first is sure enough to speak of what was asked.
    fn quote(&self, top: &[Placed], judge: &Judge) -> Option<Answer> {
        let (judged, _) = top.first()?.judged.as_ref()?;
        let confidence = judge.confidence(judged, top.get(1).map_or(0.0, |second| second.score));
        if confidence < MODEL.least {
            return None;
        }
        let first = top[0].score.max(1e-3);
        let mut best: Option<(f32, Answer)> = None;
        for (rank, placed) in top.iter().enumerate().take(QUOTED) {
            let Some((judged, doc)) = &placed.judged else { continue };
            let text = stored(doc, self.fields.text);
            for ((score, _), piece) in judge.sentences(judged, text, placed.score / first, rank).iter().zip(&judged.seen.pieces) {
                if best.as_ref().is_none_or(|(highest, _)| score > highest) {
                    best = Some((*score, Answer { id: placed.id.clone(), quote: flat(&text[piece.range.clone()]), confidence }));
                }
            }
        }
        best.map(|(_, answer)| answer)
    }

    fn hit(&self, placed: &Placed, judge: &Judge, share: f32, rank: usize) -> tantivy::Result<Hit> {
        let read;
        let (judged, doc) = match &placed.judged {
            Some(known) => known,
            None => {
                let doc: TantivyDocument = self.searcher.doc(DocAddress::new(placed.reached.segment, placed.reached.doc))?;
                read = (judge.judge(stored(&doc, self.fields.title), stored(&doc, self.fields.text)), doc);
                &read
            }
        };
        let text = stored(doc, self.fields.text);
        let scores = judge.sentences(judged, text, share, rank);
        let held =
            |term: &crate::asked::Term, at: usize| term.decides() || term.part == Part::Technical && judged.seen.pieces.iter().any(|piece| piece.bits.has(at));
        let marks: Vec<&str> = self.asked.terms.iter().enumerate().filter(|(at, term)| held(term, *at)).map(|(_, term)| term.text.as_str()).collect();
        Ok(Hit {
            id: placed.id.clone(),
            kind: stored(doc, self.fields.kind).to_owned(),
            score: placed.score,
            snippet: snippet(text, &marks),
            passage: passage(&judged.seen, text, &scores),
            why: self.why(judged),
        })
    }

    /// Which words stand where. Overlapping pairs are told as one word.
    fn why(&self, judged: &Judged) -> Why {
        let deciding: Vec<(usize, &crate::asked::Term)> = self.asked.terms.iter().enumerate().filter(|(_, term)| term.decides()).collect();
        let words = |holds: &dyn Fn(usize) -> bool| -> Vec<String> {
            let mut words: Vec<String> = Vec::new();
            for (at, term) in deciding.iter().filter(|(at, _)| holds(*at)) {
                let follows = *at > 0 && holds(at - 1) && term.shape == Shape::Pair;
                match words.last_mut() {
                    Some(last) if follows && last.chars().last() == term.text.chars().next() => last.extend(term.text.chars().skip(1)),
                    _ => words.push(term.text.clone()),
                }
            }
            words
        };
        let in_text = |at: usize| judged.seen.pieces.iter().any(|piece| piece.bits.has(at));
        let mut why = Why { title: words(&|at| judged.seen.title.has(at)), text: words(&|at| in_text(at) && !judged.seen.title.has(at)), everyday: Vec::new() };
        for (at, term) in self.asked.terms.iter().enumerate().filter(|(_, term)| term.part == Part::Technical) {
            let Some(said) = &term.said else { continue };
            if (in_text(at) || judged.seen.title.has(at)) && !why.everyday.iter().any(|(known, _)| known == said) {
                why.everyday.push((said.clone(), term.text.clone()));
            }
        }
        why
    }

    /// A hit that no words of the query stand in.
    fn plain(&self, address: DocAddress) -> tantivy::Result<Hit> {
        let doc: TantivyDocument = self.searcher.doc(address)?;
        Ok(Hit {
            id: stored(&doc, self.fields.id).to_owned(),
            kind: stored(&doc, self.fields.kind).to_owned(),
            score: 0.0,
            snippet: snippet(stored(&doc, self.fields.text), &[]),
            passage: String::new(),
            why: Why::default(),
        })
    }
}
