//! Listen: what is said is heard and matched, "is this true?", questions without login, cases with a clock.

pub mod alike;
pub mod case;
pub mod claim;
pub mod decision;
pub mod dump;
pub mod duty;
pub mod hear;
pub mod inspection;
pub mod intake;
pub mod known;
pub mod merge;
pub mod order;
pub mod placement;
pub mod question;
pub mod recheck;
pub mod report;
pub mod task;
pub mod topic;
pub mod usefulness;

#[cfg(test)]
pub(crate) mod tests;
