//! Listen: "is this true?", questions without login, cases with a clock.

pub mod case;
pub mod claim;
pub mod question;
