//! How the matcher's model is learned and how good it is. Needs the feature `learn`; nothing here runs on a node.

pub mod boost;
pub mod cases;
pub mod cross;
pub mod dice;
pub mod edit;
pub mod everyday;
pub mod measure;
pub mod peers;
