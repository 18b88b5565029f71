//! Recording what a meeting decided: the decision in words, and what it asks of which places until when. What becomes of it is in `decision`.

use crate::Web;
use crate::form::{Fields, Form};
use crate::line::Choice;
use crate::page::{Answer, Errors, Req, Shell, page_with};
use crate::{place, urls};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::SignedDuration;
use kepu_app::listen::decision::{self as deeds, New, NewAsk};
use kepu_app::{AppError, FieldError, account};
use kepu_domain::access::Action;
use kepu_domain::ids::OrgId;
use kepu_domain::listen::case::{KINDS, Level};
use kepu_domain::listen::decision::Cause;
use kepu_domain::org::Region;

/// Asks of the form; each may be of many places.
const ASKS: usize = 5;

/// An ask as it was typed.
struct Typed {
    n: usize,
    what: String,
    places: String,
    due: String,
    link: bool,
    /// Whether it stands open.
    open: bool,
}

#[derive(Template)]
#[template(path = "listen/decision_new.html")]
struct NewPage {
    s: Shell,
    meeting: String,
    day: String,
    words: String,
    levels: Vec<Choice>,
    orgs: Vec<Choice>,
    asks: Vec<Typed>,
    counties: Vec<String>,
    today: String,
    errors: Errors,
}

fn name(field: &str, n: usize) -> String {
    format!("{field}-{n}")
}

/// Levels of a kind of case, the normal one chosen unless something else is.
pub(super) fn levels(s: &Shell, cause: Cause, chosen: Option<i64>) -> Vec<Choice> {
    let kind = KINDS.iter().find(|kind| kind.id == cause.case_kind());
    let levels = kind.map_or(&[][..], |kind| &kind.levels).iter();
    let text = |one: &Level| {
        let (take, done) = (s.span(&SignedDuration::from_mins(one.holding_minutes)), s.span(&SignedDuration::from_hours(one.answer_hours)));
        s.t3("level-times", "name", s.pick(&one.name_zh, &one.name_en), "take", take, "done", done)
    };
    levels.map(|one| Choice { value: one.level.to_string(), text: text(one), on: one.level == chosen.unwrap_or(2) }).collect()
}

/// Organisations for which the reader may decide and inspect.
pub(super) async fn orgs(web: &Web, req: &Req, chosen: &str) -> Result<Vec<Choice>, AppError> {
    let orgs = account::orgs_where(&web.app, req.signed_in()?, Action::Coordinate).await?;
    let s = &req.shell;
    Ok(orgs.iter().map(|one| Choice { value: one.id.0.clone(), text: s.pick(&one.name, &one.name_en).to_owned(), on: one.id.0 == chosen }).collect())
}

async fn new_with(web: &Web, req: &Req, status: StatusCode, f: &Fields, errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t("decision-new"));
    let errors = s.errors(errors);
    let typed = |n: usize| {
        let (what, places, due) = (f.get(&name("what", n)), f.get(&name("places", n)), f.get(&name("due", n)));
        let wrong = ["what", "places", "due"].into_iter().any(|field| errors.has(&name(field, n)));
        let open = n == 1 || wrong || !what.is_empty() || !places.is_empty();
        Typed { n, what: what.to_owned(), places: places.to_owned(), due: due.to_owned(), link: !f.has("meeting") || f.has(&name("link", n)), open }
    };
    let answer = NewPage {
        meeting: f.get("meeting").to_owned(),
        day: if f.has("day") { f.get("day").to_owned() } else { web.app.today().to_string() },
        words: f.get("words").to_owned(),
        levels: levels(&s, Cause::Meeting, f.int("level")),
        orgs: orgs(web, req, f.get("org")).await?,
        asks: (1..=ASKS).map(typed).collect(),
        counties: place::counties(web.settings.region),
        today: web.app.today().to_string(),
        errors,
        s,
    };
    Ok(page_with(status, &answer))
}

/// GET /decisions/new
pub async fn new_page(State(web): State<Web>, req: Req) -> Answer {
    new_with(&web, &req, StatusCode::OK, &Fields::default(), &[]).await
}

/// The places that one line names, parted by commas, each a name or a code.
fn places(own: Region, n: usize, line: &str) -> (Vec<Region>, Vec<FieldError>) {
    let province = own.chain().get(1).copied().unwrap_or(Region::NATION).to_string();
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for word in line.split(['、', ',', '，', ';', '；', '\n', ' ', '\u{3000}']).map(str::trim).filter(|word| !word.is_empty()).take(60) {
        match place::read(&province, word) {
            Ok(region) if !found.contains(&region) => found.push(region),
            Ok(_) => {}
            Err(error) => {
                let key = if error.key == "place_doubtful" { "ask_place_doubtful".to_owned() } else { error.key.clone() };
                wrong.push(FieldError { field: name("places", n), key, ..error });
            }
        }
    }
    (found, wrong)
}

fn read(web: &Web, f: &Fields) -> Result<New, AppError> {
    let (mut asks, mut wrong) = (Vec::new(), Vec::new());
    for n in 1..=ASKS {
        let (what, line, day) = (f.get(&name("what", n)), f.get(&name("places", n)), f.get(&name("due", n)).trim());
        // An empty group in the middle keeps its number, so that errors stand at the right one.
        let blank = what.trim().is_empty() && line.trim().is_empty();
        if blank && (n..=ASKS).all(|later| f.opt(&name("what", later)).is_none() && f.opt(&name("places", later)).is_none()) {
            break;
        }
        let (places, bad) = places(web.settings.region, n, line);
        wrong.extend(bad);
        let due = day.parse().ok();
        if due.is_none() && !day.is_empty() {
            wrong.push(FieldError::new(&name("due", n), "day"));
        }
        asks.push(NewAsk { what: what.to_owned(), places, due, link: f.has(&name("link", n)) });
    }
    if !wrong.is_empty() {
        return Err(AppError::Invalid(wrong));
    }
    Ok(New {
        meeting: f.get("meeting").to_owned(),
        day: f.get("day").trim().parse().ok(),
        words: f.get("words").to_owned(),
        level: f.int("level").unwrap_or_default(),
        org: OrgId::from(f.get("org")),
        asks,
    })
}

/// POST /decisions/new
pub async fn create(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async { deeds::decide(&web.app, &req.actor, read(&web, &form)?).await.map(|id| urls::decision(&id)) };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => new_with(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, form.fields(), &errors).await,
        other => Ok(other?),
    }
}
