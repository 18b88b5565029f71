//! Who got what in a month: places, classes of the tilt rule, provinces, each by head where the number of people is known.

use super::month_text;
use crate::line::{Choice, attachment, csv_cell};
use crate::page::{Answer, Req, Shell, page};
use crate::{Web, urls};
use askama::Template;
use axum::extract::State;
use kepu_app::deliver::pack::{self as app, Got, Sum, Table};
use kepu_domain::deliver::pack::{ITEMS_MAX, Month, TiltClass};
use kepu_domain::measure::talent::{Cell, LEAST};

/// Months to choose from, back from this one.
const MONTHS: i32 = 24;

/// A class of the rule as the page tells it.
struct Class {
    name: String,
    extra: usize,
    source: String,
    lacks: String,
}

#[derive(Template)]
#[template(path = "deliver/pack_table.html")]
struct TablePage {
    s: Shell,
    months: Vec<Choice>,
    month: String,
    rule: String,
    classes: Vec<Class>,
    /// Name, places, packs, resources, people, for 100,000 people.
    by_class: Vec<[String; 6]>,
    by_province: Vec<[String; 6]>,
    /// Place, classes, quota, packs, resources, receipts, people.
    rows: Vec<[String; 7]>,
    receipts: String,
    least: u32,
    people_source: String,
    csv: String,
    most: usize,
}

/// GET /packs/table?month=
pub async fn show(State(web): State<Web>, req: Req) -> Answer {
    let now = Month::of(web.app.today());
    let month = Month::parse(req.query.get("month")).unwrap_or(now);
    let table = app::table(&web.app, month).await?;
    let s = req.titled(req.shell.t1("pack-table-title", "month", month_text(&req.shell, month)));
    if req.query.get("format") == "csv" {
        return Ok(attachment(&format!("kepu-packs-{month}.csv"), csv(&s, &table)));
    }
    let choices = (0..MONTHS).map(|n| now.plus(1 - n)).map(|m| Choice { value: m.to_string(), text: month_text(&s, m), on: m == month });
    let tilt = &table.rules.tilt;
    Ok(page(&TablePage {
        months: choices.collect(),
        month: month_text(&s, month),
        rule: s.pick(&tilt.zh, &tilt.en).to_owned(),
        classes: tilt.classes.iter().map(|class| class_of(&s, class)).collect(),
        by_class: table.classes.iter().map(|(id, sum)| sum_row(&s, class_name(&s, &table, id), sum)).collect(),
        by_province: table.provinces.iter().map(|(region, sum)| sum_row(&s, s.place(region), sum)).collect(),
        rows: table.rows.iter().map(|got| row(&s, &table, got)).collect(),
        receipts: table.receipts.map_or_else(|| s.t("talent-hidden"), |n| n.to_string()),
        least: LEAST,
        people_source: format!("{} · {}", table.rules.population.source, table.rules.population.year),
        csv: urls::with("/packs/table", &[("month", &month.to_string()), ("format", "csv")]),
        most: tilt.most.min(ITEMS_MAX),
        s,
    }))
}

fn class_of(s: &Shell, class: &TiltClass) -> Class {
    Class { name: s.pick(&class.zh, &class.en).to_owned(), extra: class.extra, source: class.source.clone(), lacks: class.lacks.clone() }
}

fn class_name(s: &Shell, table: &Table, id: &str) -> String {
    let known = table.rules.tilt.classes.iter().find(|class| class.id == id);
    known.map_or_else(|| s.t("pack-no-class"), |class| s.pick(&class.zh, &class.en).to_owned())
}

fn sum_row(s: &Shell, name: String, sum: &Sum) -> [String; 6] {
    let people = if sum.people > 0 { sum.people.to_string() } else { s.t("pack-unknown") };
    let each = sum.per_100k().map_or_else(|| s.t("pack-unknown"), |n| if n < 0.1 { format!("{n:.4}") } else { format!("{n:.2}") });
    [name, sum.places.to_string(), sum.packs.to_string(), sum.items.to_string(), people, each]
}

fn cell(s: &Shell, cell: Cell) -> String {
    match cell {
        Cell::Count(n) => n.to_string(),
        Cell::Hidden => s.t("talent-hidden"),
    }
}

fn row(s: &Shell, table: &Table, got: &Got) -> [String; 7] {
    let classes = got.classes.iter().map(|id| class_name(s, table, id)).collect::<Vec<_>>().join(&s.t("enum-comma"));
    [
        s.place_line(&got.region),
        if classes.is_empty() { s.t("pack-no-class") } else { classes },
        got.quota.to_string(),
        got.packs.to_string(),
        got.items.to_string(),
        cell(s, got.receipts),
        got.people.map_or_else(|| s.t("pack-unknown"), |n| n.to_string()),
    ]
}

fn csv(s: &Shell, table: &Table) -> String {
    let mut out = "\u{feff}region,place,classes,quota,packs,resources,posted,people\r\n".to_owned();
    for got in &table.rows {
        let [place, _, quota, packs, items, receipts, _] = row(s, table, got);
        let people = got.people.map_or_else(String::new, |n| n.to_string());
        let cells = [got.region.to_string(), place, got.classes.join(";"), quota, packs, items, receipts, people];
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push_str("\r\n");
    }
    out
}
