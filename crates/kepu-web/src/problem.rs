//! Errors as people and programs see them: one `match` from `AppError` to status and words, RFC 9457 problem details for
//! programs, a page that names thing, cause and cure for people. Inner causes go to the log, with the number on the page.

use crate::form::{Fields, see_other};
use crate::page::{Answer, Html, Req, Shell, page, page_with};
use crate::resume::{self, Typed};
use crate::urls;
use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kepu_app::{AppError, FieldError};
use kepu_domain::access::Denied;
use kepu_domain::account::{Owes, PasswordError};
use kepu_domain::create::check::Finding;
use kepu_domain::create::draft::DraftError;
use kepu_domain::create::review::ReviewError;
use kepu_domain::create::round::RoundError;
use kepu_domain::listen::case::CaseError;
use kepu_domain::listen::task::TaskError;
use serde_json::{Value, json};
use std::error::Error;
use std::fmt::{Display, Write as _};
use std::sync::Arc;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident, $word:literal, $status:literal, $title:literal, $why:literal, $cure:literal;)+) => {
        /// Every kind of problem: word in `/problems/<word>`, status, and the messages for title, cause and cure.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $name),+ }

        /// All of them, in the order of the page `/problems`.
        pub const KINDS: &[Kind] = &[$(Kind::$name),+];

        impl Kind {
            /// The last part of the problem's `type`.
            pub fn word(self) -> &'static str { match self { $(Kind::$name => $word),+ } }
            /// HTTP status.
            pub fn status(self) -> StatusCode {
                StatusCode::from_u16(match self { $(Kind::$name => $status),+ }).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            fn title_key(self) -> &'static str { match self { $(Kind::$name => $title),+ } }
            fn why_key(self) -> &'static str { match self { $(Kind::$name => $why),+ } }
            fn cure_key(self) -> &'static str { match self { $(Kind::$name => $cure),+ } }
        }
    };
}

kinds! {
    /// Nothing is there.
    NotFound, "not-found", 404, "problem-not-found", "problem-not-found-why", "problem-not-found-cure";
    /// It was withdrawn.
    Gone, "gone", 410, "problem-gone", "problem-gone-why", "problem-gone-cure";
    /// Nobody is signed in.
    SignIn, "sign-in", 401, "problem-sign-in", "problem-sign-in-why", "problem-sign-in-cure";
    /// Name, password or code is not right.
    Credentials, "credentials", 401, "problem-credentials", "problem-credentials-why", "problem-credentials-cure";
    /// A password that somebody else gave must be changed first.
    PasswordFirst, "password-first", 403, "problem-password-first", "problem-password-first-why", "problem-password-first-cure";
    /// A second factor must be set up first.
    SecondFactorFirst, "second-factor-first", 403, "problem-second-factor-first", "problem-second-factor-first-why", "problem-second-factor-first-cure";
    /// Signed in, but without the role.
    NoRole, "no-role", 403, "problem-no-role", "problem-no-role-why", "problem-no-role-cure";
    /// One's own work.
    OwnWork, "own-work", 403, "problem-own-work", "problem-own-work-why", "problem-own-work-cure";
    /// Sent from another site.
    CrossSite, "cross-site", 403, "problem-cross-site", "problem-cross-site-why", "problem-cross-site-cure";
    /// A form made for an earlier session.
    OutdatedForm, "outdated-form", 409, "problem-outdated-form", "problem-outdated-form-why", "problem-outdated-form-cure";
    /// The node's certificate does not allow it.
    NotCertified, "not-certified", 403, "problem-not-certified", "problem-not-certified-why", "problem-not-certified-cure";
    /// Fields of a form.
    Invalid, "invalid", 422, "problem-invalid", "problem-invalid-why", "problem-invalid-cure";
    /// Machine checks of the publication gate.
    Blocked, "blocked", 422, "problem-blocked", "problem-blocked-why", "problem-blocked-cure";
    /// The state of the thing does not allow this step.
    WrongStage, "wrong-stage", 409, "problem-wrong-stage", "problem-wrong-stage-why", "problem-wrong-stage-cure";
    /// Changed by somebody else in between.
    Stale, "stale", 409, "problem-stale", "problem-stale-why", "problem-stale-cure";
    /// Too many requests, or locked.
    TooMany, "too-many", 429, "problem-too-many", "problem-too-many-why", "problem-too-many-cure";
    /// A body or file that is too large.
    TooLarge, "too-large", 413, "problem-too-large", "problem-too-large-why", "problem-too-large-cure";
    /// Not a form, not JSON.
    BadMediaType, "media-type", 415, "problem-media-type", "problem-media-type-why", "problem-media-type-cure";
    /// A node that did not join here.
    Stranger, "stranger", 403, "problem-stranger", "problem-stranger-why", "problem-stranger-cure";
    /// A request that cannot be read.
    BadRequest, "bad-request", 400, "problem-bad-request", "problem-bad-request-why", "problem-bad-request-cure";
    /// A method that the address does not know.
    Method, "method", 405, "problem-method", "problem-method-why", "problem-method-cure";
    /// Restored from a backup, and not yet told which numbers are used.
    Relearning, "relearning", 503, "problem-relearning", "problem-relearning-why", "problem-relearning-cure";
    /// A record that cannot be written.
    Record, "record", 422, "problem-record", "problem-record-why", "problem-record-cure";
    /// Another node did not do its part.
    Peer, "peer", 502, "problem-peer", "problem-peer-why", "problem-peer-cure";
    /// It took too long.
    Slow, "slow", 503, "problem-slow", "problem-slow-why", "problem-slow-cure";
    /// A fault of ours.
    Internal, "internal", 500, "problem-internal", "problem-internal-why", "problem-internal-cure";
}

/// Why a request was not answered as wished.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What kind.
    pub kind: Kind,
    why: Option<(&'static str, Vec<(&'static str, String)>)>,
    /// Fields of a form.
    pub errors: Vec<FieldError>,
    /// Results of machine checks.
    pub findings: Vec<Finding>,
    retry_after: Option<i64>,
    typed: Option<Typed>,
    instead: Option<String>,
    cause: Option<String>,
}

impl Problem {
    /// A problem with the usual words of its kind.
    pub fn new(kind: Kind) -> Self {
        Self { kind, why: None, errors: vec![], findings: vec![], retry_after: None, typed: None, instead: None, cause: None }
    }
    /// With another sentence about the cause.
    #[must_use]
    pub fn why(mut self, key: &'static str, args: &[(&'static str, String)]) -> Self {
        self.why = Some((key, args.to_vec()));
        self
    }
    /// Nothing is at this address.
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound)
    }
    /// A fault of ours; `cause` goes to the log only.
    pub fn internal(cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(Kind::Internal) }
    }
    /// A body of more than `max` bytes.
    pub fn too_large(max: u64) -> Self {
        Self::new(Kind::TooLarge).why("problem-too-large-max", &[("max", size(max))])
    }
    /// What an account owes before it may go on. Who only wanted to read `path` is led to where it is done, and back later.
    pub(crate) fn owes(owes: Owes, path: Option<&str>) -> Self {
        let kind = match owes {
            Owes::Password => Kind::PasswordFirst,
            Owes::SecondFactor => Kind::SecondFactorFirst,
        };
        Self { instead: path.map(|path| urls::with("/account", &[("to", path)])), ..Self::new(kind) }
    }
    /// A form of an earlier session: its fields are shown again with a button.
    pub(crate) fn outdated_form(path: &str, fields: &Fields) -> Self {
        Self { typed: Some(Typed::new(path, fields)), ..Self::new(Kind::OutdatedForm) }
    }
    /// A form sent without a session: the sign-in page carries its fields along.
    pub(crate) fn sign_in_with(path: &str, fields: &Fields) -> Self {
        Self { typed: Some(Typed::new(path, fields)), ..Self::new(Kind::SignIn) }
    }
}

/// Bytes as people say them.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        let kind = |kind| Problem::new(kind);
        match error {
            AppError::Denied(Denied::NotSignedIn) => kind(Kind::SignIn),
            AppError::Denied(Denied::NoRole { .. }) => kind(Kind::NoRole),
            AppError::Denied(Denied::OwnWork) => kind(Kind::OwnWork),
            AppError::Invalid(errors) => Problem { errors, ..kind(Kind::Invalid) },
            AppError::Blocked(findings) => Problem { findings, ..kind(Kind::Blocked) },
            AppError::Draft(error) => draft(error),
            AppError::Review(error) => review(error),
            AppError::Case(error) => case(error),
            AppError::Task(TaskError::Over) => kind(Kind::WrongStage).why("problem-task-over", &[]),
            AppError::Task(TaskError::NoWords) => Problem { errors: vec![FieldError::new("words", "task_words")], ..kind(Kind::Invalid) },
            AppError::Round(error) => round(&error),
            AppError::Stranger => kind(Kind::Stranger),
            AppError::Refused(refusal) => kind(Kind::NotCertified).why("problem-refused", &[("cause", refusal.to_string())]),
            AppError::Credentials => kind(Kind::Credentials),
            AppError::CodeNeeded(_) => kind(Kind::Credentials).why("problem-code-needed", &[]),
            AppError::Code => kind(Kind::Credentials).why("problem-code-wrong", &[]),
            AppError::TicketEnded => kind(Kind::Credentials).why("problem-ticket-ended", &[]),
            AppError::Locked(until) => {
                let seconds = until.duration_since(jiff::Timestamp::now()).as_secs().max(1);
                Problem { retry_after: Some(seconds), ..kind(Kind::TooMany).why("problem-locked", &[("minutes", (seconds / 60 + 1).to_string())]) }
            }
            AppError::Password(error) => Problem { errors: vec![password(error)], ..kind(Kind::Invalid) },
            AppError::NotFound { what, id } => {
                kind(Kind::NotFound).why("problem-not-found-id", &[("id", kepu_text::graphemes::truncate(&id, 80).to_owned()), ("what", what.to_owned())])
            }
            AppError::Stale { .. } => kind(Kind::Stale),
            AppError::TooMany(seconds) => {
                Problem { retry_after: Some(seconds), ..kind(Kind::TooMany).why("problem-too-many-seconds", &[("seconds", seconds.to_string())]) }
            }
            AppError::TooLarge { max } => Problem::too_large(max),
            AppError::Relearning(who) => kind(Kind::Relearning).why("problem-relearning-who", &[("who", who)]),
            AppError::Record(cause) => kind(Kind::Record).why("problem-record-cause", &[("cause", cause)]),
            AppError::Peer { peer, cause } => kind(Kind::Peer).why("problem-peer-cause", &[("peer", peer), ("cause", cause)]),
            error @ (AppError::Store(_) | AppError::Search(_) | AppError::File { .. }) => Problem::internal(chain(&error)),
        }
    }
}

fn draft(error: DraftError) -> Problem {
    match error {
        DraftError::Blocked(findings) => Problem { findings, ..Problem::new(Kind::Blocked) },
        DraftError::WrongStage { .. } => Problem::new(Kind::WrongStage),
        DraftError::TooFewReviews { have, need } => {
            Problem::new(Kind::WrongStage).why("problem-too-few-reviews", &[("have", have.to_string()), ("need", need.to_string())])
        }
        DraftError::Disputed { lacking } => Problem::new(Kind::WrongStage).why("problem-disputed", &[("n", lacking.to_string())]),
        DraftError::NoCorrection => Problem { errors: vec![FieldError::new("correction", "no_correction")], ..Problem::new(Kind::Invalid) },
    }
}

fn review(error: ReviewError) -> Problem {
    let field = |name: &str, key: &str| Problem { errors: vec![FieldError::new(name, key)], ..Problem::new(Kind::Invalid) };
    match error {
        ReviewError::OwnWork { .. } => Problem::new(Kind::OwnWork),
        ReviewError::NotCompetent { .. } => field("reviewer", "not_competent"),
        ReviewError::Twice { .. } => field("reviewer", "asked_already"),
        ReviewError::Closed => Problem::new(Kind::WrongStage).why("problem-review-closed", &[]),
        ReviewError::Outdated => Problem::new(Kind::Stale).why("problem-review-outdated", &[]),
        ReviewError::NoComment => field("comment", "no_comment"),
        ReviewError::NoConflictStatement => field("conflict", "no_conflict_statement"),
        ReviewError::Lapsed { .. } => field("conflict", "lapsed"),
        ReviewError::Unticked(points) => {
            let error = FieldError::new("checks", "unticked").with("points", points.join("；"));
            Problem { errors: vec![error], ..Problem::new(Kind::Invalid) }
        }
        ReviewError::Blocked(findings) => Problem { findings, ..Problem::new(Kind::Blocked) },
    }
}

fn case(error: CaseError) -> Problem {
    match error {
        CaseError::Over => Problem::new(Kind::WrongStage).why("problem-case-over", &[]),
        CaseError::NoOwner => Problem::new(Kind::WrongStage).why("problem-case-no-owner", &[]),
        CaseError::NoReason => Problem { errors: vec![FieldError::new("reason", "no_reason")], ..Problem::new(Kind::Invalid) },
    }
}

/// What a rule of rounds refuses, as one error of a form.
pub fn round_error(error: &RoundError) -> Vec<FieldError> {
    let on = |key: &str| FieldError::new("do", key);
    let one = match error {
        RoundError::WrongStage { .. } => on("round_stage"),
        RoundError::NotYet(at) => on("round_not_yet").with("time", crate::words::minute(*at)),
        RoundError::TooLate(at) => on("round_too_late").with("time", crate::words::minute(*at)),
        RoundError::NotFor(_) => FieldError::new("party", "round_not_for"),
        RoundError::Incomplete(fields) => return fields.iter().map(|field| FieldError::new(field, "required")).collect(),
        RoundError::Recused { .. } => on("round_recused"),
        RoundError::Score(field) => FieldError::new(field, "score_range"),
        RoundError::InPublicity(until) => on("round_publicity").with("time", crate::words::minute(*until)),
        RoundError::OpenObjections(n) => on("round_objections").with("n", n),
        RoundError::NoReason => FieldError::new("reason", "no_reason"),
        RoundError::SamePerson => on("round_same_person"),
        RoundError::Tie(rank) => on("round_tie").with("rank", rank),
        RoundError::Concerns(n) => on("round_concerns").with("n", n),
        RoundError::TooFewJudgements { have, need } => on("round_judgements").with("have", have).with("need", need),
    };
    vec![one]
}

fn round(error: &RoundError) -> Problem {
    let kind = match error {
        RoundError::NotFor(_) | RoundError::Incomplete(_) | RoundError::Score(_) | RoundError::NoReason => Kind::Invalid,
        RoundError::Recused { .. } | RoundError::SamePerson => Kind::OwnWork,
        _ => Kind::WrongStage,
    };
    Problem { errors: round_error(error), ..Problem::new(kind) }
}

fn password(error: PasswordError) -> FieldError {
    kepu_app::account::password_field("password", error)
}

/// An error with what caused it, for the log.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(cause) = at {
        // Writing to a string does not fail.
        let _ = write!(text, ": {cause}");
        at = cause.source();
    }
    text
}

impl IntoResponse for Problem {
    /// Status only: `guard::arrive` prints the words, because only there reader and language are known.
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    s: Shell,
    why: String,
    cure: String,
    id: String,
    lines: Vec<String>,
    search: bool,
    account: bool,
}

impl Problem {
    /// The response in the reader's language and form.
    pub(crate) fn render(&self, req: &Req) -> Response {
        let s = &req.shell;
        if let Some(place) = self.instead.as_ref().filter(|_| !req.wants_json) {
            return crate::form::with_header(see_other(place), header::CACHE_CONTROL, "no-store");
        }
        if let Some(cause) = &self.cause {
            tracing::error!(request.id = %req.id, cause, "a request failed");
        }
        let mut response = if req.wants_json { self.json(s, &req.id).into_response() } else { self.page(req) };
        *response.status_mut() = self.kind.status();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    fn page(&self, req: &Req) -> Response {
        match (self.kind, &self.typed) {
            (Kind::SignIn, Some(typed)) => return crate::account::sign_in_page(req, Some(typed)),
            (Kind::SignIn, None) => return crate::account::sign_in_page(req, None),
            (Kind::OutdatedForm, Some(typed)) => return resume::page(&req.shell, typed),
            _ => {}
        }
        let s = req.shell.clone().titled(req.shell.t(self.kind.title_key()));
        page_with(
            self.kind.status(),
            &ProblemPage {
                why: self.detail(&s),
                cure: s.t(self.kind.cure_key()),
                id: req.id.clone(),
                lines: self.errors.iter().map(|e| s.field_error(e)).chain(self.findings.iter().map(|f| s.finding(f))).collect(),
                search: self.kind == Kind::NotFound,
                account: matches!(self.kind, Kind::PasswordFirst | Kind::SecondFactorFirst),
                s,
            },
        )
    }

    fn detail(&self, s: &Shell) -> String {
        match &self.why {
            Some((key, args)) => {
                let args: Vec<(&str, &dyn Display)> = args.iter().map(|(name, value)| (*name, value as &dyn Display)).collect();
                crate::i18n::message(s.lang, key, &args)
            }
            None => s.t(self.kind.why_key()),
        }
    }

    fn json(&self, s: &Shell, id: &str) -> Response {
        let mut value = json!({
            "type": s.public(&format!("/problems/{}", self.kind.word())),
            "title": s.t(self.kind.title_key()),
            "status": self.kind.status().as_u16(),
            "detail": format!("{} {}", self.detail(s), s.t(self.kind.cure_key())),
            "instance": format!("urn:kepu:request:{id}"),
        });
        if !self.errors.is_empty() {
            value["errors"] = self.errors.iter().map(|e| json!({"field": e.field, "code": e.key, "detail": s.field_error(e)})).collect::<Value>();
        }
        if !self.findings.is_empty() {
            value["findings"] = self.findings.iter().map(|f| json!({"field": f.field, "code": f.rule, "detail": s.finding(f)})).collect::<Value>();
        }
        if let Some(seconds) = self.retry_after {
            value["retryAfter"] = json!(seconds);
        }
        let mut response = value.to_string().into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

#[derive(Template)]
#[template(path = "problems.html")]
struct ListPage {
    s: Shell,
    /// Word, status, title, cause, cure.
    kinds: Vec<(&'static str, u16, String, String, String)>,
}

/// GET /problems: every kind of problem with its meaning and cure.
pub async fn list(req: Req) -> Answer {
    let s = req.shell.clone().titled(req.shell.t("problems-title"));
    let kinds = KINDS.iter().map(|k| (k.word(), k.status().as_u16(), s.t(k.title_key()), s.t(k.why_key()), s.t(k.cure_key()))).collect();
    Ok(page(&ListPage { kinds, s }))
}

/// GET /problems/{word}: the `type` of a problem resolves to its line in the list.
pub async fn one(axum::extract::Path(word): axum::extract::Path<String>) -> Answer {
    match KINDS.iter().find(|kind| kind.word() == word) {
        Some(kind) => Ok(see_other(&format!("/problems#{}", kind.word()))),
        None => Err(Problem::not_found()),
    }
}

/// The list of findings of a draft's machine checks, for pages that show them beside a form.
pub fn findings(s: &Shell, list: &[Finding]) -> Html {
    let lines: String = list.iter().map(|f| format!("<li>{}</li>", crate::page::escape(&s.finding(f)))).collect();
    Html(if lines.is_empty() { lines } else { format!("<ul>{lines}</ul>") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::{Lang, exists};

    #[test]
    fn every_problem_has_words_in_both_languages() {
        for kind in KINDS {
            for key in [kind.title_key(), kind.why_key(), kind.cure_key()] {
                assert!(exists(Lang::Zh, key) && exists(Lang::En, key), "{key}");
            }
        }
    }
}
