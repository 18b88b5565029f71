//! Measure: what is counted from the records and the registry.

pub mod talent;
