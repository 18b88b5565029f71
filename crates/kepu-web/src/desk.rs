//! The desk as a page: five lists with one action a row. Which rows there are is decided in `kepu-app::desk`.

use crate::Web;
use crate::page::{Answer, Html, Req, Shell, page};
use crate::urls;
use askama::Template;
use axum::extract::State;
use kepu_app::desk::{self as desks, Clock, Item, Kind, List, Place, RoundStep, Task};
use kepu_domain::access::Action;
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::case::Due;

/// A row as the page shows it.
pub struct Row {
    /// A word for programs.
    pub task: &'static str,
    /// What kind of thing it is, in a word.
    pub kind: String,
    /// Title.
    pub title: String,
    /// A sentence more.
    pub note: String,
    /// Where.
    pub place: String,
    /// Until when, or since when.
    pub clock: Html,
    /// Address of the one thing to do.
    pub href: String,
    /// Verb on the button.
    pub verb: String,
    /// Whether it is the one thing to do first.
    pub first: bool,
}

/// One list.
struct Part {
    /// Id of its heading.
    id: &'static str,
    title: String,
    rows: Vec<Row>,
    total: usize,
    /// What will appear here and what to do now.
    empty: String,
    /// Stands above the rows, or nothing.
    lead: String,
    /// Address of the whole list with its word, or empty.
    more: String,
    more_word: String,
}

#[derive(Template)]
#[template(path = "desk.html")]
struct DeskPage {
    s: Shell,
    parts: Vec<Part>,
    can_draft: bool,
}

/// GET /desk
pub async fn show(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("desk-title"));
    let desk = desks::desk(&web.app, &req.actor).await?;
    let mut tx = web.app.db.read().await.map_err(kepu_app::AppError::from)?;
    let places = desks::regions(&mut tx, &req.actor).await?;
    drop(tx);
    let place = s.list(places.iter().map(|region| s.place(region)).collect::<Vec<_>>().iter().map(String::as_str));
    let part = |id, title: String, list: &List, empty: String, more: (&str, String)| Part {
        id,
        title,
        rows: list.rows.iter().map(|item| row(&s, item)).collect(),
        total: list.total,
        empty,
        lead: String::new(),
        more: if list.total > list.rows.len() { more.0.to_owned() } else { String::new() },
        more_word: more.1,
    };
    let works = req.actor.may(Action::WorkCase, None).is_ok();
    let editor = req.actor.may(Action::Publish, None).is_ok();
    let reviews = if works { ("/cases", s.t("desk-all-cases")) } else { ("/reviews", s.t("desk-all-reviews")) };
    let drafts = if editor { ("/drafts?of=org&stage=active&sort=oldest", s.t("desk-all-drafts")) } else { ("/drafts?stage=writing", s.t("desk-all-drafts")) };
    let mut parts = vec![
        part("due", s.t("desk-due"), &desk.due, s.t("desk-due-empty"), reviews),
        part("waiting", s.t("desk-waiting"), &desk.waiting, s.t("desk-waiting-empty"), drafts),
        Part {
            lead: s.t1(if desk.cards.is_empty() { "desk-warnings-empty" } else { "desk-warnings-lead" }, "place", &place),
            rows: desk.warnings.rows.iter().chain(&desk.cards).map(|item| row(&s, item)).collect(),
            ..part("warnings", s.t("desk-warnings"), &desk.warnings, s.t1("desk-warnings-empty", "place", &place), ("", String::new()))
        },
        part(
            "unanswered",
            s.t("desk-unanswered"),
            &desk.unanswered,
            if works { s.t("desk-unanswered-empty") } else { s.t("desk-unanswered-none") },
            ("/cases", s.t("desk-all-cases")),
        ),
        part("changed", s.t("desk-changed"), &desk.changed, s.t("desk-changed-empty"), ("/resources?corrected=1&sort=corrected", s.t("desk-all-changes"))),
    ];
    // The one primary action of the page: what is due first, else what waits longest.
    if let Some(first) = parts.iter_mut().filter(|part| part.id != "warnings").find_map(|part| part.rows.first_mut()) {
        first.first = true;
    }
    Ok(page(&DeskPage { parts, can_draft: req.actor.may(Action::Draft, None).is_ok(), s }))
}

/// A row in words.
pub fn row(s: &Shell, item: &Item) -> Row {
    let (task, kind, href, verb) = task_words(s, &item.task);
    Row {
        task,
        kind,
        title: match &item.task {
            Task::Messages(n) => s.t1("task-messages", "n", n),
            Task::TakeOn(n) => s.t1("task-take-on", "n", n),
            Task::Stuck(n) => s.t1("task-stuck", "n", n),
            _ => item.title.clone(),
        },
        note: item.note.clone(),
        place: match &item.place {
            Place::Org(name) => name.clone(),
            Place::Region(region) => s.place_line(region),
        },
        clock: clock(s, item),
        href,
        verb,
        first: false,
    }
}

fn clock(s: &Shell, item: &Item) -> Html {
    match (&item.clock, &item.task) {
        (Clock::By(at), Task::Review(_) | Task::Recheck(..) | Task::Card(_) | Task::Confirm) => {
            let day = |at: jiff::Timestamp| jiff::tz::Offset::constant(8).to_datetime(at).date();
            s.due(day(*at), day(s.now))
        }
        (Clock::By(at), _) => s.clk(*at, *at < s.now),
        (Clock::Since(at), Task::Corrected(..) | Task::Withdrawn(..) | Task::Held(..) | Task::Card(_)) => s.soon(at),
        (Clock::Since(at), _) => crate::page::Html(crate::page::escape(&s.t1("desk-since", "span", s.span(&s.now.duration_since(*at))))),
    }
}

fn subject(kind: Kind, id: &SubjectId) -> String {
    match kind {
        Kind::Claim => urls::claim(id),
        Kind::Resource => urls::resource(id),
    }
}

/// The message that says what a round or an application waits for.
fn round_step(step: RoundStep) -> &'static str {
    match step {
        RoundStep::Write => "round-task-write",
        RoundStep::Mend => "round-task-mend",
        RoundStep::Recommend => "round-task-recommend",
        RoundStep::Check => "round-task-check",
        RoundStep::Assign => "round-task-assign",
        RoundStep::Propose => "round-task-propose",
        RoundStep::Answer => "round-task-answer",
        RoundStep::Decide => "round-task-decide",
        RoundStep::Deliver => "round-task-deliver",
        RoundStep::Report => "round-task-report",
        RoundStep::Confirm => "round-task-confirm",
    }
}

/// Word for programs, kind, address and verb of a task.
fn task_words(s: &Shell, task: &Task) -> (&'static str, String, String, String) {
    match task {
        Task::Review(id) => ("review", s.t("task-review"), urls::review(id), s.t("verb-review")),
        Task::Case(id, Due::Holding) => ("case", s.t("task-holding"), urls::case(id), s.t("verb-case")),
        Task::Case(id, _) => ("case", s.t("task-answer"), urls::case(id), s.t("verb-case")),
        Task::TakeCase(id, kind) => ("takeCase", crate::listen::case::kind_name(s, kind), urls::case(id), s.t("verb-take")),
        Task::Call(id) => ("call", s.t("task-call"), urls::case(id), s.t("verb-call")),
        Task::Answer(id) => ("answer", s.t("task-write-answer"), urls::draft(id), s.t("verb-write")),
        Task::Write(id) => ("write", s.t("task-draft"), urls::draft(id), s.t("verb-write")),
        Task::Mend(id) => ("mend", s.t("task-returned"), urls::draft(id), s.t("verb-mend")),
        Task::Assign(id) => ("assign", s.t("task-assign"), urls::draft(id), s.t("verb-assign")),
        Task::Replace(id) => ("replace", s.t("task-late"), urls::draft(id), s.t("verb-replace")),
        Task::Publish(id) => ("publish", s.t("task-ready"), urls::draft(id), s.t("verb-publish")),
        Task::Card(id) => ("card", s.t("task-card"), urls::resource(id), s.t("verb-read")),
        Task::Corrected(id, kind) => ("corrected", s.t("corrected"), subject(*kind, id), s.t("verb-read")),
        Task::Withdrawn(id, kind) => ("withdrawn", s.t("withdrawn"), subject(*kind, id), s.t("verb-read")),
        Task::Held(id, kind) => ("held", s.t("recall-held"), subject(*kind, id), s.t("verb-read")),
        Task::TakeDown(id, _) => ("takeDown", s.t("task-take-down"), urls::recall(id), s.t("verb-take-down")),
        Task::Confirm => ("confirm", s.t("task-confirm"), "/account/registry".to_owned(), s.t("verb-confirm")),
        Task::Recheck(id, kind) => ("recheck", s.t("task-recheck"), subject(*kind, id), s.t("verb-recheck")),
        Task::Judge(n) => ("judge", s.t1("task-judge", "n", n), urls::JUDGING.to_owned(), s.t("verb-judge")),
        Task::Ledger(n) => ("ledger", s.t1("task-ledger", "n", n), "/contributions/confirm".to_owned(), s.t("verb-ledger")),
        Task::Warning(id) => ("warning", s.t("task-warning"), urls::warning(id), s.t("verb-read")),
        Task::Messages(n) => ("messages", s.t1("task-messages", "n", n), "/warnings".to_owned(), s.t("verb-decide")),
        Task::TakeOn(_) => ("takeOn", s.t("decisions-title"), "/decisions".to_owned(), s.t("verb-take-on")),
        Task::Stuck(_) => ("stuck", s.t("decisions-title"), "/decisions?stage=stuck".to_owned(), s.t("verb-read")),
        Task::Do(id) => ("do", s.t("task-do"), urls::task(id), s.t("verb-do")),
        Task::Office(id, step, n) => ("round", s.t1(round_step(*step), "n", n), urls::round_office(id), s.t("verb-round")),
        Task::Applicant(id, step) => ("application", s.t1(round_step(*step), "n", 1), urls::application(id), s.t("verb-application")),
    }
}
