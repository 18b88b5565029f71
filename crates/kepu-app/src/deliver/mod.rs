//! Deliver: how what is public reaches people: open channels and packs.

pub mod channel;
pub mod pack;
pub mod point;
pub mod push;
pub mod warning;
