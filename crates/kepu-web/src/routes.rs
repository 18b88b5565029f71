//! The one table of all routes: method, path, who may, handler. `tests/access.csv` has a row for each, and `xtask check`
//! compares the two. Rights in one organisation are asked again inside the operations.

use crate::{Web, account, api, assets, desk, feed, guard, home, media, problem, record, search, statics, subject};
use crate::{create, deliver, listen, measure};
use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use kepu_domain::access::Action;

/// What a route asks of whoever calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// A session.
    SignedIn,
    /// A session of somebody who may do this somewhere.
    Can(Action),
}

use Access::Public;

/// One line of the table.
pub struct Route {
    path: &'static str,
    access: Access,
    handler: MethodRouter<Web>,
}

fn route<H, T>(method: &'static str, path: &'static str, access: Access, handler: H) -> Route
where
    H: Handler<T, Web>,
    T: 'static,
{
    let filter = match method {
        "GET" => MethodFilter::GET,
        "POST" => MethodFilter::POST,
        other => panic!("the table has no method {other}"),
    };
    Route { path, access, handler: on(filter, handler) }
}

/// All routes, each behind its gate.
pub fn table() -> Router<Web> {
    let all = [public(), api_routes(), signed_in(), desk_routes()].into_iter().flatten();
    all.fold(Router::new(), |router, route| router.route(route.path, route.handler.layer(from_fn_with_state(route.access, guard::gate))))
}

fn public() -> Vec<Route> {
    vec![
        // Home, search
        route("GET", "/", Public, home::home),
        route("GET", "/search", Public, search::search),
        route("GET", "/check", Public, listen::claim::check),
        // Claims
        route("GET", "/claims", Public, listen::claim::list),
        route("GET", "/c/{owner}/{local}", Public, listen::claim::show),
        // Resources
        route("GET", "/resources", Public, create::resource::list),
        route("GET", "/r/{owner}/{local}", Public, create::resource::show),
        route("GET", "/id/{owner}/{local}", Public, subject::resolve),
        route("GET", "/media/{hash}", Public, media::serve),
        // Questions and cases
        route("GET", "/ask", Public, listen::question::ask_page),
        route("POST", "/ask", Public, listen::question::ask),
        route("GET", "/q/{id}", Public, listen::question::status),
        route("GET", "/cases", Public, listen::case::list),
        route("GET", "/case/{id}", Public, listen::case::show),
        // Records
        route("GET", "/records/{hash}", Public, record::show),
        // Figures
        route("GET", "/figures", Public, measure::figure::show),
        // Network
        route("GET", "/network", Public, deliver::network::show),
        // POST /sync and POST /join stand here: deliver::sync
        // This site
        route("POST", "/settings", Public, statics::settings),
        route("GET", "/about", Public, statics::about),
        route("GET", "/privacy", Public, statics::privacy),
        route("GET", "/help", Public, statics::help),
        route("GET", "/problems", Public, problem::list),
        route("GET", "/problems/{word}", Public, problem::one),
        route("GET", "/qr.svg", Public, statics::qr),
        route("GET", "/static/{file}", Public, assets::serve),
        route("GET", "/healthz", Public, feed::health),
        route("GET", "/robots.txt", Public, feed::robots),
        route("GET", "/sitemap.xml", Public, feed::sitemap),
        route("GET", "/feed.atom", Public, feed::atom),
    ]
}

fn api_routes() -> Vec<Route> {
    vec![
        route("GET", "/api/openapi.json", Public, api::openapi),
        route("GET", "/api/docs", Public, api::docs),
        route("GET", "/api/claims", Public, api::listen::claims),
        route("GET", "/api/claims/{owner}/{local}", Public, api::listen::claim),
        route("GET", "/api/check", Public, api::listen::check),
        route("POST", "/api/questions", Public, api::listen::ask),
        route("GET", "/api/questions/{id}", Public, api::listen::question),
        route("GET", "/api/cases", Public, api::listen::cases),
        route("GET", "/api/cases/{id}", Public, api::listen::case),
        route("GET", "/api/resources", Public, api::create::resources),
        route("GET", "/api/resources/{owner}/{local}", Public, api::create::resource),
        route("GET", "/api/search", Public, api::search),
        route("GET", "/api/figures", Public, api::figures),
        route("GET", "/api/records/{hash}", Public, api::record),
        route("GET", "/api/network", Public, api::network),
        route("GET", "/api/divisions", Public, api::divisions),
        route("GET", "/api/vocabularies/{name}", Public, api::vocabulary),
    ]
}

/// For people with an account.
fn signed_in() -> Vec<Route> {
    vec![
        // Signing in and out, one's own account
        route("GET", "/login", Public, account::login_page),
    ]
}

/// Content work: the desk, drafts, reviews, corrections, files.
fn desk_routes() -> Vec<Route> {
    use Access::Can;
    use create::{correct, draft, review, writing};
    vec![
        route("GET", "/desk", Can(Action::UseDesk), desk::show),
        // Drafts
        route("GET", "/drafts", Can(Action::Draft), draft::list),
        route("GET", "/drafts/new", Can(Action::Draft), draft::new_page),
        route("POST", "/drafts/new", Can(Action::Draft), draft::create),
        route("GET", "/drafts/{id}", Can(Action::Draft), draft::show),
        route("POST", "/drafts/{id}", Can(Action::Draft), writing::save),
        route("GET", "/drafts/{id}/media", Can(Action::Draft), writing::files),
        route("POST", "/media", Can(Action::Draft), writing::upload),
        route("POST", "/drafts/{id}/take-back", Can(Action::Draft), draft::take_back),
        route("GET", "/drafts/{id}/drop", Can(Action::Draft), draft::drop_page),
        route("POST", "/drafts/{id}/drop", Can(Action::Draft), draft::drop_draft),
        route("POST", "/drafts/{id}/assign", Can(Action::Publish), draft::assign),
        route("POST", "/drafts/{id}/publish", Can(Action::Publish), draft::publish),
        // Reviews
        route("GET", "/reviews", Can(Action::Review), review::list),
        route("GET", "/reviews/{id}", Can(Action::Draft), review::show),
        route("POST", "/reviews/{id}", Can(Action::Review), review::decide),
        route("POST", "/reviews/{id}/decline", Can(Action::Review), review::decline),
        // What is public
        route("POST", "/correct", Can(Action::Correct), correct::correct),
        route("GET", "/withdraw/{owner}/{local}", Can(Action::Correct), correct::withdraw_page),
        route("POST", "/withdraw/{owner}/{local}", Can(Action::Correct), correct::withdraw),
        // The same for programs
        route("GET", "/api/desk", Can(Action::UseDesk), api::work::desk),
        route("GET", "/api/drafts", Can(Action::Draft), api::work::drafts),
        route("GET", "/api/drafts/{id}", Can(Action::Draft), api::work::draft),
        route("GET", "/api/reviews", Can(Action::Review), api::work::reviews),
        route("GET", "/api/reviews/{id}", Can(Action::Draft), api::work::review),
    ]
}
