//! Messages of sources for those who decide: what waits because nobody here knows its issuer, exercises, what became of the others. What the public sees of
//! warnings is in `now`.

use super::now::colour_class;
use crate::Web;
use crate::form::Form;
use crate::page::{Answer, Errors, Html, Req, Shell, page_with};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::deliver::warning::take::{self, Waiting};
use kepu_app::{AppError, FieldError};
use kepu_domain::ids::SubjectId;
use kepu_store::deliver::warning::State as Became;

/// Messages shown.
const SHOWN: u32 = 100;

struct Item {
    href: String,
    title: String,
    sender: String,
    identifier: String,
    got: Html,
    state: Html,
    why: String,
}

fn state_word(s: &Shell, became: Became) -> Html {
    let (shape, key) = match became {
        Became::Passed => ("true", "message-passed"),
        Became::Held => ("part", "message-held"),
        Became::Refused => ("false", "message-refused"),
        Became::Exercise => ("now", "message-exercise"),
        Became::Unfit => ("open", "message-unfit"),
    };
    s.state(shape, s.t(key))
}

fn item(s: &Shell, one: &Waiting) -> Item {
    let m = &one.message;
    Item {
        href: urls::message(&m.hash),
        title: if m.headline.is_empty() { m.name.identifier.clone() } else { m.headline.clone() },
        sender: m.name.sender.clone(),
        identifier: m.name.identifier.clone(),
        got: s.soon(&m.got_at),
        state: state_word(s, m.state),
        why: if m.state == Became::Refused { m.why.clone() } else { String::new() },
    }
}

#[derive(Template)]
#[template(path = "deliver/messages.html")]
struct ListPage {
    s: Shell,
    held: Vec<Item>,
    exercises: Vec<Item>,
    rest: Vec<Item>,
    errors: Errors,
}

/// GET /warnings
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    list_with(&web, &req, StatusCode::OK, &[]).await
}

async fn list_with(web: &Web, req: &Req, status: StatusCode, errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t("messages-title"));
    let all = take::messages(&web.app, &req.actor, None, SHOWN).await?;
    let waiting = take::messages(&web.app, &req.actor, Some(Became::Held), SHOWN).await?;
    let of = |wanted: &[Became]| all.iter().filter(|one| wanted.contains(&one.message.state)).map(|one| item(&s, one)).collect::<Vec<_>>();
    let answer = ListPage {
        held: waiting.iter().map(|one| item(&s, one)).collect(),
        exercises: of(&[Became::Exercise]),
        rest: of(&[Became::Passed, Became::Refused, Became::Unfit]),
        errors: s.errors(errors),
        s,
    };
    Ok(page_with(status, &answer))
}

/// POST /warnings: stops passing a warning on
pub async fn take_back(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let id = SubjectId(form.get("subject").to_owned());
    let deed = async { take::take_back(&web.app, &req.actor, &id, form.get("reason")).await.map(|()| urls::warning(&id)) };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => list_with(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, &errors).await,
        other => Ok(other?),
    }
}

#[derive(Template)]
#[template(path = "deliver/message.html")]
struct MessagePage {
    s: Shell,
    it: Item,
    version: i64,
    held: bool,
    exercise: bool,
    colour: &'static str,
    level: String,
    words: kepu_domain::deliver::warning::Words,
    places: Vec<String>,
    until: Html,
    hash: String,
    original: String,
    reason: String,
    order: String,
    errors: Errors,
}

/// GET /warnings/{hash}
pub async fn show(State(web): State<Web>, req: Req, Path(hash): Path<String>) -> Answer {
    show_with(&web, &req, &hash, StatusCode::OK, "", &[]).await
}

async fn show_with(web: &Web, req: &Req, hash: &str, status: StatusCode, reason: &str, errors: &[FieldError]) -> Answer {
    let one = take::message(&web.app, &req.actor, hash).await?;
    let s = &req.shell;
    let it = item(s, &one);
    let w = one.warning.as_ref();
    let level = w.map_or(4, |w| w.level);
    let exercise = one.message.state == Became::Exercise;
    Ok(page_with(
        status,
        &MessagePage {
            version: one.message.version,
            held: one.message.state == Became::Held,
            exercise,
            colour: colour_class(level),
            level: s.t(&format!("level-{}", colour_class(level))),
            words: w.map(|w| w.words(s.lang.tag())).unwrap_or_default(),
            places: w.map(|w| w.places.iter().take(200).map(|place| s.place_line(place)).collect()).unwrap_or_default(),
            until: w.map(|w| s.time(&w.expires)).unwrap_or_default(),
            hash: one.message.hash.clone(),
            original: one.message.original.chars().take(20_000).collect(),
            reason: reason.to_owned(),
            order: if exercise {
                urls::with("/orders/new", &[("mode", "drill"), ("hazard", w.map_or("", |w| &w.hazard)), ("level", &level.to_string())])
            } else {
                String::new()
            },
            errors: s.errors(errors),
            s: req.titled(it.title.clone()),
            it,
        },
    ))
}

/// POST /warnings/{hash}: `do` is `pass` or `refuse`
pub async fn decide(State(web): State<Web>, req: Req, Path(hash): Path<String>, form: Form) -> Answer {
    let version = form.int("version").unwrap_or_default();
    let deed = async {
        match form.get("do") {
            "pass" => {
                if !form.has("confirm") {
                    return Err(AppError::Invalid(vec![FieldError::new("confirm", "not_confirmed")]));
                }
                take::let_through(&web.app, &req.actor, &hash, version).await.map(|id| urls::warning(&id))
            }
            "refuse" => take::refuse(&web.app, &req.actor, &hash, version, form.get("reason")).await.map(|()| "/warnings".to_owned()),
            other => Err(AppError::NotFound { what: "deed", id: other.chars().take(40).collect() }),
        }
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => show_with(&web, &req, &hash, StatusCode::UNPROCESSABLE_ENTITY, form.get("reason"), &errors).await,
        other => Ok(other?),
    }
}
