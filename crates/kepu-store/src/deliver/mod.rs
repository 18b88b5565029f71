//! Deliver: what leaves by feeds, harvesters and packs.

pub mod change;
pub mod drill;
pub mod pack;
pub mod point;
pub mod warning;
