//! The review queue as a whole: who would be given what and why, giving it away, taking it back; and how evenly work is shared.

use crate::Web;
use crate::api::json;
use crate::form::Form;
use crate::page::{Answer, Html, Req, Shell, page, page_with};
use crate::urls;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use kepu_app::AppError;
use kepu_app::create::review::engine::{Barred, Cause, Reason, Shared};
use kepu_app::create::review::queue::{self, Figures, Planned, Why};
use kepu_store::create::review::Run;

/// Texts shown with their reasons.
const SHOWN: usize = 100;
/// Runs listed.
const RUNS: u32 = 20;

/// A text of the queue as shown.
struct Item {
    title: String,
    href: String,
    fields: String,
    /// Who is given it: name, and why.
    given: Vec<(String, String)>,
    /// Who is not, and why.
    others: Vec<(String, String)>,
    /// Why places stay empty, or empty.
    short: String,
}

/// How work is shared, in words.
struct SharedLine {
    name: String,
    people: usize,
    loads: String,
    gini: String,
}

fn shared_line(name: String, shared: &Shared) -> SharedLine {
    SharedLine { name, people: shared.people, loads: format!("{} / {} / {}", shared.min, shared.median, shared.max), gini: format!("{:.2}", shared.gini) }
}

/// A run as shown.
struct RunLine {
    id: String,
    time: Html,
    words: String,
    undone: bool,
    may_undo: bool,
}

fn run_line(s: &Shell, run: &Run, figures: &Figures, may_undo: bool) -> RunLine {
    RunLine {
        id: run.id.clone(),
        time: s.time(&run.at),
        words: s.t2("queue-run", "given", figures.given, "texts", figures.texts),
        undone: run.undone_at.is_some(),
        may_undo,
    }
}

#[derive(Template)]
#[template(path = "create/review/queue.html")]
struct QueuePage {
    s: Shell,
    texts: usize,
    given: usize,
    short: usize,
    optimal: bool,
    gap: String,
    shares: Vec<SharedLine>,
    items: Vec<Item>,
    digest: String,
    runs: Vec<RunLine>,
    done: String,
    /// Whether the queue changed between looking and giving.
    stale: bool,
}

fn item(s: &Shell, planned: &Planned, task: usize, day: jiff::civil::Date) -> Item {
    let text = &planned.waiting[task];
    let name = |at: usize| s.pick(&planned.people[at].party.name, &planned.people[at].party.name_en).to_owned();
    let mut line = Item {
        title: text.title.clone(),
        href: urls::draft(&text.draft),
        fields: s.fields(&text.fields),
        given: vec![],
        others: vec![],
        short: planned.plan.short.iter().find(|(at, ..)| *at == task).map(|(_, n, cause)| short(s, *n, *cause)).unwrap_or_default(),
    };
    for (at, why) in planned.why(task, day) {
        let held = planned.people[at].held;
        let percent = |fit: f64| format!("{:.0}%", fit * 100.0);
        match why {
            Why::Weighed(Reason::Given { fit, .. }) => line.given.push((name(at), s.t2("why-given", "fit", percent(fit), "held", held))),
            Why::Weighed(Reason::Passed { fit, instead_of, loss, .. }) => {
                let key = if loss < 0.000_001 { "why-tie" } else { "why-passed" };
                line.others.push((name(at), s.t3(key, "fit", percent(fit), "held", held, "who", name(instead_of))));
            }
            Why::Weighed(Reason::Full { fit, .. }) => line.others.push((name(at), s.t2("why-full", "fit", percent(fit), "held", held))),
            Why::Weighed(_) => {}
            Why::Barred(barred) => line.others.push((name(at), s.t(barred_key(barred)))),
        }
    }
    line
}

fn barred_key(barred: Barred) -> &'static str {
    match barred {
        Barred::NotCompetent => "why-not-competent",
        Barred::Author => "why-author",
        Barred::SameOrg => "why-same-org",
        Barred::Interest => "why-interest",
        Barred::Asked => "why-asked",
        Barred::Quiet => "why-quiet",
    }
}

fn short(s: &Shell, n: usize, cause: Cause) -> String {
    match cause {
        Cause::Nobody => s.t1("short-nobody", "n", n),
        Cause::TooFew { possible } => s.t2("short-few", "n", n, "possible", possible),
        Cause::Full => s.t1("short-full", "n", n),
    }
}

async fn shown(web: &Web, req: &Req, status: StatusCode, stale: bool) -> Answer {
    let s = req.titled(req.shell.t("queue-title"));
    let planned = queue::preview(&web.app, &req.actor).await?;
    let runs = queue::runs(&web.app, &req.actor, RUNS).await?;
    let day = web.app.today();
    let plan = &planned.plan;
    let done = match req.query.get("done") {
        "given" => s.t("queue-done-given"),
        "undone" => s.t("queue-done-undone"),
        _ => String::new(),
    };
    let page = QueuePage {
        texts: planned.waiting.len(),
        given: plan.given.len(),
        short: plan.unfilled(),
        optimal: plan.optimal,
        gap: format!("{:.6}", (plan.cost - plan.bound).max(0.0)),
        shares: vec![shared_line(s.t("queue-before"), &planned.before), shared_line(s.t("queue-after"), &plan.shared)],
        items: (0..planned.waiting.len().min(SHOWN)).map(|task| item(&s, &planned, task, day)).collect(),
        digest: planned.digest.clone(),
        runs: runs.iter().map(|(run, figures, may)| run_line(&s, run, figures, *may)).collect(),
        done,
        stale,
        s,
    };
    Ok(page_with(status, &page))
}

/// GET /reviews/queue
pub async fn show(State(web): State<Web>, req: Req) -> Answer {
    shown(&web, &req, StatusCode::OK, false).await
}

/// POST /reviews/queue: carries out what was shown.
pub async fn carry_out(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async {
        queue::assign_all(&web.app, &req.actor, form.get("seen")).await?;
        Ok("/reviews/queue?done=given".to_owned())
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(AppError::Stale { .. }) => shown(&web, &req, StatusCode::CONFLICT, true).await,
        Err(error) => Err(error.into()),
    }
}

/// POST /reviews/undo
pub async fn undo(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async {
        queue::undo(&web.app, &req.actor, form.get("run")).await?;
        Ok::<_, AppError>("/reviews/queue?done=undone".to_owned())
    };
    Ok(form.once(&web, deed).await?)
}

#[derive(Template)]
#[template(path = "create/review/fairness.html")]
struct FairnessPage {
    s: Shell,
    all: SharedLine,
    fields: Vec<SharedLine>,
    own: String,
    runs: Vec<RunLine>,
}

/// GET /reviews/fairness
pub async fn fairness(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("fairness-title"));
    let found = queue::fairness(&web.app, &req.actor).await?;
    Ok(page(&FairnessPage {
        all: shared_line(s.t("fairness-all"), &found.all),
        fields: found.fields.iter().map(|(field, shared)| shared_line(s.field(field).to_owned(), shared)).collect(),
        own: found.own.map(|(held, ceiling)| s.t2("fairness-own", "held", held, "ceiling", ceiling)).unwrap_or_default(),
        runs: found.runs.iter().map(|(run, figures)| run_line(&s, run, figures, false)).collect(),
        s,
    }))
}

fn shared_json(shared: &Shared) -> serde_json::Value {
    serde_json::json!({"people": shared.people, "loadMin": shared.min, "loadMedian": shared.median, "loadMax": shared.max, "gini": shared.gini})
}

/// Who would be given what, if the whole queue were given away now.
#[utoipa::path(get, path = "/api/reviews/queue", tag = "work", responses(
    (status = 200, description = "Each waiting text with the people it would be given to, what stays short, and how work would be shared"),
    (status = 401, description = "problem details"), (status = 403, description = "problem details")))]
pub async fn api_queue(State(web): State<Web>, req: Req) -> Answer {
    let planned = queue::preview(&web.app, &req.actor).await?;
    let plan = &planned.plan;
    let of = |task: usize| plan.given.iter().filter(|(at, _)| *at == task).map(|(_, person)| planned.people[*person].party.id.0.clone()).collect::<Vec<_>>();
    let items: Vec<serde_json::Value> = planned
        .waiting
        .iter()
        .enumerate()
        .map(|(task, text)| serde_json::json!({"draft": text.draft.0, "title": text.title, "fields": text.fields, "needs": text.needs, "reviewers": of(task)}))
        .collect();
    json(&serde_json::json!({
        "items": items, "unfilled": plan.unfilled(), "optimal": plan.optimal, "cost": plan.cost, "bound": plan.bound, "seen": planned.digest,
        "before": shared_json(&planned.before), "after": shared_json(&plan.shared),
    }))
}

/// How evenly review work is shared, among all and within each field. Names nobody.
#[utoipa::path(get, path = "/api/reviews/fairness", tag = "work", responses(
    (status = 200, description = "Fewest, middle and most tasks of a person, and the Gini coefficient of tasks in proportion to ceilings"),
    (status = 401, description = "problem details"), (status = 403, description = "problem details")))]
pub async fn api_fairness(State(web): State<Web>, req: Req) -> Answer {
    let found = queue::fairness(&web.app, &req.actor).await?;
    let fields: Vec<serde_json::Value> =
        found.fields.iter().map(|(field, shared)| serde_json::json!({"field": field, "shared": shared_json(shared)})).collect();
    json(&serde_json::json!({"all": shared_json(&found.all), "fields": fields}))
}
