//! Full-text search over what a node shows, always rebuildable from the store.
//!
//! | question | where |
//! |---|---|
//! | what is in the index, and how is a text cut into tokens? | [`Doc`]; `schema`, `tokens` |
//! | how does it open, fill, commit, start over? | [`Index`]; `index` |
//! | what does a query ask for? which words only build it, which stand for technical ones? | [`Query`]; `asked`, `words` |
//! | which documents count as found? | `gather` |
//! | in which order, with which passage and answer, on which page? | [`Page`]; `rank`, `lens`, `sentence`, `model`; `search` |
//! | which of the best mean what is asked, if the optional encoder is there? | [`Index::use_encoder`]; `rerank`, [`encoder`] |
//! | how many of them have which value? | `facets` |
//! | what was meant, if nothing was found? | `guess`, `sound` |
//! | which part of a text is shown with its hits? | [`Span`]; `snippet` |
//! | who is competent, near and free? | [`PartyIndex`]; `parties` |
//! | which documents say nearly the same? | [`Index::similar`]; `similar` |
//! | which known claim says what a post says, or none? | [`claims`] |
//! | which topics rise in a stream of signals? | [`topics`] |
//!
//! Not here: what is public and may be indexed (`kepu-app` decides), the texts themselves (`kepu-store`), folding and tokens
//! (`kepu-text`). Everything is synchronous; servers call it from a blocking thread. Why it is built so: `docs/decisions/0014-search-engine.md`.

mod asked;
pub mod claims;
pub mod encoder;
mod error;
mod facets;
mod gather;
mod guess;
mod index;
mod lens;
mod model;
mod parties;
mod query;
mod rank;
mod rerank;
mod schema;
mod search;
mod sentence;
mod similar;
mod snippet;
mod sound;
#[cfg(feature = "teach")]
pub mod teach;
mod tokens;
pub mod topics;
mod words;

pub use error::SearchError;
pub use index::Index;
pub use parties::{PartyDoc, PartyHit, PartyIndex, PartyQuery, distance_km};
pub use query::{Answer, Hit, LIMIT_MAX, Page, QUERY_MAX, Query, Sort, Why};
#[cfg(feature = "learn")]
pub use rerank::Nearest;
pub use schema::{Doc, FILTER_MAX};
pub use similar::Scored;
pub use snippet::Span;
