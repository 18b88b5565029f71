//! The door of tiplines, and topics for programs. A call is signed, not signed in; how to write a caller is in `docs/tipline.md`.

use super::{Item, json};
use crate::Web;
use crate::form::read_body;
use crate::page::{Answer, Req};
use crate::problem::{Kind, Problem};
use crate::urls;
use crate::words::iso;
use axum::extract::{Path, Request, State};
use kepu_app::AppError;
use kepu_app::listen::hear::Band;
use kepu_app::listen::intake::tipline::{self, BODY_BYTES_MAX, Call, Reply};
use kepu_app::listen::topic::desk::{self as desks, Row};
use kepu_domain::ids::InletId;
use serde::Serialize;
use utoipa::ToSchema;

/// What a tipline says back.
#[derive(Debug, Serialize, ToSchema)]
pub struct TiplineAnswer {
    /// `answer`: a judged claim says the same. `ask`: one may; a person looks. `nothing`: nobody has judged it.
    band: &'static str,
    /// Ready to be said: verdict, one plain sentence, where to read more. Chinese or English by the header `Accept-Language`.
    say: String,
    /// The claim that answers, or may.
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<Item>,
    /// How sure it is that the claim says the same, 0 to 1.
    probability: f64,
}

/// One message that somebody told a tipline. Headers: `Kepu-Timestamp` (milliseconds since 1970, at most five minutes off) and `Kepu-Signature` (`v1=` and the
/// HMAC-SHA256 of `timestamp.body` under the secret of the tipline, in hex). 403 if they do not fit, 409 for a call that was heard before, 429 with `Retry-After`
/// while the queue is full. Body: `{"text": …, "channel": …, "county": …}`; county is a code or a name and may be left out.
#[utoipa::path(post, path = "/api/v1/tipline/{id}", tag = "listening", params(("id" = String, Path, description = "The tipline")),
    responses((status = 200, body = TiplineAnswer), (status = 403, description = "problem details"), (status = 409, description = "problem details"),
        (status = 422, description = "problem details"), (status = 429, description = "problem details")))]
pub async fn call(State(web): State<Web>, req: Req, Path(id): Path<String>, request: Request) -> Answer {
    let (timestamp, signature) = (header(&request, "kepu-timestamp"), header(&request, "kepu-signature"));
    let body = read_body(request, BODY_BYTES_MAX).await?.to_vec();
    let reply = tipline::call(&web.app, Call { inlet: InletId(id), timestamp, signature, body }).await.map_err(refused)?;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let claim = match &reply.claim {
        Some(row) => Some(super::item(&req.shell, &mut tx, &web, row).await?),
        None => None,
    };
    json(&TiplineAnswer { band: band_word(reply.band), say: say(&req, &reply), claim, probability: reply.probability })
}

/// One answer that a tipline gave and that holds no longer as it was said.
#[derive(Debug, Serialize, ToSchema)]
pub struct TiplineChange {
    /// The claim.
    claim: String,
    /// `corrected`, `held` (under check) or `withdrawn`.
    change: &'static str,
    /// Ready to be said where the earlier answer was said.
    say: String,
    /// Its page.
    address: String,
}

/// What changed of the answers that a tipline gave.
#[derive(Debug, Serialize, ToSchema)]
pub struct TiplineChanges {
    /// In the order of change.
    items: Vec<TiplineChange>,
    /// To be sent as `after` next time.
    next: i64,
    /// Whether there is more at once.
    more: bool,
}

/// What changed of the answers that a tipline gave since it asked last: corrected, under check, withdrawn. Signed as a message is; body: `{"after": N}` with the `next`
/// of the last answer, 0 at first.
#[utoipa::path(post, path = "/api/v1/tipline/{id}/changes", tag = "listening", params(("id" = String, Path, description = "The tipline")),
    responses((status = 200, body = TiplineChanges), (status = 403, description = "problem details"), (status = 409, description = "problem details"),
        (status = 422, description = "problem details")))]
pub async fn changes(State(web): State<Web>, req: Req, Path(id): Path<String>, request: Request) -> Answer {
    let (timestamp, signature) = (header(&request, "kepu-timestamp"), header(&request, "kepu-signature"));
    let body = read_body(request, BODY_BYTES_MAX).await?.to_vec();
    let found = tipline::changes(&web.app, Call { inlet: InletId(id), timestamp, signature, body }).await.map_err(refused)?;
    let s = &req.shell;
    let change = |row: &kepu_store::subject::Row| {
        let (address, title) = (format!("{}{}", s.origin, urls::claim(&row.id)), s.pick(&row.title, &row.title_en));
        let (change, say) = match (row.standing, &row.held) {
            (kepu_store::subject::Standing::Public, _) => (
                "corrected",
                s.t3(
                    "tipline-corrected",
                    "claim",
                    title,
                    "answer",
                    format!("{}{}{}", s.verdict_word(&row.verdict), s.t("colon"), row.summary),
                    "address",
                    &address,
                ),
            ),
            (_, Some(day)) => ("held", s.t3("tipline-held", "claim", title, "day", day, "address", &address)),
            _ => ("withdrawn", s.t3("tipline-withdrawn", "claim", title, "reason", &row.reason, "address", &address)),
        };
        TiplineChange { claim: row.id.0.clone(), change, say, address }
    };
    json(&TiplineChanges { items: found.rows.iter().map(change).collect(), next: found.next, more: found.more })
}

pub(super) fn header(request: &Request, name: &str) -> String {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// Why a call is not taken, in words that a caller's writer can use.
pub(super) fn refused(error: AppError) -> Problem {
    match error {
        AppError::Stranger => Problem::new(Kind::Stranger).why("tipline-stranger", &[]),
        AppError::Stale { .. } => Problem::new(Kind::Stale).why("tipline-replay", &[]),
        other => other.into(),
    }
}

fn band_word(band: Band) -> &'static str {
    match band {
        Band::Answer => "answer",
        Band::Ask => "ask",
        Band::Nothing => "nothing",
    }
}

/// What to say back, in whole sentences.
fn say(req: &Req, reply: &Reply) -> String {
    let s = &req.shell;
    match (reply.band, &reply.claim) {
        (Band::Answer, Some(row)) => {
            let address = format!("{}{}", s.origin, urls::claim(&row.id));
            s.t3("tipline-answer", "verdict", s.verdict_word(&row.verdict), "plain", &row.summary, "address", address)
        }
        (Band::Ask, Some(row)) => s.t2("tipline-ask", "claim", s.pick(&row.title, &row.title_en), "address", format!("{}{}", s.origin, urls::claim(&row.id))),
        _ => s.t1("tipline-nothing", "address", format!("{}/ask", s.origin)),
    }
}

/// A topic.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopicItem {
    /// Id.
    id: String,
    /// What the signals say, masked.
    label: String,
    /// `asked`, `held`, `rising` or `falling`.
    phase: &'static str,
    /// First signal.
    since: String,
    /// When the alert was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    raised_at: Option<String>,
    /// Signals in all.
    total: i64,
    /// check × harm × reach, 0 to 1.
    priority: f64,
    /// How well it can be checked.
    check: f64,
    /// What harm it may do.
    harm: f64,
    /// How far it has come.
    reach: f64,
    /// The case that works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<String>,
    /// Its page.
    url: String,
}

fn topic_item(req: &Req, row: &Row) -> TopicItem {
    let round = |value: f64| (value * 1_000.0).round() / 1_000.0;
    let topic = &row.topic;
    TopicItem {
        id: topic.id.0.clone(),
        label: topic.label.clone(),
        phase: topic.phase.as_str(),
        since: iso(topic.since),
        raised_at: topic.raised_at.map(iso),
        total: row.total,
        priority: round(row.worth.priority),
        check: round(row.worth.check),
        harm: round(row.worth.harm),
        reach: round(row.worth.reach),
        case: topic.case.as_ref().map(|case| case.0.clone()),
        url: format!("{}{}", req.shell.origin, urls::topic(&topic.id)),
    }
}

/// Topics of the desk.
#[derive(Debug, Serialize, ToSchema)]
pub struct Topics {
    /// What rises or has just fallen, the most pressing first.
    rising: Vec<TopicItem>,
    /// What is asked again and again, or rises in one wording only.
    unanswered: Vec<TopicItem>,
}

/// What rises and what nobody has answered. For duty officers, with the session of a browser.
#[utoipa::path(get, path = "/api/topics", tag = "listening", responses((status = 200, body = Topics), (status = 403, description = "problem details")))]
pub async fn topics(State(web): State<Web>, req: Req) -> Answer {
    let desk = desks::desk(&web.app, &req.actor).await?;
    let items = |list: &[Row]| list.iter().map(|row| topic_item(&req, row)).collect();
    json(&Topics { rising: items(&desk.rising), unanswered: items(&desk.unanswered) })
}
