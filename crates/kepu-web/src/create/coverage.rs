//! Coverage of the library as a page for its editors and as a file: per field what there is, what is old, missing or unused.

use crate::Web;
use crate::line::{Choice, attachment, audience_choices, csv_cell, region_choices};
use crate::page::{Answer, Html, Req, Shell, page};
use crate::urls;
use askama::Template;
use axum::extract::State;
use axum::response::IntoResponse;
use kepu_app::create::coverage::{Asked, Coverage, coverage};
use kepu_domain::create::coverage::{OLD_YEARS, Row, UNUSED_DAYS, USED_MONTHS};
use kepu_domain::org::Region;

/// Audiences named in a cell before they are only counted.
const NAMED: usize = 4;

struct Line {
    field: String,
    href: String,
    row: Row,
    newest: Html,
    missing: String,
}

#[derive(Template)]
#[template(path = "create/coverage.html")]
struct CoveragePage {
    s: Shell,
    lines: Vec<Line>,
    /// Fields without anything.
    empty: Vec<(String, String)>,
    texts: usize,
    cut: bool,
    regions: Vec<Choice>,
    audiences: Vec<Choice>,
    csv: String,
    years: i32,
    days: i64,
    months: i32,
}

/// GET /coverage
pub async fn show(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("stock-title"));
    let asked = Asked { region: req.query.opt("region").and_then(|code| Region::parse(code).ok()), audience: req.query.opt("audience").map(str::to_owned) };
    let found = coverage(&web.app, &req.actor, &asked).await?;
    if req.query.get("format") == "csv" {
        return Ok(attachment("kepu-coverage.csv", csv(&s, &found)).into_response());
    }
    let begin = |field: &str| urls::with("/drafts/new", &[("kind", "resource"), ("title", s.field(field))]);
    let is_empty = |row: &Row| row.resources + row.claims == 0;
    let list = |field: &str| urls::with("/resources", &[("field", field), ("audience", req.query.get("audience"))]);
    let line = |(field, row): &(String, Row)| Line {
        field: s.field(field).to_owned(),
        href: list(field),
        newest: row.newest.map_or_else(Html::default, |day| s.date(&day)),
        missing: missing(&s, &row.missing),
        row: row.clone(),
    };
    Ok(page(&CoveragePage {
        lines: found.rows.iter().filter(|(_, row)| !is_empty(row)).map(line).collect(),
        empty: found.rows.iter().filter(|(_, row)| is_empty(row)).map(|(field, _)| (s.field(field).to_owned(), begin(field))).collect(),
        texts: found.texts,
        cut: found.cut,
        regions: region_choices(&s, web.settings.region, req.query.get("region")),
        audiences: audience_choices(&s, req.query.get("audience")),
        csv: s.here_with("format", "csv"),
        years: OLD_YEARS,
        days: UNUSED_DAYS,
        months: USED_MONTHS,
        s,
    }))
}

fn missing(s: &Shell, ids: &[String]) -> String {
    let named: Vec<&str> = ids.iter().take(NAMED).map(|id| s.audience(id)).collect();
    let named = named.join(&s.t("comma-list"));
    if ids.len() > NAMED { s.t2("stock-and-more", "named", named, "n", ids.len() - NAMED) } else { named }
}

fn csv(s: &Shell, found: &Coverage) -> String {
    let head = ["stock-field", "kind-resources", "kind-claims", "stock-old", "stock-unused", "stock-used", "stock-newest", "stock-missing"];
    let mut out = format!("\u{feff}{}\r\n", head.map(|key| csv_cell(&s.t(key))).join(","));
    for (field, row) in &found.rows {
        let cells = [
            s.field(field).to_owned(),
            row.resources.to_string(),
            row.claims.to_string(),
            row.old.to_string(),
            row.unused.to_string(),
            row.used.to_string(),
            row.newest.map(|day| day.to_string()).unwrap_or_default(),
            row.missing.iter().map(|id| s.audience(id)).collect::<Vec<_>>().join(";"),
        ];
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push_str("\r\n");
    }
    out
}
