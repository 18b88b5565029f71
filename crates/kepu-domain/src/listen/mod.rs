//! Listen: questions, claims and the cases that answer them. Never who asked.

pub mod case;
pub mod claim;
pub mod placement;
pub mod question;
pub mod sighting;
pub mod usefulness;
