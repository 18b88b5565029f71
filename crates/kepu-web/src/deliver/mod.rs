//! Pages about how things travel: the network as everybody may see it. The doors for other nodes stand beside.

pub mod network;
pub mod sync;
