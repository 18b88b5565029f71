//! Pages of claims: the list, and one claim with its verdict. "Is this true?" is in `check`, how it is passed on in `share`, the editors' side in `care`.

use crate::Web;
use crate::deliver::{embed, feed, linked};
use crate::form::{Form, see_other};
use crate::line::{Choice, Line, audience_choices, choices, csv, field_choices, filter, lines, order, page_of, region_choices, verdict_choices};
use crate::listen::care::Year;
use crate::page::{Answer, Html, Pager, Req, Shell, page};
use crate::subject::{Event, Found, Name, Subject, find, id_of, json_ld, proof, reviewers};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use kepu_app::AppError;
use kepu_app::listen::{merge, usefulness};
use kepu_domain::listen::claim::{ClaimReview, MediaFinding, MediaRating};
use kepu_domain::listen::usefulness::Vote;
use kepu_domain::record::Body;
use kepu_store::listen::case::Steps;
use kepu_store::subject::{self as subjects, Filter, Order, Standing};

/// Rows on a page.
const SIZE: usize = 20;
/// Likeness from which on a resource is offered beside a claim.
const RESOURCES_LIKE: f32 = 0.45;
/// Other wordings shown on the page.
const WORDINGS_SHOWN: usize = 8;
/// Rows of an export.
const EXPORT_MAX: u32 = 10_000;

#[derive(Template)]
#[template(path = "listen/claims.html")]
struct ListPage {
    s: Shell,
    lines: Vec<Line>,
    total: usize,
    first: usize,
    last: usize,
    fields: Vec<Choice>,
    audiences: Vec<Choice>,
    verdicts: Vec<Choice>,
    regions: Vec<Choice>,
    sorts: Vec<Choice>,
    pager: Pager,
    csv: String,
    /// What is new in this list.
    feed: String,
}

/// GET /claims
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("claims-title")).script("htmx.min.js");
    let filter = filter(&req.query, "claim");
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let trust = web.app.trust(&mut tx).await?;
    if req.query.get("format") == "csv" {
        let rows = subjects::list(&mut tx, &filter, order(&req.query), None, EXPORT_MAX).await.map_err(AppError::from)?;
        let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, "attachment; filename=\"kepu-claims.csv\"")];
        return Ok((headers, csv(&s, &rows, &trust)).into_response());
    }
    let at = req.page_number();
    let (rows, total) = page_of(&mut tx, &filter, order(&req.query), at, SIZE).await?;
    let first = (at - 1) * SIZE;
    let sort = |value: &str, text: String| (value.to_owned(), text);
    Ok(page(&ListPage {
        lines: lines(&s, &rows, &trust),
        first: first + 1,
        last: first + rows.len(),
        total,
        fields: field_choices(&s, req.query.get("field")),
        audiences: audience_choices(&s, req.query.get("audience")),
        verdicts: verdict_choices(&s, req.query.get("verdict")),
        regions: region_choices(&s, web.settings.region, req.query.get("region")),
        sorts: choices(s.t("sort-newest"), [sort("title", s.t("sort-title")), sort("corrected", s.t("sort-corrected"))].into_iter(), req.query.get("sort")),
        pager: Pager::new(&s, at, SIZE, total),
        csv: s.here_with("format", "csv"),
        feed: feed::of_list(&req, "claim"),
        s,
    }))
}

/// A piece of evidence as shown.
struct Evidence {
    title: String,
    url: String,
    kind: String,
    publisher: String,
    date: Html,
}

#[derive(Template)]
#[template(path = "listen/claim.html")]
struct ClaimPage {
    s: Shell,
    c: ClaimReview,
    title: String,
    title_lang: Html,
    plain: String,
    plain_lang: Html,
    text_lang: Html,
    by: Vec<Name>,
    author: Name,
    checked: Html,
    next_check: Option<Html>,
    next_update: Option<Html>,
    evidence: Vec<Evidence>,
    history: Vec<Event>,
    notice: String,
    corrected: Option<(Html, String)>,
    chat: String,
    address: String,
    /// What another site copies to show the card of this page.
    frame: String,
    /// The card itself.
    card: String,
    /// Hash of the version, by which a browser knows whether what it keeps is old.
    version: String,
    record: String,
    /// The whole history.
    whole: String,
    /// Where anybody says what is wrong with it.
    report: String,
    path: String,
    ai: String,
    related: Vec<Line>,
    holder: String,
    row_id: String,
    instead: Vec<String>,
    medical: bool,
    /// Name and id of its lane.
    lane: Option<(String, String)>,
    /// For its editors; nothing for readers.
    tools: Html,
    /// In which months people meet it.
    year: Year,
    /// When it last came back after a while, in words.
    returned: String,
    /// What else people say that means the same.
    wordings: Vec<String>,
    share: String,
    care: String,
    /// Reading about it.
    resources: Vec<Line>,
    overdue: bool,
    /// For one vote on whether it helped.
    ticket: String,
    vote: String,
    /// What came of a vote, in words.
    voted: String,
}

impl ClaimPage {
    /// The name of the message for what a picture really is.
    fn rating(&self, media: &MediaFinding) -> &'static str {
        match media.rating {
            MediaRating::Original => "media-original",
            MediaRating::Decontextualized => "media-decontextualized",
            MediaRating::Edited => "media-edited",
            MediaRating::Transformed => "media-transformed",
            MediaRating::Staged => "media-staged",
            MediaRating::Satire => "media-satire",
        }
    }
}

/// GET /c/{owner}/{local}
pub async fn show(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    match find(&web, &req, "claim", &owner, &local).await? {
        Found::Here(subject) => show_found(&web, &req, *subject).await,
        Found::Other(response) => Ok(response),
    }
}

async fn show_found(web: &Web, req: &Req, subject: Subject) -> Answer {
    let Ok(Body::Claim(c)) = &subject.record.body else { return Err(crate::problem::Problem::not_found()) };
    let c = (**c).clone();
    let s = &req.shell;
    let heard = merge::heard(&web.app, &subject.row.id).await?;
    // Merged: its old address leads to the claim that answers, as long as that is public here.
    let root = merge::root(&web.app, &subject.row.id);
    if root != subject.row.id && req.query.get("here").is_empty() {
        return Ok(see_other(&urls::claim(&root)));
    }
    let resources = kepu_app::index::near(&web.app, &c.claim, RESOURCES_LIKE, 3).await?;
    let title = s.pick(&c.claim, &c.claim_en).to_owned();
    let plain = if c.is_holding() { s.t("holding-say") } else { s.pick(&c.plain, &c.plain_en).to_owned() };
    let mut shell = req.titled(s.t2("claim-title", "claim", &title, "verdict", s.verdict_word(c.verdict.as_str()))).script("shelf.js");
    shell.head = Html(format!(
        "{}{}{}",
        json_ld(&subject.record),
        linked::block(&linked::claim(s, &subject.row, &c, &subject.holder)),
        embed::discovery(s, "claim", &subject.row.id)
    ));
    let path = urls::claim(&subject.row.id);
    let address = format!("{}{path}", s.origin);
    let chat = if c.chat.is_empty() { format!("{}：{title}\n{plain}", s.verdict_word(c.verdict.as_str())) } else { c.chat.clone() };
    let evidence = c.evidence.iter().map(|e| Evidence {
        title: e.title.clone(),
        url: e.url.clone().unwrap_or_default(),
        kind: s.evidence(&e.kind).to_owned(),
        publisher: e.publisher.clone(),
        date: s.day(&e.date),
    });
    let tools = crate::create::correct::tools_html(web, req, &subject.row).await?;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let trust = web.app.trust(&mut tx).await?;
    Ok(page(&ClaimPage {
        year: Year::new(s, &heard.season),
        returned: heard
            .returned
            .last()
            .map(|month| s.t2("pack-month", "year", month.year().to_string(), "month", month.month().to_string()))
            .unwrap_or_default(),
        wordings: c.variants.iter().take(WORDINGS_SHOWN).cloned().collect(),
        share: urls::share(&subject.row.id),
        care: if tools.0.is_empty() { String::new() } else { urls::care(&subject.row.id) },
        resources: lines(s, &resources, &trust),
        ticket: if c.is_holding() { String::new() } else { usefulness::ticket(&web.app, &req.actor, &subject.row.id) },
        vote: urls::useful(&subject.row.id),
        voted: match req.query.get("voted") {
            "1" => s.t("useful-thanks"),
            word @ ("ticket_spent" | "ticket_old" | "ticket_unknown") => s.t(&format!("error-{word}")),
            _ => String::new(),
        },
        overdue: !c.is_holding() && c.next_check.is_some_and(|day| day <= web.app.today()),
        tools,
        title_lang: s.pick_attr(&c.lang, &c.claim_en),
        plain_lang: if c.is_holding() { Html::default() } else { s.pick_attr(&c.lang, &c.plain_en) },
        text_lang: s.lang_attr(&c.lang),
        by: reviewers(s, &c.reviews),
        author: Name {
            name: c.author.name.clone(),
            title: c.author.title.clone(),
            org: c.author.org.clone(),
            proof: proof(s, c.author.qualification.as_ref()),
        },
        checked: s.date(&c.checked),
        next_check: c.next_check.map(|d| s.date(&d)),
        next_update: c.holding.as_ref().map(|h| s.soon(&h.next_update)),
        evidence: evidence.collect(),
        history: life(s, &mut tx, &subject, &c).await?,
        notice: subject.row.notice.clone(),
        corrected: c.corrections.first().map(|k| (s.date(&k.date), k.text.clone())),
        chat,
        address,
        record: urls::record(&subject.record.hash.hex()),
        whole: urls::history(&subject.row.id),
        report: urls::report(&subject.row.id),
        version: subject.record.hash.hex(),
        card: urls::embed("claim", &subject.row.id),
        frame: embed::code(s, "claim", &subject.row.id, &title),
        path,
        ai: s.ai_use(&c.ai_use),
        related: related(web, s, &mut tx, &subject, &c).await?,
        holder: subject.holder,
        row_id: subject.row.id.0.clone(),
        instead: c.instead.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect(),
        lane: web
            .app
            .definitions()
            .lanes
            .of(&kepu_domain::create::draft::Matter::Claim(Box::new(c.clone())))
            .map(|lane| (crate::create::lane::lane_name(s, lane), lane.id.clone())),
        medical: c.fields.iter().any(|f| f == "health" || f == "biomed"),
        title,
        plain,
        c,
        s: shell,
    }))
}

/// POST /c/{owner}/{local}/useful: one vote on whether the answer helped.
pub async fn useful(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>, form: Form) -> Answer {
    let id = id_of(&owner, &local)?;
    let Some(vote) = Vote::parse(form.get("vote")) else { return Ok(see_other(&urls::claim(&id))) };
    let there = |word: &str| urls::with(&urls::claim(&id), &[("voted", word)]);
    match usefulness::vote(&web.app, &id, form.get("ticket"), vote, &req.address).await {
        Ok(()) => Ok(see_other(&there("1"))),
        // What a ticket is refused for stands on the page; nothing was typed that could be lost.
        Err(AppError::Invalid(errors)) => Ok(see_other(&there(errors.first().map_or("", |error| error.key.as_str())))),
        Err(error) => Err(error.into()),
    }
}

/// The life of a statement: what its case tells in public, its versions, and what comes next.
async fn life(s: &Shell, tx: &mut kepu_store::Tx, subject: &Subject, c: &ClaimReview) -> Result<Vec<Event>, AppError> {
    let mut events = subject.history.clone();
    if let Some(case) = kepu_store::listen::case::find_by_subject(tx, &subject.row.id).await? {
        for step in kepu_store::listen::case::list_steps(tx, &case.id, Steps::Public, 100).await? {
            // Statement and answer stand in the list as signed versions already.
            if !matches!(step.kind.as_str(), "held" | "answered") {
                events.push(Event { at: step.at, time: s.time(&step.at), text: crate::listen::case::step_text(s, &step), href: String::new(), class: "" });
            }
        }
    }
    events.sort_by_key(|e| e.at);
    let next = |time, text| Event { at: s.now, time, text, href: String::new(), class: "next" };
    if let Some(holding) = &c.holding {
        events.push(next(s.soon(&holding.next_update), s.t("event-next-update")));
    } else if let Some(day) = &c.next_check {
        events.push(next(s.date(day), s.t("event-next-check")));
    }
    Ok(events)
}

async fn related(web: &Web, s: &Shell, tx: &mut kepu_store::Tx, subject: &Subject, c: &ClaimReview) -> Result<Vec<Line>, AppError> {
    let Some(field) = c.fields.first() else { return Ok(vec![]) };
    let filter = Filter { kind: Some("claim".into()), standing: Some(Standing::Public), field: Some(field.clone()), ..Filter::default() };
    let trust = web.app.trust(tx).await?;
    let mut rows = subjects::list(tx, &filter, Order::Newest, None, 5).await?;
    rows.retain(|row| row.id != subject.row.id);
    rows.truncate(4);
    Ok(lines(s, &rows, &trust))
}
