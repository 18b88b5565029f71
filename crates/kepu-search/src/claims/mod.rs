//! "Is this true?": which known claim says what a post says, or honestly none.
//!
//! | question | where |
//! |---|---|
//! | how is a text read, whatever its script, width, spacing and ornaments? | [`reading`] |
//! | which few claims come into question? | [`postings`] |
//! | how rare is a word, when there are only three claims? | `common`, with `common.tsv` |
//! | what do a post and a claim share, and in which fact do they differ? | [`pair`], [`slots`], `align` |
//! | how likely do they say the same? | [`decide`], with `model.txt` |
//! | what does the optional encoder say where that is not sure? | `late`, with `late.txt` |
//! | was the same text asked a moment ago? | `copies` |
//! | all of it together, and claims that come and go | [`Matcher`] |
//! | which words are the reason? | [`shared`] |
//! | does it say the contrary in nearly the same words? how much of it is there at all? | [`contradicts`], [`covered`] |
//!
//! Same topic is not same claim: another place, number, thing, date or a denial makes another claim, and the matcher is taught so. Measurements and what else
//! was tried are in `docs/decisions/0015-claims-matcher.md`. Not here: verdicts and answers (`kepu-app`), documents (`crate::Index`).

mod against;
mod align;
mod common;
mod copies;
mod cover;
pub mod decide;
mod late;
#[cfg(feature = "learn")]
#[expect(missing_docs, reason = "read by the measuring programs only; the names say what stands there")]
pub mod learn;
mod matcher;
pub mod pair;
pub mod postings;
pub mod reading;
mod reason;
mod shelf;
pub mod slots;

pub use against::contradicts;
pub use cover::covered;
pub use late::beginning;
pub use matcher::{Band, Candidate, Found, Hit, JUDGED, Matcher};
pub use postings::Sums;
pub use reason::{Shared, shared};
