//! Listen: what is said is heard and matched, "is this true?", questions without login, cases with a clock.

pub mod alike;
pub mod case;
pub mod claim;
pub mod hear;
pub mod known;
pub mod question;
pub mod recheck;
