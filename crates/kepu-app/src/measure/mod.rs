//! Measure: the ledger of contributions, what it scores, the certificates drawn from it.

pub mod certificate;
pub mod contribution;
pub mod scoring;
