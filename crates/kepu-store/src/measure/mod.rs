//! Measure: the ledger of contributions.

pub mod contribution;
