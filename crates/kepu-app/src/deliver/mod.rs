//! Deliver: how what is public reaches people: open channels and packs; and how it is called back.

pub mod channel;
pub mod pack;
pub mod point;
pub mod push;
pub mod recall;
pub mod warning;
