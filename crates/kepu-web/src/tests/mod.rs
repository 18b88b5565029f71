//! What handler tests share: a node in a temporary folder behind the real router, people with roles who are signed in, requests.
//! What every request passes is in `guard`; pages have a file each. Journeys through real processes are in `tests/`.

mod account;
mod audit;
mod cases;
mod channels;
mod claims;
mod coordination;
mod desk;
mod drafts;
mod duty;
mod guard;
mod import;
mod jobs;
mod lanes;
mod ledger;
mod library;
mod listen;
mod members;
mod nodes;
mod recall;
mod registry;
mod report;
mod rounds;
mod setup;
mod sync;
mod verify;

use crate::{Settings, Web, router};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, header};
use kepu_app::account::{NewAccount, create, grant_in, sign_in};
use kepu_app::node;
use kepu_domain::access::{Actor, Role};
use kepu_domain::ids::{OrgId, PartyId, SubjectId};
use kepu_domain::org::Region;
use kepu_store::subject::{self, Filter, Order};
use std::sync::Arc;
use tower::ServiceExt;

/// A node; its folder goes with it.
pub(super) struct Node {
    pub(super) web: Web,
    _folder: tempfile::TempDir,
}

/// An empty national node.
pub(super) async fn node() -> Node {
    let folder = tempfile::tempdir().expect("folder");
    let init = node::Init { name: "测试".into(), region: Region::NATION, suite: kepu_sync::suite::Suite::Ed25519, database: None };
    let app = node::init(folder.path(), init).await.expect("node");
    let settings =
        Settings { node_name: "测试".into(), base_url: None, secure_cookies: false, region: Region::NATION, behind_proxy: false, printer: None, model: None };
    Node { web: Web { app, settings: Arc::new(settings) }, _folder: folder }
}

impl Node {
    /// The same node in a process that was started some minutes later.
    pub(super) async fn restarted(&self, minutes: i64) -> Web {
        let data = self._folder.path().to_owned();
        let key = kepu_app::keys::NodeKey::load(&data).expect("key");
        let clock = move || jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
        let options = kepu_app::Options { data, database: None, index: false };
        let app = kepu_app::App::open_with(options, key, Box::new(clock)).await.expect("opens again");
        Web { app, settings: self.web.settings.clone() }
    }

    /// The same node with its full-text index, filled.
    pub(super) async fn indexed(&self) -> Web {
        let data = self._folder.path().to_owned();
        let key = kepu_app::keys::NodeKey::load(&data).expect("key");
        let options = kepu_app::Options { data, database: None, index: true };
        let app = kepu_app::App::open_with(options, key, Box::new(jiff::Timestamp::now)).await.expect("opens again");
        kepu_app::index::catch_up(&app).await.expect("index");
        Web { app, settings: self.web.settings.clone() }
    }

    /// The id of an account.
    pub(super) async fn id(&self, login: &str) -> kepu_domain::ids::AccountId {
        let mut tx = self.web.app.db.read().await.expect("tx");
        kepu_store::account::find_by_login(&mut tx, login).await.expect("find").expect("account").account.id
    }
}

/// Where an answer leads.
pub(super) fn place(answer: &Response<Body>) -> String {
    answer.headers().get(header::LOCATION).map_or_else(String::new, |place| place.to_str().expect("text").to_owned())
}

/// The value of a hidden input of a page.
pub(super) fn hidden(page: &str, name: &str) -> String {
    let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_default();
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// Fields as the body of a form.
pub(super) fn body(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}={}", crate::urls::encode(value))).collect::<Vec<_>>().join("&")
}

/// A seeded node with its site and one claim of it.
pub(super) async fn seeded() -> (Node, Router, SubjectId) {
    let node = node().await;
    kepu_app::seed::publish(&node.web.app).await.expect("seed");
    let mut tx = node.web.app.db.read().await.expect("tx");
    let filter = Filter { kind: Some("claim".into()), ..Filter::default() };
    let id = subject::list(&mut tx, &filter, Order::Newest, None, 1).await.expect("list").remove(0).id;
    drop(tx);
    let site = router(node.web.clone());
    (node, site, id)
}

pub(super) const PASSWORD: &str = "雨后的操场有彩虹真好看";

/// Somebody who is signed in.
pub(super) struct Person {
    /// The `Cookie` header.
    pub(super) cookie: String,
    /// The token that forms carry.
    pub(super) csrf: String,
}

/// Makes an account with `roles`, each at an organisation, and signs it in.
pub(super) async fn person(web: &Web, login: &str, party: Option<&str>, roles: &[(&str, Role)]) -> Person {
    let operator = Actor::Node { name: "operator".into() };
    let mut tx = web.app.db.write().await.expect("tx");
    let new = NewAccount { login: login.into(), name: login.into(), password: PASSWORD.into(), party: party.map(PartyId::from), must_change: false };
    let id = create(&web.app, &mut tx, &operator, new).await.expect("account");
    for (org, role) in roles {
        grant_in(&web.app, &mut tx, &operator, &id, &OrgId::from(*org), *role).await.expect("role");
    }
    tx.commit().await.expect("commit");
    let session = sign_in(&web.app, login, PASSWORD, None, "").await.expect("session");
    Person { cookie: format!("kepu_session={}", session.token), csrf: session.csrf }
}

/// A request as a browser sends a form; `cookie` may be empty.
pub(super) fn request(method: Method, path: &str, cookie: &str, body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !cookie.is_empty() {
        request = request.header(header::COOKIE, cookie);
    }
    request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(body.to_owned())).expect("request")
}

/// A page as somebody sees it.
pub(super) async fn open(site: &Router, who: &Person, path: &str) -> Response<Body> {
    send(site, request(Method::GET, path, &who.cookie, "")).await
}

/// A form as somebody sends it; the token is added.
pub(super) async fn submit(site: &Router, who: &Person, path: &str, fields: &[(&str, &str)]) -> Response<Body> {
    let mut body = format!("_csrf={}", who.csrf);
    for (name, value) in fields {
        body.push_str(&format!("&{name}={}", crate::urls::encode(value)));
    }
    send(site, request(Method::POST, path, &who.cookie, &body)).await
}

pub(super) async fn send(site: &Router, request: Request<Body>) -> Response<Body> {
    site.clone().oneshot(request).await.expect("answer")
}

pub(super) async fn text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("body");
    String::from_utf8(bytes.to_vec()).expect("text")
}
