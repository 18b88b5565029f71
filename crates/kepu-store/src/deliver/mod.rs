//! Deliver: what leaves by feeds, harvesters and packs.

pub mod change;
pub mod pack;
