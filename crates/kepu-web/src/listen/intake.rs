//! Intake as pages: how each inlet stands, setting lists and tiplines up, the hosts that may be asked. What is done is in `kepu-app::listen::intake`.

use crate::Web;
use crate::create::import::reason_text;
use crate::form::{Fields, Form};
use crate::line::Choice;
use crate::page::{Answer, Errors, Html, Req, Shell, page_with};
use crate::place;
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::account::secret::{seal, unseal};
use kepu_app::create::import::Reason;
use kepu_app::listen::intake::inlet::{self as deeds, TARGETS, Typed};
use kepu_app::listen::intake::overview::{self, Stands};
use kepu_app::listen::intake::stream::Standing;
use kepu_app::{AppError, FieldError, account};
use kepu_domain::ids::{InletId, OrgId};
use kepu_domain::listen::inlet::{ASKED, FILES, FORMATS, Format, Inlet, Kind, Plan, STREAM, State as InletState};
use kepu_domain::listen::signal::Counts;

/// One inlet in the table.
struct Item {
    href: String,
    name: String,
    kind: String,
    state: Html,
    trouble: String,
    last: Html,
    waiting: i64,
    lag: String,
    hour: Counts,
    day: Counts,
}

fn kind_word(s: &Shell, kind: Kind) -> String {
    match kind {
        Kind::List => s.t("inlet-list"),
        Kind::Tipline => s.t("inlet-tipline"),
        Kind::Warning => s.t("inlet-warning"),
    }
}

fn state_word(s: &Shell, inlet: &Inlet) -> Html {
    match &inlet.state {
        InletState::On if inlet.failures > 0 => s.state("part", s.t1("inlet-failing", "n", inlet.failures)),
        InletState::On => s.state("true", s.t("inlet-on")),
        InletState::Off => s.state("open", s.t("inlet-off")),
        InletState::Paused(_) => s.state("false", s.t("inlet-paused")),
    }
}

fn trouble(s: &Shell, inlet: &Inlet) -> String {
    if inlet.trouble.is_empty() { String::new() } else { reason_text(s.lang, &Reason::read(&inlet.trouble)) }
}

fn item(s: &Shell, one: &Stands) -> Item {
    let (name, kind) = match (&one.inlet, one.id.as_str()) {
        (Some(inlet), _) => (inlet.name.clone(), kind_word(s, inlet.kind)),
        (None, FILES) => (s.t("inlet-files"), s.t("inlet-files-kind")),
        (None, ASKED) => (s.t("inlet-asked"), s.t("inlet-asked-kind")),
        (None, STREAM) => (s.t("inlet-stream"), s.t("inlet-stream-kind")),
        (None, other) => (other.to_owned(), String::new()),
    };
    Item {
        href: one.inlet.as_ref().map(|inlet| urls::inlet(&inlet.id)).unwrap_or_default(),
        name,
        kind,
        state: one.inlet.as_ref().map(|inlet| state_word(s, inlet)).unwrap_or_default(),
        trouble: one.inlet.as_ref().map(|inlet| trouble(s, inlet)).unwrap_or_default(),
        last: one.inlet.as_ref().and_then(|inlet| inlet.last_at).map(|at| s.soon(&at)).unwrap_or_default(),
        waiting: one.waiting,
        lag: one.oldest.map(|at| s.span(&s.now.duration_since(at))).unwrap_or_default(),
        hour: one.hour,
        day: one.day,
    }
}

/// What the outside queue itself says: whether it answers, and how much waits there.
fn with_stream(s: &Shell, item: Item, one: &Stands, stream: Option<&Standing>) -> Item {
    let Some(stream) = stream.filter(|_| one.id == STREAM) else { return item };
    let good = stream.trouble.is_empty();
    Item {
        kind: stream.name.clone(),
        state: s.state(if good { "true" } else { "false" }, s.t(if good { "inlet-on" } else { "inlet-broken" })),
        trouble: if good { s.t1("inlet-stream-waits", "n", stream.waiting) } else { stream.trouble.clone() },
        last: s.time_ms(&stream.at),
        ..item
    }
}

#[derive(Template)]
#[template(path = "listen/intake.html")]
struct IntakePage {
    s: Shell,
    items: Vec<Item>,
    room: i64,
    most: i64,
    full: bool,
    hosts: String,
    lists: bool,
    tiplines: bool,
    errors: Errors,
}

/// GET /intake
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    list_with(&web, &req, StatusCode::OK, None, &[]).await
}

async fn list_with(web: &Web, req: &Req, status: StatusCode, typed: Option<&str>, errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t("intake-title"));
    let found = overview::overview(&web.app, &req.actor).await?;
    let hosts = found.hosts.iter().cloned().collect::<Vec<_>>().join("\n");
    let answer = IntakePage {
        items: found.inlets.iter().map(|one| with_stream(&s, item(&s, one), one, found.stream.as_ref())).collect(),
        room: found.room,
        most: found.most,
        full: found.room == 0,
        hosts: typed.map_or(hosts, str::to_owned),
        lists: found.may.0,
        tiplines: found.may.1,
        errors: s.errors(errors),
        s,
    };
    Ok(page_with(status, &answer))
}

/// POST /intake/hosts
pub async fn hosts(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async { deeds::set_hosts(&web.app, &req.actor, &form.lines("hosts")).await.map(|()| "/intake".to_owned()) };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => list_with(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, Some(form.get("hosts")), &errors).await,
        other => Ok(other?),
    }
}

#[derive(Template)]
#[template(path = "listen/inlet.html")]
struct InletPage {
    s: Shell,
    /// Empty for a new one.
    id: String,
    version: i64,
    list: bool,
    /// A source of official warnings.
    warning: bool,
    issuers: String,
    name: String,
    address: String,
    every: String,
    repeats: bool,
    formats: Vec<Choice>,
    columns: Vec<(&'static str, String, String)>,
    orgs: Vec<Choice>,
    provinces: Vec<Choice>,
    county: String,
    counties: Vec<String>,
    hosts: String,
    errors: Errors,
    state: Html,
    on: bool,
    trouble: String,
    last: Html,
    good: Html,
    next: Html,
    call: String,
    secret: String,
}

fn columns_of(s: &Shell, plan: &Plan, typed: Option<&Fields>) -> Vec<(&'static str, String, String)> {
    let value = |target: &str| match typed {
        Some(fields) => fields.get(&format!("column_{target}")).to_owned(),
        None => plan.columns.get(target).cloned().unwrap_or_default(),
    };
    TARGETS.iter().map(|target| (*target, s.t(&format!("inlet-column-{target}")), value(target))).collect()
}

/// The page of an inlet, or of one that is being set up.
async fn form_page(web: &Web, req: &Req, status: StatusCode, kind: Kind, inlet: Option<&Inlet>, typed: Option<&Fields>, errors: &[FieldError]) -> Answer {
    let shell = &req.shell;
    let heading = inlet.map_or_else(|| shell.t(new_word(kind)), |inlet| inlet.name.clone());
    let s = req.titled(heading);
    let plan = inlet.map(|inlet| inlet.plan.clone()).unwrap_or_else(|| Plan {
        columns: [("text".to_owned(), "title".to_owned()), ("id".into(), "id".into()), ("time".into(), "date".into())].into(),
        every_minutes: if kind == Kind::Warning { 1 } else { 60 },
        ..Plan::default()
    });
    let own = |name: &str, otherwise: String| typed.map_or(otherwise, |fields| fields.get(name).to_owned());
    let format = typed.and_then(|fields| Format::parse(fields.get("format"))).unwrap_or(plan.format);
    let (province, county) = place::write(inlet.map_or(web.settings.region, |inlet| inlet.region));
    let (province, county) = (own("province", province), own("county", county));
    let orgs = account::orgs_where(&web.app, req.signed_in()?, deeds::action_for(kind)).await?;
    let org = own("org", inlet.map(|inlet| inlet.org.0.clone()).unwrap_or_default());
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let hosts = deeds::hosts(&mut tx).await?;
    drop(tx);
    let answer = InletPage {
        id: inlet.map(|inlet| inlet.id.0.clone()).unwrap_or_default(),
        version: inlet.map_or(0, |inlet| inlet.version),
        list: kind == Kind::List,
        warning: kind == Kind::Warning,
        issuers: own("issuers", plan.issuers.join("\n")),
        name: own("name", inlet.map(|inlet| inlet.name.clone()).unwrap_or_default()),
        address: own("address", plan.address.clone()),
        every: own("every", plan.every_minutes.to_string()),
        repeats: typed.map_or(plan.repeats, |fields| fields.has("repeats")),
        formats: FORMATS
            .iter()
            .map(|one| Choice { value: one.as_str().into(), text: s.t(&format!("inlet-format-{}", one.as_str())), on: *one == format })
            .collect(),
        columns: columns_of(&s, &plan, typed),
        orgs: orgs.iter().map(|one| Choice { value: one.id.0.clone(), text: s.pick(&one.name, &one.name_en).to_owned(), on: one.id.0 == org }).collect(),
        provinces: place::provinces(&s, &province),
        county,
        counties: place::counties(web.settings.region),
        hosts: hosts.iter().cloned().collect::<Vec<_>>().join(if s.is_en() { ", " } else { "、" }),
        errors: s.errors(errors),
        state: inlet.map(|inlet| state_word(&s, inlet)).unwrap_or_default(),
        on: inlet.is_some_and(|inlet| inlet.state == InletState::On),
        trouble: inlet.map(|inlet| trouble(&s, inlet)).unwrap_or_default(),
        last: inlet.and_then(|inlet| inlet.last_at).map(|at| s.time(&at)).unwrap_or_default(),
        good: inlet.and_then(|inlet| inlet.good_at).map(|at| s.time(&at)).unwrap_or_default(),
        next: inlet.and_then(|inlet| inlet.due_at).map(|at| s.soon(&at)).unwrap_or_default(),
        call: inlet
            .map(|inlet| if kind == Kind::Warning { format!("{}/api/warnings", s.origin) } else { format!("{}/api/v1/tipline/{}", s.origin, inlet.id) })
            .unwrap_or_default(),
        secret: inlet.filter(|inlet| kind != Kind::List && fresh(web, req, inlet)).map(|inlet| deeds::secret(&web.app, inlet)).unwrap_or_default(),
        s,
    };
    let response = page_with(status, &answer);
    // A page with a secret is kept by no browser.
    Ok(if answer.secret.is_empty() { response } else { crate::form::with_header(response, axum::http::header::CACHE_CONTROL, "no-store") })
}

/// What the seal in the address of a page with a secret is for.
const SEEN: &str = "tipline secret";

/// Whether the page was reached right after the secret was made: the seal in the address ends after some minutes and fits this secret only.
fn fresh(web: &Web, req: &Req, inlet: &Inlet) -> bool {
    unseal(&web.app, SEEN, req.query.get("seen"), &inlet.nonce) == Some(inlet.id.as_str())
}

/// The message that heads the page of a new inlet.
fn new_word(kind: Kind) -> &'static str {
    match kind {
        Kind::List => "inlet-new-list",
        Kind::Tipline => "inlet-new-tipline",
        Kind::Warning => "inlet-new-warning",
    }
}

/// What of a typed plan an inlet of this kind has.
fn plan_for(kind: Kind, plan: &Plan) -> Plan {
    match kind {
        Kind::List => Plan { issuers: vec![], ..plan.clone() },
        Kind::Tipline => Plan::default(),
        Kind::Warning => Plan { address: plan.address.clone(), every_minutes: plan.every_minutes, issuers: plan.issuers.clone(), ..Plan::default() },
    }
}

fn typed(form: &Fields) -> Result<Typed, FieldError> {
    let columns = TARGETS.iter().filter_map(|target| Some(((*target).to_owned(), form.opt(&format!("column_{target}"))?.to_owned()))).collect();
    Ok(Typed {
        name: form.get("name").to_owned(),
        region: place::read(form.get("province"), form.get("county"))?,
        plan: Plan {
            address: form.get("address").trim().to_owned(),
            format: Format::parse(form.get("format")).unwrap_or_default(),
            columns,
            every_minutes: form.int("every").unwrap_or_default(),
            repeats: form.has("repeats"),
            issuers: form.lines("issuers"),
        },
        org: OrgId::from(form.get("org")),
    })
}

/// GET /intake/new?kind=
pub async fn new_page(State(web): State<Web>, req: Req) -> Answer {
    let kind = Kind::parse(req.query.get("kind")).unwrap_or(Kind::List);
    req.actor.may(deeds::action_for(kind), None).map_err(AppError::from)?;
    form_page(&web, &req, StatusCode::OK, kind, None, None, &[]).await
}

/// POST /intake/new
pub async fn add(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let kind = Kind::parse(form.get("kind")).unwrap_or(Kind::List);
    let deed = async {
        let typed = typed(&form).map_err(|error| AppError::Invalid(vec![error]))?;
        let plan = plan_for(kind, &typed.plan);
        let id = deeds::add(&web.app, &req.actor, kind, Typed { plan, ..typed }).await?;
        let inlet = deeds::get(&web.app, &req.actor, &id).await?;
        Ok(shown(&web, &inlet))
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => form_page(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, kind, None, Some(form.fields()), &errors).await,
        other => Ok(other?),
    }
}

/// Where an inlet is shown; a tipline with its secret.
fn shown(web: &Web, inlet: &Inlet) -> String {
    let seen = if inlet.kind != Kind::List { seal(&web.app, SEEN, inlet.id.as_str(), &inlet.nonce) } else { String::new() };
    urls::with(&urls::inlet(&inlet.id), &[("seen", &seen)])
}

/// GET /intake/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let inlet = deeds::get(&web.app, &req.actor, &InletId(id)).await?;
    form_page(&web, &req, StatusCode::OK, inlet.kind, Some(&inlet), None, &[]).await
}

/// POST /intake/{id}: `do` is `save`, `on`, `off`, `renew` or `remove`.
pub async fn act_on(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = InletId(id);
    let (app, who) = (&web.app, &req.actor);
    let inlet = deeds::get(app, who, &id).await?;
    let deed = async {
        match form.get("do") {
            "save" => {
                let typed = typed(&form).map_err(|error| AppError::Invalid(vec![error]))?;
                let plan = plan_for(inlet.kind, &typed.plan);
                deeds::save(app, who, &id, form.int("version").unwrap_or_default(), Typed { plan, ..typed }).await?;
            }
            "on" => deeds::switch(app, who, &id, true).await?,
            "off" => deeds::switch(app, who, &id, false).await?,
            "renew" => {
                deeds::renew(app, who, &id).await?;
                return Ok(shown(&web, &deeds::get(app, who, &id).await?));
            }
            "remove" => {
                if !form.has("confirm") {
                    return Err(AppError::Invalid(vec![FieldError::new("confirm", "not_confirmed")]));
                }
                deeds::remove(app, who, &id).await?;
                return Ok("/intake".to_owned());
            }
            other => return Err(AppError::NotFound { what: "deed", id: other.chars().take(40).collect() }),
        }
        Ok(urls::inlet(&id))
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => {
            let fields = (form.get("do") == "save").then(|| form.fields());
            form_page(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, inlet.kind, Some(&inlet), fields, &errors).await
        }
        other => Ok(other?),
    }
}
