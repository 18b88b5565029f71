//! A second look with the optional encoder, where the matcher is neither sure that a claim says the same nor that none does.
//!
//! The directions of the post and of its first few claims become some more figures; trees of their own (`late.txt`) judge anew, with a curve of their own. What the first look is
//! sure of stays as it was: the encoder takes two copies that differ in one fact for the same.

use super::decide::{Forest, Model};
use super::pair::{BASIC, Figures};
use crate::encoder::{Memory, Role};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

/// Candidates that are looked at again.
pub const LOOKED: usize = 8;
/// Confidence of the first look between which there is a second one.
pub const BAND: Range<f32> = 0.03..0.97;
/// Characters of a claim that are read: what is said stands in the beginning, reasons follow.
const CLAIM_MAX: usize = 300;

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::parse(include_str!("late.txt")).unwrap_or_default());

/// The encoder with the beginnings of the claims.
pub struct Late {
    memory: Arc<Memory>,
    texts: HashMap<String, String>,
    pub model: &'static Model,
}

impl Late {
    pub fn new<'a>(memory: Arc<Memory>, claims: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        Self { memory, texts: claims.map(|(id, text)| (id.to_owned(), beginning(text).to_owned())).collect(), model: &MODEL }
    }

    pub fn put(&mut self, id: &str, text: &str) {
        self.texts.insert(id.to_owned(), beginning(text).to_owned());
    }

    pub fn remove(&mut self, id: &str) {
        self.texts.remove(id);
    }

    /// Whether there is a second look.
    pub fn asks(&self, sure: f32) -> bool {
        BAND.contains(&sure) && !self.model.judge.trees.is_empty()
    }

    /// How near the post is to each of the claims. What was asked is kept nowhere.
    pub fn cosines(&self, post: &str, claims: &[&str]) -> Vec<f32> {
        let texts: Vec<&str> = claims.iter().map(|id| self.texts.get(*id).map_or("", String::as_str)).collect();
        let post = self.memory.passing(Role::Query, post);
        self.memory.get(Role::Query, &texts, 1).iter().map(|claim| post.cosine(claim)).collect()
    }
}

/// The part of a claim whose direction is taken.
pub fn beginning(text: &str) -> &str {
    &text[..text.char_indices().nth(CLAIM_MAX).map_or(text.len(), |(at, _)| at)]
}

/// Fills the figures of a second look: what the first judge thought, and how near each claim is, alone and beside the others.
pub fn look(rows: &mut [Figures], judge: &Forest, cosines: &[f32]) {
    let margins: Vec<f32> = rows.iter().map(|row| judge.margin(row)).collect();
    let mean = cosines.iter().sum::<f32>() / cosines.len().max(1) as f32;
    for (n, row) in rows.iter_mut().enumerate() {
        let own = cosines.get(n).copied().unwrap_or_default();
        let others = cosines.iter().enumerate().filter(|(other, _)| *other != n).map(|(_, cosine)| *cosine);
        let best = others.fold(0.0, f32::max);
        let ahead = cosines.iter().filter(|cosine| **cosine > own).count() as f32;
        row[BASIC..].copy_from_slice(&[margins[n], own, own - best, own - mean, ahead]);
    }
}
