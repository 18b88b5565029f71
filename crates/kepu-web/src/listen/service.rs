//! How well cases keep their clocks, for everybody: by kind, for a quarter and a place. What is counted is in `kepu-domain::listen::service`.

use crate::Web;
use crate::line::{Choice, attachment, csv_cell, region_choices};
use crate::listen::case::kind_name;
use crate::page::{Answer, Req, Shell, page};
use askama::Template;
use axum::extract::State;
use jiff::SignedDuration;
use kepu_app::listen::case;
use kepu_domain::listen::report::RULES;
use kepu_domain::listen::service::{Kept, Service};
use kepu_domain::org::Region;

/// Quarters that can be chosen, the present one first.
const QUARTERS: i16 = 8;

struct Row {
    kind: String,
    opened: usize,
    over: usize,
    first: Cells,
    answer: Cells,
}

struct Cells {
    share: String,
    median: String,
    p90: String,
}

#[derive(Template)]
#[template(path = "listen/service.html")]
struct ServicePage {
    s: Shell,
    quarters: Vec<Choice>,
    regions: Vec<Choice>,
    rows: Vec<Row>,
    /// What was decided about reports, and how often.
    outcomes: Vec<(String, i64)>,
    csv: String,
}

/// A quarter as `2026-4`.
fn quarter(text: &str, today: jiff::civil::Date) -> (i16, i8) {
    let present = (today.year(), (today.month() - 1) / 3 + 1);
    let read = || {
        let (year, quarter) = text.split_once('-')?;
        let quarter: i8 = quarter.parse().ok().filter(|quarter| (1..=4).contains(quarter))?;
        Some((year.parse().ok().filter(|year| (2000..3000).contains(year))?, quarter))
    };
    read().unwrap_or(present)
}

fn before((year, quarter): (i16, i8)) -> (i16, i8) {
    if quarter == 1 { (year - 1, 4) } else { (year, quarter - 1) }
}

fn cells(s: &Shell, kept: &Kept) -> Cells {
    let time = |length: Option<SignedDuration>| length.map_or_else(|| s.t("service-none"), |length| s.span(&length));
    Cells {
        share: kept.percent().map_or_else(|| s.t("service-none"), |share| s.t3("service-share", "share", share, "in", kept.in_time, "of", kept.due)),
        median: time(kept.median),
        p90: time(kept.p90),
    }
}

/// GET /cases/figures
pub async fn show(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("service-title"));
    let today = web.app.today();
    let chosen = quarter(req.query.get("quarter"), today);
    let region = req.query.opt("region").and_then(|code| Region::parse(code).ok());
    let (list, outcomes) = case::service(&web.app, chosen, region).await?;
    if req.query.get("format") == "csv" {
        return Ok(attachment("kepu-service.csv", csv(&list)));
    }
    let mut quarters = Vec::new();
    let mut at = quarter("", today);
    for _ in 0..QUARTERS {
        let text = s.t2("service-quarter", "year", at.0.to_string(), "n", at.1);
        quarters.push(Choice { value: format!("{}-{}", at.0, at.1), text, on: at == chosen });
        at = before(at);
    }
    let row = |one: &Service| Row {
        kind: kind_name(&s, &one.kind),
        opened: one.opened,
        over: one.over,
        first: cells(&s, &one.first),
        answer: cells(&s, &one.answer),
    };
    let outcome = |(id, n): (String, i64)| (RULES.outcome(&id).map_or_else(|| id.clone(), |o| s.pick(&o.zh, &o.en).to_owned()), n);
    Ok(page(&ServicePage {
        quarters,
        regions: region_choices(&s, web.settings.region, req.query.get("region")),
        rows: list.iter().map(row).collect(),
        outcomes: outcomes.into_iter().map(outcome).collect(),
        csv: s.here_with("format", "csv"),
        s,
    }))
}

fn csv(list: &[Service]) -> String {
    let mut out =
        "\u{feff}kind,opened,over,first_in_time,first_due,first_median_s,first_p90_s,answer_in_time,answer_due,answer_median_s,answer_p90_s\r\n".to_owned();
    let seconds = |length: Option<SignedDuration>| length.map(|length| length.as_secs().to_string()).unwrap_or_default();
    for one in list {
        let kept = |kept: &Kept| [kept.in_time.to_string(), kept.due.to_string(), seconds(kept.median), seconds(kept.p90)];
        let cells = [vec![one.kind.clone(), one.opened.to_string(), one.over.to_string()], kept(&one.first).to_vec(), kept(&one.answer).to_vec()].concat();
        out.push_str(&cells.iter().map(|cell| csv_cell(cell)).collect::<Vec<_>>().join(","));
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_that_is_none_is_the_present_one() {
        let today = jiff::civil::date(2026, 11, 26);
        for (text, wanted) in [("2025-1", (2025, 1)), ("2025-5", (2026, 4)), ("x", (2026, 4)), ("", (2026, 4)), ("99999-1", (2026, 4))] {
            assert_eq!(quarter(text, today), wanted, "{text}");
        }
        assert_eq!((before((2026, 1)), before((2026, 4))), ((2025, 4), (2026, 3)));
    }
}
