//! The desk of duty editors: what rises, what nobody answered, what returns, what waits; one topic with what can be done with it; how well questions are answered.
//! The wall that shows the same to a room is in `wall`.

use crate::Web;
use crate::form::Form;
use crate::line::{Choice, attachment, csv_cell};
use crate::page::{Answer, Errors, Html, Req, Shell, escape, page, page_with};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::listen::topic::desk::{self as desks, Row, Whole};
use kepu_app::listen::topic::returning::Returning;
use kepu_app::listen::topic::{act, coverage};
use kepu_app::{AppError, FieldError};
use kepu_domain::ids::TopicId;
use kepu_domain::listen::case::{Case, Clock};
use kepu_domain::listen::returns::{Because, Returns};
use kepu_domain::listen::sighting::Channel;
use kepu_domain::listen::topic::{Phase, Topic};
use kepu_domain::listen::worth::{Policy, Worth};
use kepu_domain::vocabulary::HAZARDS;

/// Where something came in, in words.
pub fn channel_word(s: &Shell, channel: Channel) -> String {
    match channel {
        Channel::Page => s.t("channel-page"),
        Channel::Api => s.t("channel-api"),
        Channel::Search => s.t("channel-search"),
        Channel::List => s.t("channel-list"),
        Channel::Tipline => s.t("channel-tipline"),
        Channel::File => s.t("channel-file"),
        Channel::Case => s.t("channel-case"),
    }
}

/// How a topic stands, as word and shape.
pub fn phase_word(s: &Shell, phase: Phase) -> Html {
    match phase {
        Phase::Rising => s.state("false", s.t("phase-rising")),
        Phase::Falling => s.state("part", s.t("phase-falling")),
        Phase::Held => s.state("open", s.t("phase-held")),
        Phase::Asked => s.state("open", s.t("phase-asked")),
        Phase::Over => s.state("true", s.t("phase-over")),
    }
}

/// Two digits behind the point.
fn two(value: f64) -> String {
    format!("{value:.2}")
}

/// Why a topic stands where it stands: the factors, each with what was found.
pub fn worth_words(s: &Shell, policy: &Policy, worth: &Worth, total: i64, channels: usize) -> String {
    let found = |groups: &[kepu_domain::listen::worth::Group]| -> String {
        let words: Vec<String> = worth
            .because
            .iter()
            .filter_map(|(id, word)| {
                groups.iter().find(|group| group.id == *id).map(|group| s.t2("worth-found", "what", s.pick(&group.zh, &group.en), "word", word))
            })
            .collect();
        if words.is_empty() { s.t("worth-none") } else { s.list(words.iter().map(String::as_str)) }
    };
    let check = s.t2("worth-check", "n", two(worth.check), "why", found(&policy.check.groups));
    let harm = s.t2("worth-harm", "n", two(worth.harm), "why", found(&policy.harm.groups));
    let reach = s.t3("worth-reach", "n", two(worth.reach), "signals", total, "channels", channels.max(1));
    format!("{} = {check} × {harm} × {reach}", two(worth.priority))
}

/// Why a known rumour is expected.
pub fn because_words(s: &Shell, returns: &Returns, because: &Because) -> String {
    match because {
        Because::Warning(hazard, word) => s.t2("because-warning", "hazard", HAZARDS.name(hazard, s.lang.code()), "word", word),
        Because::Occasion(id, day, word) => {
            let name = returns.occasion(id).map_or_else(String::new, |one| s.pick(&one.zh, &one.en).to_owned());
            s.t3("because-occasion", "name", name, "day", s.day_text(*day), "word", word)
        }
        Because::Month(month, years) => s.t2("because-month", "month", month, "years", years),
    }
}

/// Signals by hour as a row of bars; the words beside it say the same.
fn course(s: &Shell, hours: &[i64]) -> Html {
    let most = hours.iter().copied().max().unwrap_or_default();
    if most == 0 {
        return Html::default();
    }
    let bars: String = hours
        .iter()
        .enumerate()
        .filter(|(_, n)| **n > 0)
        .map(|(at, n)| {
            let height = (n * 22 / most).max(1);
            format!("<rect x=\"{}\" y=\"{}\" width=\"4\" height=\"{height}\"/>", at * 5, 24 - height)
        })
        .collect();
    let label = escape(&s.t2("topic-course", "hours", hours.len(), "most", most));
    Html(format!("<svg class=\"course\" viewBox=\"0 0 {} 24\" role=\"img\" aria-label=\"{label}\">{bars}</svg>", hours.len() * 5))
}

/// A topic as a row.
pub(super) struct Line {
    pub(super) href: String,
    pub(super) title: String,
    pub(super) phase: Html,
    pub(super) why: String,
    pub(super) since: Html,
    pub(super) total: i64,
    pub(super) channels: String,
    pub(super) places: String,
    pub(super) course: Html,
    /// Address of its case, or nothing.
    pub(super) case: String,
    pub(super) merged: usize,
}

pub(super) fn line(s: &Shell, policy: &Policy, row: &Row) -> Line {
    let topic = &row.topic;
    let channels: Vec<String> = row.channels.iter().map(|(channel, n)| s.t2("topic-part", "what", channel_word(s, *channel), "n", n)).collect();
    let places: Vec<String> = row.places.iter().take(3).map(|(region, n)| s.t2("topic-part", "what", s.place_line(region), "n", n)).collect();
    Line {
        href: urls::topic(&topic.id),
        title: title(s, topic),
        phase: phase_word(s, topic.phase),
        why: worth_words(s, policy, &row.worth, row.total, row.channels.len()),
        since: s.soon(&topic.since),
        total: row.total,
        channels: s.list(channels.iter().map(String::as_str)),
        places: s.list(places.iter().map(String::as_str)),
        course: course(s, &row.course),
        case: topic.case.as_ref().map(urls::case).unwrap_or_default(),
        merged: row.merged,
    }
}

fn title(s: &Shell, topic: &Topic) -> String {
    if topic.label.is_empty() { s.t("topic-forgotten") } else { topic.label.clone() }
}

/// A known rumour that is expected.
pub(super) struct Expected {
    pub(super) href: String,
    pub(super) title: String,
    pub(super) lang: Html,
    pub(super) verdict: String,
    pub(super) why: Vec<String>,
}

pub(super) fn expected(s: &Shell, returns: &Returns, one: &Returning) -> Expected {
    Expected {
        href: urls::claim(&one.row.id),
        title: s.pick(&one.row.title, &one.row.title_en).to_owned(),
        lang: s.pick_attr(&one.row.lang, &one.row.title_en),
        verdict: one.row.verdict.clone(),
        why: one.because.iter().map(|because| because_words(s, returns, because)).collect(),
    }
}

/// A case that waits.
pub(super) struct Waiting {
    pub(super) href: String,
    pub(super) title: String,
    pub(super) place: String,
    pub(super) why: String,
    pub(super) clk: Html,
}

pub(super) fn waiting(s: &Shell, case: &Case, clock: &Clock) -> Waiting {
    use kepu_domain::listen::case::{Due, Stage};
    let why = match (&case.stage, clock.next) {
        (Stage::Open, _) => s.t("waiting-open"),
        (_, Due::Holding) => s.t("waiting-holding"),
        _ => s.t("waiting-answer"),
    };
    Waiting { href: urls::case(&case.id), title: case.title.clone(), place: s.place_line(&case.region), why, clk: s.clk(clock.at, clock.late) }
}

/// One group of words of the policy, for the page.
struct GroupLine {
    name: String,
    weight: String,
    words: String,
}

fn groups(s: &Shell, list: &[kepu_domain::listen::worth::Group]) -> Vec<GroupLine> {
    let line = |group: &kepu_domain::listen::worth::Group| GroupLine {
        name: s.pick(&group.zh, &group.en).to_owned(),
        weight: two(group.weight),
        words: if group.words.is_empty() { s.t("worth-figure") } else { s.list(group.words.iter().map(String::as_str)) },
    };
    list.iter().map(line).collect()
}

#[derive(Template)]
#[template(path = "listen/desk.html")]
struct DeskPage {
    s: Shell,
    rising: Vec<Line>,
    unanswered: Vec<Line>,
    returning: Vec<Expected>,
    waiting: Vec<Waiting>,
    waiting_total: usize,
    usual: String,
    policy: std::sync::Arc<kepu_app::definitions::Definitions>,
    check: Vec<GroupLine>,
    harm: Vec<GroupLine>,
}

/// GET /listen
pub async fn desk(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("listen-title")).script("listen.js");
    let desk = desks::desk(&web.app, &req.actor).await?;
    let definitions = web.app.definitions();
    let lines = |list: &[Row]| list.iter().map(|row| line(&s, &definitions.listen, row)).collect();
    Ok(page(&DeskPage {
        rising: lines(&desk.rising),
        unanswered: lines(&desk.unanswered),
        returning: desk.returning.iter().map(|one| expected(&s, &definitions.returns, one)).collect(),
        waiting: desk.waiting.iter().map(|(case, clock)| waiting(&s, case, clock)).collect(),
        waiting_total: desk.waiting_total,
        usual: usual(&s, desk.usual),
        check: groups(&s, &definitions.listen.check.groups),
        harm: groups(&s, &definitions.listen.harm.groups),
        policy: definitions,
        s,
    }))
}

/// How busy the last hour was beside what is usual at this time of the week.
pub(super) fn usual(s: &Shell, usual: Option<(i64, f64)>) -> String {
    usual.map_or_else(|| s.t("usual-unknown"), |(now, median)| s.t2("usual-hour", "now", now, "usual", format!("{median:.0}")))
}

#[derive(Template)]
#[template(path = "listen/topic.html")]
struct TopicPage {
    s: Shell,
    line: Line,
    errors: Errors,
    wordings: Vec<(String, i64, bool)>,
    parts: Vec<(String, String, &'static str)>,
    others: Vec<Choice>,
    years: String,
    raised: Html,
    /// What can be undone about the topic itself: `merged`, `split`, `dropped`, or nothing.
    state: &'static str,
    /// Address and words of the topic it is part of or was taken out of.
    home: (String, String),
    score: String,
}

/// GET /listen/topic/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    show_with(&web, &req, &TopicId(id), StatusCode::OK, &[], &[]).await
}

async fn show_with(web: &Web, req: &Req, id: &TopicId, status: StatusCode, chosen: &[String], errors: &[FieldError]) -> Answer {
    let whole = desks::whole(&web.app, &req.actor, id).await?;
    let s = req.titled(title(&req.shell, &whole.row.topic));
    let definitions = web.app.definitions();
    let Whole { row, wordings, parts, others } = whole;
    let topic = &row.topic;
    let (state, home) = match (topic.dropped, &topic.merged_into, &topic.split_from) {
        (true, ..) => ("dropped", None),
        (_, Some(into), _) => ("merged", Some(into)),
        (_, _, Some(from)) => ("split", Some(from)),
        _ => ("", None),
    };
    let home = home.map(|id| (urls::topic(id), others.iter().find(|other| other.id == *id).map_or_else(|| s.t("topic-other"), |other| title(&s, other))));
    let years: Vec<String> = row.same_month.iter().map(ToString::to_string).collect();
    let answer = TopicPage {
        line: line(&s, &definitions.listen, &row),
        errors: s.errors(errors),
        wordings: wordings.into_iter().map(|(text, n)| (text.clone(), n, chosen.contains(&text))).collect(),
        parts: parts.iter().map(|part| (part.id.0.clone(), title(&s, part), if part.merged_into.as_ref() == Some(id) { "merged" } else { "split" })).collect(),
        others: others.iter().map(|other| Choice { value: other.id.0.clone(), text: title(&s, other), on: false }).collect(),
        years: s.list(years.iter().map(String::as_str)),
        raised: topic.raised_at.map(|at| s.time(&at)).unwrap_or_default(),
        state,
        home: home.unwrap_or_default(),
        score: format!("{:.1}", topic.score),
        s,
    };
    Ok(page_with(status, &answer))
}

/// POST /listen/topic/{id}: `do` is `open`, `merge`, `split`, `drop` or `undo`. What undoes something on another topic's page names it in `part`.
pub async fn act_on(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = TopicId(id);
    let (app, who) = (&web.app, &req.actor);
    let deed = async {
        match form.get("do") {
            "open" => Ok(urls::case(&act::open_case(app, who, &id).await?)),
            "merge" => {
                let into = form.opt("into").ok_or_else(|| AppError::Invalid(vec![FieldError::new("into", "topic_into")]))?;
                Ok(urls::topic(&act::merge(app, who, &id, &into.into()).await?))
            }
            "split" => Ok(urls::topic(&act::split(app, who, &id, &form.all("words")).await?)),
            "drop" => act::drop(app, who, &id).await.map(|()| urls::topic(&id)),
            "undo" => {
                let part = form.opt("part").map_or_else(|| id.clone(), TopicId::from);
                act::undo(app, who, &part).await.map(|()| urls::topic(&id))
            }
            other => Err(AppError::NotFound { what: "deed", id: other.chars().take(40).collect() }),
        }
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => show_with(&web, &req, &id, StatusCode::UNPROCESSABLE_ENTITY, &form.all("words"), &errors).await,
        other => Ok(other?),
    }
}

/// Days that the table of coverage looks back unless asked otherwise.
const DAYS: i64 = 90;
/// What can be asked for.
const DAYS_CHOICES: [i64; 3] = [30, 90, 365];

struct CoverLine {
    field: String,
    place: String,
    asked: usize,
    answered: usize,
    hours: String,
}

#[derive(Template)]
#[template(path = "listen/coverage.html")]
struct CoveragePage {
    s: Shell,
    days: Vec<Choice>,
    lines: Vec<CoverLine>,
    hidden: usize,
    least: i64,
    csv: String,
}

/// GET /listen/coverage?days=: also as a table to save.
pub async fn cover(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("cover-title"));
    let days = req.query.int("days").filter(|days| DAYS_CHOICES.contains(days)).unwrap_or(DAYS);
    let (cells, hidden) = coverage::coverage(&web.app, &req.actor, days).await?;
    if req.query.get("format") == "csv" {
        let mut csv = "\u{feff}field,region,place,asked,answered,median_hours\r\n".to_owned();
        for cell in &cells {
            let hours = cell.median_hours.map(|hours| format!("{hours:.1}")).unwrap_or_default();
            let place = csv_cell(&s.place_line(&cell.region));
            csv.push_str(&format!("{},{},{place},{},{},{hours}\r\n", csv_cell(&cell.field), cell.region, cell.asked, cell.answered));
        }
        return Ok(attachment("coverage.csv", csv));
    }
    let lines = cells
        .iter()
        .map(|cell| CoverLine {
            field: if cell.field.is_empty() { s.t("cover-no-field") } else { s.field(&cell.field).to_owned() },
            place: s.place_line(&cell.region),
            asked: cell.asked,
            answered: cell.answered,
            hours: cell.median_hours.map_or_else(|| s.t("cover-few"), |hours| s.t1("cover-hours", "n", format!("{hours:.1}"))),
        })
        .collect();
    Ok(page(&CoveragePage {
        days: DAYS_CHOICES.iter().map(|n| Choice { value: n.to_string(), text: s.t1("cover-days", "n", n), on: *n == days }).collect(),
        lines,
        hidden,
        least: web.app.definitions().listen.shown_least,
        csv: s.here_with("format", "csv"),
        s,
    }))
}
