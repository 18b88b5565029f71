//! Monthly packs: the list with the form that makes one, a pack's page, "I put it up", the files, and the table of who got what
//! (`table`). Texts for paper, loudspeaker and chat are in `texts`, the electronic book in `book`.

mod book;
mod table;
mod texts;

pub use table::show as table;

use crate::form::Form;
use crate::line::{Choice, audience_choices};
use crate::page::{Answer, Errors, Html, Req, Shell, page, page_with};
use crate::paper::PaperError;
use crate::place;
use crate::problem::Problem;
use crate::{Web, urls};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kepu_app::create::find;
use kepu_app::deliver::pack::{self as app, Make, Now, View};
use kepu_app::{AppError, FieldError};
use kepu_domain::deliver::pack::{Month, Pack, Reason};
use kepu_domain::ids::{PackId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::vocabulary::LANGUAGES;

/// Packs of the list.
const LISTED: u32 = 200;
/// Service points to choose from.
const POINTS: usize = 300;
/// Months to choose from in the list: one back, this one, those ahead.
const MONTHS: std::ops::RangeInclusive<i32> = -1..=3;

/// A pack in the list.
struct Row {
    href: String,
    title: String,
    about: String,
}

#[derive(Template)]
#[template(path = "deliver/packs.html")]
struct ListPage {
    s: Shell,
    errors: Errors,
    rule: String,
    rows: Vec<Row>,
    /// What narrows the list.
    narrowed: bool,
    filter_months: Vec<Choice>,
    filter_place: String,
    provinces: Vec<Choice>,
    county: String,
    counties: Vec<String>,
    months: Vec<Choice>,
    langs: Vec<Choice>,
    audiences: Vec<Choice>,
    /// Service points of the place, to choose from; empty: there are none.
    points: Vec<Choice>,
    signed_in: bool,
}

fn months(s: &Shell, web: &Web, present: &str) -> Vec<Choice> {
    let now = Month::of(web.app.today());
    let all = MONTHS.map(|n| now.plus(n));
    all.map(|month| Choice { value: month.to_string(), text: month_text(s, month), on: month.to_string() == present }).collect()
}

/// A month in words.
pub(super) fn month_text(s: &Shell, month: Month) -> String {
    s.t2("pack-month", "year", month.year().to_string(), "month", month.month().to_string())
}

pub(super) fn title_of(s: &Shell, pack: &Pack, point: &str) -> String {
    let place = if point.is_empty() { s.place(&pack.wish.region) } else { point.to_owned() };
    s.t2("pack-title", "place", place, "month", month_text(s, pack.wish.month))
}

fn about(s: &Shell, pack: &Pack) -> String {
    let mut words = vec![s.t1("pack-items", "n", pack.items.len())];
    if !pack.wish.audience.is_empty() {
        words.push(s.audience(&pack.wish.audience).to_owned());
    }
    if pack.wish.lang != "zh-Hans" {
        words.push(s.language(&pack.wish.lang).to_owned());
    }
    words.join(" · ")
}

/// Service points of the node's place, by name, with the one chosen; none first.
async fn points(web: &Web, req: &Req, s: &Shell, chosen: &str) -> Result<Vec<Choice>, AppError> {
    let region = Some(web.settings.region).filter(|region| *region != Region::NATION);
    let search = find::Search { register: "service-points".into(), region, limit: POINTS, ..find::Search::default() };
    let (found, _) = find::find(&web.app, &req.actor, find::Scope::Cards, &search).await?;
    let named = |one: find::Found| {
        let text = format!("{}{}{}", s.pick(&one.name, &one.name_en), s.t("comma"), s.place(&one.region));
        Choice { on: one.id == chosen, value: one.id, text }
    };
    let mut list: Vec<Choice> = found.into_iter().map(named).collect();
    list.sort_by(|a, b| a.text.cmp(&b.text));
    if !list.is_empty() {
        list.insert(0, Choice { value: String::new(), text: s.t("packs-no-point"), on: !list.iter().any(|choice| choice.on) });
    }
    Ok(list)
}

async fn list_page(web: &Web, req: &Req, status: StatusCode, form: Option<&Form>, errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t("packs-title"));
    let month = Month::parse(req.query.get("month"));
    let region = req.query.opt("region").and_then(kepu_app::org::region_named);
    let packs = app::list(&web.app, month, region, LISTED).await?;
    let said = |name: &str| form.map_or("", |form| form.get(name)).to_owned();
    let (own_province, own_county) = place::write(region.unwrap_or(web.settings.region));
    let or = |typed: String, other: String| if form.is_none() { other } else { typed };
    let now = Month::of(web.app.today());
    let rules = web.app.definitions().packs.clone();
    let languages = LANGUAGES.terms().iter().map(|term| Choice {
        value: term.id.clone(),
        text: term.zh.clone(),
        on: form.map_or("zh-Hans", |form| form.get("lang")) == term.id,
    });
    let mut filter_months = months(&s, web, req.query.get("month"));
    filter_months.insert(0, Choice { value: String::new(), text: s.t("packs-any-month"), on: month.is_none() });
    Ok(page_with(
        status,
        &ListPage {
            errors: s.errors(errors),
            rule: s.pick(&rules.tilt.zh, &rules.tilt.en).to_owned(),
            rows: packs.iter().map(|pack| Row { href: urls::pack(&pack.id), title: title_of(&s, pack, ""), about: about(&s, pack) }).collect(),
            narrowed: month.is_some() || region.is_some(),
            filter_months,
            filter_place: req.query.get("region").chars().take(40).collect(),
            provinces: place::provinces(&s, &or(said("province"), own_province)),
            county: or(said("county"), own_county),
            counties: place::counties(web.settings.region),
            months: months(&s, web, &or(said("month"), now.to_string())),
            langs: languages.collect(),
            audiences: audience_choices(&s, &said("audience")),
            points: points(web, req, &s, if form.is_some() { said("point") } else { req.query.get("point").to_owned() }.as_str()).await?,
            signed_in: req.signed_in.is_some(),
            s,
        },
    ))
}

/// GET /packs
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    list_page(&web, &req, StatusCode::OK, None, &[]).await
}

/// POST /packs: makes one, or fills up the one that is there.
pub async fn make(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let point = form.opt("point").map(SubjectId::from);
    let region = match place::read(form.get("province"), form.get("county")) {
        Ok(region) => Some(region).filter(|region| *region != Region::NATION),
        Err(_) if point.is_some() => None,
        Err(error) => return list_page(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, Some(&form), &[error]).await,
    };
    let asked = Make { region, month: Month::parse(form.get("month")), lang: form.get("lang").to_owned(), audience: form.get("audience").to_owned(), point };
    let deed = async { Ok::<_, AppError>(urls::pack(&app::make(&web.app, &req.actor, asked).await?)) };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => list_page(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, Some(&form), &errors).await,
        other => other.map_err(Problem::from),
    }
}

/// Something in a pack.
struct Item {
    href: String,
    title: String,
    reasons: String,
    /// Empty: it is printed.
    gone: String,
    reason: String,
    at: Html,
}

#[derive(Template)]
#[template(path = "deliver/pack.html")]
struct PackPage {
    s: Shell,
    title: String,
    about: String,
    host: String,
    path: String,
    items: Vec<Item>,
    /// Something was withdrawn since: first thing on the page.
    withdrawn: usize,
    /// Places left empty by what is gone.
    gaps: usize,
    good: usize,
    pdf: bool,
    chat: String,
    script: String,
    chalk: String,
    posted: bool,
    posted_at_all: bool,
    signed_in: bool,
    /// What fills it up again: the fields of the wish.
    province: String,
    county: String,
    month: String,
    lang: String,
    audience: String,
    point: String,
    address: String,
}

fn reason_words(s: &Shell, reasons: &[Reason]) -> String {
    let one = |reason: &Reason| match reason {
        Reason::Season { zh, en } => s.t1("pack-why-season", "season", s.pick(zh, en)),
        Reason::Crop { word } => s.t1("pack-why-crop", "crop", word),
        Reason::Place => s.t("pack-why-place"),
        Reason::Audience => s.t("pack-why-audience"),
        Reason::New => s.t("pack-why-new"),
    };
    reasons.iter().map(one).collect::<Vec<_>>().join(&s.t("semicolon"))
}

fn item(s: &Shell, (item, now): &(kepu_domain::deliver::pack::PackItem, Now)) -> Item {
    let (gone, reason, at) = match now {
        Now::Good(_) => (String::new(), String::new(), Html::default()),
        Now::Withdrawn { reason, at } => (s.t("pack-withdrawn"), reason.clone(), s.day_ms(at)),
        Now::Resting => (s.t("pack-resting"), String::new(), Html::default()),
    };
    Item { href: urls::resource(&item.subject), title: item.title.clone(), reasons: reason_words(s, &item.reasons), gone, reason, at }
}

/// GET /packs/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = app::view(&web.app, &req.actor, &PackId(id)).await?;
    let pack = &view.pack;
    let title = title_of(&req.shell, pack, &view.point);
    let s = req.titled(title.clone());
    let origin = origin(&s);
    let (province, county) = place::write(pack.wish.region);
    let items: Vec<Item> = view.items.iter().map(|one| item(&s, one)).collect();
    let good = view.resources().count();
    Ok(page(&PackPage {
        about: about(&s, pack),
        host: view.host.clone(),
        path: urls::pack(&pack.id),
        withdrawn: view.items.iter().filter(|(_, now)| matches!(now, Now::Withdrawn { .. })).count(),
        gaps: items.len() - good,
        good,
        items,
        pdf: web.settings.printer.is_some(),
        chat: texts::chat(&view, &origin),
        script: texts::script(&s, &view, &title),
        chalk: texts::chalk(&view),
        posted: view.posted,
        posted_at_all: view.posted_at_all,
        signed_in: req.signed_in.is_some(),
        province,
        county,
        month: pack.wish.month.to_string(),
        lang: pack.wish.lang.clone(),
        audience: pack.wish.audience.clone(),
        point: pack.point.as_ref().map(|point| point.0.clone()).unwrap_or_default(),
        address: format!("{origin}{}", urls::pack(&pack.id)),
        title,
        s,
    }))
}

/// Where what is printed leads back to.
fn origin(s: &Shell) -> String {
    if s.base_url.is_empty() { s.origin.clone() } else { s.base_url.clone() }
}

/// POST /packs/{id}/posted: one tap.
pub async fn posted(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = PackId(id);
    let deed = async {
        app::posted(&web.app, &req.actor, &id).await?;
        Ok::<_, AppError>(urls::pack(&id))
    };
    form.once(&web, deed).await.map_err(Problem::from)
}

/// GET /packs/{id}/{file}: everything in one file, or one of its parts. Made anew each time, from what holds now.
pub async fn file(State(web): State<Web>, req: Req, Path((id, name)): Path<(String, String)>) -> Answer {
    let view = app::view(&web.app, &req.actor, &PackId(id)).await?;
    if view.resources().next().is_none() {
        return Err(Problem::not_found());
    }
    let title = title_of(&req.shell, &view.pack, &view.point);
    let (kind, bytes) = match name.as_str() {
        "a4.pdf" => ("application/pdf", pdf(&web, &req, &view, false).await??),
        "a3.pdf" => ("application/pdf", pdf(&web, &req, &view, true).await??),
        "broadcast.txt" => (TEXT, texts::script(&req.shell, &view, &title).into_bytes()),
        "chat.txt" => (TEXT, texts::chat(&view, &origin(&req.shell)).into_bytes()),
        "chalk.txt" => (TEXT, texts::chalk(&view).into_bytes()),
        "book.epub" => ("application/epub+zip", book::make(&req.shell, &view, &title, &origin(&req.shell))?),
        "pack.zip" => ("application/zip", whole(&web, &req, &view, &title).await?),
        _ => return Err(Problem::not_found()),
    };
    let place = format!("attachment; filename=\"kepu-{}-{}-{name}\"", view.pack.wish.region, view.pack.wish.month);
    Ok(attached(kind, &place, bytes))
}

const TEXT: &str = "text/plain; charset=utf-8";

fn attached(kind: &'static str, place: &str, bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, place), (header::CACHE_CONTROL, "no-store")], bytes).into_response()
}

/// The sheets as PDF. The outer error is a fault, the inner one says what to install.
async fn pdf(web: &Web, req: &Req, view: &View, a3: bool) -> Result<Result<Vec<u8>, PaperError>, Problem> {
    let Some(printer) = web.settings.printer else { return Err(Problem::not_found()) };
    let sheets = texts::sheets(&req.shell, view, &origin(&req.shell), a3);
    tokio::task::spawn_blocking(move || (printer.sheets)(&sheets)).await.map_err(|error| Problem::internal(error.to_string()))
}

/// Everything in one file. Where a font is missing the texts are still there, with a note in place of the sheets.
async fn whole(web: &Web, req: &Req, view: &View, title: &str) -> Result<Vec<u8>, Problem> {
    let s = &req.shell;
    let origin = origin(s);
    let mut files = vec![
        ("readme.txt", texts::readme(s, view, title, &origin).into_bytes()),
        ("broadcast.txt", texts::script(s, view, title).into_bytes()),
        ("chat.txt", texts::chat(view, &origin).into_bytes()),
        ("chalk.txt", texts::chalk(view).into_bytes()),
        ("book.epub", book::make(s, view, title, &origin)?),
    ];
    if web.settings.printer.is_some() {
        for (name, a3) in [("a4.pdf", false), ("a3.pdf", true)] {
            match pdf(web, req, view, a3).await? {
                Ok(bytes) => files.push((name, bytes)),
                Err(PaperError::Glyphs { chars, install }) => {
                    let note = s.t2("problem-glyphs", "chars", chars, "install", install);
                    files.retain(|(name, _)| *name != "no-pdf.txt");
                    files.push(("no-pdf.txt", format!("{note}\n").into_bytes()));
                }
                Err(other) => return Err(other.into()),
            }
        }
    }
    book::zip(&files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect::<Vec<_>>())
}
