//! Deliver: what a node subscribes to, what goes out by open channels, what a pack holds, what official warnings say. Events come with their own nouns.

pub mod alert;
pub mod channel;
pub mod drill;
pub mod guide;
pub mod pack;
pub mod plan;
pub mod point;
pub mod say;
pub mod scope;
pub mod warning;
