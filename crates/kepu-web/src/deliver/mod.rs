//! Pages of the network: as everybody may see it, and as its operators mend it.

pub mod network;
pub mod node;
pub mod sync;
