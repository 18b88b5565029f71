//! Deliver: what a node subscribes to. Channels, packs and events come with their own nouns.

pub mod scope;
