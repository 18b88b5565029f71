//! The second pass of a search: the best documents of the first are read whole and put in order by where, how close together and how completely
//! they hold the words of the question.
//!
//! Here too the sentences are picked that are shown as a passage, and the one that is quoted as the answer. How each sign weighs was learnt from
//! questions with known answers and stands in `data/search/model.tsv`; what a sentence is and how it shows an answer is in `sentence`.

use std::ops::Range;

use kepu_text::fold::fold;

use crate::asked::{Asked, Wants};
use crate::gather::Gathered;
use crate::lens::{Bits, Lens, Seen, Sums};
use crate::model::{ANSWER, BM25_B, BM25_K1, MODEL, RANK, SENTENCE, dot, logistic};
use crate::sentence::shows;

/// Characters that may stand between the first and the last word of what belongs together.
const WINDOW: usize = 160;
/// Longest title that is looked at, in bytes.
pub(crate) const TITLE_MAX: usize = 1_200;
/// Sentences shown as a passage.
pub(crate) const PASSAGE: usize = 3;

/// A text being judged.
#[derive(Debug)]
pub(crate) struct Judged {
    pub seen: Seen,
    pub signs: [f32; RANK.len()],
    pub score: f32,
}

/// A question ready to judge texts.
pub(crate) struct Judge<'a> {
    pub lens: Lens,
    question: String,
    wants: Wants,
    gathered: &'a Gathered,
}

impl<'a> Judge<'a> {
    pub fn new(asked: &Asked, text: &str, gathered: &'a Gathered) -> Self {
        let question = fold(text);
        Self { lens: Lens::new(asked, &question, &gathered.idf), question, wants: asked.wants, gathered }
    }

    /// Judges one document.
    pub fn judge(&self, title: &str, text: &str) -> Judged {
        let title = &title[..title.floor_char_boundary(TITLE_MAX)];
        let seen = self.lens.look(title, text);
        let signs = self.signs(&seen);
        Judged { score: dot(&MODEL.rank, &signs), signs, seen }
    }

    /// Signs in the order of [`RANK`].
    fn signs(&self, seen: &Seen) -> [f32; RANK.len()] {
        let room = BM25_K1 * (1.0 - BM25_B + BM25_B * seen.length as f32 / self.gathered.mean_length.max(1.0));
        let damped = |at: usize| {
            let count = f32::from(seen.counts[at]);
            count * (BM25_K1 + 1.0) / (count + room)
        };
        let text = self.lens.weigh(damped);
        let title = self.lens.sums(&seen.title);
        let (tokens, hits) = seen.title_tokens;
        let (window, _) = self.window(seen);
        let sentence = seen.pieces.iter().map(|piece| self.lens.sums(&piece.bits).pairs).fold(0.0, f32::max);
        let whole = self.lens.sums(&seen.pieces.iter().fold(seen.title, |bits, piece| bits.or(&piece.bits)));
        [
            text.pairs,
            text.letters,
            title.pairs,
            title.letters,
            hits as f32 / tokens.saturating_sub(1).max(1) as f32,
            window.pairs,
            window.letters,
            sentence,
            window.runs,
            whole.runs,
            text.technical,
            window.technical,
            whole.pairs,
            whole.letters,
            text.border,
            ((seen.length + 20) as f32).ln() / 10.0,
        ]
    }

    /// What the best neighbourhood of sentences holds together with the title.
    fn window(&self, seen: &Seen) -> (Sums, Range<usize>) {
        let worth = |sums: &Sums| sums.pairs + 0.5 * sums.letters + 0.3 * sums.technical + 0.2 * sums.runs;
        let mut best = (self.lens.sums(&seen.title), 0..0);
        for from in 0..seen.pieces.len() {
            let (mut bits, mut length, mut to) = (seen.title, 0, from);
            while let Some(piece) = seen.pieces.get(to).filter(|piece| to == from || length + piece.length <= WINDOW) {
                bits = bits.or(&piece.bits);
                length += piece.length;
                to += 1;
            }
            let sums = self.lens.sums(&bits);
            if worth(&sums) > worth(&best.0) {
                best = (sums, from..to);
            }
        }
        best
    }

    /// How well each sentence of `text` answers, and the signs of it. `share` is the score of the document beside that of the first, `rank` its place from 0.
    pub fn sentences(&self, judged: &Judged, text: &str, share: f32, rank: usize) -> Vec<(f32, [f32; SENTENCE.len()])> {
        let seen = &judged.seen;
        let sums = |bits: &Bits| self.lens.sums(bits);
        let beside = |at: Option<usize>, own: &Bits| {
            let other = at.and_then(|at| seen.pieces.get(at));
            other.map_or(0.0, |piece| sums(&own.or(&piece.bits)).pairs - sums(own).pairs)
        };
        let one = |(at, piece): (usize, &crate::lens::Piece)| {
            let own = sums(&piece.bits);
            let cue = self.wants != Wants::Anything && shows(self.wants, &fold(&text[piece.range.clone()]), &self.question);
            let signs = [
                own.pairs,
                own.letters,
                own.runs,
                own.technical,
                beside(at.checked_sub(1), &piece.bits),
                beside(Some(at + 1), &piece.bits),
                f32::from(u8::from(cue)),
                f32::from(u8::from(self.wants != Wants::Anything && !cue)),
                sums(&piece.bits.or(&seen.title)).pairs - own.pairs,
                f32::from(u8::from(at == 0)),
                ((piece.length + 1) as f32).ln() / 5.0,
                f32::from(u8::from(piece.length < 8)),
                share,
                1.0 / (rank + 1) as f32,
            ];
            (dot(&MODEL.sentence, &signs), signs)
        };
        seen.pieces.iter().enumerate().map(one).collect()
    }

    /// Signs in the order of [`ANSWER`] that the first document answers; `second` is the score of the next one.
    pub fn answer_signs(&self, first: &Judged, second: f32) -> [f32; ANSWER.len()] {
        let sign = |name: &str| RANK.iter().position(|known| *known == name).map_or(0.0, |at| first.signs[at]);
        [
            1.0,
            sign("window_pairs"),
            sign("window_letters"),
            sign("sentence_pairs"),
            sign("cover_pairs"),
            ((first.score - second) / first.score.abs().max(1e-3)).clamp(0.0, 1.0),
            sign("window_runs"),
        ]
    }

    /// How sure it is that the first document answers, from 0 to 1.
    pub fn confidence(&self, first: &Judged, second: f32) -> f32 {
        logistic(dot(&MODEL.answer, &self.answer_signs(first, second)))
    }
}

/// The best sentences of a text, at most [`PASSAGE`], in their order; neighbours joined, an ellipsis where text is left out.
pub(crate) fn passage(seen: &Seen, text: &str, scores: &[(f32, [f32; SENTENCE.len()])]) -> String {
    let mut order: Vec<usize> = (0..seen.pieces.len().min(scores.len())).collect();
    order.sort_by(|&a, &b| scores[b].0.total_cmp(&scores[a].0).then(a.cmp(&b)));
    order.truncate(PASSAGE);
    order.sort_unstable();
    let mut out = String::new();
    let mut last: Option<usize> = None;
    for at in order {
        match last {
            Some(before) if before + 1 == at => out.push_str(&flat(&text[seen.pieces[before].range.end..seen.pieces[at].range.start])),
            Some(_) => out.push_str(" … "),
            None => {}
        }
        out.push_str(&flat(&text[seen.pieces[at].range.clone()]));
        last = Some(at);
    }
    out
}

/// `text` in one line.
pub(crate) fn flat(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
