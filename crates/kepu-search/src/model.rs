//! The numbers that searching was taught: how words, places and kinds of matches weigh.
//!
//! They stand in `data/search/model.tsv`, made by `examples/teach.rs` from questions whose answers are known. What they weigh is in `gather`, `rank`
//! and `sentence`.

use std::sync::LazyLock;

use crate::asked::{Part, Shape};

/// How soon more of the same word stops mattering.
pub(crate) const BM25_K1: f32 = 1.2;
/// How much a long text is held against itself.
pub(crate) const BM25_B: f32 = 0.75;

/// What a document shows of a question, in the order of [`Model::rank`].
pub(crate) const RANK: [&str; 24] = [
    "pairs",
    "letters",
    "border",
    "filler",
    "technical",
    "title_pairs",
    "title_letters",
    "title_share",
    "title_technical",
    "window_pairs",
    "window_letters",
    "window_runs",
    "window_technical",
    "near_pairs",
    "near_letters",
    "sentence_pairs",
    "sentence_letters",
    "sentence_technical",
    "text_runs",
    "cover_pairs",
    "cover_letters",
    "cover_technical",
    "length",
    "long",
];

/// What a sentence shows of a question, in the order of [`Model::sentence`].
pub(crate) const SENTENCE: [&str; 20] = [
    "pairs",
    "letters",
    "border",
    "runs",
    "technical",
    "before",
    "after",
    "person",
    "time",
    "number",
    "place",
    "reason",
    "meaning",
    "way",
    "title",
    "first",
    "length",
    "short",
    "document",
    "rank",
];

/// What tells whether a document answers, in the order of [`Model::answer`].
pub(crate) const ANSWER: [&str; 13] = [
    "one",
    "window_pairs",
    "window_letters",
    "window_runs",
    "window_technical",
    "sentence_pairs",
    "near_letters",
    "cover_pairs",
    "title_share",
    "border",
    "score",
    "lead",
    "few",
];

/// The numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    /// Weight of a letter, a border pair, a filler and a technical word beside a pair or word of the subject.
    pub letter: f32,
    pub border: f32,
    pub filler: f32,
    pub technical: f32,
    /// Weight of a token in the title beside the same in the text, in the first pass.
    pub title: f32,
    pub rank: [f32; RANK.len()],
    pub sentence: [f32; SENTENCE.len()],
    pub answer: [f32; ANSWER.len()],
    /// Confidence from which on a sentence is quoted as the answer.
    pub least: f32,
    /// What a cosine of the encoder weighs beside the score of the words.
    pub cosine: f32,
    /// Lead of the first document, as a share of its score, from which on the words alone decide.
    pub lead: f32,
}

/// The one in use.
pub(crate) static MODEL: LazyLock<Model> = LazyLock::new(|| {
    // The teacher tries other numbers without building anew.
    #[cfg(feature = "teach")]
    if let Some(text) = std::env::var("KEPU_SEARCH_MODEL").ok().and_then(|path| std::fs::read_to_string(path).ok()) {
        return Model::read(&text);
    }
    Model::read(include_str!("../../../data/search/model.tsv"))
});

impl Model {
    /// Reads lines of name, tab, number. A name that is missing weighs nothing.
    pub fn read(text: &str) -> Self {
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'));
            line.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
        };
        Self {
            letter: value("letter"),
            border: value("border"),
            filler: value("filler"),
            technical: value("technical"),
            title: value("title"),
            rank: RANK.map(|name| value(&format!("rank.{name}"))),
            sentence: SENTENCE.map(|name| value(&format!("sentence.{name}"))),
            answer: ANSWER.map(|name| value(&format!("answer.{name}"))),
            least: value("least"),
            cosine: value("encoder.cosine"),
            lead: value("encoder.lead"),
        }
    }

    /// What a token weighs beside a pair or word of the subject.
    pub fn share(&self, part: Part, shape: Shape) -> f32 {
        let part = match part {
            Part::Subject => 1.0,
            Part::Border => self.border,
            Part::Filler => self.filler,
            Part::Technical => self.technical,
        };
        part * if shape == Shape::Letter { self.letter } else { 1.0 }
    }
}

/// `weights · values`.
pub(crate) fn dot<const N: usize>(weights: &[f32; N], values: &[f32; N]) -> f32 {
    weights.iter().zip(values).map(|(weight, value)| weight * value).sum()
}

/// From any number to a probability.
pub(crate) fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
