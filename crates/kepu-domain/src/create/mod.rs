//! Create: drafts, resources, reviews, files taken in, and the people, institutions and places of the registry.

pub mod attention;
pub mod card;
pub mod check;
pub mod coverage;
pub mod credential;
pub mod criteria;
pub mod draft;
pub mod import;
pub mod lane;
pub mod party;
pub mod register;
pub mod resource;
pub mod resource_type;
pub mod review;
pub mod round;
pub mod sentence;
