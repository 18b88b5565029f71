//! Create: drafts, their review and publication, corrections and withdrawals; the registry; rounds of applications.

pub mod credential;
pub mod draft;
pub mod find;
pub mod import;
pub mod party;
pub mod publish;
pub mod review;
pub mod round;
