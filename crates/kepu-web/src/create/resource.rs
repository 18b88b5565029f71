//! Pages of resources: the list, and one resource with its editions, review strip, sources and history.

use super::detail;
use super::matter::ShownFile;
use super::reading;
use crate::Web;
use crate::create::edit::EDITIONS;
use crate::create::lane::lane_name;
use crate::deliver::{embed, feed, linked};
use crate::line::{Choice, Line, audience_choices, choices, csv, field_choices, filter, lines, order, page_of, region_choices};
use crate::page::{Answer, Html, Pager, Req, Shell, page};
use crate::problem::Problem;
use crate::subject::{Event, Found, Name, Subject, find, json_ld, proof, reviewers};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use kepu_app::{AppError, index};
use kepu_domain::create::draft::Matter;
use kepu_domain::create::resource::{Resource, Source};
use kepu_domain::ids::SubjectId;
use kepu_domain::record::Body;
use kepu_domain::vocabulary::RESOURCE_TYPES;
use kepu_store::subject as subjects;
use kepu_text::script::Script;
use std::collections::{BTreeMap, HashMap};

/// Rows on a page.
const SIZE: usize = 20;
/// Rows of an export.
const EXPORT_MAX: u32 = 10_000;

#[derive(Template)]
#[template(path = "create/resources.html")]
struct ListPage {
    s: Shell,
    lines: Vec<Line>,
    total: usize,
    first: usize,
    last: usize,
    fields: Vec<Choice>,
    audiences: Vec<Choice>,
    types: Vec<Choice>,
    regions: Vec<Choice>,
    sorts: Vec<Choice>,
    corrected: bool,
    pager: Pager,
    csv: String,
    /// What is new in this list.
    feed: String,
}

/// GET /resources
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let corrected = req.query.opt("corrected").is_some();
    let title = match (corrected, req.query.opt("from")) {
        (true, _) => req.shell.t("resources-corrected"),
        (_, Some(_)) => req.shell.t("made-of-it"),
        _ => req.shell.t("resources-title"),
    };
    let s = req.titled(title).script("htmx.min.js");
    let mut filter = filter(&req.query, "resource");
    if corrected {
        // The list of corrections is about claims and resources alike.
        filter.kind = None;
    }
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let trust = web.app.trust(&mut tx).await?;
    if req.query.get("format") == "csv" {
        let rows = match req.query.opt("from") {
            Some(id) => index::made_of(&web.app, &SubjectId::from(id), EXPORT_MAX as usize).await?.0,
            None => subjects::list(&mut tx, &filter, order(&req.query), None, EXPORT_MAX).await.map_err(AppError::from)?,
        };
        let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, "attachment; filename=\"kepu-resources.csv\"")];
        return Ok((headers, csv(&s, &rows, &trust)).into_response());
    }
    let at = req.page_number();
    let first = (at - 1) * SIZE;
    let from = req.query.opt("from").map(SubjectId::from);
    let (rows, total) = match &from {
        Some(id) => {
            let (rows, total) = index::made_of(&web.app, id, first + SIZE).await?;
            (rows.into_iter().skip(first).collect(), total)
        }
        None => page_of(&mut tx, &filter, order(&req.query), at, SIZE).await?,
    };
    let sort = |value: &str, text: String| (value.to_owned(), text);
    let types = RESOURCE_TYPES.terms().iter().map(|term| (term.id.clone(), if s.is_en() { term.en.clone() } else { term.zh.clone() }));
    Ok(page(&ListPage {
        lines: lines(&s, &rows, &trust),
        first: first + 1,
        last: first + rows.len(),
        total,
        fields: field_choices(&s, req.query.get("field")),
        audiences: audience_choices(&s, req.query.get("audience")),
        types: choices(s.t("any-type"), types, req.query.get("type")),
        regions: region_choices(&s, web.settings.region, req.query.get("region")),
        sorts: choices(s.t("sort-newest"), [sort("title", s.t("sort-title")), sort("corrected", s.t("sort-corrected"))].into_iter(), req.query.get("sort")),
        corrected,
        pager: Pager::new(&s, at, SIZE, total),
        csv: s.here_with("format", "csv"),
        feed: feed::of_list(&req, if corrected { "" } else { "resource" }),
        s,
    }))
}

/// A link in the edition switch.
struct Edition {
    name: String,
    href: String,
    on: bool,
}

/// A source as shown.
struct Shown {
    title: String,
    url: String,
    kind: String,
    publisher: String,
    date: Html,
}

#[derive(Template)]
#[template(path = "create/resource.html")]
struct ResourcePage {
    s: Shell,
    r: Resource,
    title: String,
    title_lang: Html,
    text_lang: Html,
    /// BCP 47 tag of the text, for voices.
    text_tag: String,
    body: Html,
    details: detail::Shown,
    contents: Vec<reading::Heading>,
    terms: Vec<reading::Term>,
    scripts: Vec<Choice>,
    /// Address of the script to read aloud.
    spoken: String,
    editions: Vec<Edition>,
    by: Vec<Name>,
    reviewed: Html,
    sources: Vec<Shown>,
    expires: Option<Html>,
    date: Html,
    history: Vec<Event>,
    versions: usize,
    notice: String,
    corrected: Option<(Html, String)>,
    files: Vec<ShownFile>,
    address: String,
    /// What another site copies to show the card of this page.
    frame: String,
    /// The card itself.
    card: String,
    /// Hash of the version, by which a browser knows whether what it keeps is old.
    version: String,
    path: String,
    print: String,
    record: String,
    /// The whole history.
    whole: String,
    /// Where anybody says what is wrong with it.
    report: String,
    ai: String,
    ai_used: bool,
    licence: String,
    holder: String,
    row_id: String,
    overdue: bool,
    /// Why it has to be looked at again before its day, in words.
    again: Vec<String>,
    /// Name and id of its lane.
    lane: Option<(String, String)>,
    /// The lane's checklist, with what was ticked off.
    points: Vec<(String, bool)>,
    /// The qualification behind the author's name, or empty.
    author_proof: String,
    /// For its editors; nothing for readers.
    tools: Html,
    around: Around,
}

/// What stands around a resource: what it was made of, what was made of it, and what is near.
#[derive(Default)]
struct Around {
    /// Address and title of what it was made of; gone: an empty address.
    of: Vec<(String, String)>,
    /// What was made of it, newest first, and how much there is.
    made: Vec<Line>,
    made_total: usize,
    /// All of that as a list.
    made_href: String,
    claims: Vec<Line>,
    resources: Vec<Line>,
    /// Where a contributor begins something made of it, or empty.
    make: String,
    /// Why it has to be looked at again before its day.
    again: Vec<String>,
}

/// Offered beside a text.
const BESIDE: usize = 4;

async fn around(web: &Web, req: &Req, subject: &Subject) -> Result<Around, AppError> {
    let Ok(Body::Resource(r)) = &subject.record.body else { return Ok(Around::default()) };
    let (id, s) = (&subject.row.id, &req.shell);
    let (made, made_total) = index::made_of(&web.app, id, BESIDE).await?;
    let claims = index::beside(&web.app, &subject.row, "claim", BESIDE).await?;
    let resources = index::beside(&web.app, &subject.row, "resource", BESIDE).await?;
    let mut tx = web.app.db.read().await?;
    let trust = web.app.trust(&mut tx).await?;
    let mut of = Vec::new();
    for id in &r.based_on {
        let row = subjects::find(&mut tx, id).await?.filter(|row| row.standing == subjects::Standing::Public);
        of.push(row.map_or_else(|| (String::new(), id.0.clone()), |row| (urls::of_kind(&row.kind, &row.id), row.title)));
    }
    let again = super::lane::again(s, &kepu_store::create::recheck::list_of(&mut tx, id).await?);
    let make = req.actor.may(kepu_domain::access::Action::Draft, None).is_ok();
    Ok(Around {
        of,
        made: lines(s, &made, &trust),
        made_total,
        made_href: urls::with("/resources", &[("from", &id.0)]),
        claims: lines(s, &claims, &trust),
        resources: lines(s, &resources, &trust),
        make: if make { urls::with("/drafts/new", &[("from", &id.0)]) } else { String::new() },
        again,
    })
}

/// GET /r/{owner}/{local}
pub async fn show(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    match find(&web, &req, "resource", &owner, &local).await? {
        Found::Here(subject) => {
            let tools = crate::create::correct::tools_html(&web, &req, &subject.row).await?;
            let titles = titles(&web, &subject).await?;
            let around = around(&web, &req, &subject).await?;
            show_found(&web, &req, *subject, tools, &titles, around)
        }
        Found::Other(response) => Ok(response),
    }
}

/// The edition asked for: by the query, else the elders' one in elder mode, else the plain text (an empty name).
fn edition<'a>(req: &'a Req, editions: &BTreeMap<String, String>) -> Result<&'a str, Problem> {
    match req.query.opt("edition") {
        Some("plain") => Ok(""),
        Some(name) if editions.contains_key(name) => Ok(name),
        Some(_) => Err(Problem::not_found()),
        None if req.shell.elder && editions.contains_key("elder") => Ok("elder"),
        None => Ok(""),
    }
}

/// Where the headings of a text begin, so that the first one stands right below the page's title: most texts use `##` only.
fn base_of(text: &str) -> u8 {
    if text.lines().any(|line| line.starts_with("# ")) { 2 } else { 1 }
}

/// The tag under which devices know a voice for a language.
fn voice(lang: &str) -> String {
    match lang {
        "zh-Hant-HK" => "zh-HK".into(),
        lang if lang.starts_with("zh") => "zh-CN".into(),
        lang => lang.into(),
    }
}

/// GET /r/{owner}/{local}/spoken.txt: the text as it is to be read aloud, a sentence a line.
pub async fn spoken(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    let subject = match find(&web, &req, "resource", &owner, &local).await? {
        Found::Here(subject) => subject,
        Found::Other(response) => return Ok(response),
    };
    let Ok(Body::Resource(r)) = &subject.record.body else { return Err(Problem::not_found()) };
    let name = edition(&req, &r.editions)?;
    let text = r.editions.get(name).unwrap_or(&r.text);
    let script = format!("{}。\n{}", r.title, kepu_text::speech::script(text));
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], script).into_response())
}

/// Titles of the public pieces that a resource names, by id.
async fn titles(web: &Web, subject: &Subject) -> Result<HashMap<String, String>, AppError> {
    let Ok(Body::Resource(r)) = &subject.record.body else { return Ok(HashMap::new()) };
    let mut titles = HashMap::new();
    let mut tx = web.app.db.read().await?;
    for id in detail::named(&r.details) {
        if let Some(row) = subjects::find(&mut tx, &id).await?.filter(|row| row.standing == subjects::Standing::Public) {
            titles.insert(id.0, row.title);
        }
    }
    Ok(titles)
}

fn show_found(web: &Web, req: &Req, subject: Subject, tools: Html, titles: &HashMap<String, String>, around: Around) -> Answer {
    let Ok(Body::Resource(r)) = &subject.record.body else { return Err(Problem::not_found()) };
    let r = (**r).clone();
    let s = &req.shell;
    let name = edition(req, &r.editions)?;
    let text = r.editions.get(name).unwrap_or(&r.text);
    let path = urls::resource(&subject.row.id);
    let href = |name: &str| if name.is_empty() && s.elder { urls::with(&path, &[("edition", "plain")]) } else { urls::with(&path, &[("edition", name)]) };
    let mut editions: Vec<&str> = std::iter::once("").chain(r.editions.keys().map(String::as_str)).collect();
    // In the order of the readers that most ask for them; translations after, by their names.
    editions.sort_by_key(|name| (!name.is_empty(), EDITIONS.iter().position(|known| known == name).unwrap_or(EDITIONS.len())));
    let title = s.pick(&r.title, &r.title_en).to_owned();
    let mut shell = req.titled(title.clone()).script("read.js").script("shelf.js");
    shell.head = Html(format!(
        "{}{}{}",
        json_ld(&subject.record),
        linked::block(&linked::resource(s, &subject.row, &r, &subject.holder)),
        embed::discovery(s, "resource", &subject.row.id)
    ));
    let source = |e: &Source| Shown {
        title: e.title.clone(),
        url: e.url.clone().unwrap_or_default(),
        kind: s.evidence(&e.kind).to_owned(),
        publisher: e.publisher.clone(),
        date: s.day(&e.date),
    };
    // A language stands in the name of an edition that is a translation.
    let lang = if kepu_domain::vocabulary::LANGUAGES.find(name).is_some() { name.to_owned() } else { r.lang.clone() };
    let script = req.query.opt("script").and_then(Script::parse).filter(|_| lang == "zh-Hans");
    let definitions = web.app.definitions();
    let matter = Matter::Resource(Box::new(r.clone()));
    let lane = definitions.lanes.of(&matter);
    let (body, contents) = reading::contents(&kepu_text::markdown::render(text, base_of(text)));
    let (mut body, mut terms) = reading::terms(s, &body);
    let mut details = detail::shown(s, &r.kind, &r.details, titles);
    let (mut title, mut contents) = (title, contents);
    if let Some(script) = script {
        let convert = |text: &mut String| *text = script.convert(text);
        convert(&mut title);
        convert(&mut body);
        contents.iter_mut().for_each(|heading| convert(&mut heading.text.0));
        terms.iter_mut().flat_map(|term| [&mut term.word, &mut term.meaning]).for_each(convert);
        details.parts.iter_mut().for_each(|(_, text)| convert(&mut text.0));
        details.facts.iter_mut().for_each(|(_, text)| convert(text));
    }
    let scripts = reading::scripts(s, &path, name, &lang, script);
    let lang = script.map_or(lang, |script| script.tag().to_owned());
    let lang = lang.as_str();
    Ok(page(&ResourcePage {
        title_lang: if script.is_some() { s.lang_attr(lang) } else { s.pick_attr(&r.lang, &r.title_en) },
        text_lang: s.lang_attr(lang),
        text_tag: voice(lang),
        body: Html(body),
        contents,
        terms,
        scripts,
        spoken: urls::with(&format!("{path}/spoken.txt"), &[("edition", name)]),
        details,
        editions: editions.into_iter().map(|e| Edition { name: s.edition(e), href: href(e), on: e == name }).collect(),
        by: reviewers(s, r.reviews.iter().filter(|by| by.editions.is_empty() || by.editions.iter().any(|edition| edition == name))),
        reviewed: r.reviews.iter().map(|review| review.date).max().map_or_else(Html::default, |day| s.date(&day)),
        sources: r.sources.iter().map(source).collect(),
        expires: r.expires.map(|day| s.date(&day)),
        author_proof: proof(s, r.author.qualification.as_ref()),
        points: lane.map(|lane| super::lane::ticked(s, lane, &r.reviews)).unwrap_or_default(),
        lane: lane.map(|lane| (lane_name(s, lane), lane.id.clone())),
        again: around.again.clone(),
        overdue: r.expires.is_some_and(|day| day < web.app.today()),
        date: s.date(&r.date),
        history: subject.history,
        versions: subject.versions,
        notice: subject.row.notice.clone(),
        corrected: r.corrections.first().map(|c| (s.date(&c.date), c.text.clone())),
        files: r.media.iter().map(ShownFile::new).collect(),
        address: format!("{}{path}", s.origin),
        version: subject.record.hash.hex(),
        card: urls::embed("resource", &subject.row.id),
        frame: embed::code(s, "resource", &subject.row.id, &title),
        print: urls::with(&path, &[("edition", name), ("view", "print")]),
        path,
        record: urls::record(&subject.record.hash.hex()),
        whole: urls::history(&subject.row.id),
        report: urls::report(&subject.row.id),
        ai: s.ai_use(&r.ai_use),
        ai_used: r.ai_use != kepu_domain::create::resource::AiUse::None,
        licence: s.licence(&r.licence),
        holder: subject.holder,
        row_id: subject.row.id.0.clone(),
        tools,
        around,
        title,
        r,
        s: shell,
    }))
}
