//! Combinatorial engines: who gets what, so that nobody can do better and nobody is worn out. Now: people for tasks ([`assign`]).
//!
//! Pure functions over plain structs, usable as a library without a server; this crate knows no other crate of ours. What a task is, who has a conflict of
//! interest and what a fit means is decided by the caller in `kepu-app`; comparing the scores that come back is in `kepu-stats`.
//!
//! Same input, same result: ties fall by index, or by a seed that the caller can write into the minutes. Every result says what it proved.

pub mod assign;
pub mod error;

mod dice;
mod flow;

pub use error::PlanError;
