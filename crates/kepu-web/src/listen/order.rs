//! Start orders and drills as pages: setting a plan going, a clock for each task, one tap when it is done, how it went. Drills are seen by those who play only;
//! what is done is in `kepu-app::listen::order`. Also the plans with the measures that they have and lack.

use super::order_after::{After, after};
use super::task::{TaskRow, row as task_row};
use crate::Web;
use crate::form::{Fields, Form};
use crate::line::{Choice, attachment, csv_cell};
use crate::page::{Answer, Errors, Html, Req, Shell, page, page_with};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::deliver::warning;
use kepu_app::listen::order::{self as deeds, Play, Start, Year};
use kepu_app::{AppError, FieldError, account};
use kepu_domain::access::Action;
use kepu_domain::deliver::drill::Outcome;
use kepu_domain::deliver::plan::MEASURES;
use kepu_domain::ids::{OrderId, OrgId, SubjectId};
use kepu_domain::listen::order::{Mode, Order, minutes_after};
use kepu_domain::vocabulary::HAZARDS;

struct Item {
    href: String,
    title: String,
    line: String,
    state: Html,
    at: Html,
}

/// A drill that can be joined.
struct Invited {
    action: String,
    title: String,
    line: String,
    at: Html,
}

#[derive(Template)]
#[template(path = "listen/orders.html")]
struct ListPage {
    s: Shell,
    drills: bool,
    items: Vec<Item>,
    invited: Vec<Invited>,
    orgs: Vec<Choice>,
    errors: Errors,
}

fn level_line(s: &Shell, hazard: &str, level: i64) -> String {
    format!("{} · {}", HAZARDS.name(hazard, s.lang.code()), s.t(&format!("level-{}", crate::deliver::now::colour_class(level))))
}

fn state(s: &Shell, order: &Order) -> Html {
    match (order.ended_at, order.mode) {
        (Some(_), _) => s.state("open", s.t("order-ended")),
        (None, Mode::Drill) => s.state("now", s.t("order-playing")),
        (None, Mode::Real) => s.state("now", s.t("order-running")),
    }
}

/// GET /orders
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    list_with(&web, &req, Mode::Real, StatusCode::OK, &[]).await
}

/// GET /drills
pub async fn drills(State(web): State<Web>, req: Req) -> Answer {
    list_with(&web, &req, Mode::Drill, StatusCode::OK, &[]).await
}

async fn orgs(web: &Web, req: &Req, chosen: &str) -> Result<Vec<Choice>, AppError> {
    let orgs = account::orgs_where(&web.app, req.signed_in()?, Action::IssueHolding).await?;
    let s = &req.shell;
    Ok(orgs.iter().map(|one| Choice { value: one.id.0.clone(), text: s.pick(&one.name, &one.name_en).to_owned(), on: one.id.0 == chosen }).collect())
}

async fn list_with(web: &Web, req: &Req, mode: Mode, status: StatusCode, errors: &[FieldError]) -> Answer {
    let drills = mode == Mode::Drill;
    let s = req.titled(req.shell.t(if drills { "drills-title" } else { "orders-title" }));
    let found = deeds::overview(&web.app, &req.actor, Some(mode)).await?;
    let item = |order: &Order| Item {
        href: urls::order(&order.id),
        title: order.title.clone(),
        line: level_line(&s, &order.hazard, order.level),
        state: state(&s, order),
        at: s.soon(&order.started_at),
    };
    let invited = |play: &Play| Invited {
        action: format!("{}/join", urls::drill(&play.id)),
        title: play.start.title.clone(),
        line: format!("{} · {}", play.start.host, level_line(&s, &play.start.hazard, play.start.level)),
        at: s.soon(&play.start.at),
    };
    let answer = ListPage {
        drills,
        items: found.orders.iter().map(item).collect(),
        invited: found.invited.iter().map(invited).collect(),
        orgs: orgs(web, req, "").await?,
        errors: s.errors(errors),
        s,
    };
    Ok(page_with(status, &answer))
}

/// POST /drills/{owner}/{local}/join
pub async fn join(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>, form: Form) -> Answer {
    let (id, org) = (SubjectId::new(&owner, &local), OrgId::from(form.get("org")));
    let deed = async { deeds::join(&web.app, &req.actor, &id, &org).await.map(|order| urls::order(&order)) };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => list_with(&web, &req, Mode::Drill, StatusCode::UNPROCESSABLE_ENTITY, &errors).await,
        other => Ok(other?),
    }
}

#[derive(Template)]
#[template(path = "listen/order_new.html")]
struct NewPage {
    s: Shell,
    drill: bool,
    warning: String,
    headline: String,
    plans: Vec<Choice>,
    levels: Vec<Choice>,
    orgs: Vec<Choice>,
    title: String,
    errors: Errors,
}

fn level_choices(s: &Shell, chosen: i64) -> Vec<Choice> {
    (1..=4).map(|n| Choice { value: n.to_string(), text: s.t(&format!("level-{}", crate::deliver::now::colour_class(n))), on: n == chosen }).collect()
}

async fn new_with(web: &Web, req: &Req, status: StatusCode, fields: &Fields, errors: &[FieldError]) -> Answer {
    let drill = fields.get("warning").trim().is_empty();
    let s = req.titled(req.shell.t(if drill { "order-new-drill" } else { "order-new" }));
    let (mut headline, mut hazard) = (String::new(), fields.get("hazard").to_owned());
    if !drill {
        let (open, _) = warning::find(&web.app, &SubjectId(fields.get("warning").to_owned())).await?;
        headline = open.warning.words(s.lang.tag()).headline;
        hazard = open.warning.hazard.clone();
    }
    let plans = deeds::plans_for(&web.app, &hazard);
    let answer = NewPage {
        drill,
        warning: fields.get("warning").to_owned(),
        headline,
        plans: plans.into_iter().map(|(id, zh, en)| Choice { on: id == fields.get("plan"), text: s.pick(&zh, &en).to_owned(), value: id }).collect(),
        levels: level_choices(&s, fields.int("level").unwrap_or(2)),
        orgs: orgs(web, req, fields.get("org")).await?,
        title: fields.get("title").to_owned(),
        errors: s.errors(errors),
        s,
    };
    Ok(page_with(status, &answer))
}

/// GET /orders/new?warning= (a real one) or ?mode=drill
pub async fn new_page(State(web): State<Web>, req: Req) -> Answer {
    new_with(&web, &req, StatusCode::OK, &req.query, &[]).await
}

/// POST /orders/new
pub async fn create(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let warning = Some(form.get("warning").trim()).filter(|id| !id.is_empty()).map(|id| SubjectId(id.to_owned()));
    let start = Start {
        mode: if warning.is_some() { Mode::Real } else { Mode::Drill },
        plan: form.get("plan").to_owned(),
        warning,
        hazard: String::new(),
        level: form.int("level").unwrap_or_default(),
        title: form.get("title").to_owned(),
        org: OrgId::from(form.get("org")),
    };
    let deed = async { deeds::start(&web.app, &req.actor, start).await.map(|id| urls::order(&id)) };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => new_with(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, form.fields(), &errors).await,
        other => Ok(other?),
    }
}

/// What one node did in a drill.
struct SideView {
    host: String,
    cells: Vec<(String, Html)>,
}

struct Surprise {
    text: String,
    at: Html,
    now: bool,
}

#[derive(Template)]
#[template(path = "listen/order.html")]
struct OrderPage {
    s: Shell,
    id: String,
    version: i64,
    title: String,
    line: String,
    org: String,
    state: Html,
    started: Html,
    ended: Html,
    drill: bool,
    case: String,
    warning: String,
    lesson: String,
    tasks: Vec<TaskRow>,
    /// How a real one went, task by task.
    after: Option<After>,
    can_lead: bool,
    sides: Vec<SideView>,
    score: String,
    delay: String,
    counts: String,
    weak: Vec<String>,
    surprises: Vec<Surprise>,
    typed: String,
    errors: Errors,
}

/// GET /orders/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    show_with(&web, &req, &OrderId(id), StatusCode::OK, "", &[]).await
}

pub(super) async fn show_with(web: &Web, req: &Req, id: &OrderId, status: StatusCode, typed: &str, errors: &[FieldError]) -> Answer {
    let view = deeds::view(&web.app, &req.actor, id).await?;
    let s = &req.shell;
    let order = &view.order;
    let drill = order.mode == Mode::Drill;
    let play = view.play.as_ref();
    let title = if drill { format!("{}{}", s.t("drill-mark"), order.title) } else { order.title.clone() };
    let score = play.map(|play| play.score.clone()).unwrap_or_default();
    let name = |key: &str| {
        play.and_then(|play| play.start.parts.iter().find(|part| part.key == key)).map_or_else(|| key.to_owned(), |part| s.pick(&part.zh, &part.en).to_owned())
    };
    let answer = OrderPage {
        id: order.id.0.clone(),
        version: order.version,
        line: level_line(s, &order.hazard, order.level),
        org: view.org.clone(),
        state: state(s, order),
        started: s.time(&order.started_at),
        ended: order.ended_at.map(|at| s.time(&at)).unwrap_or_default(),
        drill,
        case: order.case.as_ref().map(urls::case).unwrap_or_default(),
        warning: order.about.as_ref().filter(|_| !drill).map(urls::warning).unwrap_or_default(),
        lesson: order.lesson.clone(),
        tasks: view.tasks.iter().map(|one| task_row(s, one)).collect(),
        after: (!drill && order.ended_at.is_some()).then(|| after(s, &view)),
        can_lead: view.can_lead,
        sides: play.map(|play| play.sides.iter().map(|side| side_view(s, play, side)).collect()).unwrap_or_default(),
        score: score.percent().map(|n| s.t1("drill-percent", "n", n)).unwrap_or_default(),
        delay: score.median_delay.map(|n| s.t1("drill-delay", "n", n)).unwrap_or_default(),
        counts: s.t3("drill-counts", "good", score.in_time, "late", score.late, "missed", score.missed),
        weak: play.map(|play| play.weak.iter().map(|key| name(key)).collect()).unwrap_or_default(),
        surprises: play.map(|play| surprises(s, play, order)).unwrap_or_default(),
        typed: typed.to_owned(),
        errors: s.errors(errors),
        s: req.titled(title.clone()),
        title,
    };
    Ok(page_with(status, &answer))
}

fn side_view(s: &Shell, play: &Play, side: &kepu_domain::deliver::drill::Side) -> SideView {
    let word = |cell: &kepu_domain::deliver::drill::Cell| {
        let due = kepu_domain::deliver::drill::due(&play.start, &cell.part);
        match cell.answer {
            Some((Outcome::Done, at)) if at <= due => s.state("true", s.t("drill-in-time")),
            Some((Outcome::Done, at)) => s.state("part", s.t1("drill-late-by", "span", s.span(&at.duration_since(due)))),
            Some((Outcome::Blocked, _)) => s.state("false", s.t("task-blocked")),
            Some(_) => s.state("false", s.t("task-dropped")),
            None if play.ended_at.unwrap_or(s.now) > due => s.state("false", s.t("drill-missed")),
            None => s.state("open", s.left(due)),
        }
    };
    SideView { host: side.host.clone(), cells: side.cells.iter().map(|cell| (s.pick(&cell.part.zh, &cell.part.en).to_owned(), word(cell))).collect() }
}

/// Surprises whose minute has come; while a drill runs the others stay secret.
fn surprises(s: &Shell, play: &Play, order: &Order) -> Vec<Surprise> {
    let due = |minute| minutes_after(play.start.at, minute);
    let until = order.ended_at.or(play.ended_at);
    let come = play.start.injects.iter().filter(|inject| until.is_some() || due(inject.minute) <= s.now);
    let latest = play.start.injects.iter().filter(|inject| due(inject.minute) <= s.now).map(|inject| inject.minute).max();
    come.map(|inject| Surprise {
        text: s.pick(&inject.zh, &inject.en).to_owned(),
        at: s.soon(&due(inject.minute)),
        now: until.is_none() && Some(inject.minute) == latest,
    })
    .collect()
}

/// POST /orders/{id}: ends it
pub async fn end(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = OrderId(id);
    let deed = async { deeds::end(&web.app, &req.actor, &id, form.int("version").unwrap_or_default(), form.get("lesson")).await.map(|()| urls::order(&id)) };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => show_with(&web, &req, &id, StatusCode::UNPROCESSABLE_ENTITY, form.get("lesson"), &errors).await,
        other => Ok(other?),
    }
}

struct PlanView {
    name: String,
    source: String,
    hazards: String,
    levels: Vec<(String, usize, String)>,
    lines: Vec<(String, String, String, String)>,
}

#[derive(Template)]
#[template(path = "listen/plans.html")]
struct PlansPage {
    s: Shell,
    plans: Vec<PlanView>,
    years: Vec<Year>,
    csv: String,
}

/// GET /plans: which measures each plan has and lacks, and what was done in each year; `?format=csv`
pub async fn plans(State(web): State<Web>, req: Req) -> Answer {
    let years = deeds::years(&web.app, &req.actor).await?;
    let s = req.titled(req.shell.t("plans-title"));
    let definitions = web.app.definitions();
    if req.query.get("format") == "csv" {
        let mut out = "\u{feff}plan,version,level,measures,gaps,year,orders,drills,tasks,done,in_time\r\n".to_owned();
        for plan in definitions.plans.values() {
            for level in 1..=4 {
                let gaps: Vec<&str> = plan.gaps(level).iter().map(|m| m.id.as_str()).collect();
                out.push_str(&format!(
                    "{},{},{level},{},{},,,,,,\r\n",
                    csv_cell(&plan.id),
                    plan.version,
                    MEASURES.len() - gaps.len(),
                    csv_cell(&gaps.join(";"))
                ));
            }
        }
        for y in &years {
            out.push_str(&format!("{},,,,,{},{},{},{},{},{}\r\n", csv_cell(&y.plan), y.year, y.real, y.drills, y.tasks, y.done, y.in_time));
        }
        return Ok(attachment("kepu-plans.csv", out));
    }
    let level = |n: i64| s.t(&format!("level-{}", crate::deliver::now::colour_class(n)));
    let plans = definitions
        .plans
        .values()
        .map(|plan| PlanView {
            name: s.pick(&plan.zh, &plan.en).to_owned(),
            source: plan.source.clone(),
            hazards: s.list(plan.hazards.iter().map(|id| HAZARDS.name(id, s.lang.code()))),
            levels: (1..=4)
                .map(|n| {
                    let gaps = plan.gaps(n);
                    (level(n), MEASURES.len() - gaps.len(), s.list(gaps.iter().map(|m| s.pick(&m.zh, &m.en))))
                })
                .collect(),
            lines: plan
                .tasks
                .iter()
                .map(|line| {
                    let minutes = line.minutes.iter().map(|minute| minute.map_or_else(|| "–".to_owned(), |n| n.to_string())).collect::<Vec<_>>().join(" / ");
                    let measure = MEASURES.iter().find(|m| m.id == line.measure).map_or("", |m| s.pick(&m.zh, &m.en));
                    (s.pick(&line.zh, &line.en).to_owned(), s.pick(&line.role_zh, &line.role_en).to_owned(), minutes, measure.to_owned())
                })
                .collect(),
        })
        .collect();
    Ok(page(&PlansPage { plans, years, csv: s.here_with("format", "csv"), s }))
}
