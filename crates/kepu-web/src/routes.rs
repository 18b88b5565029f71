//! The one table of all routes: method, path, who may, handler. `tests/access.csv` has a row for each, and `xtask check`
//! compares the two. Rights in one organisation are asked again inside the operations.

use crate::{Web, account, api, assets, audit, crawl, desk, guard, home, job, media, member, problem, record, search, setup, statics, subject, verify};
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
    /// The signature of a node, or an invitation. It covers the body, so the operation checks it.
    Node,
}

use Access::{Can, Public, SignedIn};

/// One line of the table.
pub struct Route {
    method: &'static str,
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
    Route { method, path, access, handler: on(filter, handler) }
}

fn all() -> impl Iterator<Item = Route> {
    [
        public(),
        verify_routes(),
        api_routes(),
        node_routes(),
        house_routes(),
        desk_routes(),
        work_routes(),
        lane_routes(),
        registry_routes(),
        round_routes(),
        ledger_routes(),
        channel_routes(),
        listen_routes(),
        claim_routes(),
        warning_routes(),
        coordination_routes(),
    ]
    .into_iter()
    .flatten()
}

/// Method and path of every route, in the order of the table.
pub fn declared() -> Vec<(&'static str, &'static str)> {
    all().map(|route| (route.method, route.path)).collect()
}

/// All routes, each behind its gate.
pub fn table() -> Router<Web> {
    all().fold(Router::new(), |router, route| router.route(route.path, route.handler.layer(from_fn_with_state(route.access, guard::gate))))
}

fn public() -> Vec<Route> {
    vec![
        // Home, search
        route("GET", "/", Public, home::home),
        route("GET", "/search", Public, search::search),
        // Claims
        route("GET", "/claims", Public, listen::claim::list),
        route("GET", "/c/{owner}/{local}", Public, listen::claim::show),
        // Resources
        route("GET", "/resources", Public, create::resource::list),
        route("GET", "/r/{owner}/{local}", Public, create::resource::show),
        route("GET", "/r/{owner}/{local}/spoken.txt", Public, create::resource::spoken),
        route("GET", "/id/{owner}/{local}", Public, subject::resolve),
        route("GET", "/history/{owner}/{local}", Public, create::history::show),
        route("GET", "/sticker/{owner}/{local}", Public, deliver::recall::sticker),
        route("GET", "/media/{hash}", Public, media::serve),
        // Questions and cases
        route("GET", "/ask", Public, listen::question::ask_page),
        route("POST", "/ask", Public, listen::question::ask),
        route("GET", "/q/{id}", Public, listen::question::status),
        route("GET", "/cases", Public, listen::case::list),
        route("GET", "/cases/figures", Public, listen::service::show),
        route("GET", "/case/{id}", Public, listen::case::show),
        route("POST", "/case/{id}/appeal", Public, listen::report::appeal),
        route("GET", "/report/{owner}/{local}", Public, listen::report::show),
        route("POST", "/report/{owner}/{local}", Public, listen::report::file),
        // Records
        route("GET", "/records/{hash}", Public, record::show),
        // Figures
        route("GET", "/figures", Public, measure::figure::show),
        // Network
        route("GET", "/network", Public, deliver::network::show),
        // This site
        route("POST", "/settings", Public, statics::settings),
        route("GET", "/about", Public, statics::about),
        route("GET", "/privacy", Public, statics::privacy),
        route("GET", "/help", Public, statics::help),
        route("GET", "/problems", Public, problem::list),
        route("GET", "/problems/{word}", Public, problem::one),
        route("GET", "/qr.svg", Public, statics::qr),
        route("GET", "/static/{file}", Public, assets::serve),
        route("GET", "/healthz", Public, crawl::health),
    ]
}

/// Verification in the reader's own browser.
fn verify_routes() -> Vec<Route> {
    vec![route("GET", "/verify", Public, verify::show)]
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
        route("GET", "/api/suggest", Public, api::suggest),
        route("GET", "/api/figures", Public, api::figures),
        route("GET", "/api/records/{hash}", Public, api::record),
        route("GET", "/api/network", Public, api::network),
        route("GET", "/api/divisions", Public, api::divisions),
        route("GET", "/api/vocabularies/{name}", Public, api::vocabulary),
    ]
}

/// For other nodes. `guard` knows them by [`for_nodes`].
fn node_routes() -> Vec<Route> {
    vec![route("POST", "/sync", Access::Node, deliver::sync::exchange), route("POST", "/join", Access::Node, deliver::sync::join)]
}

/// Whether nodes ask here, not browsers: no session, no page, no header that only a browser reads.
pub(crate) fn for_nodes(path: &str) -> bool {
    matches!(path, "/sync" | "/join")
}

/// People and the house: signing in, one's own account, members, the audit log, the first run.
fn house_routes() -> Vec<Route> {
    vec![
        // Signing in and out, the first run
        route("GET", "/login", Public, account::login_page),
        route("POST", "/login", Public, account::sign_in),
        route("POST", "/logout", Public, account::sign_out),
        route("GET", "/setup", Public, setup::setup_page),
        route("POST", "/setup", Public, setup::set_up),
        route("GET", "/setup/done", SignedIn, setup::done),
        // One's own account
        route("GET", "/account", SignedIn, account::own::own),
        route("GET", "/account/stay", SignedIn, account::stay),
        route("POST", "/account/password", SignedIn, account::own::password),
        route("GET", "/account/second-factor", SignedIn, account::second_factor::second_factor_page),
        route("POST", "/account/second-factor", SignedIn, account::second_factor::set_up),
        route("POST", "/account/second-factor/remove", SignedIn, account::second_factor::remove),
        route("POST", "/account/sessions", SignedIn, account::own::end_others),
        route("GET", "/account/data.json", SignedIn, account::own::data),
        route("GET", "/account/close", SignedIn, account::own::close_page),
        route("POST", "/account/close", SignedIn, account::own::close),
        // Members
        route("GET", "/members", Can(Action::SeeMembers), member::house),
        route("POST", "/members/second-factor", Can(Action::ManageSecurity), member::demand),
        route("GET", "/members/people", Can(Action::ManageSecurity), member::people),
        route("GET", "/members/orgs/{id}", Can(Action::SeeMembers), member::org::show),
        route("GET", "/members/orgs/{id}/add", Can(Action::SeeMembers), member::org::add_page),
        route("POST", "/members/orgs/{id}/add", Can(Action::SeeMembers), member::org::add),
        route("GET", "/members/orgs/{id}/new", Can(Action::ManageMembers), member::org::new_page),
        route("POST", "/members/orgs/{id}/new", Can(Action::ManageMembers), member::org::new),
        route("GET", "/members/orgs/{id}/rename", Can(Action::ManageMembers), member::org::rename_page),
        route("POST", "/members/orgs/{id}/rename", Can(Action::ManageMembers), member::org::rename),
        route("GET", "/members/people/{id}", Can(Action::SeeMembers), member::person::show),
        route("POST", "/members/people/{id}/grant", Can(Action::SeeMembers), member::person::grant),
        route("POST", "/members/people/{id}/revoke", Can(Action::SeeMembers), member::person::revoke),
        route("POST", "/members/people/{id}/describe", Can(Action::SeeMembers), member::person::describe),
        route("POST", "/members/people/{id}/disable", Can(Action::SeeMembers), member::person::disable),
        route("POST", "/members/people/{id}/enable", Can(Action::SeeMembers), member::person::enable),
        route("POST", "/members/people/{id}/unlock", Can(Action::SeeMembers), member::person::unlock),
        route("POST", "/members/people/{id}/password", Can(Action::SeeMembers), member::person::password),
        route("POST", "/members/people/{id}/second-factor", Can(Action::ManageSecurity), member::person::second_factor),
        // The audit log
        route("GET", "/audit", Can(Action::ReadAudit), audit::list),
        route("POST", "/audit/verify", Can(Action::ReadAudit), audit::verify),
        // For programs
        route("GET", "/api/account", SignedIn, api::house::account),
        route("GET", "/api/account/data", SignedIn, api::house::account_data),
        route("GET", "/api/members", Can(Action::SeeMembers), api::house::organisations),
        route("GET", "/api/members/people", Can(Action::ManageSecurity), api::house::people),
        route("GET", "/api/members/people/{id}", Can(Action::SeeMembers), api::house::person),
        route("GET", "/api/members/orgs/{id}", Can(Action::SeeMembers), api::house::members),
        route("GET", "/api/audit", Can(Action::ReadAudit), api::house::audit),
    ]
}

/// Cases, files taken in, jobs, other nodes.
fn work_routes() -> Vec<Route> {
    let (cases, imports, jobs, nodes) =
        (Access::Can(Action::WorkCase), Access::Can(Action::BringFiles), Access::Can(Action::ManageJobs), Access::Can(Action::ManageNodes));
    vec![
        route("POST", "/case/{id}/take", cases, listen::work::take),
        route("POST", "/case/{id}/classify", cases, listen::work::classify),
        route("POST", "/case/{id}/expert", cases, listen::work::ask_expert),
        route("POST", "/case/{id}/hold", Access::Can(Action::IssueHolding), listen::work::hold),
        route("POST", "/case/{id}/decide", Access::Can(Action::Correct), listen::report::decide),
        route("POST", "/case/{id}/note", cases, listen::work::note),
        route("POST", "/case/{id}/close", cases, listen::work::close),
        route("GET", "/import", imports, create::import::list),
        route("POST", "/import", imports, create::import::bring),
        route("GET", "/import/{id}", imports, create::import::show),
        route("POST", "/import/{id}", imports, create::import::act),
        route("GET", "/import/{id}/refused.csv", imports, create::import::refused),
        route("GET", "/jobs", jobs, job::list),
        route("POST", "/jobs", jobs, job::ask),
        route("POST", "/jobs/{id}/retry", jobs, job::retry),
        route("POST", "/jobs/{id}/cancel", jobs, job::cancel),
        route("GET", "/api/jobs", jobs, api::work::jobs),
        route("GET", "/api/imports", imports, api::work::imports),
        route("GET", "/nodes", nodes, deliver::node::show),
        route("POST", "/nodes/invite", nodes, deliver::node::invite),
        route("POST", "/nodes/revoke", nodes, deliver::node::revoke),
        route("POST", "/nodes/exchange", nodes, deliver::node::exchange),
        route("GET", "/api/nodes", nodes, api::work::nodes),
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
        route("GET", "/coverage", Can(Action::Draft), create::coverage::show),
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
        route("GET", "/hold/{owner}/{local}", Can(Action::Hold), correct::hold_page),
        route("POST", "/hold/{owner}/{local}", Can(Action::Hold), correct::hold),
        route("GET", "/release/{owner}/{local}", Can(Action::Correct), correct::release_page),
        route("POST", "/release/{owner}/{local}", Can(Action::Correct), correct::release),
        route("GET", "/notice/{owner}/{local}", Can(Action::Correct), correct::notice_page),
        route("POST", "/notice/{owner}/{local}", Can(Action::Correct), correct::notice),
        route("GET", "/recall/{owner}/{local}", SignedIn, deliver::recall::show),
        route("POST", "/recall/{owner}/{local}", SignedIn, deliver::recall::taken_down),
        // The same for programs
        route("GET", "/api/desk", Can(Action::UseDesk), api::desk::desk),
        route("GET", "/api/drafts", Can(Action::Draft), api::desk::drafts),
        route("GET", "/api/drafts/{id}", Can(Action::Draft), api::desk::draft),
        route("GET", "/api/reviews", Can(Action::Review), api::desk::reviews),
        route("GET", "/api/reviews/{id}", Can(Action::Draft), api::desk::review),
    ]
}

/// Lanes, remarks at sentences, the review queue as a whole.
fn lane_routes() -> Vec<Route> {
    use create::{draft, lane, queue, remark};
    let publish = Access::Can(Action::Publish);
    vec![
        route("GET", "/lanes", Public, lane::list),
        route("POST", "/lanes", Can(Action::ManageNodes), lane::announce),
        route("POST", "/drafts/{id}/hand-on", Can(Action::Draft), draft::hand_on),
        route("POST", "/drafts/{id}/excuse", Can(Action::Draft), draft::excuse),
        route("GET", "/drafts/{id}/remarks", Can(Action::Draft), remark::list),
        route("POST", "/remarks", Can(Action::Draft), remark::add),
        route("POST", "/drafts/{id}/settle", Can(Action::Draft), remark::settle),
        route("GET", "/reviews/queue", publish, queue::show),
        route("POST", "/reviews/queue", publish, queue::carry_out),
        route("POST", "/reviews/undo", publish, queue::undo),
        route("GET", "/reviews/fairness", Can(Action::Draft), queue::fairness),
        route("GET", "/api/reviews/queue", publish, queue::api_queue),
        route("GET", "/api/reviews/fairness", Can(Action::Draft), queue::api_fairness),
    ]
}

/// The ledger of contributions, what it scores, the certificates drawn from it.
fn ledger_routes() -> Vec<Route> {
    use measure::{certificate, contribution, scoring};
    let (confirms, keeps) = (Access::Can(Action::ConfirmContribution), Access::Can(Action::ManageMembers));
    vec![
        route("GET", "/contributions", SignedIn, contribution::mine),
        route("POST", "/contributions", SignedIn, contribution::state),
        route("GET", "/contributions/new", SignedIn, contribution::new_page),
        route("GET", "/contributions/confirm", confirms, contribution::confirm_page),
        route("POST", "/contributions/confirm", confirms, contribution::confirm),
        route("GET", "/contributions/figures", Public, contribution::figures),
        route("POST", "/contributions/{id}/withdraw", SignedIn, contribution::withdraw),
        route("GET", "/scoring", SignedIn, scoring::show),
        route("GET", "/certificates", SignedIn, certificate::mine),
        route("POST", "/certificates", SignedIn, certificate::draw),
        route("POST", "/certificates/bring", SignedIn, certificate::bring),
        route("GET", "/certificates/office", keeps, certificate::office),
        route("GET", "/certificates/{number}", SignedIn, certificate::show),
        route("GET", "/certificates/{number}/{file}", SignedIn, certificate::file),
        route("POST", "/certificates/{number}/revoke", keeps, certificate::revoke),
        route("GET", "/certificate/{number}", Public, certificate::status),
    ]
}

/// Rounds: the call and its results for everybody, applying and judging for whoever is signed in, the office for stewards. What somebody
/// may see of one application is asked inside.
fn round_routes() -> Vec<Route> {
    use create::round::{apply, call, criteria, judge, office, proof, show};
    let keeps = Can(Action::ManageMembers);
    vec![
        route("GET", "/rounds", Public, show::list),
        route("GET", "/rounds/new", keeps, call::new_page),
        route("POST", "/rounds/new", keeps, call::create),
        route("GET", "/round/{id}", Public, show::show),
        route("GET", "/round/{id}/object", Public, show::object_page),
        route("POST", "/round/{id}/object", Public, show::object_to),
        route("GET", "/round/{id}/objection/{number}", Public, show::objection),
        route("GET", "/round/{id}/apply", SignedIn, apply::apply_page),
        route("POST", "/round/{id}/apply", SignedIn, apply::begin),
        route("GET", "/round/{id}/office", keeps, office::show),
        route("POST", "/round/{id}/office", keeps, office::act),
        route("GET", "/application/{id}", SignedIn, apply::show),
        route("POST", "/application/{id}", SignedIn, apply::save),
        route("GET", "/application/{id}/proofs", SignedIn, proof::show),
        route("POST", "/application/{id}/proofs", SignedIn, proof::upload),
        route("GET", "/application/{id}/proof/{hash}", SignedIn, proof::read),
        route("POST", "/application/{id}/proof/{hash}", SignedIn, proof::act),
        route("POST", "/application/{id}/test", SignedIn, apply::test),
        route("POST", "/application/{id}/withdraw", SignedIn, apply::withdraw),
        route("POST", "/application/{id}/deliver", SignedIn, apply::deliver),
        route("POST", "/application/{id}/report", SignedIn, apply::report),
        route("POST", "/application/{id}/recommend", keeps, apply::recommend),
        route("POST", "/application/{id}/office", keeps, office::step_on),
        route("GET", "/judging", SignedIn, judge::list),
        route("GET", "/judging/{id}", SignedIn, judge::show),
        route("POST", "/judging/{id}", SignedIn, judge::score),
        route("POST", "/judging/{id}/recuse", SignedIn, judge::recuse),
        route("GET", "/criteria/{id}", Public, criteria::show),
        route("GET", "/api/rounds", Public, api::round::rounds),
        route("GET", "/api/rounds/{id}", Public, api::round::round),
    ]
}

/// The registry: registers and cards for everybody, entries for those whom they concern. Rights in one entry are asked inside.
fn registry_routes() -> Vec<Route> {
    use create::{definition, entry, party, register, registry};
    let keeps = Access::Can(Action::ManageMembers);
    vec![
        route("GET", "/registers", Public, register::list),
        route("GET", "/register/{id}", Public, register::show),
        route("GET", "/party/{owner}/{local}", Public, party::show),
        route("GET", "/account/registry", SignedIn, entry::mine),
        route("GET", "/registry", keeps, registry::list),
        route("GET", "/registry/export.csv", keeps, registry::export_csv),
        route("GET", "/registry/doubles", keeps, registry::doubles),
        route("GET", "/registry/new", keeps, registry::new_page),
        route("POST", "/registry/new", keeps, registry::create),
        route("GET", "/registry/{id}", SignedIn, entry::show),
        route("GET", "/registry/{id}/edit", SignedIn, registry::edit),
        route("POST", "/registry/{id}/edit", SignedIn, registry::save),
        route("POST", "/registry/{id}/confirm", SignedIn, entry::confirm),
        route("POST", "/registry/{id}/consent", SignedIn, entry::consent_to),
        route("POST", "/registry/{id}/register", SignedIn, entry::register),
        route("POST", "/registry/{id}/verify", SignedIn, entry::verify),
        route("POST", "/registry/{id}/merge", keeps, entry::merge),
        route("POST", "/registry/{id}/unmerge", keeps, entry::unmerge),
        route("GET", "/registry/{id}/delete", SignedIn, entry::delete_page),
        route("POST", "/registry/{id}/delete", SignedIn, entry::delete),
        route("GET", "/registry/{id}/data.json", SignedIn, entry::data),
        route("GET", "/definitions", Can(Action::ManageNodes), definition::list),
        route("GET", "/api/registers", Public, api::registry::registers),
        route("GET", "/api/registers/{id}", Public, api::registry::register),
        route("GET", "/api/parties/{owner}/{local}", Public, api::registry::party),
        route("GET", "/talent", Public, measure::talent::show),
        route("GET", "/api/talent", Public, api::registry::talent),
    ]
}

/// What carries public things on: feeds, harvesters, search engines, cards on other sites, screens, packs.
fn channel_routes() -> Vec<Route> {
    use deliver::{embed, feed, oai, pack, screen, shelf};
    vec![
        route("GET", "/robots.txt", Public, crawl::robots),
        route("GET", "/sitemap.xml", Public, crawl::sitemap),
        route("GET", "/sitemap/{n}", Public, crawl::sitemap_file),
        route("GET", "/feed.atom", Public, feed::atom),
        route("GET", "/feed.json", Public, feed::json),
        route("GET", "/podcast.xml", Public, feed::podcast),
        route("GET", "/oai", Public, oai::get),
        route("POST", "/oai", Public, oai::post),
        route("GET", "/embed/{kind}/{owner}/{local}", Public, embed::show),
        route("GET", "/oembed", Public, embed::oembed),
        route("GET", "/screen", Public, screen::show),
        route("GET", "/shelf", Public, shelf::show),
        route("GET", "/shelf/status", Public, shelf::status),
        route("GET", "/sw.js", Public, shelf::worker),
        route("GET", "/manifest.webmanifest", Public, shelf::manifest),
        route("GET", "/packs", Public, pack::list),
        route("POST", "/packs", SignedIn, pack::make),
        route("GET", "/packs/table", Public, pack::table),
        route("GET", "/packs/{id}", Public, pack::show),
        route("POST", "/packs/{id}/posted", SignedIn, pack::posted),
        route("GET", "/packs/{id}/{file}", Public, pack::file),
    ]
}

/// Listening: the desk of duty editors, topics, how signals come in; the door of tiplines, whose calls are signed.
fn listen_routes() -> Vec<Route> {
    use listen::{intake, shown, topic, wall};
    let (works, sees) = (Access::Can(Action::WorkCase), Access::Can(Action::SeeIntake));
    vec![
        route("GET", "/listen", works, topic::desk),
        route("GET", "/listen/wall", works, wall::show),
        route("GET", "/listen/coverage", works, topic::cover),
        route("GET", "/listen/topic/{id}", works, topic::show),
        route("POST", "/listen/topic/{id}", works, topic::act_on),
        route("GET", "/intake", sees, intake::list),
        route("POST", "/intake/hosts", Can(Action::ManageMembers), intake::hosts),
        route("GET", "/intake/new", sees, intake::new_page),
        route("POST", "/intake/new", sees, intake::add),
        route("GET", "/intake/{id}", sees, intake::show),
        route("POST", "/intake/{id}", sees, intake::act_on),
        route("GET", "/check/shown", Public, shown::ask),
        route("POST", "/check/picture", Public, shown::picture),
        route("POST", "/check/link", Public, shown::link),
        route("GET", "/api/topics", works, api::tipline::topics),
        route("POST", "/api/v1/tipline/{id}", Public, api::tipline::call),
        route("POST", "/api/v1/tipline/{id}/changes", Public, api::tipline::changes),
    ]
}

/// "Is this true?", how an answer is passed on, and what editors do with a claim besides correcting it.
fn claim_routes() -> Vec<Route> {
    use listen::{care, check, share};
    let edits = Access::Can(Action::Correct);
    vec![
        route("GET", "/check", Public, check::check),
        route("POST", "/check", Public, check::check_long),
        route("POST", "/check/same", Public, check::same),
        route("GET", "/c/{owner}/{local}/share", Public, share::show),
        route("GET", "/c/{owner}/{local}/chat.txt", Public, share::chat),
        route("GET", "/c/{owner}/{local}/spoken.txt", Public, share::spoken),
        route("GET", "/c/{owner}/{local}/card.svg", Public, share::card),
        route("GET", "/c/{owner}/{local}/card.png", Public, share::picture),
        route("POST", "/c/{owner}/{local}/useful", Public, listen::claim::useful),
        route("GET", "/c/{owner}/{local}/care", edits, care::show),
        route("POST", "/c/{owner}/{local}/care", edits, care::act),
        route("POST", "/api/check", Public, api::listen::check_long),
        route("GET", "/api/claims.jsonl", Public, api::dump::claims),
    ]
}

/// What meetings decide and inspections find, for those who take it on and those who coordinate.
fn coordination_routes() -> Vec<Route> {
    use api::coordination;
    use listen::{decision, decision_new, inspection};
    let (takes, decides) = (Access::Can(Action::TakeOn), Access::Can(Action::Coordinate));
    vec![
        route("GET", "/decisions", takes, decision::list),
        route("GET", "/decisions/new", decides, decision_new::new_page),
        route("POST", "/decisions/new", decides, decision_new::create),
        route("GET", "/decisions/{owner}/{local}", SignedIn, decision::show),
        route("POST", "/decisions/{owner}/{local}/take", SignedIn, decision::take),
        route("POST", "/decisions/{owner}/{local}/amend", SignedIn, decision::amend),
        route("POST", "/decisions/{owner}/{local}/end", SignedIn, decision::end),
        route("GET", "/inspections", takes, inspection::list),
        route("GET", "/inspections/new", decides, inspection::new_page),
        route("POST", "/inspections/new", decides, inspection::create),
        route("GET", "/inspections/{id}", SignedIn, inspection::show),
        route("GET", "/inspections/{id}/list.csv", SignedIn, inspection::list_csv),
        route("GET", "/inspections/{id}/look/{n}", SignedIn, inspection::look_page),
        route("POST", "/inspections/{id}/look/{n}", SignedIn, inspection::look),
        route("GET", "/api/decisions", takes, coordination::decisions),
        route("GET", "/api/decisions/{owner}/{local}", SignedIn, coordination::decision),
        route("GET", "/api/inspections", takes, coordination::inspections),
        route("GET", "/api/inspections/{id}", SignedIn, coordination::inspection),
    ]
}

/// Official warnings for everybody; messages of unknown issuers, start orders, tasks and drills for those who work there.
fn warning_routes() -> Vec<Route> {
    use deliver::{now, point, warning};
    use listen::{duty, order, task};
    let (works, decides) = (Access::Can(Action::WorkCase), Access::Can(Action::IssueHolding));
    vec![
        route("GET", "/now", Public, now::show),
        route("GET", "/now/figures", Public, now::figures),
        route("GET", "/now/{county}", Public, now::show_place),
        route("GET", "/now/{county}/{file}", Public, now::text),
        route("GET", "/now/w/{owner}/{local}", Public, now::one),
        route("GET", "/now.atom", Public, now::atom),
        route("GET", "/now.json", Public, now::json_feed),
        route("GET", "/api/warnings", Public, api::warning::list),
        route("POST", "/api/warnings", Public, api::warning::take),
        route("GET", "/warnings", decides, warning::list),
        route("POST", "/warnings", decides, warning::take_back),
        route("GET", "/warnings/{hash}", decides, warning::show),
        route("POST", "/warnings/{hash}", decides, warning::decide),
        route("GET", "/orders", works, order::list),
        route("GET", "/orders/new", decides, order::new_page),
        route("POST", "/orders/new", decides, order::create),
        route("GET", "/orders/{id}", SignedIn, order::show),
        route("POST", "/orders/{id}", decides, order::end),
        route("GET", "/drills", works, order::drills),
        route("POST", "/drills/{owner}/{local}/join", decides, order::join),
        route("GET", "/plans", works, order::plans),
        route("GET", "/duty", Access::Can(Action::UseDesk), duty::list),
        route("GET", "/duty/new", decides, duty::new_page),
        route("POST", "/duty/new", decides, duty::add),
        route("POST", "/duty/away", Access::Can(Action::UseDesk), duty::away),
        route("GET", "/duty/{id}", decides, duty::edit),
        route("POST", "/duty/{id}", decides, duty::save),
        route("POST", "/case/{id}/cannot", Access::Can(Action::UseDesk), duty::cannot),
        route("GET", "/api/duty", Access::Can(Action::UseDesk), duty::api),
        route("GET", "/points", Access::Can(Action::SeeIntake), point::list),
        route("GET", "/points/new", Can(Action::ManageMembers), point::new_page),
        route("POST", "/points/new", Can(Action::ManageMembers), point::add),
        route("GET", "/points/{id}", Can(Action::ManageMembers), point::show),
        route("POST", "/points/{id}", Can(Action::ManageMembers), point::act),
        route("GET", "/api/points/{id}", Public, point::collect),
        route("POST", "/api/points/{id}", Public, point::confirm),
        route("GET", "/tasks/{id}", SignedIn, task::show),
        route("POST", "/tasks/{id}", SignedIn, task::act),
    ]
}
