//! Create: drafts, files taken in, the people who write and review, and their reviews.

pub mod draft;
pub mod import;
pub mod party;
pub mod review;
pub mod round;
