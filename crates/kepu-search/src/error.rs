//! What can go wrong with an index. None of it loses data: the index is rebuilt from the store.

use std::path::PathBuf;

use tantivy::TantivyError;
use tantivy::directory::error::LockError;

/// Why an index operation failed.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The directory holds files that no index wrote; it is left alone.
    #[error("could not open a search index in {}: the directory holds other files; name an empty directory", dir.display())]
    NotOurs {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory cannot be read or written.
    #[error("could not {action} in {}", dir.display())]
    Files {
        /// What was tried.
        action: &'static str,
        /// The directory.
        dir: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// Another process writes this index.
    #[error("could not write the search index: another process is writing it; stop it or let it do the work")]
    Busy,
    /// The index refused an operation.
    #[error("could not {action} the search index")]
    Index {
        /// What was tried.
        action: &'static str,
        /// Cause.
        #[source]
        source: TantivyError,
    },
}

impl SearchError {
    /// Names what was tried; for `map_err`.
    pub(crate) fn on(action: &'static str) -> impl Fn(TantivyError) -> Self {
        move |source| match source {
            TantivyError::LockFailure(LockError::LockBusy, _) => Self::Busy,
            source => Self::Index { action, source },
        }
    }
}
