//! Recall: who still has what was taken back or corrected, the one tap of those who took it down from a board, and the slip to paste over a poster.

use super::pack;
use crate::Web;
use crate::form::Form;
use crate::line::{attachment, csv_cell, title_of};
use crate::listen::care::place_name;
use crate::page::{Answer, Html, Req, Shell, page};
use crate::problem::Problem;
use crate::subject::id_of;
use crate::urls;
use crate::words::{iso, moment};
use askama::Template;
use axum::extract::{Path, State};
use kepu_app::AppError;
use kepu_app::create::publish;
use kepu_app::deliver::recall::{self as app, Reached, Recall, Why};
use kepu_domain::create::draft::Matter;
use kepu_domain::ids::PackId;
use kepu_store::subject::{self, Row, Standing};

/// What happened, as a tag with a shape.
pub(crate) fn why_mark(s: &Shell, why: Why) -> Html {
    s.state(if why == Why::Withdrawn { "false" } else { "now" }, s.t(&format!("recall-{}", why.as_str())))
}

struct Node {
    name: String,
    seen: Html,
    mark: Html,
}

struct Board {
    id: String,
    href: String,
    title: String,
    posted: usize,
    confirmed: usize,
    mine: bool,
}

struct Place {
    place: String,
    kind: String,
    mark: Html,
    at: Html,
}

#[derive(Template)]
#[template(path = "deliver/recall.html")]
struct RecallPage {
    s: Shell,
    title: String,
    href: String,
    /// What happened, and when; none: nothing, so nobody is asked for anything.
    why: Option<(Html, Html)>,
    reached: Reached,
    nodes: Vec<Node>,
    boards: Vec<Board>,
    places: Vec<Place>,
    action: String,
    sticker: String,
    history: String,
    csv: String,
}

/// GET /recall/{owner}/{local}: where it is, and who has confirmed. `?format=csv`: whoever has not.
pub async fn show(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    let id = id_of(&owner, &local)?;
    let recall = app::view(&web.app, &req.actor, &id).await?;
    let s = req.titled(req.shell.t("recall-title"));
    if req.query.get("format") == "csv" {
        return Ok(attachment("kepu-recall.csv", csv(&s, &recall)));
    }
    let confirmed = |yes: bool| s.state(if yes { "true" } else { "open" }, s.t(if yes { "recall-yes" } else { "recall-no" }));
    let node = |node: &app::Node| Node {
        name: node.name.clone(),
        seen: node.seen.map_or_else(|| Html(s.t("network-never")), |at| s.time(&at)),
        mark: confirmed(node.confirmed),
    };
    let board = |one: &app::Boards| Board {
        id: one.pack.id.0.clone(),
        href: urls::pack(&one.pack.id),
        title: pack::title_of(&s, &one.pack, ""),
        posted: one.posted,
        confirmed: one.confirmed,
        mine: one.mine,
    };
    let place = |(place, current): &(kepu_domain::listen::placement::Placement, bool)| Place {
        place: place_name(&s, place),
        kind: s.t(&format!("place-{}", place.kind.as_str())),
        mark: s.state(if *current { "true" } else { "now" }, s.t(if *current { "care-shown-new" } else { "care-shown-old" })),
        at: s.day_ms(&place.at.as_millisecond()),
    };
    Ok(page(&RecallPage {
        title: title_of(&s, &recall.row),
        href: urls::of_kind(&recall.row.kind, &id),
        why: recall.why.map(|(why, at)| (why_mark(&s, why), s.time(&at))),
        reached: recall.reached(),
        nodes: recall.nodes.iter().map(node).collect(),
        boards: recall.boards.iter().map(board).collect(),
        places: recall.places.iter().map(place).collect(),
        action: urls::recall(&id),
        sticker: urls::sticker(&id),
        history: urls::history(&id),
        csv: s.here_with("format", "csv"),
        s,
    }))
}

/// Places that have not confirmed yet.
fn csv(s: &Shell, recall: &Recall) -> String {
    let mut out = "\u{feff}kind,place,posted,confirmed,last\r\n".to_owned();
    let mut line = |cells: [String; 5]| {
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push_str("\r\n");
    };
    for node in recall.nodes.iter().filter(|node| !node.confirmed) {
        line(["node".into(), node.name.clone(), "1".into(), "0".into(), node.seen.map(iso).unwrap_or_default()]);
    }
    for one in recall.boards.iter().filter(|one| one.confirmed < one.posted) {
        line(["board".into(), pack::title_of(s, &one.pack, ""), one.posted.to_string(), one.confirmed.to_string(), String::new()]);
    }
    for (place, _) in recall.places.iter().filter(|(_, current)| !current) {
        line([place.kind.as_str().into(), place.place.clone(), "1".into(), "0".into(), iso(place.at)]);
    }
    out
}

/// POST /recall/{owner}/{local}: taken down, one tap.
pub async fn taken_down(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>, form: Form) -> Answer {
    let id = id_of(&owner, &local)?;
    let pack = PackId::from(form.get("pack"));
    let deed = async {
        app::taken_down(&web.app, &req.actor, &id, &pack).await?;
        Ok::<_, AppError>(urls::recall(&id))
    };
    form.once(&web, deed).await.map_err(Problem::from)
}

#[derive(Template)]
#[template(path = "deliver/sticker.html")]
struct StickerPage {
    s: Shell,
    head: String,
    title: String,
    reason: String,
    /// What holds now, for a correction.
    now: String,
    by: String,
    at: Html,
    href: String,
    path: String,
    address: String,
}

/// GET /sticker/{owner}/{local}: the slip to print and paste over a poster. Nothing was taken back or corrected: there is none.
pub async fn sticker(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    let id = id_of(&owner, &local)?;
    let missing = || Problem::from(AppError::NotFound { what: "subject", id: id.0.clone() });
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let row = subject::find(&mut tx, &id).await.map_err(AppError::from)?.filter(|row| row.standing != Standing::Hidden).ok_or_else(missing)?;
    drop(tx);
    let (why, at) = Why::of(&row).ok_or_else(missing)?;
    let matter = if why == Why::Corrected { publish::public_matter(&web.app, &row).await? } else { None };
    let (reason, now) = match &matter {
        Some(Matter::Claim(claim)) => (claim.corrections.first().map(|c| c.text.clone()), claim.plain.clone()),
        Some(Matter::Resource(resource)) => (resource.corrections.first().map(|c| c.text.clone()), resource.summary.clone()),
        None => (None, String::new()),
    };
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let holder = web.app.trust(&mut tx).await?.grant(&row.signer).map(|grant| grant.holder.clone()).unwrap_or_default();
    drop(tx);
    let s = req.titled(req.shell.t("sticker-title"));
    let path = urls::subject(&id);
    Ok(page(&StickerPage {
        head: s.t(&format!("sticker-{}", why.as_str())),
        title: title_of(&s, &row),
        reason: reason.unwrap_or_else(|| row.reason.clone()),
        now,
        by: if row.withdrawn_by.is_empty() { holder } else { row.withdrawn_by.clone() },
        at: s.time_ms(&at.as_millisecond()),
        href: urls::of_kind(&row.kind, &id),
        address: format!("{}{path}", s.origin),
        path,
        s,
    }))
}

/// When a promise of a next word falls, as a page says it.
pub(crate) fn next_word(s: &Shell, row: &Row) -> Option<Html> {
    row.held.as_deref().map(|day| s.day(day))
}

/// When it was taken back, as a page says it.
pub(crate) fn taken_at(s: &Shell, row: &Row) -> Html {
    row.withdrawn_at.map_or_else(Html::default, |ms| s.time(&moment(ms)))
}
