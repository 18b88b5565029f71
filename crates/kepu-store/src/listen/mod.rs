//! Listen: signals and the topics they are about, questions of visitors, the cases that answer them, how often claims are met, and wordings that wait for an editor.

pub mod case;
pub mod decision;
pub mod duty;
pub mod inlet;
pub mod inspection;
pub mod merge;
pub mod order;
pub mod placement;
pub mod question;
pub mod report;
pub mod sighting;
pub mod signal;
pub mod task;
pub mod topic;
pub mod usefulness;
pub mod wording;
