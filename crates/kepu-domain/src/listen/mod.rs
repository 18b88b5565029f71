//! Listen: signals that come in, topics they are about, questions, claims and the cases that answer them. Never who asked.

pub mod case;
pub mod claim;
pub mod coverage;
pub mod decision;
pub mod duty;
pub mod inlet;
pub mod inspection;
pub mod order;
pub mod placement;
pub mod question;
pub mod report;
pub mod returns;
pub mod service;
pub mod sighting;
pub mod signal;
pub mod task;
pub mod topic;
pub mod usefulness;
pub mod worth;
