//! Measure: the plan's figures (R07). Facts, forms and indices come with their own nouns.

pub mod contribution;
pub mod figure;
pub mod scoring;
