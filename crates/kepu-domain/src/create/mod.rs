//! Create: drafts, resources, reviews and the people, institutions and places of the registry.

pub mod card;
pub mod credential;
pub mod criteria;
pub mod draft;
pub mod party;
pub mod register;
pub mod resource;
pub mod review;
pub mod round;
