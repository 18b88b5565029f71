//! Create: drafts, the people who write and review, and their reviews.

pub mod draft;
pub mod party;
pub mod review;
pub mod round;
