//! Measure: the plan's figures (R07). Facts, forms and indices come with their own nouns.

pub mod figure;
