//! Create: drafts, their review and publication, corrections and withdrawals.

pub mod draft;
pub mod import;
pub mod publish;
pub mod review;
