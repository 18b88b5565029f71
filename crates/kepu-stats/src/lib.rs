//! Numbers in, numbers out: what the round engine, and later surveys and composites, must compute and be able to defend.
//!
//! Pure functions over slices, usable as a library without a server; this crate knows no other crate of ours. Rounds, judges as people and who may see
//! which score are in `kepu-domain` and `kepu-app`; who reads what is decided in `kepu-plan`.
//!
//! Same input, same bits: nothing here draws random numbers or depends on the order in which scores came in.

pub mod bridging;
pub mod error;
pub mod judging;
pub mod proportion;
pub mod rank;

mod dense;

pub use error::StatsError;
