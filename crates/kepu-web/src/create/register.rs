//! Registers in public: all of them, and one with its cards, filters, map and export. Everything shown comes from its definition
//! file and from signed cards; a register that is not public shows this node's own entries to those who work here.

use super::field;
use crate::Web;
use crate::line::{Choice, choices, csv_cell, region_choices};
use crate::page::{Answer, Html, Pager, Req, Shell, escape, page};
use crate::problem::Problem;
use crate::{place, urls};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use kepu_app::AppError;
use kepu_app::create::find::{self, Found, Scope, Search};
use kepu_app::definitions::Definitions;
use kepu_domain::access::Action;
use kepu_domain::create::register::{Register, Registers};
use kepu_domain::field::{FieldDef, FieldType, point};
use kepu_domain::ids::SubjectId;
use kepu_domain::org::Region;
use std::fmt::Write;
use std::sync::Arc;

/// Rows on a page.
const SIZE: usize = 20;
/// Rows of an export.
const EXPORT_MAX: usize = 10_000;
/// Points on a map.
const POINTS: usize = 500;

/// A register among others.
struct Item {
    href: String,
    name: String,
    lead: String,
    kinds: String,
    count: usize,
    mine: bool,
}

#[derive(Template)]
#[template(path = "create/register/list.html")]
struct ListPage {
    s: Shell,
    list: Vec<Item>,
    keeps: bool,
}

/// GET /registers
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let definitions = web.app.definitions();
    let s = req.titled(req.shell.t("registers-title"));
    let works = works(&req);
    let mut list = Vec::new();
    for register in definitions.registers.registers.values().filter(|register| register.public || works) {
        let search = Search { register: register.id.clone(), limit: 0, ..Search::default() };
        let (_, count) = find::find(&web.app, &req.actor, scope(register), &search).await?;
        list.push(Item {
            href: urls::register(&register.id),
            name: register.name(s.lang.code()).to_owned(),
            lead: s.pick(&register.lead_zh, &register.lead_en).to_owned(),
            kinds: kind_words(&s, register, &definitions.registers),
            count,
            mine: !register.public,
        });
    }
    // What holds most first; the order of ids says nothing to a reader.
    list.sort_by_key(|item| (item.mine, std::cmp::Reverse(item.count), item.name.clone()));
    Ok(page(&ListPage { list, keeps: req.actor.may(Action::ManageMembers, None).is_ok(), s }))
}

/// Whether somebody may see registers that are not public.
fn works(req: &Req) -> bool {
    [Action::Draft, Action::ManageMembers].iter().any(|action| req.actor.may(*action, None).is_ok())
}

fn scope(register: &Register) -> Scope {
    if register.public { Scope::Cards } else { Scope::Entries }
}

/// The kinds in a register, in words.
pub(crate) fn kind_words(s: &Shell, register: &Register, registers: &Registers) -> String {
    s.list(register.kinds.iter().filter_map(|kind| registers.kinds.get(kind)).map(|kind| s.pick(&kind.zh, &kind.en)))
}

/// A register that `req` may see, with the definitions in force.
pub(crate) fn open(web: &Web, req: &Req, id: &str) -> Result<(Arc<Definitions>, Register), Problem> {
    let definitions = web.app.definitions();
    let register = definitions.registers.registers.get(id).filter(|register| register.public || works(req)).cloned();
    let register = register.ok_or_else(|| AppError::NotFound { what: "register", id: id.chars().take(40).collect() })?;
    Ok((definitions, register))
}

/// What the sentence above a register asks for.
pub(crate) fn search_of(req: &Req, register: &Register, registers: &Registers) -> Search {
    let query = &req.query;
    let region = |name: &str| query.opt(name).and_then(|code| Region::parse(code).ok());
    let wanted = |field: &&FieldDef| matches!(field.kind, FieldType::Choice { .. } | FieldType::Choices { .. } | FieldType::Yes);
    let filters = filters(register, registers).into_iter().filter(wanted);
    let values = |field: &FieldDef| query.all(&field.id).into_iter().map(|value| value.chars().take(60).collect::<String>()).collect::<Vec<_>>();
    // The field chosen ranks by proved competence where there is any, and narrows down everywhere.
    let filters: Vec<(String, Vec<String>)> = filters.map(|field| (field.id.clone(), values(field))).filter(|(_, values)| !values.is_empty()).collect();
    let near = query.opt("near").and_then(|name| place::read("", name).ok()).and_then(kepu_app::org::seat);
    Search {
        register: register.id.clone(),
        fields: filters.iter().filter(|(id, _)| id == "fields").flat_map(|(_, values)| values.clone()).collect(),
        filters,
        region: region("region").filter(|region| *region != Region::NATION),
        text: kepu_text::clean_line(query.get("q")).chars().take(80).collect(),
        near: near.map(|point| (point, query.int("km").filter(|km| (1..=5_000).contains(km)).map(|km| km as f64))),
        free: query.opt("free").is_some(),
        ..Search::default()
    }
}

fn filters<'a>(register: &'a Register, registers: &'a Registers) -> Vec<&'a FieldDef> {
    register.filters.iter().filter_map(|id| registers.find_field(register, id)).collect()
}

/// One `<select>` of the sentence.
struct Filter {
    id: String,
    label: String,
    options: Vec<Choice>,
}

fn filter_of(s: &Shell, req: &Req, field: &FieldDef, own: Region) -> Option<Filter> {
    let present = req.query.get(&field.id);
    let any = s.t1("registry-any", "field", field.label(s.lang.code()));
    let options = match &field.kind {
        FieldType::Region => region_choices(s, own, present),
        FieldType::Choice { options } | FieldType::Choices { options } => {
            choices(any, options.list().into_iter().map(|(id, zh, en)| (id.to_owned(), s.pick(zh, en).to_owned())), present)
        }
        FieldType::Yes => choices(any, [("true".to_owned(), s.t("registry-yes")), ("false".to_owned(), s.t("registry-no"))].into_iter(), present),
        _ => return None,
    };
    Some(Filter { id: field.id.clone(), label: field.label(s.lang.code()).to_owned(), options })
}

/// One party in a list.
pub(crate) struct Row {
    pub(crate) href: String,
    pub(crate) name: String,
    pub(crate) summary: String,
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) distance: String,
    pub(crate) confirmed: Html,
    pub(crate) sample: bool,
}

/// The columns of a register that the row itself does not show already.
fn columns<'a>(register: &'a Register, registers: &'a Registers) -> Vec<&'a FieldDef> {
    let told = ["name", "title", "org", "confirmed"];
    register.columns.iter().filter(|id| !told.contains(&id.as_str())).filter_map(|id| registers.find_field(register, id)).collect()
}

fn href_of(scope: Scope, found: &Found) -> String {
    match scope {
        Scope::Cards => urls::party(&SubjectId(found.id.clone())),
        Scope::Entries => urls::entry(&found.id),
    }
}

pub(crate) fn row(s: &Shell, scope: Scope, columns: &[&FieldDef], found: &Found) -> Row {
    let title = found.values.get("title").and_then(|value| value.as_str()).unwrap_or_default();
    let value = |field: &&FieldDef| {
        let text = match &field.kind {
            FieldType::Region if found.region == Region::NATION => String::new(),
            FieldType::Region => s.place_line(&found.region),
            // A list says how many there are; the card shows them.
            FieldType::Items { .. } => {
                found.values.get(&field.id).and_then(|v| v.as_array()).map_or_else(String::new, |list| s.t1("registry-n-items", "n", list.len()))
            }
            _ => field::show(s, field, found.values.get(&field.id).unwrap_or(&serde_json::Value::Null)),
        };
        (field.label(s.lang.code()).to_owned(), kepu_text::truncate(&text, 60).to_owned())
    };
    Row {
        href: href_of(scope, found),
        name: s.pick(&found.name, &found.name_en).to_owned(),
        summary: [title, found.org.as_str()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · "),
        facts: columns.iter().map(value).filter(|(_, text)| !text.is_empty()).collect(),
        distance: found.distance_km.map_or_else(String::new, |km| s.t1("registry-km", "km", format!("{km:.0}"))),
        confirmed: found.confirmed.map_or_else(Html::default, |day| s.date(&day)),
        sample: found.sample,
    }
}

#[derive(Template)]
#[template(path = "create/register/show.html")]
struct ShowPage {
    s: Shell,
    id: String,
    lead: String,
    public: bool,
    filters: Vec<Filter>,
    q: String,
    near: String,
    near_unknown: bool,
    can_be_asked: bool,
    free: bool,
    rows: Vec<Row>,
    total: usize,
    first: usize,
    last: usize,
    pager: Pager,
    csv: String,
    json: String,
    map: Html,
    places: Vec<(String, String, usize)>,
    narrowed: bool,
    keeps: bool,
}

/// GET /register/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let (definitions, register) = open(&web, &req, &id)?;
    let registers = &definitions.registers;
    let scope = scope(&register);
    let search = search_of(&req, &register, registers);
    if req.query.get("format") == "csv" {
        return csv(&web, &req, scope, &register, registers, &search).await;
    }
    let s = req.titled(register.name(req.shell.lang.code())).script("htmx.min.js");
    let at = req.page_number();
    let skip = (at - 1) * SIZE;
    let (found, total) = find::find(&web.app, &req.actor, scope, &Search { skip, limit: SIZE, ..search.clone() }).await?;
    let columns = columns(&register, registers);
    let near = kepu_text::clean_line(req.query.get("near"));
    let (map, places) = if register.map { map(&web, &req, scope, &search).await? } else { (Html::default(), vec![]) };
    Ok(page(&ShowPage {
        lead: s.pick(&register.lead_zh, &register.lead_en).to_owned(),
        public: register.public,
        filters: filters(&register, registers)
            .into_iter()
            .filter(|f| f.id != "available")
            .filter_map(|f| filter_of(&s, &req, f, web.settings.region))
            .collect(),
        q: req.query.get("q").to_owned(),
        near_unknown: !near.is_empty() && search.near.is_none(),
        near,
        can_be_asked: register.filters.iter().any(|id| id == "available"),
        free: search.free,
        rows: found.iter().map(|found| row(&s, scope, &columns, found)).collect(),
        first: skip + 1,
        last: skip + found.len(),
        total,
        pager: Pager::new(&s, at, SIZE, total),
        csv: s.here_with("format", "csv"),
        json: format!("/api{}", s.here_with("page", "").replacen("/register/", "/registers/", 1)),
        map,
        places,
        narrowed: !(search.filters.is_empty() && search.text.is_empty() && search.region.is_none() && !search.free && search.near.is_none()),
        keeps: req.actor.may(Action::ManageMembers, None).is_ok(),
        id,
        s,
    }))
}

/// The same rows as a file for a spreadsheet: what the cards say, nothing else.
async fn csv(web: &Web, req: &Req, scope: Scope, register: &Register, registers: &Registers, search: &Search) -> Result<Response, Problem> {
    let s = &req.shell;
    let fields: Vec<&FieldDef> =
        register.columns.iter().filter(|id| *id != "name" && *id != "org").filter_map(|id| registers.find_field(register, id)).collect();
    let heads = ["id".to_owned(), s.t("registry-name"), s.t("label-org")].into_iter().chain(fields.iter().map(|f| f.label(s.lang.code()).to_owned()));
    let mut out = format!("\u{feff}{},{}\r\n", heads.map(|head| csv_cell(&head)).collect::<Vec<_>>().join(","), csv_cell(&s.t("registry-address")));
    let mut skip = 0;
    while skip < EXPORT_MAX {
        let (found, _) = find::find(&web.app, &req.actor, scope, &Search { skip, limit: 1_000, ..search.clone() }).await?;
        for one in &found {
            let value = |field: &&FieldDef| match field.kind {
                FieldType::Region => s.place_line(&one.region),
                _ => field::show(s, field, one.values.get(&field.id).unwrap_or(&serde_json::Value::Null)),
            };
            let cells = [one.id.clone(), one.name.clone(), one.org.clone()].into_iter().chain(fields.iter().map(value));
            let address = format!("{}{}", s.origin, href_of(scope, one));
            let _ = write!(out, "{},{}\r\n", cells.map(|cell| csv_cell(&cell)).collect::<Vec<_>>().join(","), csv_cell(&address));
        }
        if found.len() < 1_000 {
            break;
        }
        skip += 1_000;
    }
    Ok(crate::line::attachment(&format!("kepu-{}.csv", register.id), out).into_response())
}

/// A sketch of where the found places are, and how many each province has; both from the same search.
async fn map(web: &Web, req: &Req, scope: Scope, search: &Search) -> Result<(Html, Vec<(String, String, usize)>), AppError> {
    let s = &req.shell;
    let (found, _) = find::find(&web.app, &req.actor, scope, &Search { limit: POINTS, ..search.clone() }).await?;
    let mut dots = String::new();
    for one in &found {
        let Some((lng, lat)) = one.values.get("point").and_then(point).or_else(|| kepu_app::org::seat(one.region)) else { continue };
        // An even projection of 73–135° E and 18–54° N; at 36° a degree of latitude is 1.24 of longitude.
        let (x, y) = ((lng - 73.0) * 10.0, (54.0 - lat) * 12.4);
        if !(0.0..=620.0).contains(&x) || !(0.0..=446.0).contains(&y) {
            continue;
        }
        let name = escape(s.pick(&one.name, &one.name_en));
        let _ =
            write!(dots, "<a href=\"{}\"><circle class=\"spot\" cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"6\"><title>{name}</title></circle></a>", href_of(scope, one));
    }
    let below = crate::words::divisions_below(search.region.unwrap_or(Region::NATION));
    let codes: Vec<String> = below.iter().map(|org| org.region.to_string()).collect();
    let counts = find::facet(&web.app, scope, search, "region", &codes).await?;
    let mut places: Vec<(String, String, usize)> =
        below.iter().zip(counts).filter(|(_, n)| *n > 0).map(|(org, n)| (s.here_with("region", &org.region.to_string()), org.name.clone(), n)).collect();
    places.sort_by_key(|(_, name, n)| (std::cmp::Reverse(*n), name.clone()));
    if dots.is_empty() {
        return Ok((Html::default(), places));
    }
    // Two meridians and two parallels, so that a dot can be told from an empty sheet without a border that would be disputed.
    let grid: String = [(80, "80°E"), (100, "100°E"), (120, "120°E")]
        .iter()
        .map(|(lng, word)| {
            let x = (lng - 73) * 10;
            format!("<path class=\"grid\" d=\"M{x} 0V446\"/><text x=\"{}\" y=\"440\">{word}</text>", x + 4)
        })
        .chain([(25, "25°N"), (40, "40°N")].iter().map(|(lat, word)| {
            let y = f64::from(54 - lat) * 12.4;
            format!("<path class=\"grid\" d=\"M0 {y:.0}H620\"/><text x=\"4\" y=\"{:.0}\">{word}</text>", y - 4.0)
        }))
        .collect();
    let label = escape(&s.t("registry-map"));
    Ok((Html(format!("<svg class=\"chart spots\" viewBox=\"0 0 620 446\" role=\"group\" aria-label=\"{label}\">{grid}{dots}</svg>")), places))
}
