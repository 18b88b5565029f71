//! Measure: the plan's figures (R07), contributions and their scores, talent data (R105). Facts, forms and indices come with their
//! own nouns.

pub mod contribution;
pub mod figure;
pub mod quantile;
pub mod scoring;
pub mod talent;
