//! Duty rosters as pages: who is called now and next, absences, a table that is made once and turns by itself; and, on the page of a case, whom its clock called.

use crate::Web;
use crate::api::json;
use crate::form::{Fields, Form};
use crate::line::Choice;
use crate::page::{Answer, Errors, Html, Req, Shell, escape, page_with};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::civil::Date;
use kepu_app::listen::case::CaseView;
use kepu_app::listen::duty::{self as deeds, Overview, Person, RotaForm, RotaView};
use kepu_app::{AppError, FieldError, account};
use kepu_domain::access::Action;
use kepu_domain::ids::{CaseId, OrgId, PartyId, RotaId};
use kepu_domain::listen::duty::{Absence, Answer as Answered, Next, PEOPLE_MAX, POSTS, Post, Rota, Turn};
use std::collections::HashMap;

/// Hour of the change that a new rota begins with.
const HOUR: i64 = 8;
/// Days of a turn that a new rota begins with.
const TURN_DAYS: i64 = 7;

fn post_word(s: &Shell, post: Post) -> String {
    s.t(match post {
        Post::Officer => "duty-officer",
        Post::Expert => "duty-expert",
    })
}

/// Somebody in a chain.
struct PersonLine {
    name: String,
    title: String,
    phone: String,
    /// Whether they have confirmed.
    state: Html,
    since: String,
}

struct TurnLine {
    from: Html,
    first: String,
    then: String,
}

struct Away {
    party: String,
    from: String,
    line: String,
    can_end: bool,
}

struct Table {
    id: String,
    title: String,
    rule: String,
    until: Html,
    chain: Vec<PersonLine>,
    next: Vec<TurnLine>,
    away: Vec<Away>,
    can_change: bool,
}

struct Calling {
    href: String,
    title: String,
    name: String,
    at: Html,
}

#[derive(Template)]
#[template(path = "listen/duty.html")]
struct ListPage {
    s: Shell,
    can_add: bool,
    tables: Vec<Table>,
    calls: Vec<Calling>,
    /// Registry entry of the reader, if they are on a rota.
    me: String,
    mine: (Html, String),
    people: Vec<Choice>,
    instead: Vec<Choice>,
    from: String,
    to: String,
    today: String,
    errors: Errors,
}

fn name_of(people: &HashMap<PartyId, Person>, id: &PartyId) -> String {
    people.get(id).map_or_else(|| id.0.clone(), |person| person.name.clone())
}

/// How recently somebody confirmed, as shape and word, and since when in words.
fn confirmed(s: &Shell, person: &Person) -> (Html, String) {
    let day = person.confirmed.map(|on| s.t1("duty-confirmed-on", "day", s.day_text(on))).unwrap_or_default();
    let lacks = |key: &str| if day.is_empty() { s.t(key) } else { format!("{day}{}{}", s.t("comma"), s.t(key)) };
    if person.away {
        (s.state("open", s.t("duty-away")), day)
    } else if person.ready {
        (s.state("true", s.t("duty-confirmed")), day)
    } else if person.agreed {
        (s.state("part", s.t("duty-unconfirmed")), lacks("duty-last"))
    } else {
        (s.state("part", s.t("duty-not-agreed")), lacks("duty-not-agreed-last"))
    }
}

fn line(s: &Shell, people: &HashMap<PartyId, Person>, id: &PartyId) -> PersonLine {
    let person = people.get(id).cloned().unwrap_or_default();
    let (state, since) = confirmed(s, &person);
    PersonLine { name: name_of(people, id), title: person.title.clone(), state, since, phone: person.phone }
}

fn turn_line(s: &Shell, people: &HashMap<PartyId, Person>, turn: &Turn) -> TurnLine {
    let mut names = turn.chain.iter().map(|id| name_of(people, id));
    let first = names.next().unwrap_or_else(|| s.t("duty-nobody"));
    TurnLine { from: s.soon(&turn.from), first, then: names.collect::<Vec<_>>().join(" → ") }
}

fn rule(s: &Shell, rota: &Rota) -> String {
    let turn = match rota.turn_days {
        1 => s.t("duty-daily"),
        7 => s.t("duty-weekly"),
        n => s.t1("duty-every", "n", n),
    };
    let ends = rota.ends.map(|day| s.t1("duty-until", "day", s.day_text(day))).unwrap_or_default();
    format!("{turn}{}{}{ends}", s.t("comma"), s.t1("duty-change", "hour", rota.hour))
}

fn table(s: &Shell, found: &Overview, view: &RotaView) -> Table {
    let people = &found.people;
    let span = |one: &Absence| {
        let instead = one.instead.as_ref().map(|id| s.t1("duty-instead-is", "name", name_of(people, id))).unwrap_or_default();
        format!("{} {} – {}{instead}", name_of(people, &one.party), s.day_text(one.from), s.day_text(one.to))
    };
    Table {
        id: view.rota.id.0.clone(),
        title: format!("{} · {}", view.org, post_word(s, view.rota.post)),
        rule: rule(s, &view.rota),
        until: view.now.as_ref().map(|turn| s.soon(&turn.to)).unwrap_or_default(),
        chain: view.now.as_ref().map(|turn| turn.chain.iter().map(|id| line(s, people, id)).collect()).unwrap_or_default(),
        next: view.next.iter().map(|turn| turn_line(s, people, turn)).collect(),
        away: view
            .absences
            .iter()
            .map(|one| Away {
                party: one.party.0.clone(),
                from: one.from.to_string(),
                line: span(one),
                can_end: view.can_change || found.me.as_ref() == Some(&one.party),
            })
            .collect(),
        can_change: view.can_change,
    }
}

/// GET /duty
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    list_with(&web, &req, StatusCode::OK, &Fields::default(), &[]).await
}

async fn list_with(web: &Web, req: &Req, status: StatusCode, f: &Fields, errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t("duty-title"));
    let found = deeds::overview(&web.app, &req.actor).await?;
    let own = found.me.as_ref().filter(|me| found.rotas.iter().any(|view| view.rota.people.contains(me)));
    // Whom one may say something about: oneself, and everybody on a rota that one keeps.
    let mut about: Vec<PartyId> = own.cloned().into_iter().collect();
    let kept = found.rotas.iter().filter(|view| view.can_change).flat_map(|view| view.rota.people.iter());
    about.extend(kept.cloned().collect::<Vec<_>>());
    about.sort_by_key(|id| (Some(id) != own, name_of(&found.people, id), id.clone()));
    about.dedup();
    let mut all: Vec<PartyId> = found.rotas.iter().flat_map(|view| view.rota.people.iter().cloned()).collect();
    all.sort_by_key(|id| (name_of(&found.people, id), id.clone()));
    all.dedup();
    let choice = |chosen: &str, id: &PartyId| Choice { value: id.0.clone(), text: name_of(&found.people, id), on: id.0 == chosen };
    let nobody = Choice { value: String::new(), text: s.t("duty-next-in-chain"), on: f.get("instead").is_empty() };
    let calls = found.calls.iter().map(|(call, case)| Calling {
        href: urls::case(&case.id),
        title: case.title.clone(),
        name: name_of(&found.people, &call.party),
        at: s.time(&call.at),
    });
    let answer = ListPage {
        can_add: req.actor.may(Action::IssueHolding, None).is_ok(),
        tables: found.rotas.iter().map(|view| table(&s, &found, view)).collect(),
        calls: calls.collect(),
        me: own.map(|id| id.0.clone()).unwrap_or_default(),
        mine: own.and_then(|id| found.people.get(id)).map(|person| confirmed(&s, person)).unwrap_or_default(),
        people: about.iter().map(|id| choice(f.get("party"), id)).collect(),
        instead: std::iter::once(nobody).chain(all.iter().map(|id| choice(f.get("instead"), id))).collect(),
        from: f.get("from").to_owned(),
        to: f.get("to").to_owned(),
        today: web.app.today().to_string(),
        errors: s.errors(errors),
        s,
    };
    Ok(page_with(status, &answer))
}

/// A day as a form has it.
fn day(f: &Fields, name: &'static str) -> Result<Option<Date>, AppError> {
    match f.get(name).trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| AppError::Invalid(vec![FieldError::new(name, "no_day")])),
    }
}

fn needed(f: &Fields, name: &'static str) -> Result<Date, AppError> {
    day(f, name)?.ok_or_else(|| AppError::Invalid(vec![FieldError::new(name, "no_day")]))
}

/// POST /duty/away: somebody is not there; with `do=back` they are again
pub async fn away(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async {
        let party = PartyId::from(form.get("party"));
        let from = needed(form.fields(), "from")?;
        if form.get("do") == "back" {
            deeds::back(&web.app, &req.actor, &party, from).await?;
        } else {
            let to = needed(form.fields(), "to")?;
            deeds::away(&web.app, &req.actor, Absence { party, from, to, instead: form.opt("instead").map(PartyId::from) }).await?;
        }
        Ok("/duty".to_owned())
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => list_with(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, form.fields(), &errors).await,
        other => Ok(other?),
    }
}

#[derive(Template)]
#[template(path = "listen/duty_edit.html")]
struct EditPage {
    s: Shell,
    /// Empty for a new one.
    id: String,
    version: i64,
    org: String,
    post: String,
    orgs: Vec<Choice>,
    posts: Vec<Choice>,
    /// Whether the people of the organisation and post are known, so that they can be chosen.
    choosing: bool,
    places: Vec<Vec<Choice>>,
    lacking: Vec<String>,
    begins: String,
    turns: Vec<Choice>,
    hours: Vec<Choice>,
    ends: String,
    errors: Errors,
}

/// What a rota form shows: of a rota, as typed, or for a new one.
async fn edit_with(web: &Web, req: &Req, rota: Option<&Rota>, status: StatusCode, f: &Fields, errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t(if rota.is_some() { "duty-edit" } else { "duty-new" }));
    let own = |name: &str, otherwise: String| if f.has(name) { f.get(name).to_owned() } else { otherwise };
    let orgs = account::orgs_where(&web.app, req.signed_in()?, Action::IssueHolding).await?;
    let org = own("org", rota.map(|rota| rota.org.0.clone()).unwrap_or_default());
    let post = Post::parse(&own("post", rota.map_or("officer", |rota| rota.post.as_str()).to_owned())).unwrap_or(Post::Officer);
    let choosing = !org.is_empty();
    let (people, lacking) = if choosing { deeds::choices(&web.app, &req.actor, &OrgId(org.clone()), post).await? } else { (vec![], vec![]) };
    let chosen: Vec<String> =
        if f.has("people") { f.all("people") } else { rota.map(|rota| rota.people.iter().map(|id| id.0.clone()).collect()).unwrap_or_default() };
    let places = (0..PEOPLE_MAX.min(people.len())).map(|at| {
        let chosen = chosen.get(at).cloned().unwrap_or_default();
        let none = Choice { value: String::new(), text: s.t("duty-no-one"), on: chosen.is_empty() };
        std::iter::once(none).chain(people.iter().map(|(id, name)| Choice { value: id.0.clone(), text: name.clone(), on: id.0 == chosen })).collect()
    });
    let turn = f.int("turn_days").unwrap_or_else(|| rota.map_or(TURN_DAYS, |rota| rota.turn_days));
    let hour = f.int("hour").unwrap_or_else(|| rota.map_or(HOUR, |rota| rota.hour));
    let turn_choice = |n: i64| {
        let text = match n {
            1 => s.t("duty-daily"),
            7 => s.t("duty-weekly"),
            n => s.t1("duty-every", "n", n),
        };
        Choice { value: n.to_string(), text, on: n == turn }
    };
    let mut turns: Vec<i64> = vec![1, 2, 3, 7, 14, 28];
    if !turns.contains(&turn) {
        turns.push(turn);
    }
    let answer = EditPage {
        id: rota.map(|rota| rota.id.0.clone()).unwrap_or_default(),
        version: rota.map_or(1, |rota| rota.version),
        orgs: orgs.iter().map(|one| Choice { value: one.id.0.clone(), text: s.pick(&one.name, &one.name_en).to_owned(), on: one.id.0 == org }).collect(),
        posts: POSTS.iter().map(|one| Choice { value: one.as_str().into(), text: post_word(&s, *one), on: *one == post }).collect(),
        post: post.as_str().to_owned(),
        org,
        choosing,
        places: places.collect(),
        lacking,
        begins: own("begins", rota.map_or_else(|| web.app.today().to_string(), |rota| rota.begins.to_string())),
        turns: turns.into_iter().map(turn_choice).collect(),
        hours: (0..24).map(|n| Choice { value: n.to_string(), text: format!("{n:02}:00"), on: n == hour }).collect(),
        ends: own("ends", rota.and_then(|rota| rota.ends).map(|day| day.to_string()).unwrap_or_default()),
        errors: s.errors(errors),
        s,
    };
    Ok(page_with(status, &answer))
}

/// GET /duty/new: first for which organisation and what, then the people
pub async fn new_page(State(web): State<Web>, req: Req) -> Answer {
    edit_with(&web, &req, None, StatusCode::OK, &req.query, &[]).await
}

fn typed(f: &Fields) -> Result<RotaForm, AppError> {
    Ok(RotaForm {
        begins: day(f, "begins")?,
        turn_days: f.int("turn_days").unwrap_or_default(),
        hour: f.int("hour").unwrap_or(-1),
        people: f.all("people").into_iter().filter(|id| !id.is_empty()).map(PartyId).collect(),
        ends: day(f, "ends")?,
    })
}

/// POST /duty/new
pub async fn add(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async {
        let post = Post::parse(form.get("post")).ok_or_else(|| AppError::Invalid(vec![FieldError::new("post", "required")]))?;
        deeds::add(&web.app, &req.actor, &OrgId::from(form.get("org")), post, typed(form.fields())?).await?;
        Ok("/duty".to_owned())
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => edit_with(&web, &req, None, StatusCode::UNPROCESSABLE_ENTITY, form.fields(), &errors).await,
        other => Ok(other?),
    }
}

/// GET /duty/{id}
pub async fn edit(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let rota = deeds::get(&web.app, &req.actor, &RotaId(id)).await?;
    edit_with(&web, &req, Some(&rota), StatusCode::OK, &Fields::default(), &[]).await
}

/// POST /duty/{id}: saves it; with `do=remove` takes it away
pub async fn save(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = RotaId(id);
    let deed = async {
        match form.get("do") {
            "remove" if !form.has("confirm") => return Err(AppError::Invalid(vec![FieldError::new("confirm", "not_confirmed")])),
            "remove" => deeds::remove(&web.app, &req.actor, &id).await?,
            _ => deeds::save(&web.app, &req.actor, &id, form.int("version").unwrap_or_default(), typed(form.fields())?).await?,
        }
        Ok("/duty".to_owned())
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => {
            let rota = deeds::get(&web.app, &req.actor, &id).await?;
            edit_with(&web, &req, Some(&rota), StatusCode::UNPROCESSABLE_ENTITY, form.fields(), &errors).await
        }
        other => Ok(other?),
    }
}

/// POST /case/{id}/cannot
pub async fn cannot(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = CaseId(id);
    let deed = async { deeds::cannot(&web.app, &req.actor, &id).await.map(|()| "/desk".to_owned()) };
    Ok(form.once(&web, deed).await?)
}

/// GET /api/duty: who is called now and next. For those who work on cases, with the session of a browser
pub async fn api(State(web): State<Web>, req: Req) -> Answer {
    let found = deeds::overview(&web.app, &req.actor).await?;
    let name = |id: &PartyId| serde_json::json!({"party": id, "name": name_of(&found.people, id)});
    let turn = |turn: &Turn| serde_json::json!({"from": turn.from, "to": turn.to, "chain": turn.chain.iter().map(name).collect::<Vec<_>>()});
    let rotas: Vec<serde_json::Value> = found
        .rotas
        .iter()
        .map(|view| {
            serde_json::json!({
                "id": view.rota.id, "org": view.rota.org, "post": view.rota.post.as_str(), "turn_days": view.rota.turn_days,
                "now": view.now.as_ref().map(turn), "next": view.next.iter().map(turn).collect::<Vec<_>>(),
            })
        })
        .collect();
    json(&serde_json::json!({ "rotas": rotas }))
}

/// A call as the page of its case shows it.
struct CallLine {
    name: String,
    phone: String,
    org: String,
    at: Html,
    state: Html,
}

/// What the clock of a case does about calls, for whoever works on it.
#[derive(Template)]
#[template(path = "listen/calls.html")]
struct CallsPart {
    s: Shell,
    id: String,
    made: Vec<CallLine>,
    mine: bool,
    /// What comes next, as a sentence; empty: nothing.
    next: Html,
    experts: Vec<PersonLine>,
}

/// The part of a case page about calls and experts on duty, empty where nothing is to be said; and whether the reader is called.
pub(crate) async fn part(web: &Web, req: &Req, view: &CaseView) -> Result<(Html, bool), AppError> {
    let s = &req.shell;
    let mut tx = web.app.db.read().await?;
    let calls = deeds::calls(&web.app, &mut tx, &req.actor, &view.case).await?;
    let over = view.clock.next == kepu_domain::listen::case::Due::Nothing;
    let found = if over { vec![] } else { deeds::experts(&web.app, &mut tx, &view.case.org).await? };
    drop(tx);
    let state = |answer: Answered| match answer {
        Answered::Waiting => s.state("now", s.t("call-waiting")),
        Answered::Taken => s.state("true", s.t("call-taken")),
        Answered::Cannot => s.state("false", s.t("call-cannot")),
        Answered::Settled => s.state("open", s.t("call-settled")),
    };
    let made: Vec<CallLine> = calls
        .made
        .iter()
        .map(|one| CallLine {
            name: if one.person.name.is_empty() { one.call.party.0.clone() } else { one.person.name.clone() },
            phone: one.person.phone.clone(),
            org: one.org.clone(),
            at: s.time(&one.call.at),
            state: state(one.call.answer),
        })
        .collect();
    let then = escape(&calls.then);
    let next = Html(match &calls.next {
        Next::Nothing => String::new(),
        Next::Nobody(_) if !calls.covered => s.t("calls-uncovered"),
        Next::Nobody(_) => s.t("calls-in-vain"),
        Next::Wait(_) if then.is_empty() => String::new(),
        Next::Wait(at) => s.t2("calls-then", "name", then, "at", s.soon(at)),
        Next::Call(..) => s.t1("calls-now", "name", then),
    });
    let people: HashMap<PartyId, Person> = found.iter().cloned().collect();
    let experts: Vec<PersonLine> = found.iter().map(|(id, _)| line(s, &people, id)).collect();
    if made.is_empty() && next.0.is_empty() && experts.is_empty() {
        return Ok((Html::default(), false));
    }
    let mine = calls.made.iter().any(|one| one.mine);
    let part = CallsPart { id: view.case.id.0.clone(), mine, made, next, experts, s: s.clone() };
    part.render().map(|html| (Html(html), mine)).map_err(|error| AppError::Record(format!("a template failed: {error}")))
}
