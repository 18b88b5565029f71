//! Boosted trees for a choice between candidates and none, with histograms; small and the same on every machine.

use super::dice::Dice;
use crate::claims::decide::{Forest, Model, Node, OrNone, leaf};
use crate::claims::pair::{COUNT, Figures};

/// The candidates of one post; `right` tells which say the same.
#[derive(Clone)]
pub struct Choice {
    pub rows: Vec<Figures>,
    pub right: Vec<bool>,
    pub weight: f32,
}

/// How trees are grown.
#[derive(Clone, Copy)]
pub struct Growth {
    pub trees: usize,
    pub depth: usize,
    pub shrink: f32,
    /// Least sum of curvature in a leaf.
    pub least: f32,
    pub ridge: f32,
    /// Share of figures, of posts, that each tree sees.
    pub figures: f32,
    pub posts: f32,
    /// Whether none of the candidates may be right; if never, posts without a right one teach nothing.
    pub or_none: OrNone,
}

const BINS: usize = 64;

struct Table {
    /// Upper ends of the bins of each figure.
    edges: Vec<Vec<f32>>,
    /// Bin of each row, figure by figure.
    bins: Vec<Vec<u8>>,
}

fn table(rows: &[&Figures]) -> Table {
    let mut edges = Vec::new();
    let mut bins = Vec::new();
    for f in 0..COUNT {
        let mut values: Vec<f32> = rows.iter().map(|r| r[f]).collect();
        values.sort_by(f32::total_cmp);
        let mut cuts: Vec<f32> = (1..BINS).map(|n| values[n * (values.len() - 1) / BINS]).collect();
        cuts.dedup();
        bins.push(rows.iter().map(|r| cuts.partition_point(|c| *c < r[f]) as u8).collect());
        edges.push(cuts);
    }
    Table { edges, bins }
}

/// Grows a forest.
pub fn grow(choices: &[Choice], growth: Growth) -> Forest {
    let rows: Vec<&Figures> = choices.iter().flat_map(|c| &c.rows).collect();
    let owner: Vec<usize> = choices.iter().enumerate().flat_map(|(n, c)| std::iter::repeat_n(n, c.rows.len())).collect();
    let table = table(&rows);
    let mut forest = Forest { base: if growth.or_none == OrNone::Allowed { -2.0 } else { 0.0 }, trees: Vec::new() };
    let mut margins = vec![forest.base; rows.len()];
    let mut dice = Dice::new(7);
    for _ in 0..growth.trees {
        let (slope, bend) = gradients(choices, &margins, growth.or_none);
        let kept: Vec<bool> = choices.iter().map(|_| dice.below(1000) < (growth.posts * 1000.0) as usize).collect();
        let figures: Vec<usize> = (0..COUNT).filter(|_| dice.below(1000) < (growth.figures * 1000.0) as usize).collect();
        let members: Vec<u32> = (0..rows.len() as u32).filter(|r| kept[owner[*r as usize]] && bend[*r as usize] > 1e-7).collect();
        let mut tree = vec![Node { feature: 0, left: 0, right: 0, value: 0.0 }];
        split(&mut tree, 0, &members, growth.depth, &Work { table: &table, slope: &slope, bend: &bend, figures: &figures, growth });
        for (margin, row) in margins.iter_mut().zip(&rows) {
            *margin += leaf(&tree, row);
        }
        forest.trees.push(tree);
    }
    forest
}

/// First and second derivative of the loss for every row.
fn gradients(choices: &[Choice], margins: &[f32], or_none: OrNone) -> (Vec<f32>, Vec<f32>) {
    let (mut slope, mut bend) = (Vec::with_capacity(margins.len()), Vec::with_capacity(margins.len()));
    let mut at = 0;
    for choice in choices {
        let chances = Model::chances(&margins[at..at + choice.rows.len()], or_none);
        // The right ones share the target as the model would have it.
        let whole: f32 = chances.iter().zip(&choice.right).filter(|(_, r)| **r).map(|(c, _)| c).sum();
        let weight = if or_none == OrNone::Never && whole == 0.0 { 0.0 } else { choice.weight };
        for (chance, right) in chances.iter().zip(&choice.right) {
            let target = if *right { chance / whole.max(1e-9) } else { 0.0 };
            slope.push(weight * (chance - target));
            bend.push(weight * (chance * (1.0 - chance)).max(1e-6));
        }
        at += choice.rows.len();
    }
    (slope, bend)
}

struct Work<'a> {
    table: &'a Table,
    slope: &'a [f32],
    bend: &'a [f32],
    figures: &'a [usize],
    growth: Growth,
}

fn split(tree: &mut Vec<Node>, node: usize, members: &[u32], depth: usize, work: &Work) {
    let sum = |of: &[f32]| members.iter().map(|m| f64::from(of[*m as usize])).sum::<f64>();
    let (g, h) = (sum(work.slope), sum(work.bend));
    let ridge = f64::from(work.growth.ridge);
    tree[node].value = (-g / (h + ridge)) as f32 * work.growth.shrink;
    if depth == 0 || members.len() < 8 {
        return;
    }
    let mut best: Option<(f64, usize, usize)> = None;
    for f in work.figures {
        let (bins, edges) = (&work.table.bins[*f], &work.table.edges[*f]);
        let mut sums = [(0.0f64, 0.0f64); BINS];
        for m in members {
            let cell = &mut sums[usize::from(bins[*m as usize])];
            cell.0 += f64::from(work.slope[*m as usize]);
            cell.1 += f64::from(work.bend[*m as usize]);
        }
        let (mut left_g, mut left_h) = (0.0, 0.0);
        for (cut, (slope, bend)) in sums.iter().enumerate().take(edges.len()) {
            left_g += slope;
            left_h += bend;
            if left_h < f64::from(work.growth.least) || h - left_h < f64::from(work.growth.least) {
                continue;
            }
            let right_g = g - left_g;
            let gain = left_g * left_g / (left_h + ridge) + right_g * right_g / (h - left_h + ridge) - g * g / (h + ridge);
            if gain > 1e-4 && best.is_none_or(|(b, _, _)| gain > b) {
                best = Some((gain, *f, cut));
            }
        }
    }
    let Some((_, feature, cut)) = best else { return };
    let bins = &work.table.bins[feature];
    let (left, right): (Vec<u32>, Vec<u32>) = members.iter().partition(|m| usize::from(bins[**m as usize]) <= cut);
    let at = tree.len() as u16;
    tree.extend([Node { feature: 0, left: 0, right: 0, value: 0.0 }; 2]);
    tree[node] = Node { feature: feature as u16, left: at, right: at + 1, value: work.table.edges[feature][cut] };
    split(tree, usize::from(at), &left, depth - 1, work);
    split(tree, usize::from(at) + 1, &right, depth - 1, work);
}
