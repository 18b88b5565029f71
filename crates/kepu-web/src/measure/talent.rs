//! Talent data as a page and for programs: the same few tables for everybody, small cells written as hidden.

use crate::Web;
use crate::line::csv_cell;
use crate::page::{Answer, Req, Shell, page};
use askama::Template;
use axum::extract::State;
use axum::response::IntoResponse;
use kepu_app::measure::talent::{Overview, overview};
use kepu_domain::measure::talent::{AHEAD, BANDS, Cell, LEAST, LEAVING_AGE, Supply, Table};
use kepu_domain::org::Region;

/// A range wider than this share says only that ages are not known.
const KNOWS_LITTLE: f64 = 0.8;

/// A row of a table: label and cells as written.
struct Row {
    label: String,
    cells: Vec<String>,
}

#[derive(Template)]
#[template(path = "measure/talent.html")]
struct TalentPage {
    s: Shell,
    place: String,
    day: String,
    least: u32,
    years: i64,
    age: i64,
    fields: Vec<Row>,
    roles: Vec<Row>,
    ages: Vec<Row>,
    places: Vec<Row>,
    gaps: Vec<String>,
    /// Fields with too few people for a line.
    small: Vec<String>,
    csv: String,
    empty: bool,
}

pub(crate) fn cell(s: &Shell, cell: Cell) -> String {
    match cell {
        Cell::Count(n) => n.to_string(),
        Cell::Hidden => s.t("talent-hidden"),
    }
}

fn supply(s: &Shell, one: &Supply, label: &str, counties: usize) -> Row {
    let number = |n: Option<i64>| n.map_or_else(|| s.t("talent-hidden"), |n| n.to_string());
    let nobody = one.people == Cell::Count(0);
    let covered = if counties == 0 {
        "–".to_owned()
    } else if one.people == Cell::Hidden {
        s.t("talent-hidden")
    } else {
        s.t2("talent-of", "n", one.counties, "of", counties)
    };
    let ahead = one.ahead.map_or_else(String::new, |a| {
        if a.most - a.least > KNOWS_LITTLE {
            return s.t("talent-ages");
        }
        let share = s.t2("talent-stays", "least", format!("{:.0}", a.least * 100.0), "most", format!("{:.0}", a.most * 100.0));
        let word = match a.short {
            (true, _) => s.t("talent-short"),
            (false, true) => s.t("talent-perhaps"),
            _ => s.t("talent-enough"),
        };
        format!("{share}{word}")
    });
    let dash = || "–".to_owned();
    let cells = if nobody {
        vec![cell(s, one.people), dash(), dash(), dash(), dash()]
    } else {
        vec![cell(s, one.people), covered, number(one.capacity), number(one.load), if ahead.is_empty() { s.t("talent-too-few") } else { ahead }]
    };
    Row { label: label.to_owned(), cells }
}

fn rows(s: &Shell, table: &Table, name: impl Fn(&str) -> String) -> Vec<Row> {
    let label = |id: &String| if id.is_empty() { s.t("talent-not-said") } else { name(id) };
    let mut list: Vec<Row> =
        table.rows.iter().filter(|(_, c)| *c != Cell::Count(0)).map(|(id, c)| Row { label: label(id), cells: vec![cell(s, *c)] }).collect();
    list.push(Row { label: s.t("talent-total"), cells: vec![table.total.map_or_else(|| s.t("talent-hidden"), |n| n.to_string())] });
    list
}

fn band(s: &Shell, from: &str) -> String {
    let at = BANDS.iter().position(|first| first.to_string() == from).unwrap_or(0);
    match (at, BANDS.get(at + 1)) {
        (0, Some(next)) => s.t1("talent-under", "age", next),
        (_, Some(next)) => s.t2("talent-between", "from", from, "to", next - 1),
        (_, None) => s.t1("talent-over", "age", from),
    }
}

/// GET /talent
pub async fn show(State(web): State<Web>, req: Req) -> Answer {
    let o = overview(&web.app).await?;
    let s = req.titled(req.shell.t("talent-title"));
    if req.query.get("format") == "csv" {
        return Ok(crate::line::attachment("kepu-talent.csv", csv(&s, &o)).into_response());
    }
    let definitions = web.app.definitions();
    let role = |id: &str| definitions.registers.registers.get(id).map_or_else(|| id.to_owned(), |register| register.name(s.lang.code()).to_owned());
    // Fields with people first, the fewest counties on top: where somebody is missing is what the table is for.
    let open = |f: &&Supply| !matches!(f.people, Cell::Hidden | Cell::Count(0));
    let mut fields: Vec<&Supply> = o.talent.fields.iter().filter(open).collect();
    fields.sort_by_key(|f| (f.counties, f.id.clone()));
    let small = o.talent.fields.iter().filter(|f| f.people == Cell::Hidden).map(|f| s.field(&f.id).to_owned()).collect();
    let gaps = o.talent.fields.iter().filter(|f| f.people == Cell::Count(0)).map(|f| s.field(&f.id).to_owned()).collect();
    Ok(page(&TalentPage {
        place: s.place(&o.region),
        day: s.day_text(o.day),
        least: LEAST,
        years: AHEAD,
        age: LEAVING_AGE,
        fields: fields.into_iter().map(|one| supply(&s, one, s.field(&one.id), o.counties)).collect(),
        roles: o.talent.roles.iter().filter(|one| one.people != Cell::Count(0)).map(|one| supply(&s, one, &role(&one.id), o.counties)).collect(),
        ages: rows(&s, &o.talent.ages, |from| band(&s, from)),
        places: rows(&s, &o.talent.places, |code| Region::parse(code).map_or_else(|_| code.to_owned(), |region| s.place(&region))),
        gaps,
        small,
        csv: s.here_with("format", "csv"),
        empty: o.talent.places.total == Some(0),
        s,
    }))
}

/// Fields by place as a file: the one table that is too wide for a page.
fn csv(s: &Shell, o: &Overview) -> String {
    let heads = o.places.iter().map(|place| s.place(place)).chain([s.t("talent-not-said")]);
    let mut out = format!(
        "\u{feff}{},{},{}\r\n",
        csv_cell(&s.t("label-field")),
        csv_cell(&s.t("talent-people")),
        heads.map(|head| csv_cell(&head)).collect::<Vec<_>>().join(",")
    );
    for ((id, cells), supply) in o.talent.fields_by_place.iter().zip(&o.talent.fields) {
        let cells = std::iter::once(supply.people).chain(cells.iter().copied()).map(|c| csv_cell(&cell(s, c)));
        out.push_str(&format!("{},{}\r\n", csv_cell(s.field(id)), cells.collect::<Vec<_>>().join(",")));
    }
    out
}
