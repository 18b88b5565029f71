//! Create: drafts, their review and publication, corrections and withdrawals; the registry; rounds of applications; files taken in.

pub mod coverage;
pub mod credential;
pub mod draft;
pub mod export;
pub mod find;
pub mod import;
pub mod lane;
pub mod party;
pub mod publish;
pub mod recheck;
pub mod registry;
pub mod review;
pub mod round;
pub mod take_back;
