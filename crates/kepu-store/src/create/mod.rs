//! Create: drafts, files taken in, the people who write and review, their reviews, and the proofs they hand in.

pub mod comment;
pub mod credential;
pub mod draft;
pub mod import;
pub mod party;
pub mod proof;
pub mod recheck;
pub mod review;
pub mod round;
