//! Listen: signals and the topics they are about, questions of visitors, and the cases that answer them.

pub mod case;
pub mod inlet;
pub mod question;
pub mod signal;
pub mod topic;
