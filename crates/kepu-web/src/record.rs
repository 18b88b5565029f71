//! One signed record: where it stands, who may say so, whether the signature still fits, and the document itself.

use crate::Web;
use crate::page::{Answer, Html, Req, Shell, page};
use crate::problem::Problem;
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use kepu_app::AppError;
use kepu_app::record::read_row;
use kepu_domain::record::{Body, DocHash, Place, Stream};
use kepu_domain::trust::TrustView;
use kepu_store::Tx;
use kepu_store::record::Row;
use kepu_store::subject;
use kepu_sync::record::Record;

/// A key on the way up to the root.
pub struct Link {
    /// Institution.
    pub holder: String,
    /// Key.
    pub key: String,
}

/// What was found when the record was checked for this view.
pub struct Checked {
    /// Whether signature, place and document fit.
    pub signature: bool,
    /// Certificates from the author up to the root.
    pub chain: Vec<Link>,
    /// Why the record does not count; `None` if it does.
    pub refusal: Option<String>,
    /// Whether the number before it is held (or it is the first).
    pub gapless: bool,
}

/// The record with this hash.
pub async fn find(tx: &mut Tx, hash: &str, today: jiff::civil::Date) -> Result<(Row, Record), Problem> {
    let missing = || Problem::from(AppError::NotFound { what: "record", id: hash.chars().take(64).collect() });
    let doc = DocHash::from_hex(hash).ok_or_else(missing)?;
    let row = kepu_store::record::find_by_hash(tx, &doc).await.map_err(AppError::from)?.ok_or_else(missing)?;
    // An erased body leaves a stub that proves its place; there is nothing to show.
    let record = read_row(row.clone()).ok_or_else(missing)?;
    match &record.body {
        // A drill is for those who play it, coordination for those who coordinate; who has the hash must not read it here.
        Ok(Body::Drill(_) | Body::Coordination(_)) => Err(missing()),
        // A card that nobody confirmed any more hides itself, also from whoever kept the address of its record.
        Ok(Body::Party(card)) if card.expires < today => Err(missing()),
        _ => Ok((row, record)),
    }
}

/// Checks a record anew: nothing that was noted when it came in is believed.
pub async fn check(tx: &mut Tx, trust: &TrustView, record: &Record) -> Result<Checked, AppError> {
    let place = &record.envelope.place;
    let signature = kepu_sync::record::verify(record.doc.clone(), record.signature.clone()).is_ok();
    let chain =
        trust.chain(&place.key).into_iter().map(|key| Link { holder: trust.grant(&key).map(|g| g.holder.clone()).unwrap_or_default(), key: key.0 }).collect();
    let refusal = match &record.body {
        // Certificates are judged by where they stand in the tree, not by the rules for what they allow.
        Ok(_) if place.stream == Stream::Trust => None,
        Ok(body) => trust.check(&record.envelope, body).err().map(|refusal| refusal.to_string()),
        Err(error) => Some(error.to_string()),
    };
    let before = Place { n: place.n - 1, ..place.clone() };
    let gapless = place.n == 1 || kepu_store::record::find(tx, &before).await?.is_some();
    Ok(Checked { signature, chain, refusal, gapless })
}

#[derive(Template)]
#[template(path = "record.html")]
struct RecordPage {
    s: Shell,
    checked: Checked,
    good: bool,
    title: String,
    href: String,
    kind: String,
    subject: String,
    key: String,
    place: String,
    n: i64,
    hash: String,
    modified: String,
    at: Html,
    region: String,
    suite: &'static str,
    source: String,
    current: bool,
    withdrawn: bool,
    json: String,
    download: String,
    name: String,
}

/// GET /records/{hash} and /records/{hash}.json; with `?with=chain` the file also holds what proves the record
pub async fn show(State(web): State<Web>, req: Req, Path(hash): Path<String>) -> Answer {
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let (row, record) = find(&mut tx, hash.strip_suffix(".json").unwrap_or(&hash), web.app.today()).await?;
    let name = format!("kepu-{}.json", &record.hash.hex()[..12]);
    let json = serde_json::to_string_pretty(&record.with_proof()).unwrap_or_default();
    if hash.ends_with(".json") {
        let json = if req.query.get("with") == "chain" { kepu_app::chain::of(&web.app, &mut tx, &record).await?.to_string() } else { json };
        let place = format!("attachment; filename=\"{name}\"");
        return Ok(([(header::CONTENT_TYPE, "application/ld+json"), (header::CONTENT_DISPOSITION, place.as_str())], json).into_response());
    }
    let trust = web.app.trust(&mut tx).await?;
    let checked = check(&mut tx, &trust, &record).await?;
    let public = subject::find(&mut tx, &record.envelope.subject).await.map_err(AppError::from)?;
    let s = &req.shell;
    let envelope = &record.envelope;
    let title = public.as_ref().map(|row| s.pick(&row.title, &row.title_en).to_owned()).filter(|t| !t.is_empty()).unwrap_or_else(|| envelope.subject.0.clone());
    Ok(page(&RecordPage {
        good: checked.signature && checked.refusal.is_none(),
        checked,
        href: public.as_ref().map(|row| urls::of_kind(&row.kind, &row.id)).unwrap_or_default(),
        title,
        kind: record.kind.clone(),
        subject: envelope.subject.0.clone(),
        key: envelope.place.key.0.clone(),
        place: format!("{} / {}", envelope.place.stream, envelope.place.n),
        n: envelope.place.n,
        hash: record.hash.hex(),
        modified: record.modified.clone(),
        at: s.time(&envelope.modified),
        region: s.place_line(&envelope.region),
        suite: suite(&record),
        source: row.source,
        current: public.as_ref().is_some_and(|row| row.doc_hash == Some(record.hash) && row.standing == subject::Standing::Public),
        withdrawn: public.as_ref().is_some_and(|row| row.standing == subject::Standing::Withdrawn),
        json,
        download: urls::record_file(&record.hash.hex()),
        name,
        s: req.titled(s.t1("record-title", "place", format!("{}/{}", envelope.place.stream, envelope.place.n))),
    }))
}

fn suite(record: &Record) -> &'static str {
    match kepu_sync::did::decode(&record.envelope.place.key) {
        Ok((suite, _)) => suite.name(),
        Err(_) => "?",
    }
}
