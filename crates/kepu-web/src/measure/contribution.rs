//! The ledger: one's own lines, stating one, the list of what a host has to confirm, and public figures without persons.

use super::{hours, kind_word, period, unit};
use crate::audit::file;
use crate::form::Form;
use crate::line::{Choice, choices, csv_cell};
use crate::page::{Answer, Errors, Html, Pager, Req, Shell, page, page_with};
use crate::problem::Problem;
use crate::{Web, urls};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::measure::contribution::{self as app, Answer as Said, CELL_MIN, Claim, Ledger, Line};
use kepu_app::{AppError, FieldError};
use kepu_domain::ids::{ContributionId, OrgId, PartyId};
use kepu_domain::measure::contribution::{ConfirmedBy, KINDS, Stage, stars, volunteer_minutes};

/// Rows on a page.
const SIZE: usize = 50;
/// Waiting lines on a page: few enough to be looked at.
const WAITING: u32 = 100;

/// A line as pages show it.
pub(super) struct Row {
    id: String,
    day: Html,
    kind: String,
    title: String,
    host: String,
    count: String,
    hours: String,
    mark: Html,
    why: String,
    may_go: bool,
}

pub(super) fn row(s: &Shell, line: &Line) -> Row {
    let l = &line.line;
    let (mark, why) = match (&l.stage, &line.fallen) {
        (_, Some(why)) => (s.state("false", s.t("line-fallen")), why.clone()),
        (Stage::Claimed, _) => (s.state("now", s.t("line-claimed")), String::new()),
        (Stage::Confirmed { .. }, _) => (s.state("true", s.t("line-confirmed")), String::new()),
        (Stage::Refused { reason, .. }, _) => (s.state("false", s.t("line-refused")), reason.clone()),
    };
    Row {
        id: l.id.0.clone(),
        day: s.date(&l.day),
        kind: kind_word(s, &l.kind).to_owned(),
        title: l.title.clone(),
        host: line.host.clone(),
        count: format!("{} {}", l.count, unit(s, &l.kind)),
        hours: if l.minutes > 0 { hours(l.minutes) } else { String::new() },
        mark,
        why,
        may_go: l.may_go().is_ok(),
    }
}

#[derive(Template)]
#[template(path = "measure/contributions.html")]
struct MinePage {
    s: Shell,
    linked: bool,
    name: String,
    party: String,
    /// The query that keeps the person, or nothing.
    of: String,
    from: String,
    to: String,
    rows: Vec<Row>,
    total: usize,
    counting: usize,
    hours: String,
    star: String,
    next: String,
    pager: Pager,
    csv: String,
    json: String,
    waiting: i64,
    said: String,
}

fn party_of(req: &Req) -> Option<PartyId> {
    req.query.opt("party").map(PartyId::from)
}

/// GET /contributions
pub async fn mine(State(web): State<Web>, req: Req) -> Answer {
    let (from, until) = period(&req.query, web.app.today());
    let ledger = app::ledger(&web.app, &req.actor, party_of(&req).as_ref(), from, until).await?;
    match (req.query.get("format"), &ledger) {
        ("csv", Some(ledger)) => return Ok(file("text/csv; charset=utf-8", "kepu-contributions.csv", csv(&req.shell, ledger))),
        ("json", Some(ledger)) => return Ok(file("application/json", "kepu-contributions.json", json(ledger))),
        _ => {}
    }
    let s = req.titled(req.shell.t("contributions-title"));
    let at = req.page_number();
    let waiting = app::count_waiting(&web.app, &req.actor).await?;
    let lines = ledger.as_ref().map_or(&[][..], |ledger| &ledger.lines);
    let counting = ledger.as_ref().map(Ledger::counting).unwrap_or_default();
    let minutes = volunteer_minutes(&counting);
    let (star, next) = stars(minutes);
    Ok(page(&MinePage {
        linked: ledger.is_some(),
        name: ledger.as_ref().filter(|ledger| !ledger.owner.own).map(|ledger| ledger.owner.party.name.clone()).unwrap_or_default(),
        of: urls::with("", &[("party", req.query.get("party"))]),
        party: req.query.get("party").to_owned(),
        from: from.to_string(),
        to: until.to_string(),
        rows: lines.iter().skip((at - 1) * SIZE).take(SIZE).map(|line| row(&s, line)).collect(),
        total: lines.len(),
        counting: counting.len(),
        hours: hours(minutes),
        star: star.map(|star| s.pick(&star.zh, &star.en).to_owned()).unwrap_or_default(),
        next: next.map(|star| s.t2("stars-next", "star", s.pick(&star.zh, &star.en), "hours", hours(star.hours * 60 - minutes))).unwrap_or_default(),
        pager: Pager::new(&s, at, SIZE, lines.len()),
        csv: s.here_with("format", "csv"),
        json: s.here_with("format", "json"),
        waiting,
        said: said(&s, req.query.get("done")),
        s,
    }))
}

fn said(s: &Shell, word: &str) -> String {
    match word {
        "stated" => s.t("done-stated"),
        "gone" => s.t("done-taken-back"),
        "confirmed" => s.t("done-confirmed"),
        "refused" => s.t("done-refused"),
        "brought" => s.t("done-brought"),
        _ => String::new(),
    }
}

fn csv(s: &Shell, ledger: &Ledger) -> String {
    let mut out = String::from("\u{feff}id,day,kind,kind_name,title,host,count,minutes,stage,counts,reason\r\n");
    for line in &ledger.lines {
        let l = &line.line;
        let reason = match (&line.fallen, &l.stage) {
            (Some(why), _) => why.clone(),
            (None, Stage::Refused { reason, .. }) => reason.clone(),
            _ => String::new(),
        };
        let cells = [
            l.id.0.clone(),
            l.day.to_string(),
            l.kind.clone(),
            kind_word(s, &l.kind).to_owned(),
            l.title.clone(),
            line.host.clone(),
            l.count.to_string(),
            l.minutes.to_string(),
            l.stage.name().to_owned(),
            line.counts().to_string(),
            reason,
        ];
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push_str("\r\n");
    }
    out
}

fn json(ledger: &Ledger) -> String {
    let lines: Vec<serde_json::Value> =
        ledger.lines.iter().map(|line| serde_json::json!({"line": line.line, "host": line.host, "counts": line.counts(), "fallen": line.fallen})).collect();
    serde_json::Value::from(lines).to_string()
}

#[derive(Template)]
#[template(path = "measure/contribution_new.html")]
struct NewPage {
    s: Shell,
    errors: Errors,
    party: String,
    kinds: Vec<Choice>,
    title: String,
    host: String,
    hosts: Vec<Choice>,
    day: String,
    count: String,
    hours: String,
    deed: String,
    today: String,
}

fn new_form(web: &Web, req: &Req, status: StatusCode, form: Option<&Form>, hosts: &[(String, String)], errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t("contribution-new"));
    let typed = |name: &str| form.map_or_else(String::new, |form| form.get(name).to_owned());
    let kinds = KINDS.iter().filter(|kind| kind.confirmed_by == ConfirmedBy::Host).map(|kind| (kind.id.clone(), s.pick(&kind.zh, &kind.en).to_owned()));
    let count = typed("count");
    Ok(page_with(
        status,
        &NewPage {
            errors: s.errors(errors),
            party: form.map_or_else(|| req.query.get("party").to_owned(), |form| form.get("party").to_owned()),
            kinds: choices(s.t("choose"), kinds, &typed("kind")),
            title: typed("title"),
            host: typed("host"),
            hosts: if hosts.is_empty() { vec![] } else { choices(s.t("choose"), hosts.iter().cloned(), &typed("host_id")) },
            day: typed("day"),
            count: if count.is_empty() { "1".into() } else { count },
            hours: typed("hours"),
            deed: typed("deed"),
            today: web.app.today().to_string(),
            s,
        },
    ))
}

/// GET /contributions/new
pub async fn new_page(State(web): State<Web>, req: Req) -> Answer {
    new_form(&web, &req, StatusCode::OK, None, &[], &[])
}

/// The host by the name that was typed, or those among which to choose.
async fn host(web: &Web, form: &Form) -> Result<Result<OrgId, Vec<(String, String)>>, AppError> {
    if let Some(id) = form.opt("host_id") {
        return Ok(Ok(OrgId(id.chars().take(60).collect())));
    }
    let name: String = form.get("host").trim().chars().take(80).collect();
    if name.is_empty() {
        return Ok(Err(vec![]));
    }
    let found = app::hosts(&web.app, &name, 20).await?;
    let exact = found.iter().filter(|org| org.name == name || org.name_en == name);
    match (exact.collect::<Vec<_>>().as_slice(), found.as_slice()) {
        ([one], _) => Ok(Ok(one.id.clone())),
        ([], [one]) => Ok(Ok(one.id.clone())),
        _ => Ok(Err(found.iter().map(|org| (org.id.0.clone(), org.name.clone())).collect())),
    }
}

/// POST /contributions
pub async fn state(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let (host, found) = match host(&web, &form).await? {
        Ok(host) => (host, vec![]),
        Err(found) => (OrgId(String::new()), found),
    };
    let party = form.opt("party").map(PartyId::from);
    let claim = Claim {
        kind: form.get("kind").to_owned(),
        title: form.get("title").to_owned(),
        host,
        day: form.get("day").parse().ok(),
        count: form.get("count").trim().parse().unwrap_or(0),
        minutes: minutes(form.get("hours")),
        deed: form.get("deed").to_owned(),
        party: party.clone(),
    };
    let deed = async {
        app::state(&web.app, &req.actor, claim).await?;
        Ok::<_, AppError>(urls::with("/contributions", &[("party", party.as_ref().map_or("", PartyId::as_str)), ("done", "stated")]))
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(mut errors)) => {
            // The name was known more than once: choose, do not type again.
            for error in errors.iter_mut().filter(|error| error.field == "host" && !found.is_empty()) {
                error.key = "host_choose".into();
            }
            new_form(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, Some(&form), &found, &errors)
        }
        other => other.map_err(Problem::from),
    }
}

/// Typed hours as minutes; what is no number lies outside every bound.
fn minutes(text: &str) -> i64 {
    match text.trim().replace('，', ".").parse::<f64>() {
        _ if text.trim().is_empty() => 0,
        Ok(hours) if (0.0..=10_000.0).contains(&hours) => (hours * 60.0).round() as i64,
        _ => -1,
    }
}

/// POST /contributions/{id}/withdraw
pub async fn withdraw(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let deed = async {
        app::withdraw(&web.app, &req.actor, &ContributionId(id)).await?;
        Ok::<_, AppError>(urls::with("/contributions", &[("party", form.get("party")), ("done", "gone")]))
    };
    Ok(form.once(&web, deed).await?)
}

/// A deed that waits.
struct Deed {
    kind: String,
    day: Html,
    host: String,
    /// Line id, name, title, count, hours, whether it is the viewer's own.
    lines: Vec<(String, String, String, String, String, bool)>,
}

#[derive(Template)]
#[template(path = "measure/confirm.html")]
struct ConfirmPage {
    s: Shell,
    errors: Errors,
    deeds: Vec<Deed>,
    total: usize,
    shown: usize,
    reason: String,
    chosen: Vec<String>,
    said: String,
}

async fn confirm_form(web: &Web, req: &Req, status: StatusCode, form: Option<&Form>, errors: &[FieldError]) -> Answer {
    let (waiting, total) = app::waiting(&web.app, &req.actor, WAITING).await?;
    let s = req.titled(req.shell.t("confirm-title"));
    let shown = waiting.iter().map(|deed| deed.lines.len()).sum();
    let deeds = waiting.into_iter().map(|deed| Deed {
        kind: kind_word(&s, &deed.kind).to_owned(),
        day: s.date(&deed.day),
        host: deed.host,
        lines: deed
            .lines
            .into_iter()
            .map(|(line, name, own)| {
                let hours = if line.minutes > 0 { s.t1("hours-of", "n", hours(line.minutes)) } else { String::new() };
                (line.id.0, name, line.title, format!("{} {}", line.count, unit(&s, &line.kind)), hours, own)
            })
            .collect(),
    });
    Ok(page_with(
        status,
        &ConfirmPage {
            errors: s.errors(errors),
            deeds: deeds.collect(),
            total,
            shown,
            reason: form.map_or_else(String::new, |form| form.get("reason").to_owned()),
            chosen: form.map_or_else(Vec::new, |form| form.all("line").iter().map(|id| (*id).to_string()).collect()),
            said: said(&s, req.query.get("done")),
            s,
        },
    ))
}

/// GET /contributions/confirm
pub async fn confirm_page(State(web): State<Web>, req: Req) -> Answer {
    confirm_form(&web, &req, StatusCode::OK, None, &[]).await
}

/// POST /contributions/confirm: `do` is the button that was pressed.
pub async fn confirm(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let ids: Vec<ContributionId> = form.all("line").iter().take(app::AT_ONCE_MAX + 1).map(|id| ContributionId((*id).to_string())).collect();
    let refuse = form.get("do") == "refuse";
    let deed = async {
        let answer = if refuse { Said::Refuse(form.get("reason")) } else { Said::Confirm };
        app::answer(&web.app, &req.actor, &ids, answer).await?;
        Ok::<_, AppError>(urls::with("/contributions/confirm", &[("done", if refuse { "refused" } else { "confirmed" })]))
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => confirm_form(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, Some(&form), &errors).await,
        other => other.map_err(Problem::from),
    }
}

#[derive(Template)]
#[template(path = "measure/contribution_figures.html")]
struct FiguresPage {
    s: Shell,
    from: String,
    to: String,
    /// Kind, lines, parties, units with their word, hours; the last four empty where too few people stand behind them.
    rows: Vec<(String, String, String, String, String)>,
    fewest: i64,
    csv: String,
}

/// GET /contributions/figures
pub async fn figures(State(web): State<Web>, req: Req) -> Answer {
    let (from, until) = period(&req.query, web.app.today());
    let found = app::figures(&web.app, from, until).await?;
    let s = req.titled(req.shell.t("contribution-figures-title"));
    if req.query.get("format") == "csv" {
        let mut out = String::from("\u{feff}kind,kind_name,lines,parties,units,minutes\r\n");
        for figure in &found {
            let numbers = figure.total.as_ref().map_or_else(|| ",,,".to_owned(), |t| format!("{},{},{},{}", t.lines, t.parties, t.units, t.minutes));
            out.push_str(&format!("{},{},{numbers}\r\n", csv_cell(&figure.kind), csv_cell(kind_word(&s, &figure.kind))));
        }
        return Ok(file("text/csv; charset=utf-8", "kepu-contribution-figures.csv", out));
    }
    let rows = found.iter().map(|figure| {
        let cell = |number: fn(&kepu_store::measure::contribution::Total) -> String| figure.total.as_ref().map(number).unwrap_or_default();
        let units = figure.total.as_ref().map(|t| format!("{} {}", t.units, unit(&s, &figure.kind))).unwrap_or_default();
        (kind_word(&s, &figure.kind).to_owned(), cell(|t| t.lines.to_string()), cell(|t| t.parties.to_string()), units, cell(|t| hours(t.minutes)))
    });
    Ok(page(&FiguresPage { rows: rows.collect(), from: from.to_string(), to: until.to_string(), fewest: CELL_MIN, csv: s.here_with("format", "csv"), s }))
}

#[cfg(test)]
mod tests {
    use super::minutes;

    #[test]
    fn hours_are_typed_with_or_without_a_point() {
        assert_eq!(["", "2", "1.5", "0.25"].map(minutes), [0, 120, 90, 15]);
        assert_eq!(["-1", "viel", "1e9", "NaN"].map(minutes), [-1; 4]);
    }
}
