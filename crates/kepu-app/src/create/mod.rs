//! Create: drafts, their review and publication, corrections and withdrawals.

pub mod credential;
pub mod draft;
pub mod find;
pub mod import;
pub mod party;
pub mod publish;
pub mod review;
