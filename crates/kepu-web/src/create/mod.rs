//! Pages of resources. Writing and reviewing them stand beside.

pub mod resource;
