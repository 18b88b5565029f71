//! Deliver: what a node subscribes to, what goes out by open channels, what a pack holds. Events come with their own nouns.

pub mod channel;
pub mod pack;
pub mod scope;
