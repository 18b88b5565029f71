//! Full-text search over what a node shows, always rebuildable from the store.
//!
//! | question | where |
//! |---|---|
//! | what is in the index, and how is a text cut into tokens? | [`Doc`]; `schema`, `tokens` |
//! | how does it open, fill, commit, start over? | [`Index`]; `index` |
//! | what does a query ask for, and which documents count as found? | [`Query`]; `needles`, `found` |
//! | in which order, on which page? | [`Page`]; `search` |
//! | which part of a text is shown with its hits? | [`Span`]; `snippet` |
//! | who is competent, near and free? | [`PartyIndex`]; `parties` |
//! | which known claims say nearly the same? how near are two texts? | [`Index::similar`], [`near`]; `similar` |
//! | which known claim says what a post says, or none? | [`claims`] |
//! | which topics rise in a stream of signals? | [`topics`] |
//!
//! Not here: what is public and may be indexed (`kepu-app` decides), the texts themselves (`kepu-store`), folding and tokens
//! (`kepu-text`). Everything is synchronous; servers call it from a blocking thread.

pub mod claims;
mod error;
mod found;
mod index;
mod needles;
mod parties;
mod query;
mod schema;
mod search;
mod similar;
mod snippet;
mod tokens;
pub mod topics;

pub use error::SearchError;
pub use index::Index;
pub use parties::{PartyDoc, PartyHit, PartyIndex, PartyQuery, distance_km};
pub use query::{Hit, LIMIT_MAX, Page, QUERY_MAX, Query, Sort};
pub use schema::Doc;
pub use similar::{Scored, near};
pub use snippet::Span;
