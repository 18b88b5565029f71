//! From figures to a judgement: how likely each candidate says what the post says, and how likely none does.
//!
//! **Model.** Two sets of boosted trees. The first orders all candidates by what is cheap to know. The second judges the first few letter by letter and gives each a
//! margin s; "no claim" has the margin 0; the chance of a candidate is its share of `exp`, as in a choice between all of them and none. A rising curve, fitted on
//! posts that the trees had not seen, makes the chance honest. The file `model.txt` is written by `examples/train_claims`.

use super::pair::{COUNT, Figures};
use std::fmt::Write;

/// Whether none of the candidates may be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrNone {
    /// None may be.
    Allowed,
    /// One is.
    Never,
}

/// One node of a tree: a question, or a leaf if `left` is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// Place of the figure that is asked.
    pub feature: u16,
    /// Place of the next node if the figure is at most `value`.
    pub left: u16,
    /// Place of the next node otherwise.
    pub right: u16,
    /// Up to here the left branch is taken; in a leaf, its value.
    pub value: f32,
}

/// Trees whose values are summed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forest {
    /// Where the sum begins.
    pub base: f32,
    /// The first node of each is its root.
    pub trees: Vec<Vec<Node>>,
}

impl Forest {
    /// The sum for one row of figures.
    #[must_use]
    pub fn margin(&self, figures: &Figures) -> f32 {
        self.base + self.trees.iter().map(|tree| leaf(tree, figures)).sum::<f32>()
    }
}

/// The value of the leaf that a row falls into.
#[must_use]
pub fn leaf(tree: &[Node], figures: &Figures) -> f32 {
    let mut node = tree[0];
    while node.left != 0 {
        node = tree[usize::from(if figures[usize::from(node.feature)] <= node.value { node.left } else { node.right })];
    }
    node.value
}

/// What a model thinks of the candidates of a post.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// Of each, the chance that it says the same.
    pub chances: Vec<f32>,
    /// The chance that any does, before the curve.
    pub any: f32,
    /// The same made honest.
    pub sure: f32,
}

/// What is learned, once for all collections.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    /// Orders the candidates.
    pub order: Forest,
    /// Judges the first few of them.
    pub judge: Forest,
    /// Chance that the trees give, chance that it is worth; both rising.
    pub curve: Vec<(f32, f32)>,
    /// From this confidence on nine of ten posts have a claim: they count as matched.
    pub answer: f32,
    /// From this confidence on a person should look.
    pub ask: f32,
}

impl Model {
    /// The model that is built in.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static MODEL: std::sync::LazyLock<Model> = std::sync::LazyLock::new(|| Model::parse(include_str!("model.txt")).unwrap_or_default());
        &MODEL
    }

    /// Reads what [`Self::write`] wrote; `None` if it is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut out = Self::default();
        for line in text.lines() {
            let (kind, rest) = line.split_once(' ')?;
            let numbers: Vec<f32> = rest.split_whitespace().map(|n| n.parse().ok()).collect::<Option<_>>()?;
            match kind {
                "base" => (out.order.base, out.judge.base) = (*numbers.first()?, *numbers.get(1)?),
                "bands" => (out.ask, out.answer) = (*numbers.first()?, *numbers.get(1)?),
                "curve" => out.curve.push((*numbers.first()?, *numbers.get(1)?)),
                "order" | "judge" => {
                    let node = |n: &[f32]| Node { feature: n[0] as u16, left: n[1] as u16, right: n[2] as u16, value: n[3] };
                    let tree: Vec<Node> = numbers.chunks_exact(4).map(node).collect();
                    let fits = |(at, n): (usize, &Node)| {
                        usize::from(n.feature) < COUNT
                            && [n.left, n.right].iter().all(|to| *to == 0 || (usize::from(*to) > at && usize::from(*to) < tree.len()))
                    };
                    (!tree.is_empty() && tree.iter().enumerate().all(fits)).then_some(())?;
                    let forest = if kind == "order" { &mut out.order } else { &mut out.judge };
                    forest.trees.push(tree);
                }
                _ => return None,
            }
        }
        Some(out)
    }

    /// As text, one tree a line.
    #[must_use]
    pub fn write(&self) -> String {
        let mut out = format!("base {} {}\nbands {} {}\n", self.order.base, self.judge.base, self.ask, self.answer);
        for (chance, worth) in &self.curve {
            let _ = writeln!(out, "curve {chance} {worth}");
        }
        let trees = self.order.trees.iter().map(|tree| ("order", tree)).chain(self.judge.trees.iter().map(|tree| ("judge", tree)));
        for (kind, tree) in trees {
            out.push_str(kind);
            for node in tree {
                let _ = write!(out, " {} {} {} {}", node.feature, node.left, node.right, node.value);
            }
            out.push('\n');
        }
        out
    }

    /// The chances of candidates with these margins, before the curve.
    #[must_use]
    pub fn chances(margins: &[f32], or_none: OrNone) -> Vec<f32> {
        let none = if or_none == OrNone::Allowed { 0.0 } else { f32::NEG_INFINITY };
        let top = margins.iter().copied().fold(none, f32::max);
        let parts: Vec<f32> = margins.iter().map(|m| (m - top).exp()).collect();
        let whole = parts.iter().sum::<f32>() + (none - top).exp();
        parts.into_iter().map(|part| part / whole).collect()
    }

    /// What it thinks of candidates with these margins.
    #[must_use]
    pub fn opinion(&self, margins: &[f32]) -> Opinion {
        let chances = Self::chances(margins, OrNone::Allowed);
        let any: f32 = chances.iter().sum();
        let first = chances.iter().copied().fold(0.0, f32::max);
        Opinion { sure: if margins.is_empty() { 0.0 } else { self.honest(Self::confidence(first, any)) }, chances, any }
    }

    /// How sure it is that a claim matches, before the curve: between the chance of the first claim and that of any. Where two checks of one rumour share the
    /// chance, the first alone would say too little; where many far ones add up, all together would say too much.
    #[must_use]
    pub fn confidence(first: f32, any: f32) -> f32 {
        (first * any).max(0.0).sqrt()
    }

    /// A chance made honest, from 0 to 1; rises strictly with it, so that no order is lost.
    #[must_use]
    pub fn honest(&self, chance: f32) -> f32 {
        let after = self.curve.partition_point(|(c, _)| *c < chance);
        let low = after.checked_sub(1).map_or((0.0, 0.0), |n| self.curve[n]);
        let high = self.curve.get(after).copied().unwrap_or((1.0, 1.0));
        let part = if high.0 > low.0 { (chance - low.0) / (high.0 - low.0) } else { 1.0 };
        (low.1 + (high.1 - low.1) * part).clamp(0.0, 1.0)
    }
}
