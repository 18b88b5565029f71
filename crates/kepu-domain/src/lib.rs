//! What things are and which moves are legal. Pure: no clock, no network, no SQL, no async.
//!
//! The root holds what every pillar needs (ids, access, organisations, accounts, records, trust); the four folders
//! hold the nouns of the loop: `listen` (question, claim, case), `create` (draft, resource, review, party),
//! `deliver` (subscription scope) and `measure` (planned figures). SQL lives in `kepu-store`, bytes that travel in `kepu-sync`.

pub mod access;
pub mod account;
pub mod create;
pub mod definition;
pub mod deliver;
pub mod field;
pub mod history;
pub mod ids;
pub mod listen;
pub mod log;
pub mod measure;
pub mod org;
pub mod publication;
pub mod record;
pub mod relearn;
pub mod retention;
pub mod text;
pub mod trust;
pub mod vocabulary;
