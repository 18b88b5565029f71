//! Create: drafts, resources, reviews, files taken in, and the people and institutions that make them.

pub mod draft;
pub mod import;
pub mod party;
pub mod resource;
pub mod review;
