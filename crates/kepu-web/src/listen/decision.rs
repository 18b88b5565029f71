//! What meetings decide and inspections find, as pages for those who coordinate: the list with what is overdue or blocked on top, the tree of one decision, taking on
//! what is asked, moving a deadline, ending it. Recording a decision is in `decision_new`; what is done is in `kepu-app::listen::decision`.

use crate::Web;
use crate::form::Form;
use crate::line::{Choice, attachment, choices, csv_cell, region_choices};
use crate::page::{Answer, Errors, Html, Pager, Req, Shell, page, page_with};
use crate::urls;
use crate::words::iso;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::listen::decision::{self as deeds, Amend, Overview, Tree, View};
use kepu_app::{AppError, FieldError, account};
use kepu_domain::access::Action;
use kepu_domain::ids::{OrgId, SubjectId};
use kepu_domain::listen::case::KINDS;
use kepu_domain::listen::decision::{Branch, Cause, Change, Next, Outcome, Said};
use kepu_domain::org::{Org, Region};

/// Asks of a page.
const SIZE: usize = 30;
/// Stages that the list tells apart.
const STAGES: [&str; 7] = ["stuck", "open", "taken", "blocked", "done", "dropped", "any"];

/// The word of a stage: `open` while nobody has taken it on.
pub fn stage_word(branch: &Branch) -> &'static str {
    match branch.outcome() {
        None => "open",
        Some(Outcome::Taken) => "taken",
        Some(Outcome::Done) => "done",
        Some(Outcome::Blocked) => "blocked",
        Some(Outcome::Dropped) => "dropped",
    }
}

/// How far an ask is, as shape and word.
pub fn state(s: &Shell, branch: &Branch) -> Html {
    match branch.outcome() {
        Some(Outcome::Done) if branch.was_late() => s.state("part", s.t("task-done-late")),
        Some(Outcome::Done) => s.state("true", s.t("task-done")),
        Some(Outcome::Dropped) => s.state("open", s.t("task-dropped")),
        _ if branch.ended => s.state("open", s.t("decision-over")),
        Some(Outcome::Blocked) => s.state("false", s.t("task-blocked")),
        _ if branch.is_late(s.now) => s.state("false", s.t("task-overdue")),
        Some(Outcome::Taken) => s.state("now", s.t("task-doing")),
        None => s.state("open", s.t("ask-open")),
    }
}

fn clock(s: &Shell, branch: &Branch) -> Html {
    match branch.said.last() {
        Some(said) if branch.is_over() => s.soon(&said.at),
        _ if branch.is_over() => s.soon(&branch.ask.due),
        _ => s.clk(branch.ask.due, branch.is_late(s.now)),
    }
}

/// An address that can be opened, or nothing.
pub fn link(text: &str) -> String {
    let opens = (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(char::is_whitespace);
    if opens { text.to_owned() } else { String::new() }
}

/// An ask in the list.
struct Item {
    href: String,
    what: String,
    line: String,
    clock: Html,
    state: Html,
}

/// An ask that waits to be taken on.
struct Offered {
    action: String,
    key: String,
    href: String,
    what: String,
    line: String,
    clock: Html,
    orgs: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "listen/decisions.html")]
struct ListPage {
    s: Shell,
    can_decide: bool,
    offered: Vec<Offered>,
    stuck: usize,
    counts: String,
    items: Vec<Item>,
    stages: Vec<Choice>,
    regions: Vec<Choice>,
    causes: Vec<Choice>,
    filtered: bool,
    any: bool,
    total: usize,
    first: usize,
    last: usize,
    pager: Pager,
    csv: String,
}

fn offered(s: &Shell, orgs: &[Org], tree: &Tree, branch: &Branch) -> Offered {
    // The organisation whose own place is asked stands first.
    let mut fit: Vec<&Org> = orgs.iter().filter(|org| org.region.covers(branch.ask.place)).collect();
    fit.sort_by_key(|org| org.region != branch.ask.place);
    let first = fit.first().map(|org| org.id.clone());
    let choice = |org: &&Org| Choice { value: org.id.0.clone(), text: s.pick(&org.name, &org.name_en).to_owned(), on: Some(&org.id) == first.as_ref() };
    Offered {
        action: format!("{}/take", urls::decision(&tree.id)),
        key: branch.ask.key.clone(),
        href: urls::decision(&tree.id),
        what: branch.ask.what.clone(),
        line: format!("{} · {} · {}", s.place(&branch.ask.place), tree.decided.meeting, tree.decided.host),
        clock: s.clk(branch.ask.due, branch.is_late(s.now)),
        orgs: fit.iter().map(choice).collect(),
    }
}

/// What the sentence above the list asks for: what is not over, unless something else is said.
fn wanted<'a>(req: &Req, all: &'a Overview) -> Vec<(&'a Tree, &'a Branch)> {
    let (stage, within) = (req.query.opt("stage"), req.query.opt("region").and_then(|code| Region::parse(code).ok()));
    let (cause, now) = (req.query.opt("cause"), req.shell.now);
    let fits = |tree: &Tree, branch: &Branch| {
        let stage = match stage {
            None => !branch.is_over(),
            Some("any") => true,
            Some("stuck") => branch.is_stuck(now),
            Some(word) => stage_word(branch) == word,
        };
        stage && within.is_none_or(|place| place.covers(branch.ask.place)) && cause.is_none_or(|kind| tree.decided.cause.case_kind() == kind)
    };
    let pairs = all.trees.iter().flat_map(|tree| tree.branches.iter().map(move |branch| (tree, branch)));
    let mut list: Vec<(&Tree, &Branch)> = pairs.filter(|(tree, branch)| fits(tree, branch)).collect();
    list.sort_by_key(|(tree, branch)| (!branch.is_stuck(now), branch.is_over(), branch.ask.due, tree.id.clone(), branch.ask.key.clone()));
    list
}

fn csv(s: &Shell, list: &[(&Tree, &Branch)]) -> String {
    let head = [
        "decision",
        "ask",
        "kind",
        "meeting",
        "day",
        "asked_by",
        "place",
        "what",
        "due",
        "stage",
        "overdue",
        "late",
        "done_by",
        "evidence_or_reason",
        "address",
    ];
    let mut out = format!("\u{feff}{}\r\n", head.join(","));
    for (tree, branch) in list {
        let cells = [
            tree.id.0.clone(),
            branch.ask.key.clone(),
            tree.decided.cause.case_kind().to_owned(),
            tree.decided.meeting.clone(),
            tree.decided.day.to_string(),
            tree.decided.host.clone(),
            branch.ask.place.to_string(),
            branch.ask.what.clone(),
            iso(branch.ask.due),
            stage_word(branch).to_owned(),
            branch.is_late(s.now).to_string(),
            branch.was_late().to_string(),
            branch.host.clone(),
            branch.said.last().map(|said| said.words.clone()).unwrap_or_default(),
            format!("{}{}", s.origin, urls::decision(&tree.id)),
        ];
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push_str("\r\n");
    }
    out
}

/// How a list of asks stands, as a sentence.
fn counts(s: &Shell, all: &Overview) -> String {
    let sums = kepu_domain::listen::decision::sums(all.trees.iter().flat_map(|tree| &tree.branches), s.now);
    let done = s.t3("ask-counts-done", "done", sums.done, "late", sums.done_late, "dropped", sums.dropped);
    format!("{} {done}", s.t3("ask-counts", "n", sums.asks, "open", sums.open, "taken", sums.taken + sums.blocked))
}

async fn orgs(web: &Web, req: &Req) -> Result<Vec<Org>, AppError> {
    account::orgs_where(&web.app, req.signed_in()?, Action::TakeOn).await
}

/// GET /decisions
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let all = deeds::overview(&web.app, &req.actor).await?;
    let s = req.titled(req.shell.t("decisions-title"));
    let found = wanted(&req, &all);
    if req.query.get("format") == "csv" {
        return Ok(attachment("kepu-decisions.csv", csv(&s, &found)));
    }
    let pairs = || all.trees.iter().flat_map(|tree| tree.branches.iter().map(move |branch| (tree, branch)));
    let orgs = orgs(&web, &req).await?;
    let at = req.page_number();
    let item = |(tree, branch): &(&Tree, &Branch)| Item {
        href: urls::decision(&tree.id),
        what: branch.ask.what.clone(),
        line: [s.place(&branch.ask.place), branch.host.clone(), tree.decided.meeting.clone()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" · "),
        clock: clock(&s, branch),
        state: state(&s, branch),
    };
    let items: Vec<Item> = found.iter().skip((at - 1) * SIZE).take(SIZE).map(item).collect();
    let first = if items.is_empty() { 0 } else { (at - 1) * SIZE + 1 };
    let stages = STAGES.iter().map(|word| ((*word).to_owned(), s.t(&format!("ask-stage-{word}"))));
    let causes = ["decision", "finding"].map(|kind| (kind.to_owned(), super::case::kind_name(&s, kind)));
    Ok(page(&ListPage {
        can_decide: req.shell.may(Action::Coordinate),
        offered: pairs().filter(|(tree, branch)| all.homes.may_take(tree, branch)).take(SIZE).map(|(tree, branch)| offered(&s, &orgs, tree, branch)).collect(),
        stuck: pairs().filter(|(_, branch)| branch.is_stuck(s.now)).count(),
        counts: counts(&s, &all),
        stages: choices(s.t("ask-stage-active"), stages, req.query.get("stage")),
        regions: region_choices(&s, web.settings.region, req.query.get("region")),
        causes: choices(s.t("ask-any-cause"), causes.into_iter(), req.query.get("cause")),
        filtered: ["stage", "region", "cause"].into_iter().any(|name| req.query.opt(name).is_some()),
        any: !all.trees.is_empty(),
        total: found.len(),
        first,
        last: (first + items.len()).saturating_sub(1),
        pager: Pager::new(&s, at, SIZE, found.len()),
        csv: s.here_with("format", "csv"),
        items,
        s,
    }))
}

/// A step of a report, or a change of the decision.
struct Step {
    at: Html,
    text: String,
    words: String,
    link: String,
}

/// An ask with everything about it.
struct Twig {
    key: String,
    what: String,
    place: String,
    host: String,
    proof: bool,
    clock: Html,
    state: Html,
    steps: Vec<Step>,
    task: String,
    offer: Option<Offered>,
    open: bool,
}

#[derive(Template)]
#[template(path = "listen/decision.html")]
struct DecisionPage {
    s: Shell,
    action: String,
    seen: usize,
    meeting: String,
    words: String,
    about: String,
    host: String,
    kind: String,
    day: Html,
    clock: Html,
    ended: bool,
    counts: String,
    twigs: Vec<Twig>,
    changes: Vec<Step>,
    can_lead: bool,
    json: String,
    late: bool,
    due: String,
    reason: String,
    /// The ask whose form has errors; `end`: the form that ends the decision.
    at: String,
    errors: Errors,
}

fn step(s: &Shell, said: &Said) -> Step {
    let text = match said.outcome {
        Outcome::Taken => s.t("ask-said-taken"),
        Outcome::Done => s.t("ask-said-done"),
        Outcome::Blocked => s.t("ask-said-blocked"),
        Outcome::Dropped => s.t("ask-said-dropped"),
    };
    Step { at: s.time(&said.at), text, link: link(&said.words), words: said.words.clone() }
}

fn change(s: &Shell, tree: &Tree, change: &Change) -> Step {
    let what = tree.branches.iter().find(|branch| branch.ask.key == change.ask).map_or("", |branch| branch.ask.what.as_str());
    let text = match change.due {
        Some((from, to)) => s.t3("decision-moved", "what", what, "from", s.when(from), "to", s.when(to)),
        None => s.t("decision-was-ended"),
    };
    Step { at: s.time(&change.at), text, words: change.reason.clone(), link: String::new() }
}

/// Kind of a decision with its level.
fn kind_word(s: &Shell, cause: Cause, level: i64) -> String {
    let name = super::case::kind_name(s, cause.case_kind());
    let kind = KINDS.iter().find(|kind| kind.id == cause.case_kind());
    let level = kind.and_then(|kind| kind.levels.iter().find(|one| one.level == level));
    level.map_or_else(|| name.clone(), |level| format!("{name} · {}", s.pick(&level.name_zh, &level.name_en)))
}

fn clock_of(s: &Shell, tree: &Tree) -> Html {
    let (text, at) = match tree.next() {
        Next::Nothing => return s.state("true", s.t("decision-all-over")),
        Next::Take(at) => (s.t("decision-next-take"), at),
        Next::Due(at) => (s.t("decision-next-due"), at),
    };
    Html(format!("{} {}", crate::page::escape(&text), s.clk(at, at < s.now)))
}

/// GET /decisions/{owner}/{local}
pub async fn show(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    show_with(&web, &req, &SubjectId::new(&owner, &local), StatusCode::OK, None, &[]).await
}

async fn show_with(web: &Web, req: &Req, id: &SubjectId, status: StatusCode, typed: Option<(&str, &Form)>, errors: &[FieldError]) -> Answer {
    let view = deeds::view(&web.app, &req.actor, id).await?;
    let (orgs, tree) = (orgs(web, req).await?, &view.tree);
    let s = req.titled(tree.decided.words.clone());
    let sums = tree.sums(s.now);
    let said = |name: &str| typed.map(|(_, form)| form.get(name).to_owned()).unwrap_or_default();
    let answer = DecisionPage {
        action: urls::decision(id),
        seen: tree.decided.changes.len(),
        meeting: tree.decided.meeting.clone(),
        words: tree.decided.words.clone(),
        about: tree.decided.about.clone(),
        host: tree.decided.host.clone(),
        kind: kind_word(&s, tree.decided.cause, tree.decided.level),
        day: s.date(&tree.decided.day),
        clock: clock_of(&s, tree),
        ended: tree.decided.ended.is_some(),
        counts: s.t3("ask-counts", "n", sums.asks, "open", sums.open, "taken", sums.taken + sums.blocked)
            + &s.t3("ask-counts-done", "done", sums.done, "late", sums.done_late, "dropped", sums.dropped),
        twigs: tree.branches.iter().map(|branch| twig(&s, &orgs, &view, branch)).collect(),
        changes: tree.decided.changes.iter().map(|one| change(&s, tree, one)).collect(),
        can_lead: view.can_lead,
        json: format!("/api{}", urls::decision(id)),
        late: s.path.contains("late=1"),
        due: said("due"),
        reason: said("reason"),
        at: typed.map(|(at, _)| at.to_owned()).unwrap_or_default(),
        errors: s.errors(errors),
        s,
    };
    Ok(page_with(status, &answer))
}

fn twig(s: &Shell, orgs: &[Org], view: &View, branch: &Branch) -> Twig {
    Twig {
        key: branch.ask.key.clone(),
        what: branch.ask.what.clone(),
        place: s.place_line(&branch.ask.place),
        host: branch.host.clone(),
        proof: branch.ask.proof == "link",
        clock: clock(s, branch),
        state: state(s, branch),
        steps: branch.said.iter().map(|said| step(s, said)).collect(),
        task: view.tasks.get(&branch.ask.key).map(urls::task).unwrap_or_default(),
        offer: view.homes.may_take(&view.tree, branch).then(|| offered(s, orgs, &view.tree, branch)),
        open: !branch.is_over(),
    }
}

async fn done(web: &Web, req: &Req, id: &SubjectId, at: &str, form: &Form, answer: Result<axum::response::Response, AppError>) -> Answer {
    match answer {
        Err(AppError::Invalid(errors)) => {
            // Each ask has fields of its own; those of the form that ends the decision stand alone.
            let place = |error: FieldError| if at == "end" { error } else { FieldError { field: format!("{}-{at}", error.field), ..error } };
            let errors: Vec<FieldError> = errors.into_iter().map(place).collect();
            show_with(web, req, id, StatusCode::UNPROCESSABLE_ENTITY, Some((at, form)), &errors).await
        }
        // Somebody else was quicker: the page says how it stands now.
        Err(AppError::Stale { .. }) if !req.wants_json => Ok(crate::form::see_other(&format!("{}?late=1", urls::decision(id)))),
        other => Ok(other?),
    }
}

/// POST /decisions/{owner}/{local}/take
pub async fn take(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>, form: Form) -> Answer {
    let id = SubjectId::new(&owner, &local);
    let org = OrgId::from(form.get("org"));
    let deed = async { deeds::take_on(&web.app, &req.actor, &id, form.get("ask"), &org).await.map(|task| urls::task(&task)) };
    let answer = form.once(&web, deed).await;
    done(&web, &req, &id, form.get("ask"), &form, answer).await
}

fn seen(form: &Form) -> usize {
    form.int("seen").and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX)
}

/// POST /decisions/{owner}/{local}/amend
pub async fn amend(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>, form: Form) -> Answer {
    let id = SubjectId::new(&owner, &local);
    let change = Amend { ask: form.get("ask").to_owned(), due: form.get("due").trim().parse().ok(), reason: form.get("reason").to_owned() };
    let deed = async { deeds::amend(&web.app, &req.actor, &id, seen(&form), change).await.map(|()| urls::decision(&id)) };
    let answer = form.once(&web, deed).await;
    done(&web, &req, &id, form.get("ask"), &form, answer).await
}

/// POST /decisions/{owner}/{local}/end
pub async fn end(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>, form: Form) -> Answer {
    let id = SubjectId::new(&owner, &local);
    let deed = async { deeds::end(&web.app, &req.actor, &id, seen(&form), form.get("reason")).await.map(|()| urls::decision(&id)) };
    let answer = form.once(&web, deed).await;
    done(&web, &req, &id, "end", &form, answer).await
}
