//! The door of sources of official warnings, and what is in force for programs. A call is signed, not signed in; how to write a source is in `docs/warnings.md`.

use super::json;
use super::tipline::{header, refused};
use crate::Web;
use crate::deliver::now::stands_word;
use crate::form::read_body;
use crate::page::{Answer, Req};
use crate::urls;
use crate::words::iso;
use axum::extract::{Request, State};
use kepu_app::AppError;
use kepu_app::deliver::warning::take::{BYTES_MAX, Taken};
use kepu_app::deliver::warning::{self, source};
use kepu_app::listen::intake::tipline::Call;
use kepu_domain::deliver::warning::Words;
use kepu_domain::ids::InletId;
use kepu_domain::org::Region;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What became of a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakenAnswer {
    /// `passed`, `held`, `exercise`, `nothing`, `duplicate` or `invalid`.
    taken: &'static str,
    /// The warning's page, if it is passed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Why nothing is done, or why it is not valid: rule and text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    why: Vec<String>,
}

/// An official message (CAP 1.2) of a known source, as raw XML. Headers: `Kepu-Source` (the id of the source), `Kepu-Timestamp` (milliseconds since 1970, at most five
/// minutes off) and `Kepu-Signature` (`v1=` and the HMAC-SHA256 of `timestamp.body` under the secret of the source, in hex). 403 if they do not fit, 409 for a call
/// that was heard before. What is not valid is answered with 200 and `invalid`: sending it again changes nothing.
#[utoipa::path(post, path = "/api/warnings", tag = "warnings",
    responses((status = 200, body = TakenAnswer), (status = 403, description = "problem details"), (status = 409, description = "problem details"),
        (status = 413, description = "problem details"), (status = 429, description = "problem details")))]
pub async fn take(State(web): State<Web>, req: Req, request: Request) -> Answer {
    let (id, timestamp, signature) = (header(&request, "kepu-source"), header(&request, "kepu-timestamp"), header(&request, "kepu-signature"));
    let body = read_body(request, BYTES_MAX).await?.to_vec();
    let taken = source::call(&web.app, Call { inlet: InletId(id), timestamp, signature, body }).await.map_err(refused)?;
    let plain = |taken| TakenAnswer { taken, url: None, why: vec![] };
    json(&match taken {
        Taken::Passed(id) => TakenAnswer { url: Some(format!("{}{}", req.shell.origin, urls::warning(&id))), ..plain("passed") },
        Taken::Held(_) => plain("held"),
        Taken::Exercise(_) => plain("exercise"),
        Taken::Nothing(why) => TakenAnswer { why: vec![why], ..plain("nothing") },
        Taken::Duplicate => plain("duplicate"),
        Taken::Invalid(errors) => TakenAnswer { why: errors.into_iter().map(|note| format!("{}: {}", note.rule, note.text)).collect(), ..plain("invalid") },
    })
}

/// An official warning.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarningItem {
    /// Its subject here.
    id: String,
    /// `sender` and `identifier` of the message.
    sender: String,
    /// `identifier`.
    identifier: String,
    /// `inForce`, `coming` or `clear` (ended by its issuer within a day).
    stands: &'static str,
    /// 1 red … 4 blue.
    level: i64,
    /// Hazard, id of the vocabulary hazards.
    hazard: String,
    /// When it was sent.
    sent: String,
    /// From when it holds.
    effective: String,
    /// Until when.
    expires: String,
    /// Codes of divisions; each means everything inside.
    places: Vec<String>,
    /// What the issuer says, by language.
    #[schema(value_type = Object)]
    words: BTreeMap<String, serde_json::Value>,
    /// SHA-256 of the original message.
    sha256: String,
    /// Who passes it on; never its issuer.
    passed_on_by: String,
    /// Its page.
    url: String,
}

/// Warnings.
#[derive(Debug, Serialize, ToSchema)]
pub struct Warnings {
    /// The place asked for.
    region: String,
    /// The worst first.
    items: Vec<WarningItem>,
}

fn words(words: &Words) -> serde_json::Value {
    serde_json::json!({"issuer": words.issuer, "headline": words.headline, "description": words.description, "instruction": words.instruction, "area": words.area})
}

/// Official warnings that stand for a place: in force, coming, ended within a day. Never exercises, tests or drafts.
#[utoipa::path(get, path = "/api/warnings", tag = "warnings", params(("region" = Option<String>, Query, description = "Place, six digits; the node's own if left out")),
    responses((status = 200, body = Warnings), (status = 404, description = "problem details")))]
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let region = match req.query.opt("region") {
        Some(code) => Region::parse(code).map_err(|_| AppError::NotFound { what: "place", id: code.chars().take(20).collect() })?,
        None => web.settings.region,
    };
    let found = warning::here(&web.app, region).await?;
    let items = found.iter().map(|one| {
        let w = &one.open.warning;
        WarningItem {
            id: one.open.subject.0.clone(),
            sender: w.name.sender.clone(),
            identifier: w.name.identifier.clone(),
            stands: stands_word(one.stands),
            level: w.level,
            hazard: w.hazard.clone(),
            sent: iso(w.sent),
            effective: iso(w.effective),
            expires: iso(w.expires),
            places: w.places.iter().map(Region::to_string).collect(),
            words: w.words.iter().map(|one| (one.lang.clone(), words(one))).collect(),
            sha256: w.original.clone(),
            passed_on_by: one.open.by.clone(),
            url: format!("{}{}", req.shell.origin, urls::warning(&one.open.subject)),
        }
    });
    json(&Warnings { region: region.to_string(), items: items.collect() })
}
