//! Pages of figures.

pub mod figure;
