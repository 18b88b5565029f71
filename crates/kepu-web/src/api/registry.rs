//! The API of registers and cards: what everybody may see of the registry.

use super::{json, limit_of, read_cursor, write_cursor};
use crate::Web;
use crate::create::register::{open, search_of};
use crate::page::{Answer, Req};
use crate::problem::{Kind, Problem};
use crate::urls;
use axum::extract::{Path, State};
use kepu_app::AppError;
use kepu_app::create::find::{self, Found, Scope, Search};
use kepu_domain::create::register::Register;
use kepu_domain::field::FieldDef;
use kepu_domain::ids::SubjectId;
use kepu_domain::record::Body;
use kepu_store::subject::Standing;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A register.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisterItem {
    /// Id.
    id: String,
    /// Chinese name.
    zh: String,
    /// English name.
    en: String,
    /// Kinds of parties in it: `person`, `team`, `organisation`, `venue`, `facility`, `service_point`.
    kinds: Vec<&'static str>,
    /// Fields that its list can be narrowed by.
    filters: Vec<String>,
    /// Fields that cards may show: id, names, type.
    #[schema(value_type = Vec<Object>)]
    fields: Vec<Value>,
    /// Months after which an entry that nobody confirms is hidden.
    confirm_months: i64,
    /// Its page.
    url: String,
}

fn register_item(req: &Req, register: &Register, fields: &[&FieldDef]) -> RegisterItem {
    use kepu_domain::field::Exposure;
    let open = fields.iter().filter(|field| field.public != Exposure::Never);
    RegisterItem {
        id: register.id.clone(),
        zh: register.zh.clone(),
        en: register.en.clone(),
        kinds: register.kinds.iter().map(|kind| kind.as_str()).collect(),
        filters: register.filters.clone(),
        fields: open.map(|field| serde_json::to_value(field).unwrap_or_default()).collect(),
        confirm_months: register.confirm_months,
        url: format!("{}{}", req.shell.origin, urls::register(&register.id)),
    }
}

/// The public registers with the definitions of their fields.
#[utoipa::path(get, path = "/api/registers", tag = "registry", responses((status = 200, body = Vec<RegisterItem>)))]
pub async fn registers(State(web): State<Web>, req: Req) -> Answer {
    let definitions = web.app.definitions();
    let public = definitions.registers.registers.values().filter(|register| register.public);
    let list: Vec<RegisterItem> =
        public.map(|register| register_item(&req, register, &kepu_app::create::export::fields_of(register, &definitions.registers))).collect();
    json(&list)
}

/// A card in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardItem {
    /// Stable id, `kepu:` + owner + `/` + local part.
    id: String,
    /// `person`, `team`, `organisation`, `venue`, `facility` or `service_point`.
    kind: &'static str,
    /// Name.
    name: String,
    /// English name, perhaps empty.
    name_en: String,
    /// Institution.
    organisation: String,
    /// Place, six digits (GB/T 2260).
    region: String,
    /// Public values by field.
    #[schema(value_type = Object)]
    values: BTreeMap<String, Value>,
    /// Kilometres from the place given as `near`.
    #[serde(skip_serializing_if = "Option::is_none")]
    distance_km: Option<f64>,
    /// Day on which its owner last said that it is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed: Option<String>,
    /// Invented for demonstration.
    sample: bool,
    /// Its page.
    url: String,
}

fn card_item(req: &Req, found: Found) -> CardItem {
    CardItem {
        kind: found.kind.as_str(),
        name: found.name,
        name_en: found.name_en,
        organisation: found.org,
        region: found.region.to_string(),
        values: found.values,
        distance_km: found.distance_km.map(|km| (km * 10.0).round() / 10.0),
        confirmed: found.confirmed.map(|day| day.to_string()),
        sample: found.sample,
        url: format!("{}{}", req.shell.origin, urls::party(&SubjectId(found.id.clone()))),
        id: found.id,
    }
}

/// Cards of a register.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cards {
    /// The cards: the most competent, the nearest, then by name.
    items: Vec<CardItem>,
    /// How many there are on all pages.
    total: usize,
    /// Cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// Address of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The cards of a register. Besides the parameters below every field among its `filters` can be given, several times for "one of these".
#[utoipa::path(get, path = "/api/registers/{id}", tag = "registry", params(
    ("id" = String, Path, description = "Register"),
    ("q" = Option<String>, Query, description = "Words of name, title, address or introduction"),
    ("region" = Option<String>, Query, description = "Inside this place, six digits"),
    ("near" = Option<String>, Query, description = "Name of a place; sorts by distance"),
    ("km" = Option<i64>, Query, description = "With near: not farther than so many kilometres"),
    ("free" = Option<String>, Query, description = "1: only who takes tasks at present"),
    ("limit" = Option<usize>, Query, description = "Rows of a page, at most 200"),
    ("cursor" = Option<String>, Query, description = "From the page before"),
), responses((status = 200, body = Cards), (status = 400, description = "problem details"), (status = 404, description = "problem details")))]
pub async fn register(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let (definitions, register) = open(&web, &req, &id)?;
    if !register.public {
        return Err(AppError::NotFound { what: "register", id: register.id }.into());
    }
    let limit = limit_of(&req);
    let skip = read_cursor(req.query.get("cursor"))?.map_or(0, |(n, _)| usize::try_from(n).unwrap_or_default().min(100_000));
    let search = Search { skip, limit, ..search_of(&req, &register, &definitions.registers) };
    let (found, total) = find::find(&web.app, &req.actor, Scope::Cards, &search).await?;
    let cursor = (skip + limit < total).then(|| write_cursor((skip + limit) as i64, "-"));
    let next = cursor.as_ref().map(|cursor| format!("{}{}", req.shell.origin, req.shell.here_with("cursor", cursor)));
    json(&Cards { items: found.into_iter().map(|one| card_item(&req, one)).collect(), total, cursor, next })
}

/// One card with its signed record.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeCard {
    /// As in lists.
    item: CardItem,
    /// Registers in which it stands.
    registers: Vec<String>,
    /// The signed document with its proof: schema.org JSON-LD.
    #[schema(value_type = Object)]
    record: Value,
}

/// One card; 410 if it was withdrawn, 404 if nobody confirmed it in time.
#[utoipa::path(get, path = "/api/parties/{owner}/{local}", tag = "registry", params(
    ("owner" = String, Path, description = "First part of the id"), ("local" = String, Path, description = "Second part of the id")),
    responses((status = 200, body = WholeCard), (status = 404, description = "problem details"), (status = 410, description = "problem details")))]
pub async fn party(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    let id = crate::subject::id_of(&owner, &local)?;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let missing = || Problem::from(AppError::NotFound { what: "party", id: id.0.clone() });
    let (row, record) = kepu_app::create::publish::current(&web.app, &mut tx, &id).await?.ok_or_else(missing)?;
    if row.standing == Standing::Withdrawn {
        return Err(Problem::new(Kind::Gone).why("problem-gone-reason", &[("reason", row.reason), ("by", row.withdrawn_by)]));
    }
    let record = record.filter(|_| row.standing == Standing::Public).ok_or_else(missing)?;
    let Ok(Body::Party(card)) = &record.body else { return Err(missing()) };
    if card.expires < web.app.today() {
        return Err(missing());
    }
    let registers = card.registers.clone();
    let found = find::from_card(id.0.clone(), (**card).clone(), row.region);
    json(&WholeCard { item: card_item(&req, found), registers, record: record.with_proof() })
}

/// A number of people, or that it is hidden.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Number {
    /// Field, register, place or age from which the band begins; empty: not said.
    id: String,
    /// People; none if the cell is hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<u32>,
    /// Counties with at least one of them; fields and registers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    counties: Option<usize>,
    /// Tasks a month that they take at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<i64>,
    /// Tasks of the last 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    load: Option<i64>,
    /// Share of the capacity that stays in five years without newcomers, at least and at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    stays: Option<(f64, f64)>,
}

/// Talent data of this node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TalentItem {
    /// The place that the node serves, six digits.
    region: String,
    /// The day counted.
    day: String,
    /// Cells that stand for fewer people are hidden, with others where a sum would give them away.
    least: u32,
    /// Counties of the place.
    counties: usize,
    /// People in all; none if that would give a cell away.
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<u32>,
    /// By field of proved competence.
    fields: Vec<Number>,
    /// By register.
    roles: Vec<Number>,
    /// By age band.
    ages: Vec<Number>,
    /// By place.
    places: Vec<Number>,
}

/// Who works in science communication here: aggregates with small-cell protection.
#[utoipa::path(get, path = "/api/talent", tag = "registry", responses((status = 200, body = TalentItem)))]
pub async fn talent(State(web): State<Web>) -> Answer {
    use kepu_domain::measure::talent::{Cell, LEAST, Supply, Table};
    let o = kepu_app::measure::talent::overview(&web.app).await?;
    let shown = |cell: Cell| if let Cell::Count(n) = cell { Some(n) } else { None };
    let supply = |one: &Supply| Number {
        id: one.id.clone(),
        people: shown(one.people),
        counties: shown(one.people).map(|_| one.counties),
        capacity: one.capacity,
        load: one.load,
        stays: one.ahead.map(|a| (a.least, a.most)),
    };
    let plain = |table: &Table| {
        let row = |(id, cell): &(String, Cell)| Number { id: id.clone(), people: shown(*cell), counties: None, capacity: None, load: None, stays: None };
        table.rows.iter().map(row).collect::<Vec<_>>()
    };
    json(&TalentItem {
        region: o.region.to_string(),
        day: o.day.to_string(),
        least: LEAST,
        counties: o.counties,
        people: o.talent.places.total,
        fields: o.talent.fields.iter().map(supply).collect(),
        roles: o.talent.roles.iter().map(supply).collect(),
        ages: plain(&o.talent.ages),
        places: plain(&o.talent.places),
    })
}
