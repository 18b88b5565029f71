//! Scoring: choose a scheme, see every step of the sum, compare with another scheme or a changed rule, take it along.

use super::{hours, kind_word, period, points, unit};
use crate::Web;
use crate::audit::file;
use crate::line::{Choice, choices, csv_cell};
use crate::page::{Answer, Errors, Req, Shell, page_with};
use crate::problem::Problem;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use kepu_app::measure::contribution::Ledger;
use kepu_app::measure::scoring::{Asked, Scored, score};
use kepu_app::{AppError, FieldError};
use kepu_domain::ids::PartyId;
use kepu_domain::measure::scoring::{Per, ScoreStep};

/// A step of the sum in words.
struct Step {
    kind: String,
    /// Such as `4 场 × 2 = 8`.
    sum: String,
    cap: String,
    counted: String,
    /// Day, what, how much.
    lines: Vec<(String, String, String)>,
}

struct Sheet {
    name: String,
    source: String,
    changed: bool,
    steps: Vec<Step>,
    sum: String,
    cap: String,
    total: String,
}

fn sheet(s: &Shell, ledger: &Ledger, scored: &Scored, changed: bool) -> Sheet {
    let steps = scored.score.steps.iter().zip(&scored.scheme.rules).map(|(step, rule)| Step {
        kind: kind_word(s, &step.kind).to_owned(),
        sum: sum(s, step),
        cap: rule.cap.map(|cap| s.t1("score-cap", "n", points(cap))).unwrap_or_default(),
        counted: points(step.counted),
        lines: ledger
            .lines
            .iter()
            .filter(|line| step.lines.contains(&line.line.id.0))
            .map(|line| {
                let amount = if step.per == Per::Hour {
                    s.t1("hours-of", "n", hours(line.line.minutes))
                } else {
                    format!("{} {}", line.line.count, unit(s, &line.line.kind))
                };
                (line.line.day.to_string(), line.line.title.clone(), amount)
            })
            .collect(),
    });
    Sheet {
        name: s.pick(&scored.scheme.zh, &scored.scheme.en).to_owned(),
        source: scored.scheme.source.clone(),
        changed,
        steps: steps.collect(),
        sum: points(scored.score.sum),
        cap: scored.scheme.cap.map(|cap| s.t1("score-cap", "n", points(cap))).unwrap_or_default(),
        total: points(scored.score.total),
    }
}

fn sum(s: &Shell, step: &ScoreStep) -> String {
    let unit = if step.per == Per::Hour { s.t("hour") } else { unit(s, &step.kind).to_owned() };
    format!("{} {unit} × {} = {}", step.amount, points(step.points), points(step.product))
}

#[derive(Template)]
#[template(path = "measure/scoring.html")]
struct ScoringPage {
    s: Shell,
    errors: Errors,
    linked: bool,
    name: String,
    party: String,
    from: String,
    to: String,
    schemes: Vec<Choice>,
    beside: Vec<Choice>,
    rules: Vec<Choice>,
    points: String,
    cap: String,
    sheets: Vec<Sheet>,
    difference: String,
    csv: String,
    json: String,
}

/// Typed points as hundredths; `None` for what is no number.
fn hundredths(text: &str) -> Option<i64> {
    let value = text.trim().parse::<f64>().ok().filter(|value| (0.0..=1_000_000.0).contains(value))?;
    Some((value * 100.0).round() as i64)
}

/// GET /scoring
pub async fn show(State(web): State<Web>, req: Req) -> Answer {
    let (from, until) = period(&req.query, web.app.today());
    let definitions = web.app.definitions();
    let q = &req.query;
    let first = definitions.schemes.keys().next().cloned().unwrap_or_default();
    let scheme = q.opt("scheme").map_or(first, str::to_owned);
    let rule = q.opt("rule").and_then(|text| text.parse::<usize>().ok());
    let change = rule
        .map(|at| (at, hundredths(q.get("points")).unwrap_or(-1), if q.get("cap").is_empty() { None } else { Some(hundredths(q.get("cap")).unwrap_or(-1)) }));
    let asked = Asked { party: q.opt("party").map(PartyId::from), scheme: scheme.clone(), beside: q.opt("beside").map(str::to_owned), change, from, until };
    let (status, errors, found) = match score(&web.app, &req.actor, &asked).await {
        Ok(found) => (StatusCode::OK, vec![], found),
        Err(AppError::Invalid(errors)) => {
            let plain = Asked { change: None, ..asked };
            (StatusCode::UNPROCESSABLE_ENTITY, errors, score(&web.app, &req.actor, &plain).await?)
        }
        Err(error) => return Err(Problem::from(error)),
    };
    match (q.get("format"), &found) {
        ("csv", Some((_, scored))) => return Ok(file("text/csv; charset=utf-8", "kepu-scoring.csv", csv(&req.shell, scored))),
        ("json", Some((_, scored))) => {
            let list: Vec<_> = scored.iter().map(|one| serde_json::json!({"scheme": one.scheme, "score": one.score})).collect();
            return Ok(file("application/json", "kepu-scoring.json", serde_json::Value::from(list).to_string()));
        }
        _ => {}
    }
    Ok(page_with(status, &scoring_page(&req, &scheme, rule, (from.to_string(), until.to_string()), &errors, found.as_ref(), &definitions)))
}

fn scoring_page(
    req: &Req,
    scheme: &str,
    rule: Option<usize>,
    (from, to): (String, String),
    errors: &[FieldError],
    found: Option<&(Ledger, Vec<Scored>)>,
    definitions: &kepu_app::definitions::Definitions,
) -> ScoringPage {
    let s = req.titled(req.shell.t("scoring-title"));
    let q = &req.query;
    let named = || definitions.schemes.values().map(|scheme| (scheme.id.clone(), s.pick(&scheme.zh, &scheme.en).to_owned()));
    let rules = definitions.schemes.get(scheme).map(|scheme| scheme.rules.as_slice()).unwrap_or_default();
    let rules = rules.iter().enumerate().map(|(at, rule)| (at.to_string(), kind_word(&s, &rule.kind).to_owned()));
    let sheets: Vec<Sheet> = found.map_or_else(Vec::new, |(ledger, scored)| {
        let changed = |at: usize| at == 1 && rule.is_some() && errors.is_empty();
        scored.iter().enumerate().map(|(at, one)| sheet(&s, ledger, one, changed(at))).collect()
    });
    let difference = match found.map(|(_, scored)| scored.as_slice()) {
        Some([first, second, ..]) => {
            let by = second.score.total - first.score.total;
            s.t2("score-difference", "by", format!("{}{}", if by < 0 { "−" } else { "+" }, points(by.abs())), "total", points(second.score.total))
        }
        _ => String::new(),
    };
    ScoringPage {
        errors: s.errors(errors),
        linked: found.is_some(),
        name: found.filter(|(ledger, _)| !ledger.owner.own).map(|(ledger, _)| ledger.owner.party.name.clone()).unwrap_or_default(),
        party: q.get("party").to_owned(),
        from,
        to,
        schemes: named().map(|(value, text)| Choice { on: value == scheme, value, text }).collect(),
        beside: choices(s.t("score-none"), named(), q.get("beside")),
        rules: choices(s.t("score-none"), rules, q.get("rule")),
        points: q.get("points").to_owned(),
        cap: q.get("cap").to_owned(),
        sheets,
        difference,
        csv: s.here_with("format", "csv"),
        json: s.here_with("format", "json"),
        s,
    }
}

fn csv(s: &Shell, scored: &[Scored]) -> String {
    let mut out = String::from("\u{feff}scheme,version,kind,kind_name,per,amount,points,product,counted,lines\r\n");
    for one in scored {
        for step in &one.score.steps {
            let per = if step.per == Per::Hour { "hour" } else { "count" };
            let (scheme, kind, words) = (csv_cell(&one.score.scheme), csv_cell(&step.kind), csv_cell(kind_word(s, &step.kind)));
            let numbers = [step.points, step.product, step.counted].map(points).join(",");
            out.push_str(&format!("{scheme},{},{kind},{words},{per},{},{numbers},{}\r\n", one.score.version, step.amount, csv_cell(&step.lines.join(" "))));
        }
        out.push_str(&format!("{},{},,,,,,{},{},\r\n", csv_cell(&one.score.scheme), one.score.version, points(one.score.sum), points(one.score.total)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::hundredths;

    #[test]
    fn typed_points_are_hundredths_or_nothing() {
        assert_eq!(["2", "0.5", " 1.25 "].map(hundredths), [Some(200), Some(50), Some(125)]);
        assert_eq!(["", "-1", "viel", "NaN", "1e99"].map(hundredths), [None; 5]);
    }
}
