//! Listen: questions of visitors, the cases that answer them, and how often claims are met.

pub mod case;
pub mod merge;
pub mod placement;
pub mod question;
pub mod sighting;
pub mod usefulness;
pub mod wording;
