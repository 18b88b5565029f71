//! Points that warnings are pushed to, as pages for their stewards: setting one up, its secret, how the latest pushes stand; and the door by which a point that
//! asks by itself takes and confirms what waits for it.

use crate::Web;
use crate::api::json;
use crate::form::{Fields, Form, read_body, with_header};
use crate::line::Choice;
use crate::page::{Answer, Errors, Html, Req, Shell, page, page_with};
use crate::problem::{Kind as ProblemKind, Problem};
use crate::{place, urls};
use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use kepu_app::account::secret::{seal, unseal};
use kepu_app::deliver::point::{self as deeds, Typed};
use kepu_app::deliver::push;
use kepu_app::{AppError, FieldError, account};
use kepu_domain::access::Action;
use kepu_domain::deliver::guide::HAZARD_LIST;
use kepu_domain::deliver::point::{CHANNELS, Channel, Point, State as Stands};
use kepu_domain::deliver::warning::Kind;
use kepu_domain::ids::{OrgId, PointId};
use serde::Deserialize;

/// What the seal in the address of a page with a secret is for.
const SEEN: &str = "point secret";
/// Pushes shown.
const SHOWN: u32 = 20;

struct Item {
    href: String,
    name: String,
    line: String,
    state: Html,
}

struct PushRow {
    headline: String,
    at: Html,
    points: i64,
    confirmed: i64,
    waiting: i64,
    failed: i64,
    overtaken: i64,
    whys: String,
    missing: Vec<String>,
}

#[derive(Template)]
#[template(path = "deliver/points.html")]
struct ListPage {
    s: Shell,
    items: Vec<Item>,
    pushes: Vec<PushRow>,
    can_add: bool,
}

fn channel_word(s: &Shell, channel: Channel) -> String {
    s.t(&format!("channel-to-{}", channel.as_str()))
}

/// GET /points
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("points-title"));
    let can_add = req.actor.may(Action::ManageMembers, None).is_ok();
    let points = if can_add { deeds::list(&web.app, &req.actor).await? } else { vec![] };
    let mut pushes = Vec::new();
    for one in push::overview(&web.app, &req.actor, SHOWN).await? {
        let sum = |states: &[Stands]| one.counts.iter().filter(|(state, ..)| states.contains(state)).map(|(.., n)| n).sum();
        let whys = one
            .counts
            .iter()
            .filter(|(state, why, _)| *state == Stands::Failed && !why.is_empty())
            .map(|(_, why, n)| format!("{why} × {n}"))
            .collect::<Vec<_>>()
            .join("; ");
        pushes.push(PushRow {
            at: s.time(&one.push.at),
            points: one.push.points,
            confirmed: sum(&[Stands::Confirmed]),
            waiting: sum(&[Stands::Queued, Stands::Sent]),
            failed: sum(&[Stands::Failed]),
            overtaken: sum(&[Stands::Overtaken]),
            missing: push::unconfirmed(&web.app, &req.actor, one.push.n, 20).await?,
            headline: one.headline,
            whys,
        });
    }
    let item = |p: &Point| Item {
        href: urls::point(&p.id),
        name: p.name.clone(),
        line: format!("{} · {} · {}", channel_word(&s, p.channel), s.place_line(&p.region), push::because(p, Kind::Alert)),
        state: if p.on { s.state("true", s.t("inlet-on")) } else { s.state("open", s.t("inlet-off")) },
    };
    Ok(page(&ListPage { items: points.iter().map(item).collect(), pushes, can_add, s }))
}

#[derive(Template)]
#[template(path = "deliver/point_new.html")]
struct NewPage {
    s: Shell,
    name: String,
    address: String,
    channels: Vec<Choice>,
    hazards: Vec<Choice>,
    levels: Vec<Choice>,
    langs: Vec<Choice>,
    audiences: Vec<Choice>,
    provinces: Vec<Choice>,
    county: String,
    orgs: Vec<Choice>,
    errors: Errors,
}

async fn new_with(web: &Web, req: &Req, status: StatusCode, f: &Fields, errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t("point-new"));
    let (province, county) = place::write(web.settings.region);
    let own = |name: &str, otherwise: String| if f.has(name) { f.get(name).to_owned() } else { otherwise };
    let (province, county) = (own("province", province), own("county", county));
    let chosen = f.all("hazards");
    let orgs = account::orgs_where(&web.app, req.signed_in()?, Action::ManageMembers).await?;
    let choice = |value: &str, text: String, on: bool| Choice { value: value.into(), text, on };
    let answer = NewPage {
        name: f.get("name").to_owned(),
        address: f.get("address").to_owned(),
        channels: CHANNELS.iter().map(|c| choice(c.as_str(), channel_word(&s, *c), f.get("channel") == c.as_str())).collect(),
        hazards: HAZARD_LIST.list().iter().map(|h| choice(&h.id, s.pick(&h.zh, &h.en).to_owned(), chosen.contains(&h.id))).collect(),
        levels: (1..=4).map(|n| choice(&n.to_string(), s.t(&format!("level-{}", super::now::colour_class(n))), n == f.int("level").unwrap_or(4))).collect(),
        langs: kepu_domain::vocabulary::LANGUAGES.terms().iter().map(|t| choice(&t.id, t.zh.clone(), t.id == own("lang", "zh-Hans".into()))).collect(),
        audiences: std::iter::once(choice("", s.t("now-everybody"), f.get("audience").is_empty()))
            .chain(kepu_domain::vocabulary::AUDIENCES.terms().iter().map(|t| choice(&t.id, s.pick(&t.zh, &t.en).to_owned(), t.id == f.get("audience"))))
            .collect(),
        provinces: place::provinces(&s, &province),
        county,
        orgs: orgs.iter().map(|one| choice(&one.id.0, s.pick(&one.name, &one.name_en).to_owned(), one.id.0 == f.get("org"))).collect(),
        errors: s.errors(errors),
        s,
    };
    Ok(page_with(status, &answer))
}

/// GET /points/new
pub async fn new_page(State(web): State<Web>, req: Req) -> Answer {
    new_with(&web, &req, StatusCode::OK, &Fields::default(), &[]).await
}

fn typed(f: &Fields) -> Result<Typed, AppError> {
    Ok(Typed {
        name: f.get("name").to_owned(),
        channel: Channel::parse(f.get("channel")).unwrap_or(Channel::Page),
        address: f.get("address").to_owned(),
        region: place::read(f.get("province"), f.get("county")).map_err(|error| AppError::Invalid(vec![error]))?,
        hazards: f.all("hazards"),
        level: f.int("level").unwrap_or_default(),
        lang: f.get("lang").to_owned(),
        audience: f.get("audience").to_owned(),
        org: OrgId::from(f.get("org")),
    })
}

/// POST /points/new
pub async fn add(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async {
        let id = deeds::add(&web.app, &req.actor, typed(&form)?).await?;
        let point = deeds::get(&web.app, &req.actor, &id).await?;
        Ok(urls::with(&urls::point(&id), &[("seen", &seal(&web.app, SEEN, id.as_str(), &point.nonce))]))
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => new_with(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, form.fields(), &errors).await,
        other => Ok(other?),
    }
}

#[derive(Template)]
#[template(path = "deliver/point.html")]
struct PointPage {
    s: Shell,
    id: String,
    version: i64,
    on: bool,
    rule: String,
    channel: String,
    place: String,
    address: String,
    ask: String,
    secret: String,
}

/// GET /points/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let point = deeds::get(&web.app, &req.actor, &PointId(id)).await?;
    let s = req.titled(point.name.clone());
    let fresh = unseal(&web.app, SEEN, req.query.get("seen"), &point.nonce) == Some(point.id.as_str());
    let answer = page(&PointPage {
        id: point.id.0.clone(),
        version: point.version,
        on: point.on,
        rule: push::because(&point, Kind::Alert),
        channel: channel_word(&s, point.channel),
        place: s.place_line(&point.region),
        address: point.address.clone(),
        ask: format!("{}/api/points/{}", s.origin, point.id),
        secret: if fresh { deeds::secret(&web.app, &point) } else { String::new() },
        s,
    });
    // A page with a secret is kept by no browser.
    Ok(if fresh { with_header(answer, header::CACHE_CONTROL, "no-store") } else { answer })
}

/// POST /points/{id}: `do` is `on` or `off`
pub async fn act(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = PointId(id);
    let deed = async {
        let on = match form.get("do") {
            "on" => true,
            "off" => false,
            other => return Err(AppError::NotFound { what: "deed", id: other.chars().take(40).collect() }),
        };
        deeds::switch(&web.app, &req.actor, &id, form.int("version").unwrap_or_default(), on).await.map(|()| urls::point(&id))
    };
    Ok(form.once(&web, deed).await?)
}

fn bearer(request: &Request) -> String {
    let text = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.strip_prefix("Bearer ").unwrap_or_default().to_owned()
}

fn refused(error: AppError) -> Problem {
    match error {
        AppError::Stranger => Problem::new(ProblemKind::Stranger).why("point-stranger", &[]),
        other => other.into(),
    }
}

/// GET /api/points/{id}: what waits for the point; header `Authorization: Bearer` and its secret
pub async fn collect(State(web): State<Web>, Path(id): Path<String>, request: Request) -> Answer {
    let letters = deeds::collect(&web.app, &PointId(id), &bearer(&request)).await.map_err(refused)?;
    json(&serde_json::json!({ "letters": letters }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    /// Numbers of pushes that the point has.
    #[serde(default)]
    confirm: Vec<i64>,
    /// Whether it opts out.
    #[serde(default)]
    leave: bool,
}

/// POST /api/points/{id}: `{"confirm": [push…]}` says what the point has, `{"leave": true}` that it wants nothing more
pub async fn confirm(State(web): State<Web>, Path(id): Path<String>, request: Request) -> Answer {
    let (id, secret) = (PointId(id), bearer(&request));
    let body = read_body(request, 64 * 1024).await?;
    let said: Said = serde_json::from_slice(&body).unwrap_or(Said { confirm: vec![], leave: false });
    let confirmed = deeds::confirm(&web.app, &id, &secret, &said.confirm).await.map_err(refused)?;
    if said.leave {
        deeds::leave(&web.app, &id, &secret).await.map_err(refused)?;
    }
    json(&serde_json::json!({ "confirmed": confirmed, "left": said.leave }))
}
