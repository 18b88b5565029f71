//! Measure: the ledger of contributions, what it scores, the certificates drawn from it; what is counted from the records and the registry.

pub mod certificate;
pub mod contribution;
pub mod scoring;
pub mod talent;
