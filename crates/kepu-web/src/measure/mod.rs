//! Pages of figures and of talent data.

pub mod figure;
pub mod talent;
