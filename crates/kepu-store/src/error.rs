//! What can go wrong in the store, one variant for each thing a caller would treat differently.

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It must exist and does not.
    #[error("no {what} with id {id}")]
    NotFound {
        /// Noun.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// Somebody else changed it since it was read.
    #[error("{what} {id} was changed by somebody else")]
    Stale {
        /// Noun.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// Something with this key is there already.
    #[error("could not {action}: it is there already")]
    Duplicate {
        /// What was attempted.
        action: &'static str,
        /// The violated key.
        #[source]
        source: sqlx::Error,
    },
    /// The database refused or was out of reach.
    #[error("could not {action}")]
    Query {
        /// What was attempted.
        action: &'static str,
        /// Cause.
        #[source]
        source: sqlx::Error,
    },
    /// A stored value is none that this program writes.
    #[error("stored {what} {id} is damaged: {cause}")]
    Corrupt {
        /// Noun, or what was attempted while reading it.
        what: &'static str,
        /// Its id, or the first column of its row.
        id: String,
        /// What is wrong.
        cause: String,
    },
    /// The database cannot be opened.
    #[error("could not open the database {url}")]
    Open {
        /// Its address without password.
        url: String,
        /// Cause.
        #[source]
        source: sqlx::Error,
    },
    /// The tables cannot be brought up to date.
    #[error("could not migrate the database")]
    Migrate {
        /// Cause.
        #[from]
        source: sqlx::migrate::MigrateError,
    },
}

impl StoreError {
    /// Wraps what sqlx said about `action`.
    pub(crate) fn query(action: &'static str, source: sqlx::Error) -> Self {
        match source.as_database_error() {
            Some(error) if error.is_unique_violation() => Self::Duplicate { action, source },
            _ => Self::Query { action, source },
        }
    }

    /// Whether the same transaction may succeed if tried again: serialization failure or deadlock on PostgreSQL
    /// (SQLSTATE 40001, 40P01), a busy file on SQLite (primary code 5 or 6).
    pub fn is_retryable(&self) -> bool {
        let Self::Query { source, .. } = self else { return false };
        let Some(code) = source.as_database_error().and_then(|error| error.code()) else { return false };
        match code.parse::<i64>() {
            // SQLite's codes are short numbers whose last byte is the primary code; SQLSTATE always has five characters.
            Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 6),
            _ => matches!(code.as_ref(), "40001" | "40P01"),
        }
    }

    /// Whether it failed because the key is taken.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Duplicate { .. })
    }
}
