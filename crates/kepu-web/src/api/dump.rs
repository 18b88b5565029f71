//! The dump of all public claims, a JSON object a line: for whoever matches, studies or checks them without asking again and again. `kepu claims match --claims`
//! reads it as it is.

use crate::Web;
use crate::page::{Answer, Req};
use crate::urls;
use crate::words::{iso, moment};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use futures::stream;
use kepu_app::AppError;
use kepu_app::listen::dump::{self, Cursor, Dumped};
use kepu_app::listen::usefulness::{self, Score};
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::sighting::SHOWN_LEAST;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Claims read at once.
const PAGE: u32 = 200;

/// Where the writing of a dump stands.
enum At {
    From(Option<Cursor>),
    End,
}

/// All public claims with evidence, verdict history, wordings and coarse counts: JSON lines, the newest first. Counts below five are left out.
#[utoipa::path(get, path = "/api/claims.jsonl", tag = "claims", responses((status = 200, description = "JSON lines", content_type = "application/jsonl", body = String)))]
pub async fn claims(State(web): State<Web>, req: Req) -> Answer {
    let origin = req.shell.origin.clone();
    let scores = Arc::new(usefulness::all(&web.app).await?);
    let pages = stream::unfold(At::From(None), move |at| {
        let (web, origin, scores) = (web.clone(), origin.clone(), scores.clone());
        async move {
            let At::From(after) = at else { return None };
            match page(&web, &origin, &scores, after).await {
                Ok((text, next)) => Some((Ok(text), next.map_or(At::End, |cursor| At::From(Some(cursor))))),
                // The file breaks off, so that nobody takes a part for the whole.
                Err(error) => Some((Err(error), At::End)),
            }
        }
    });
    let headers = [(header::CONTENT_TYPE, "application/jsonl; charset=utf-8"), (header::CONTENT_DISPOSITION, "attachment; filename=\"kepu-claims.jsonl\"")];
    Ok((headers, Body::from_stream(pages)).into_response())
}

type Scores = BTreeMap<SubjectId, Score>;

async fn page(web: &Web, origin: &str, scores: &Scores, after: Option<Cursor>) -> Result<(Bytes, Option<Cursor>), AppError> {
    let (list, next) = dump::page(&web.app, after, PAGE).await?;
    let text: String = list.iter().map(|one| format!("{}\n", line(origin, one, scores.get(&one.row.id)))).collect();
    Ok((text.into(), next))
}

fn line(origin: &str, one: &Dumped, score: Option<&Score>) -> Value {
    let claim = &one.claim;
    let text: Vec<&str> = std::iter::once(&claim.claim).chain(&claim.variants).map(String::as_str).collect();
    json!({
        "id": one.row.id,
        "url": format!("{origin}{}", urls::claim(&one.row.id)),
        "text": text.join("\n"),
        "claim": claim.claim,
        "wordings": claim.variants,
        "claimEn": claim.claim_en,
        "verdict": claim.verdict,
        "plain": claim.plain,
        "plainEn": claim.plain_en,
        "why": claim.why,
        "instead": claim.instead,
        "evidence": claim.evidence,
        "fields": claim.fields,
        "audience": claim.audience,
        "region": claim.region,
        "lang": claim.lang,
        "publisher": one.holder,
        "author": claim.author.name,
        "reviewers": claim.reviews.iter().map(|review| json!({"name": review.name, "org": review.org, "date": review.date})).collect::<Vec<_>>(),
        "checked": claim.checked,
        "nextCheck": claim.next_check,
        "modified": iso(moment(one.row.modified)),
        "corrections": claim.corrections,
        "history": one.versions.iter().map(|version| json!({
            "modified": iso(version.at),
            "verdict": version.verdict,
            "record": format!("{origin}{}", urls::record(&version.doc.hex())),
        })).collect::<Vec<_>>(),
        "sightings": {
            "least": SHOWN_LEAST,
            "total": one.heard.total,
            "months": one.heard.months.iter().map(|(month, count)| json!({"month": month, "count": count})).collect::<Vec<_>>(),
            "returned": one.heard.returned,
        },
        "usefulness": score.map(|score| json!({
            "votes": score.tallies.iter().map(|tally| json!({"kind": tally.kind, "useful": tally.useful, "useless": tally.useless})).collect::<Vec<_>>(),
            "intercept": score.part.map(|part| part.intercept),
            "factor": score.part.map(|part| part.factor),
            "bridges": score.part.is_some_and(|part| part.bridges()),
        })),
        "sample": claim.sample,
    })
}
