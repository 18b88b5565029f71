//! Pages of resources and of files that are taken in. Writing and reviewing stand beside.

pub mod import;
pub mod resource;
