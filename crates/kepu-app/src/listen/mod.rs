//! Listen: what is said is heard and matched, "is this true?", questions without login, cases with a clock.

pub mod case;
pub mod claim;
pub mod hear;
pub mod intake;
pub mod known;
pub mod question;
pub mod recheck;
pub mod topic;
