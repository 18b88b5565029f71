//! Opening a round: the form with what a kind decides by itself beside it.

use super::kind_choices;
use crate::Web;
use crate::form::{Fields, Form};
use crate::line::Choice;
use crate::page::{Answer, Errors, Req, Shell, page_with};
use crate::place;
use crate::urls;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use kepu_app::create::round::{self as rounds, Call};
use kepu_app::{AppError, FieldError};
use kepu_domain::access::Action;
use kepu_domain::ids::{OrgId, PartyId};

/// Judges proposed for a panel.
const JUDGES_SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "create/round/new.html")]
struct NewPage {
    s: Shell,
    f: Typed,
    orgs: Vec<Choice>,
    kinds: Vec<Choice>,
    provinces: Vec<Choice>,
    counties: Vec<String>,
    panel: Vec<Choice>,
    errors: Errors,
}

/// What was typed, by field.
struct Typed(Fields);

impl Typed {
    fn val(&self, name: &str) -> &str {
        self.0.get(name)
    }
}

async fn new_form(web: &Web, req: &Req, typed: Fields, status: StatusCode, errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t("round-new"));
    let orgs = kepu_app::account::orgs_where(&web.app, req.signed_in()?, Action::ManageMembers).await?;
    let definitions = web.app.definitions();
    let chosen = typed.all("panel");
    let people = rounds::assign::possible_judges(&web.app, &req.actor, JUDGES_SHOWN).await?;
    let pick = |(value, text): (String, String), present: &str| Choice { on: value == present, value, text };
    let page = NewPage {
        orgs: orgs.iter().map(|o| pick((o.id.0.clone(), s.pick(&o.name, &o.name_en).to_owned()), typed.get("org"))).collect(),
        kinds: kind_choices(&s, definitions.rounds.values()).into_iter().map(|pair| pick(pair, typed.get("kind"))).collect(),
        provinces: place::provinces(&s, typed.get("province")),
        counties: place::counties(web.settings.region),
        panel: people
            .into_iter()
            .map(|(p, org)| Choice { on: chosen.contains(&p.id.0), text: format!("{} · {} · {org}", p.name, p.title), value: p.id.0 })
            .collect(),
        errors: s.errors(errors),
        f: Typed(typed),
        s,
    };
    Ok(page_with(status, &page))
}

/// GET /rounds/new
pub async fn new_page(State(web): State<Web>, req: Req) -> Answer {
    let today = web.app.today();
    let last = today.saturating_add(jiff::Span::new().days(30));
    let day = |name: &str, value: String| (name.to_owned(), value);
    let typed =
        vec![day("opens_day", today.to_string()), day("opens_hour", "09:00".into()), day("closes_day", last.to_string()), day("closes_hour", "17:00".into())];
    new_form(&web, &req, Fields(typed), StatusCode::OK, &[]).await
}

/// A day and an hour of China time.
fn moment(form: &Fields, name: &str, errors: &mut Vec<FieldError>) -> Timestamp {
    let text = format!("{}T{}:00", form.get(&format!("{name}_day")).trim(), form.get(&format!("{name}_hour")).trim());
    let at = text.parse::<jiff::civil::DateTime>().ok().and_then(|t| jiff::tz::Offset::constant(8).to_timestamp(t).ok());
    at.unwrap_or_else(|| {
        errors.push(FieldError::new(name, "round_moment"));
        Timestamp::UNIX_EPOCH
    })
}

/// A whole number that may be left out.
fn number<T: std::str::FromStr>(form: &Fields, name: &str, errors: &mut Vec<FieldError>) -> Option<T> {
    let text = form.opt(name)?;
    let read = text.parse().ok();
    if read.is_none() {
        errors.push(FieldError::new(name, "round_number"));
    }
    read
}

fn read(form: &Fields) -> Result<Call, AppError> {
    let mut errors = Vec::new();
    let least = form.opt("least").and_then(|text| {
        let read = text.parse::<f64>().ok().filter(|n| (0.0..=100.0).contains(n)).map(|n| (n * 100.0).round() as i64);
        if read.is_none() {
            errors.push(FieldError::new("least", "round_least"));
        }
        read
    });
    let region = place::read(form.get("province"), form.get("county")).unwrap_or_else(|error| {
        errors.push(error);
        kepu_domain::org::Region::NATION
    });
    let call = Call {
        kind: form.get("kind").to_owned(),
        org: OrgId::from(form.get("org")),
        title: form.get("title").to_owned(),
        call: form.get("call").to_owned(),
        opens: moment(form, "opens", &mut errors),
        closes: moment(form, "closes", &mut errors),
        region,
        quota: number(form, "quota", &mut errors),
        least,
        judges: number(form, "judges", &mut errors),
        ceiling: number(form, "ceiling", &mut errors),
        panel: form.all("panel").into_iter().map(PartyId).collect(),
    };
    if errors.is_empty() { Ok(call) } else { Err(AppError::Invalid(errors)) }
}

/// POST /rounds/new
pub async fn create(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async { Ok(urls::round_office(&rounds::call(&web.app, &req.actor, read(form.fields())?).await?)) };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(error) => {
            let (status, errors) = super::refused(error)?;
            new_form(&web, &req, form.fields().clone(), status, &errors).await
        }
    }
}
