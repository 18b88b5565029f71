//! What operations answer when they cannot do what was asked. `kepu-web::problem` turns each variant into status and text.

use kepu_domain::access::Denied;
use kepu_domain::account::PasswordError;
use kepu_domain::create::check::Finding;
use kepu_domain::create::draft::DraftError;
use kepu_domain::create::review::ReviewError;
use kepu_domain::create::round::RoundError;
use kepu_domain::listen::case::CaseError;
use kepu_domain::listen::task::TaskError;
use kepu_domain::trust::Refusal;
use kepu_store::StoreError;

/// One field of a form that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the field.
    pub field: String,
    /// Message key in the catalogues, without the leading `error.`.
    pub key: String,
    /// Arguments of the message.
    pub args: Vec<(String, String)>,
}

impl FieldError {
    /// A message without arguments.
    pub fn new(field: &str, key: &str) -> Self {
        Self { field: field.into(), key: key.into(), args: vec![] }
    }
    /// Adds an argument.
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.args.push((name.into(), value.to_string()));
        self
    }
}

/// Why an operation was not done. Nothing is half done: its transaction was rolled back.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Not signed in, or without the role.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Fields of a form.
    #[error("{} field(s) cannot be taken: {}", .0.len(), .0.iter().map(|f| format!("{}: {}", f.field, f.key)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// Machine checks of the publication gate.
    #[error("{} thing(s) must be mended first", .0.len())]
    Blocked(Vec<Finding>),
    /// A move that the draft's stage does not allow.
    #[error(transparent)]
    Draft(DraftError),
    /// A move that the review's stage does not allow.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// A move that the case's stage does not allow.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// A move that the task's stage does not allow.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// A move that the round's or application's stage does not allow.
    #[error(transparent)]
    Round(#[from] RoundError),
    /// The node's own certificate does not allow it.
    #[error("this node may not publish that: {0}")]
    Refused(#[from] Refusal),
    /// Wrong name, password or code. Deliberately does not say which.
    #[error("name, password or code is not right")]
    Credentials,
    /// The password is right, and a second factor is needed to go on: with this ticket, which proves the password.
    #[error("a one-time code is needed")]
    CodeNeeded(String),
    /// The one-time code is wrong, or was used before.
    #[error("the one-time code is not right")]
    Code,
    /// The ticket of the first step of signing in ended: begin again.
    #[error("too much time has passed since the password was given")]
    TicketEnded,
    /// Locked after failures.
    #[error("locked until {0} after repeated failures")]
    Locked(jiff::Timestamp),
    /// The password is too weak.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Nothing has this id, or the actor may not know of it.
    #[error("there is no {what} \"{id}\"")]
    NotFound {
        /// Noun.
        what: &'static str,
        /// Id.
        id: String,
    },
    /// Somebody else changed it in between.
    #[error("{what} \"{id}\" was changed by somebody else in the meantime")]
    Stale {
        /// Noun.
        what: &'static str,
        /// Id.
        id: String,
    },
    /// Too many requests of one kind.
    #[error("too many requests; try again in {0} seconds")]
    TooMany(i64),
    /// A file or body larger than allowed.
    #[error("larger than the allowed {max} bytes")]
    TooLarge {
        /// Limit in bytes.
        max: u64,
    },
    /// Another node that did not join this one, or whose signature does not fit.
    #[error("the request is signed by no node that joined this one")]
    Stranger,
    /// The tables came back from a backup, and the numbers used since are not known yet.
    #[error("this node was restored from a backup and must first hear from {0} which numbers its key has used; they are asked at the next exchange")]
    Relearning(String),
    /// A record cannot be written.
    #[error("the record cannot be written: {0}")]
    Record(String),
    /// Another node did not do its part.
    #[error("{peer}: {cause}")]
    Peer {
        /// Which.
        peer: String,
        /// What happened, in words for an operator.
        cause: String,
    },
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
    /// The search index failed.
    #[error("the search index failed")]
    Search(#[from] kepu_search::SearchError),
    /// A file of the data folder failed.
    #[error("could not {action} {path}")]
    File {
        /// Attempt.
        action: &'static str,
        /// File.
        path: String,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
}

impl From<DraftError> for AppError {
    fn from(error: DraftError) -> Self {
        match error {
            DraftError::Blocked(findings) => AppError::Blocked(findings),
            other => AppError::Draft(other),
        }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { what, id } => AppError::NotFound { what, id },
            StoreError::Stale { what, id } => AppError::Stale { what, id },
            other => AppError::Store(other),
        }
    }
}

impl From<kepu_domain::text::TextError> for AppError {
    fn from(error: kepu_domain::text::TextError) -> Self {
        AppError::Invalid(vec![text_error(&error)])
    }
}

/// A reason, remark or note as typed into `field`: cleaned, and within the limit that all of them have.
pub(crate) fn note_words(field: &'static str, text: &str) -> Result<String, AppError> {
    let text = kepu_text::clean_text(text);
    let limit = kepu_domain::text::Limit { field, ..kepu_domain::text::NOTE };
    match limit.check(kepu_text::count(&text)) {
        Ok(()) => Ok(text),
        Err(error) => Err(AppError::Invalid(vec![text_error(&error)])),
    }
}

/// A text limit as a field error.
pub fn text_error(error: &kepu_domain::text::TextError) -> FieldError {
    use kepu_domain::text::TextError::{Long, Short};
    match error {
        Short { field, count, min } => FieldError::new(field, "short").with("count", count).with("min", min),
        Long { field, count, max } => FieldError::new(field, "long").with("count", count).with("max", max),
    }
}
