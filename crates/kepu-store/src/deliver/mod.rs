//! Deliver: what leaves by feeds, harvesters and packs, and what is called back.

pub mod change;
pub mod pack;
pub mod recall;
