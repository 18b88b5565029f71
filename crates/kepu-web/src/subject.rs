//! What the pages of claims and resources share: finding the public version, its life as a time line, its signed record as a
//! data block, the page that stands where something was withdrawn, and addresses that lead to the right page for ever.

use crate::Web;
use crate::deliver::recall::{next_word, taken_at};
use crate::form::see_other;
use crate::line::{holder, title_of};
use crate::page::{Answer, Html, Req, Shell, page_with};
use crate::problem::Problem;
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use kepu_app::AppError;
use kepu_app::create::publish::current;
use kepu_app::record::read_row;
use kepu_domain::create::review::SignOff;
use kepu_domain::ids::SubjectId;
use kepu_domain::record::Body;
use kepu_store::Tx;
use kepu_store::subject::{self, Row, Standing};
use kepu_sync::record::Record;

/// One entry of a time line.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// When, as shown.
    pub time: Html,
    /// What happened.
    pub text: String,
    /// Address with more about it, or empty.
    pub href: String,
    /// Empty, `now` or `next`.
    pub class: &'static str,
}

/// A public subject with its record.
pub struct Subject {
    /// Public row.
    pub row: Row,
    /// The signed record of the version shown.
    pub record: Record,
    /// Institution that signed it.
    pub holder: String,
    /// Its life, oldest first.
    pub history: Vec<Event>,
    /// How many versions there were.
    pub versions: usize,
}

/// What a page of this kind shows.
pub enum Found {
    /// The subject.
    Here(Box<Subject>),
    /// Another answer: a redirect to the right page, or a tombstone.
    Other(Response),
}

/// The id that the last two parts of an address name.
pub fn id_of(owner: &str, local: &str) -> Result<SubjectId, Problem> {
    let id = SubjectId::new(owner, local);
    if id.parts().is_some() { Ok(id) } else { Err(not_found(&id)) }
}

fn not_found(id: &SubjectId) -> Problem {
    Problem::from(AppError::NotFound { what: "subject", id: id.0.clone() })
}

/// Finds what the page of `kind` at `owner`/`local` shows.
pub async fn find(web: &Web, req: &Req, kind: &str, owner: &str, local: &str) -> Result<Found, Problem> {
    let id = id_of(owner, local)?;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let Some((row, record)) = current(&web.app, &mut tx, &id).await? else { return Err(not_found(&id)) };
    if row.standing == Standing::Hidden {
        return Err(not_found(&id));
    }
    if !row.kind.is_empty() && row.kind != kind {
        return Ok(Found::Other(see_other(&urls::of_kind(&row.kind, &id))));
    }
    let trust = web.app.trust(&mut tx).await?;
    let holder = holder(&trust, &row);
    let (history, versions) = history(&req.shell, &mut tx, &row).await?;
    if row.standing == Standing::Withdrawn {
        drop(tx);
        let tools = crate::create::correct::tools_html(web, req, &row).await?;
        return Ok(Found::Other(tombstone(req, kind, &row, history, tools)));
    }
    let record = record.ok_or_else(|| Problem::internal(format!("the record of the public subject {id} is not held")))?;
    Ok(Found::Here(Box::new(Subject { row, record, holder, history, versions })))
}

/// The life of a subject as its records tell it.
pub async fn history(s: &Shell, tx: &mut Tx, row: &Row) -> Result<(Vec<Event>, usize), AppError> {
    let mut records: Vec<Record> = kepu_store::record::list_by_subjects(tx, std::slice::from_ref(&row.id))
        .await?
        .into_iter()
        .filter(|r| r.refusal.is_empty())
        .filter_map(read_row)
        .collect();
    records.sort_by_key(|r| (r.envelope.modified, r.envelope.place.stream.code(), r.envelope.place.n));
    let mut events = Vec::new();
    let mut versions = 0;
    for record in &records {
        let text = match &record.body {
            Ok(Body::Claim(claim)) if claim.is_holding() => s.t("event-holding"),
            Ok(Body::Claim(claim)) => {
                versions += 1;
                s.t2("event-claim", "n", versions, "verdict", s.verdict_word(claim.verdict.as_str()))
            }
            Ok(Body::Resource(_)) => {
                versions += 1;
                s.t1("event-resource", "n", versions)
            }
            Ok(Body::Party(_)) => {
                versions += 1;
                s.t1("event-party", "n", versions)
            }
            Ok(Body::Correction(notice)) => s.t1("event-correction", "text", &notice.text),
            Ok(Body::Hold(hold)) => s.t1(if hold.on { "event-hold" } else { "event-release" }, "text", &hold.reason),
            Ok(Body::Retraction(retraction)) => s.t1("event-retraction", "text", &retraction.reason),
            Ok(Body::Review(review)) => s.t1("event-review", "name", &review.sign_off.name),
            _ => continue,
        };
        let shown = row.doc_hash == Some(record.hash) && row.standing == Standing::Public;
        let at = record.envelope.modified;
        events.push(Event { at, time: s.time(&at), text, href: urls::record(&record.hash.hex()), class: if shown { "now" } else { "" } });
    }
    Ok((events, versions))
}

/// The signed record with its proof as a JSON-LD data block for the head of the page.
pub fn json_ld(record: &Record) -> Html {
    Html(format!("<script type=\"application/ld+json\">{}</script>", script_json(&record.with_proof().to_string())))
}

/// JSON that can stand inside a `<script>` element: nothing in it can end the element or open a comment.
pub fn script_json(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// A person with post and institution, as a strip shows them.
pub struct Name {
    /// Name.
    pub name: String,
    /// Post.
    pub title: String,
    /// Institution.
    pub org: String,
    /// The qualification that stands behind the name, or empty.
    pub proof: String,
}

/// A qualification in words.
pub fn proof(s: &Shell, proof: Option<&kepu_domain::create::review::Proof>) -> String {
    match proof {
        Some(proof) => match proof.until {
            Some(until) => s.t2("proof-until", "what", &proof.what, "day", s.day_text(until)),
            None => proof.what.clone(),
        },
        None => String::new(),
    }
}

/// The reviewers under a version; batch sign-offs are said to be that.
pub fn reviewers<'a>(s: &Shell, reviews: impl IntoIterator<Item = &'a SignOff>) -> Vec<Name> {
    let one = |r: &SignOff| {
        let batch = r.method == kepu_domain::create::review::Method::Batch;
        Name {
            name: r.name.clone(),
            title: if batch { s.t1("reviewed-batch", "title", &r.title) } else { r.title.clone() },
            org: r.org.clone(),
            proof: proof(s, r.qualification.as_ref()),
        }
    };
    reviews.into_iter().map(one).collect()
}

#[derive(Template)]
#[template(path = "withdrawn.html")]
struct TombstonePage {
    s: Shell,
    list: &'static str,
    list_word: String,
    title: String,
    row: Row,
    at: Html,
    /// Day of the next word, while it is held.
    next: Option<Html>,
    history: Vec<Event>,
    whole: String,
    tools: Html,
}

/// Stands where something was withdrawn, or is under check: that it is, since when, by whom, why. The text itself is gone.
fn tombstone(req: &Req, kind: &str, row: &Row, history: Vec<Event>, tools: Html) -> Response {
    let s = &req.shell;
    let title = title_of(s, row);
    let (list, list_word) = match kind {
        "claim" => ("/claims", s.t("nav-claims")),
        "party" => ("/registers", s.t("registers-title")),
        _ => ("/resources", s.t("nav-resources")),
    };
    let (at, next) = (taken_at(s, row), next_word(s, row));
    let s = req.titled(s.t1(if next.is_some() { "held-title" } else { "withdrawn-title" }, "title", &title));
    let whole = if kind == "party" { String::new() } else { urls::history(&row.id) };
    page_with(StatusCode::GONE, &TombstonePage { list, list_word, title, at, next, row: row.clone(), history, whole, tools, s })
}

/// GET /id/{owner}/{local}: leads to the page of the subject, whatever it is by now.
pub async fn resolve(State(web): State<Web>, Path((owner, local)): Path<(String, String)>) -> Answer {
    let id = id_of(&owner, &local)?;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let row = subject::find(&mut tx, &id).await.map_err(AppError::from)?.ok_or_else(|| not_found(&id))?;
    // A withdrawal that arrived before anything else does not say of what kind the thing was.
    Ok(see_other(&match row.kind.as_str() {
        "claim" => urls::claim(&id),
        "party" => urls::party(&id),
        _ => urls::resource(&id),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_block_cannot_be_left() {
        let json = serde_json::json!({"claimReviewed": "</script><script>alert(1)</script><!-- & \u{2028}"}).to_string();
        let block = script_json(&json);
        assert!(!block.contains('<') && !block.contains('>') && !block.contains('&') && !block.contains('\u{2028}'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&block).expect("json"), serde_json::from_str::<serde_json::Value>(&json).expect("json"));
    }
}
