//! Kepu's pages and API: routes, templates, static files, problem details. What is done is done by `kepu-app`.
//!
//! | question | where |
//! |---|---|
//! | which route calls which handler, and who may? | `routes`: one table; `guard` enforces the access column before the handler runs |
//! | how does a page look? | `page` ([`page::Shell`] in every template as `s`), `templates/base.html`, `marks` (verdicts, clocks) |
//! | which words? | `i18n`, `locales/zh.ftl` and `en.ftl`; names of fields, roles, places: `words` |
//! | what happens to a form? | `form`: limits, CSRF, double sending; `resume`: a session that ended while somebody typed |
//! | what becomes of an error? | `problem`: one `match` from `AppError` to status and text |
//! | which address has a thing? | `urls` |
//!
//! **A page in five steps.** (1) A line in `routes`. (2) A handler `async fn x(State(web): State<Web>, req: Req, …) -> Answer`
//! that calls one operation of `kepu-app`. (3) A struct with `#[derive(Template)]`, `#[template(path = "…")]`, a field
//! `s: Shell` and values ready to print. (4) A template that begins with `{% extends "base.html" %}` and fills the block
//! `main`. (5) Its words in both catalogues. Errors: `?` turns `AppError` into [`problem::Problem`], which the outermost layer
//! prints as a page or as problem details.
//!
//! **A form in four steps.** (1) `<form method="post">` with `{{ s.hidden() }}` first (CSRF token and the `_once` id). (2) A handler
//! with the extractor [`form::Form`] last. (3) `form.once(&web, async { deed; Ok(urls::there(id)) }).await` runs the deed once
//! however often the form is sent, and answers 303. (4) `AppError::Invalid` is caught and the same page printed again
//! with `req.shell.errors(&list)` and what was typed: `page_with(StatusCode::UNPROCESSABLE_ENTITY, …)`.

pub mod account;
pub mod api;
pub mod assets;
pub mod audit;
pub mod crawl;
pub mod create;
pub mod deliver;
pub mod desk;
pub mod form;
pub mod guard;
pub mod home;
pub mod i18n;
pub mod job;
pub mod line;
pub mod listen;
pub mod marks;
pub mod measure;
pub mod media;
pub mod member;
pub mod page;
pub mod paper;
pub mod place;
pub mod problem;
pub mod record;
pub mod resume;
pub mod routes;
pub mod search;
pub mod setup;
pub mod statics;
pub mod subject;
pub mod urls;
pub mod verify;
pub mod words;
pub mod xml;

#[cfg(test)]
mod tests;

use axum::Router;
use kepu_app::App;
use kepu_domain::org::Region;
use std::sync::Arc;

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct Web {
    /// The node.
    pub app: App,
    /// How it is served.
    pub settings: Arc<Settings>,
}

/// What serving needs to know besides the node itself.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name in the head of every page, about twelve characters at most.
    pub node_name: String,
    /// Public address without a final slash, such as `https://kepu.example.cn`; without it links stay relative.
    pub base_url: Option<String>,
    /// Whether cookies are marked `Secure`: yes wherever pages are served over HTTPS.
    pub secure_cookies: bool,
    /// The place that the node serves. The organisation that runs it is `kepu_app::node::org`: the first run names it.
    pub region: Region,
    /// Whether a proxy in front of the node writes `X-Forwarded-For`; else that header is not believed.
    pub behind_proxy: bool,
    /// Makes certificates and packs as PDF, where the build has the typesetter.
    pub printer: Option<paper::Printer>,
    /// Phrases answers from quoted passages when a reader asks for it, if the operator has named one.
    pub model: Option<kepu_app::phrase::Model>,
}

/// Everything that is served, ready to listen.
pub fn router(web: Web) -> Router {
    guard::wrap(routes::table(), web)
}
