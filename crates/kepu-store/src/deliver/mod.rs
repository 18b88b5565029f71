//! Deliver: what leaves by feeds, harvesters and packs, and what is called back.

pub mod change;
pub mod drill;
pub mod pack;
pub mod point;
pub mod recall;
pub mod warning;
