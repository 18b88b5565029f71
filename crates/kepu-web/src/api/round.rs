//! The API of rounds: what everybody may read. Applying and judging happen on pages.

use super::json;
use crate::Web;
use crate::create::round::show::wanted;
use crate::page::{Answer, Req, Shell};
use crate::urls;
use crate::words::iso;
use axum::extract::{Path, State};
use kepu_app::create::round as rounds;
use kepu_domain::create::round::{AppStage, Round, RoundStage};
use kepu_domain::ids::RoundId;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A round in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoundItem {
    /// Id.
    id: String,
    /// Title.
    title: String,
    /// Kind.
    kind: String,
    /// Organisation that runs it.
    organisation: String,
    /// Place it is for, six digits.
    region: String,
    /// `coming`, `open`, `closed`, `judging`, `publicity`, `decided`, `cancelled`.
    state: &'static str,
    /// First moment of application.
    opens: String,
    /// From this moment on nothing is taken.
    closes: String,
    /// End of the publicity period, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    publicity_until: Option<String>,
    /// When it was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided: Option<String>,
    /// Why it was called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// How many are granted at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<u32>,
    /// Invented for demonstration.
    sample: bool,
    /// Its page.
    url: String,
}

/// Rounds.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rounds {
    /// The rounds.
    items: Vec<RoundItem>,
    /// How many there are on all pages.
    total: usize,
}

/// One round with its public list.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoundWhole {
    /// The round.
    #[serde(flatten)]
    round: RoundItem,
    /// The call.
    call: String,
    /// Applications by stage, once the call has closed.
    counts: BTreeMap<String, i64>,
    /// What is proposed or granted. Names stand only while the people agree.
    results: Vec<RoundResult>,
}

/// A line of the public list.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoundResult {
    /// What it is about.
    title: String,
    /// Who applied.
    name: String,
    /// Their institution.
    organisation: String,
    /// Rank, where judges scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<u32>,
    /// Total of 0 to 100, where judges scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<f64>,
    /// `proposed`, `granted`, `revoked`.
    stage: &'static str,
    /// Subject of the certificate.
    #[serde(skip_serializing_if = "String::is_empty")]
    credential: String,
    /// Money granted, in the unit of the kind.
    #[serde(skip_serializing_if = "String::is_empty")]
    money: String,
    /// Objections to it.
    objections: usize,
    /// Objections without an answer.
    objections_open: usize,
}

fn item(s: &Shell, round: &Round, organisation: &str) -> RoundItem {
    RoundItem {
        id: round.id.0.clone(),
        title: round.title.clone(),
        kind: round.kind.clone(),
        organisation: organisation.to_owned(),
        region: round.region.to_string(),
        state: rounds::state(round, s.now),
        opens: iso(round.opens),
        closes: iso(round.closes),
        publicity_until: if let RoundStage::Publicity { until, .. } = &round.stage { Some(iso(*until)) } else { None },
        decided: if let RoundStage::Decided { at } = &round.stage { Some(iso(*at)) } else { None },
        reason: if let RoundStage::Cancelled { reason, .. } = &round.stage { Some(reason.clone()) } else { None },
        quota: round.quota,
        sample: round.sample,
        url: format!("{}{}", s.origin, urls::round(&round.id)),
    }
}

/// Rounds: those that take applications first.
#[utoipa::path(get, path = "/api/rounds", tag = "rounds", params(
    ("state" = Option<String>, Query, description = "open, running, decided or over"),
    ("kind" = Option<String>, Query, description = "Kind of round"),
    ("region" = Option<String>, Query, description = "Place, six digits; rounds for it or for a larger place around it"),
    ("page" = Option<usize>, Query, description = "Page of 50 rounds, from 1"),
), responses((status = 200, body = Rounds)))]
pub async fn rounds(State(web): State<Web>, req: Req) -> Answer {
    let found = rounds::list(&web.app, &wanted(&req)).await?;
    let total = found.len();
    let items = found.iter().skip((req.page_number() - 1) * super::LIMIT).take(super::LIMIT).map(|(round, org)| item(&req.shell, round, org)).collect();
    json(&Rounds { items, total })
}

/// One round with what is proposed or granted.
#[utoipa::path(get, path = "/api/rounds/{id}", tag = "rounds", params(("id" = String, Path, description = "Id of the round")),
    responses((status = 200, body = RoundWhole), (status = 404, description = "problem details")))]
pub async fn round(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = rounds::view(&web.app, &req.actor, &RoundId(id)).await?;
    let credential = |stage: &AppStage| if let AppStage::Granted { credential, .. } = stage { credential.0.clone() } else { String::new() };
    json(&RoundWhole {
        round: item(&req.shell, &view.round, &view.org),
        call: view.round.call.clone(),
        counts: view.counts,
        results: view
            .lines
            .iter()
            .map(|line| RoundResult {
                title: line.label.clone(),
                name: line.name.clone(),
                organisation: line.org.clone(),
                rank: line.rank,
                total: line.total.map(|n| n as f64 / 100.0),
                stage: line.stage.name(),
                credential: if view.kind.private { String::new() } else { credential(&line.stage) },
                money: line.money.clone(),
                objections: line.objections.0,
                objections_open: line.objections.1,
            })
            .collect(),
    })
}
