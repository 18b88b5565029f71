//! How long the texts of people may be, counted in user characters (grapheme clusters), never bytes (RULES, GB 18030).
//! Counting itself is in `kepu-text`; the limits stand here so that form, import and peer obey the same ones.

/// A limit on one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The field's name in forms, imports and error messages.
    pub field: &'static str,
    /// Fewest user characters; 0 = may be empty.
    pub min: usize,
    /// Most user characters.
    pub max: usize,
}

/// Titles of resources. One character can be one: 光, 盐.
pub const TITLE: Limit = Limit { field: "title", min: 1, max: 80 };
/// Summaries and one-sentence conclusions.
pub const SUMMARY: Limit = Limit { field: "summary", min: 0, max: 300 };
/// Bodies of resources. The record they end in is bounded by 32 KiB as well.
pub const BODY: Limit = Limit { field: "text", min: 10, max: 8_000 };
/// English titles and claims: the same thought needs more letters.
pub const TITLE_EN: Limit = Limit { field: "title_en", min: 0, max: 800 };
/// One paragraph of the reasons for a verdict.
pub const WHY: Limit = Limit { field: "why", min: 0, max: 1_000 };
/// What to do instead.
pub const INSTEAD: Limit = Limit { field: "instead", min: 0, max: 600 };
/// A text for a chat group.
pub const CHAT: Limit = Limit { field: "chat", min: 0, max: 300 };
/// Title, publisher or address of a source, and who holds the rights.
pub const SOURCE: Limit = Limit { field: "sources", min: 0, max: 500 };
/// What is to be seen or heard in a file.
pub const ALT: Limit = Limit { field: "alt", min: 2, max: 500 };
/// A claim as people say it, and each of its variants.
pub const CLAIM: Limit = Limit { field: "claim", min: 4, max: 400 };
/// A question typed by a visitor.
pub const QUESTION: Limit = Limit { field: "question", min: 4, max: 1_000 };
/// Reasons, comments, notes.
pub const NOTE: Limit = Limit { field: "note", min: 2, max: 1_000 };
/// Names of people and institutions.
pub const NAME: Limit = Limit { field: "name", min: 1, max: 60 };

/// Most sources, variants or files of one thing.
pub const PARTS_MAX: usize = 40;

/// Why a text was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Fewer user characters than the limit asks for.
    #[error("{field}: {count} characters, at least {min} needed")]
    Short {
        /// Field name.
        field: &'static str,
        /// Characters found.
        count: usize,
        /// Characters needed.
        min: usize,
    },
    /// More user characters than the limit allows.
    #[error("{field}: {count} characters, at most {max} allowed")]
    Long {
        /// Field name.
        field: &'static str,
        /// Characters found.
        count: usize,
        /// Characters allowed.
        max: usize,
    },
}

impl Limit {
    /// Checks a count of user characters against the limit.
    pub fn check(&self, count: usize) -> Result<(), TextError> {
        if count < self.min {
            return Err(TextError::Short { field: self.field, count, min: self.min });
        }
        if count > self.max {
            return Err(TextError::Long { field: self.field, count, max: self.max });
        }
        Ok(())
    }
}
