//! Listen: signals and the topics they are about, questions of visitors, the cases that answer them, and how often claims are met.

pub mod case;
pub mod inlet;
pub mod question;
pub mod sighting;
pub mod signal;
pub mod topic;
