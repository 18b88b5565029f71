//! Deliver: feeds, harvesters, cards on other sites, screens, monthly packs, the shelf; recalls; and the network, as everybody may see it and as its operators
//! mend it.

pub mod embed;
pub mod feed;
pub mod linked;
pub mod network;
pub mod node;
pub mod now;
pub mod oai;
pub mod pack;
pub mod point;
pub mod recall;
pub mod screen;
pub mod shelf;
pub mod sync;
pub mod warning;
