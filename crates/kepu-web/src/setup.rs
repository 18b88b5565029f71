//! The first-run page: open while the node has no account, to whoever has its setup code. What it does is in `kepu-app::setup`.

use crate::form::Form;
use crate::guard::{SESSION, new_cookie, set_cookie};
use crate::line::Choice;
use crate::member::org::nonce;
use crate::page::{Answer, Errors, Req, Shell, page, page_with};
use crate::place;
use crate::problem::Problem;
use crate::{Web, urls};
use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use kepu_app::account::{self, NewAccount, secret};
use kepu_app::member::{self, ADMINS};
use kepu_app::org::NewOrg;
use kepu_app::setup::{self, Runs, Setup};
use kepu_app::{AppError, FieldError};
use kepu_domain::access::Role;
use kepu_domain::org::{OrgKind, Region};
use kepu_store::account::Filter;

/// One administrator on the page.
struct Admin {
    word: &'static str,
    role: String,
    hint: String,
    login: String,
    name: String,
    later: bool,
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    s: Shell,
    errors: Errors,
    code: String,
    runs: String,
    org_name: String,
    org_name_en: String,
    provinces: Vec<Choice>,
    county: String,
    counties: Vec<String>,
    steward_login: String,
    steward_name: String,
    admins: Vec<Admin>,
}

/// Whether the first run is still to come; else nothing is at this address.
async fn open(web: &Web) -> Result<(), Problem> {
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    if setup::is_open(&mut tx).await? { Ok(()) } else { Err(Problem::not_found()) }
}

fn show(web: &Web, req: &Req, status: StatusCode, form: Option<&Form>, errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t("setup-title"));
    let typed = |name: &str| form.map_or_else(String::new, |form| form.get(name).to_owned());
    let chain = web.settings.region.chain();
    let province = form.map_or_else(|| chain.get(1).map(Region::to_string).unwrap_or_default(), |form| form.get("province").to_owned());
    let own = if chain.len() > 2 { s.place(&web.settings.region) } else { String::new() };
    let admin = |role: Role| Admin {
        word: role.as_str(),
        role: s.role(&role),
        hint: s.t(&format!("role-hint-{}", role.as_str())),
        login: typed(&format!("{}_login", role.as_str())),
        name: typed(&format!("{}_name", role.as_str())),
        later: form.is_some_and(|form| form.has(&format!("{}_later", role.as_str()))),
    };
    let page = SetupPage {
        errors: s.errors(errors),
        code: typed("code"),
        runs: form.map_or("division", |form| form.get("runs")).to_owned(),
        org_name: typed("org_name"),
        org_name_en: typed("org_name_en"),
        provinces: place::provinces(&s, &province),
        county: form.map_or(own, |form| form.get("county").to_owned()),
        counties: place::counties(web.settings.region),
        steward_login: typed("steward_login"),
        steward_name: typed("steward_name"),
        admins: ADMINS.map(admin).into(),
        s,
    };
    Ok(crate::form::with_header(page_with(status, &page), header::CACHE_CONTROL, "no-store"))
}

/// GET /setup
pub async fn setup_page(State(web): State<Web>, req: Req) -> Answer {
    open(&web).await?;
    show(&web, &req, StatusCode::OK, None, &[])
}

/// What the form says. First passwords of the administrators come from the form's random id, so that the page after it can
/// show them without their being kept anywhere.
fn read(web: &Web, form: &Form, nonce: &str) -> Result<Setup, FieldError> {
    let region = place::read(form.get("province"), form.get("county"))?;
    let runs = match OrgKind::parse(form.get("runs")) {
        None | Some(OrgKind::Division) => Runs::Division(region),
        Some(kind) => Runs::New(region, NewOrg { kind, name: form.get("org_name").to_owned(), name_en: form.get("org_name_en").to_owned() }),
    };
    let account = |prefix: &str, password: String| NewAccount {
        login: form.get(&format!("{prefix}_login")).to_owned(),
        name: form.get(&format!("{prefix}_name")).to_owned(),
        password,
        party: None,
        must_change: false,
    };
    if form.get("steward_password") != form.get("password_again") {
        return Err(FieldError::new("password_again", "password_differs"));
    }
    let named = ADMINS.iter().filter(|role| !form.has(&format!("{}_later", role.as_str())));
    let admins = named.map(|role| {
        let login = kepu_text::clean_line(form.get(&format!("{}_login", role.as_str())));
        (*role, account(role.as_str(), secret::first_password(&web.app, nonce, &login)))
    });
    let steward = account("steward", form.get("steward_password").to_owned());
    Ok(Setup { code: form.get("code").to_owned(), runs, admins: admins.collect(), steward })
}

/// POST /setup: does it, and signs the steward in.
pub async fn set_up(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let nonce = nonce(&form);
    let deed = async {
        let setup = read(&web, &form, &nonce).map_err(|error| AppError::Invalid(vec![error]))?;
        setup::run(&web.app, setup, &req.address).await?;
        Ok(urls::with("/setup/done", &[("first", &secret::seal(&web.app, "setup", &nonce, ""))]))
    };
    match form.once(&web, deed).await {
        Ok(mut response) => {
            let session = account::sign_in(&web.app, form.get("steward_login"), form.get("steward_password"), None, &req.address).await?;
            set_cookie(&mut response, &new_cookie(&web, SESSION, &session.token, None));
            Ok(response)
        }
        Err(AppError::Invalid(errors)) => {
            open(&web).await?;
            show(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, Some(&form), &errors)
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "setup_done.html")]
struct DonePage {
    s: Shell,
    org: String,
    /// Role, name, sign-in name, first password.
    admins: Vec<(String, String, String, String)>,
    vacant: Vec<String>,
}

/// GET /setup/done: the administrators' first passwords, for ten minutes and until they are changed.
pub async fn done(State(web): State<Web>, req: Req) -> Answer {
    let nonce = secret::unseal(&web.app, "setup", req.query.get("first"), "").ok_or_else(Problem::not_found)?;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let id = kepu_app::node::org(&mut tx).await?;
    let org = kepu_store::org::get(&mut tx, &id).await.map_err(AppError::from)?;
    let vacant = member::vacant(&mut tx).await?;
    drop(tx);
    let s = req.titled(req.shell.t("setup-done"));
    let (members, _) = member::list(&web.app, &req.actor, &Filter { org: Some(id), ..Filter::default() }, None, 20).await?;
    let admins = members.into_iter().filter(|member| member.account.must_change).map(|member| {
        let password = secret::first_password(&web.app, nonce, &member.account.login);
        let roles: Vec<String> = member.seats.iter().map(|seat| s.role(&seat.role)).collect();
        (s.list(roles.iter().map(String::as_str)), member.account.name, member.account.login, password)
    });
    let page = page(&DonePage {
        org: s.pick(&org.name, &org.name_en).to_owned(),
        admins: admins.collect(),
        vacant: vacant.iter().map(|role| s.role(role)).collect(),
        s,
    });
    Ok(crate::form::with_header(page, header::CACHE_CONTROL, "no-store"))
}
