//! Create: drafts, resources, reviews and the people and institutions that make them.

pub mod draft;
pub mod party;
pub mod resource;
pub mod review;
