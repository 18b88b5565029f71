//! The second pass of a search: the best documents of the first are read whole and put in order by where, how close together and how completely
//! they hold the words of the question.
//!
//! Here too the sentences are picked that are shown as a passage, and the one that is quoted as the answer. How each sign weighs was learnt from
//! questions with known answers and stands in `data/search/model.tsv`; what a sentence is and how it shows an answer is in `sentence`.

use kepu_text::fold::fold;

use crate::asked::{Asked, Wants};
use crate::gather::Gathered;
use crate::lens::{Bits, Lens, Seen, Sums};
use crate::model::{ANSWER, BM25_B, BM25_K1, MODEL, RANK, SENTENCE, dot, logistic};
use crate::sentence::shows;

/// Characters that may stand between the first and the last word of what belongs together.
const WINDOW: usize = 160;
/// The same for words that belong to one thought.
const NEAR: usize = 80;
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
pub(crate) struct Judge {
    pub lens: Lens,
    question: String,
    wants: Wants,
    deciding: usize,
    mean_length: f32,
}

impl Judge {
    pub fn new(asked: &Asked, text: &str, gathered: &Gathered) -> Self {
        let question = fold(text);
        Self {
            lens: Lens::new(asked, &question, &gathered.idf),
            question,
            wants: asked.wants,
            deciding: asked.deciding().count(),
            mean_length: gathered.mean_length,
        }
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
        let room = BM25_K1 * (1.0 - BM25_B + BM25_B * seen.length as f32 / self.mean_length.max(1.0));
        let damped = |at: usize| {
            let count = f32::from(seen.counts[at]);
            count * (BM25_K1 + 1.0) / (count + room)
        };
        let text = self.lens.weigh(damped);
        let title = self.lens.sums(&seen.title);
        let (tokens, hits) = seen.title_tokens;
        let window = self.window(seen, WINDOW, seen.title);
        let near = self.window(seen, NEAR, Bits::default());
        let each = || seen.pieces.iter().map(|piece| piece.sums);
        let most = |of: &dyn Fn(Sums) -> f32| each().map(of).fold(0.0, f32::max);
        let text_bits = seen.pieces.iter().fold(Bits::default(), |bits, piece| bits.or(&piece.bits));
        let (cover, whole) = (self.lens.sums(&text_bits), self.lens.sums(&text_bits.or(&seen.title)));
        let length = seen.length as f32 / self.mean_length.max(1.0);
        [
            text.pairs,
            text.letters,
            text.border,
            text.filler,
            text.technical.min(2.0),
            title.pairs,
            title.letters,
            hits as f32 / tokens.saturating_sub(1).max(1) as f32,
            title.technical,
            window.pairs,
            window.letters,
            window.runs,
            window.technical,
            near.pairs,
            near.letters,
            most(&|sums| sums.pairs),
            most(&|sums| sums.letters),
            most(&|sums| sums.technical),
            cover.runs,
            whole.pairs,
            whole.letters,
            cover.technical,
            (length + 0.05).ln(),
            (length - 1.0).clamp(0.0, 2.0),
        ]
    }

    /// What the best neighbourhood of sentences of at most `width` characters holds together with `beside`.
    fn window(&self, seen: &Seen, width: usize, beside: Bits) -> Sums {
        let mut best = self.lens.sums(&beside);
        for from in 0..seen.pieces.len() {
            let (mut bits, mut length, mut to) = (beside, 0, from);
            while let Some(piece) = seen.pieces.get(to).filter(|piece| to == from || length + piece.length <= width) {
                bits = bits.or(&piece.bits);
                length += piece.length;
                to += 1;
            }
            // A neighbourhood that adds nothing to its first sentence need not be weighed again.
            let sums = if to == from + 1 && beside == Bits::default() { seen.pieces[from].sums } else { self.lens.sums(&bits) };
            if worth(&sums) > worth(&best) {
                best = sums;
            }
        }
        best
    }

    /// How well each sentence of `text` answers, and the signs of it. `share` is the score of the document beside that of the first, `rank` its place from 0.
    pub fn sentences(&self, judged: &Judged, text: &str, share: f32, rank: usize) -> Vec<(f32, [f32; SENTENCE.len()])> {
        let seen = &judged.seen;
        let sums = |bits: &Bits| self.lens.sums(bits);
        let beside = |at: Option<usize>, own: &Bits, own_pairs: f32| {
            let other = at.and_then(|at| seen.pieces.get(at));
            other.map_or(0.0, |piece| sums(&own.or(&piece.bits)).pairs - own_pairs)
        };
        let one = |(at, piece): (usize, &crate::lens::Piece)| {
            let own = piece.sums;
            let cue = self.wants != Wants::Anything && shows(self.wants, &fold(&text[piece.range.clone()]), &self.question);
            let shown = |wants: Wants| f32::from(u8::from(cue && self.wants == wants));
            let signs = [
                own.pairs,
                own.letters,
                own.border,
                own.runs,
                own.technical,
                beside(at.checked_sub(1), &piece.bits, own.pairs),
                beside(Some(at + 1), &piece.bits, own.pairs),
                shown(Wants::Person),
                shown(Wants::Time),
                shown(Wants::Number),
                shown(Wants::Place),
                shown(Wants::Reason),
                shown(Wants::Meaning),
                shown(Wants::Way),
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
            sign("window_runs"),
            sign("window_technical"),
            sign("sentence_pairs"),
            sign("near_letters"),
            sign("cover_pairs"),
            sign("title_share"),
            sign("border"),
            first.score / 10.0,
            ((first.score - second) / first.score.abs().max(1e-3)).clamp(0.0, 1.0),
            // Of few words much is soon held.
            1.0 / (1 + self.deciding) as f32,
        ]
    }

    /// How sure it is that the first document answers, from 0 to 1.
    pub fn confidence(&self, first: &Judged, second: f32) -> f32 {
        logistic(dot(&MODEL.answer, &self.answer_signs(first, second)))
    }
}

/// What a neighbourhood of sentences is worth beside others of its document.
pub(crate) fn worth(sums: &Sums) -> f32 {
    sums.pairs + 0.5 * sums.letters + 0.3 * sums.technical + 0.2 * sums.runs
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
