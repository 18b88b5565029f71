//! What every request passes before and after its handler: who is there, limits, headers, and errors made readable.
//! Which route asks for what is in `routes`; the ladder of rights in `kepu-domain::access`.
//!
//! From the outside in: compression → [`arrive`] (session, [`Req`], security headers, problems as pages) → `limits` (size, time)
//! → `tag` (ETag) → panics caught → [`gate`] (the access column of the route) → handler.

use crate::form::{self, Fields};
use crate::i18n::Lang;
use crate::page::{Html, Req, Shell, Theme, User, random_id};
use crate::problem::{Kind, Problem};
use crate::routes::{Access, for_nodes};
use crate::{Web, assets};
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use kepu_domain::access::Actor;
use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate};
use tracing::Instrument;

/// Name of the session's cookie.
pub const SESSION: &str = "kepu_session";
/// Name of the cookie with language, elder mode and theme.
pub const VIEW: &str = "kepu_view";

/// Largest file, in bytes.
pub const MEDIA_BYTES_MAX: u64 = 20 * 1024 * 1024;
/// Around a file there are boundaries and a few fields.
const MULTIPART_ROOM: u64 = 64 * 1024;
/// Longest time for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the rest of a refused body is thrown away, so that the sender can read the answer.
const LINGER: Duration = Duration::from_secs(5);

const CSP: &str =
    "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'; object-src 'none'";

/// Puts all of it around the routes.
pub fn wrap(routes: Router<Web>, web: Web) -> Router {
    routes
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::new(Kind::Method))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(tag))
        .layer(from_fn(limits))
        // Limits are kept by `limits` and by the extractors in `form`.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(web.clone(), arrive))
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(unpacked)))
        .with_state(web)
}

/// Files are packed already; a node that goes on with half of one must get the same bytes.
fn unpacked(_: StatusCode, _: axum::http::Version, headers: &HeaderMap, _: &axum::http::Extensions) -> bool {
    !headers.contains_key(header::ACCEPT_RANGES)
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
    Problem::internal(format!("panic: {text}")).into_response()
}

/// Finds out who is there, answers problems in their language, adds the headers of every response.
async fn arrive(State(web): State<Web>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let route = parts.extensions.get::<MatchedPath>().map_or("-", |path| path.as_str()).to_owned();
    let req = match reader(&web, &parts).await {
        Ok(req) => req,
        Err((req, problem)) => return finish(problem.render(&req), &req, &route),
    };
    let mut request = Request::from_parts(parts, body);
    // The span names the route, never the query: it may hold what somebody is worried about.
    let span = tracing::info_span!("request", request.id = %req.id, method = %request.method(), route);
    request.extensions_mut().insert(req.clone());
    let asked_lang = req.query.opt("lang").and_then(Lang::parse).filter(|_| request.method() == Method::GET);
    let response = next.run(request).instrument(span).await;
    let response = match response.extensions().get::<Arc<Problem>>() {
        Some(problem) => problem.clone().render(&req),
        None => response,
    };
    let mut response = finish(response, &req, &route);
    // A card on another site leaves nothing behind in the browser.
    if asked_lang.is_some() && !req.wants_json && !route.starts_with("/embed/") {
        let shell = &req.shell;
        set_cookie(&mut response, &view_cookie(&web, shell.lang, shell.elder, shell.theme));
    }
    response
}

fn finish(mut response: Response, req: &Req, route: &str) -> Response {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&req.id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    // "Nothing new" is the commonest answer of the network and goes over the poorest links.
    if for_nodes(route) {
        return response;
    }
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CSP);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    // Pages depend on cookies; browsers may keep them but ask again.
    set(header::CACHE_CONTROL, "private, no-cache");
    if !route.starts_with("/static/") {
        headers.append(header::VARY, HeaderValue::from_static("cookie"));
    }
    response
}

/// The reader's side of a request. Fails only if the session cannot be looked up.
async fn reader(web: &Web, request: &Parts) -> Result<Req, (Box<Req>, Problem)> {
    let (headers, uri) = (&request.headers, &request.uri);
    let query = Fields::parse(uri.query().unwrap_or_default().as_bytes());
    let is_api = uri.path().starts_with("/api/") || for_nodes(uri.path());
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let token = cookie(headers, SESSION).filter(|token| token.len() == 64).map(str::to_owned);
    let mut req = Req {
        shell: shell(web, request, query.as_ref().unwrap_or(&Fields::default())),
        actor: Actor::Visitor,
        signed_in: None,
        token: None,
        address: address(web, request),
        query: Fields::default(),
        id: random_id(),
        wants_json: is_api || accept.contains("application/problem+json") || (accept.contains("json") && !accept.contains("html")),
    };
    match query {
        Ok(query) => req.query = query,
        Err(unreadable) => return Err((Box::new(req), unreadable.into())),
    }
    // Files are the same for everybody; looking up a session for each would only cost time.
    let for_everybody = uri.path().starts_with("/static/") || uri.path().starts_with("/media/");
    if let Some(token) = token.filter(|_| !for_nodes(uri.path()) && (!for_everybody || request.method != Method::GET)) {
        match kepu_app::account::find_session(&web.app, &token).await {
            Ok(Some(session)) => {
                req.shell.user = Some(User::new(&session));
                req.actor = session.actor.clone();
                req.signed_in = Some(session);
                req.token = Some(token);
            }
            Ok(None) => {}
            Err(error) => return Err((Box::new(req), error.into())),
        }
    }
    Ok(req)
}

fn shell(web: &Web, request: &Parts, query: &Fields) -> Shell {
    let (headers, uri) = (&request.headers, &request.uri);
    let (lang, elder, theme) = view(cookie(headers, VIEW).unwrap_or_default());
    let accepted = || headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).and_then(Lang::parse);
    // A page is Chinese unless its reader said otherwise; a program says so in the header of its request.
    let lang = query.opt("lang").and_then(Lang::parse).or(lang).or_else(|| accepted().filter(|_| uri.path().starts_with("/api/") || for_nodes(uri.path())));
    let base_url = web.settings.base_url.clone().unwrap_or_default();
    // Without a public address QR codes and texts to pass on use the address under which the page was asked for.
    let host = headers
        .get(header::HOST)
        .and_then(|v| v.to_str().ok())
        .filter(|host| host.len() < 256 && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b)));
    let origin = if base_url.is_empty() { host.map_or_else(String::new, |host| format!("http://{host}")) } else { base_url.clone() };
    Shell {
        lang: lang.unwrap_or_default(),
        elder,
        theme,
        path: uri.path_and_query().map_or_else(|| uri.path().to_owned(), |p| p.as_str().to_owned()),
        user: None,
        node_name: web.settings.node_name.clone(),
        title: String::new(),
        canonical: if base_url.is_empty() { String::new() } else { format!("{base_url}{}", uri.path()) },
        base_url,
        origin,
        paper: None,
        now: web.app.now(),
        head: Html::default(),
        scripts: vec![],
    }
}

/// Reads the view cookie, such as `en.elder.dark`.
fn view(text: &str) -> (Option<Lang>, bool, Theme) {
    let words: Vec<&str> = text.split('.').collect();
    let theme = if words.contains(&"dark") {
        Theme::Dark
    } else if words.contains(&"light") {
        Theme::Light
    } else {
        Theme::Auto
    };
    (words.first().and_then(|word| Lang::parse(word)), words.contains(&"elder"), theme)
}

/// The view cookie; lives a year.
pub fn view_cookie(web: &Web, lang: Lang, elder: bool, theme: Theme) -> String {
    let theme = match theme {
        Theme::Auto => "",
        Theme::Light => ".light",
        Theme::Dark => ".dark",
    };
    let value = format!("{}{}{theme}", lang.code(), if elder { ".elder" } else { "" });
    new_cookie(web, VIEW, &value, Some(365 * 24 * 3600))
}

/// A cookie with the attributes that all of ours have; `seconds`: how long it lives, `None` until the browser closes.
pub fn new_cookie(web: &Web, name: &str, value: &str, seconds: Option<i64>) -> String {
    let age = seconds.map_or_else(String::new, |s| format!("; Max-Age={s}"));
    let secure = if web.settings.secure_cookies { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")
}

/// Adds a cookie to a response.
pub fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('=')).find(|(n, _)| *n == name).map(|(_, value)| value)
}

fn address(web: &Web, request: &Parts) -> String {
    let forwarded = request.headers.get("x-forwarded-for").and_then(|v| v.to_str().ok()).and_then(|v| v.rsplit(',').next());
    match forwarded.filter(|_| web.settings.behind_proxy) {
        Some(address) => address.trim().to_owned(),
        None => request.extensions.get::<ConnectInfo<SocketAddr>>().map_or_else(String::new, |info| info.0.ip().to_string()),
    }
}

/// Size and time.
async fn limits(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let max = match path {
        "/media" | "/remarks" | "/import" | "/check/picture" => MEDIA_BYTES_MAX + MULTIPART_ROOM,
        "/sync" => kepu_app::sync::BODY_BYTES_MAX as u64,
        _ => form::FORM_BYTES_MAX as u64,
    };
    let waits = path == "/sync";
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if announced.or(request.body().size_hint().exact()).unwrap_or(0) > max {
        discard(request.into_body());
        return form::with_header(
            Problem::too_large(max - if max > MEDIA_BYTES_MAX && !waits { MULTIPART_ROOM } else { 0 }).into_response(),
            header::CONNECTION,
            "close",
        );
    }
    let limit = usize::try_from(max).unwrap_or(usize::MAX);
    let request = request.map(|body| Body::new(http_body_util::Limited::new(body, limit)));
    if waits {
        return next.run(request).await;
    }
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Kind::Slow).into_response(),
    }
}

/// Throws the rest of a refused body away for a short while. Closing at once would reset the connection, and the sender
/// would never read why; nothing of the body is kept.
fn discard(body: Body) {
    tokio::spawn(async move {
        use http_body_util::BodyExt;
        let mut body = body;
        let drain = async { while let Some(Ok(_)) = body.frame().await {} };
        let _ = tokio::time::timeout(LINGER, drain).await;
    });
}

/// Largest page that gets an ETag.
const TAGGED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Gives pages and API answers a weak ETag, and answers 304 to who has them already.
async fn tag(request: Request, next: Next) -> Response {
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let response = next.run(request).await;
    let kept_elsewhere = response.headers().contains_key(header::CACHE_CONTROL);
    let fits = response.body().size_hint().exact().is_some_and(|size| size <= TAGGED_BYTES_MAX as u64);
    if !reads || response.status() != StatusCode::OK || kept_elsewhere || !fits || response.extensions().get::<Arc<Problem>>().is_some() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, TAGGED_BYTES_MAX).await else { return Problem::internal("a body could not be read").into_response() };
    let tag = format!("W/\"{}\"", assets::hash(&bytes));
    let same = known.and_then(|value| value.to_str().ok().map(|list| list.split(',').any(|one| one.trim() == tag || one.trim() == "*"))).unwrap_or(false);
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, value);
    }
    if same {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// Enforces the access column of a route.
pub(crate) async fn gate(State(access): State<Access>, request: Request, next: Next) -> Response {
    let Some(req) = request.extensions().get::<Req>() else { return Problem::internal("a request without its Req").into_response() };
    let refused = match access {
        Access::Public | Access::Node => None,
        Access::SignedIn | Access::Can(_) if owes(req, &request).is_some() => owes(req, &request),
        Access::SignedIn => req.signed_in().err().map(Problem::from),
        Access::Can(action) => req.actor.may(action, None).err().map(|denied| Problem::from(kepu_app::AppError::from(denied))),
    };
    match refused {
        None => next.run(request).await,
        // Nothing typed is lost: the fields travel through the sign-in page.
        Some(problem) if problem.kind == Kind::SignIn && request.method() == Method::POST => sign_in_first(request).await.into_response(),
        Some(problem) => problem.into_response(),
    }
}

/// An account that owes a password or a second factor reaches its own page only. Its actor holds no roles meanwhile, so that
/// public pages show it nothing either.
fn owes(req: &Req, request: &Request) -> Option<Problem> {
    let owes = req.signed_in.as_ref()?.owes?;
    let own = |root: &str| request.uri().path().strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    (!own("/account") && !own("/api/account")).then(|| Problem::owes(owes, reads.then_some(req.shell.path.as_str())))
}

async fn sign_in_first(request: Request) -> Problem {
    let path = request.uri().path().to_owned();
    let own = form::same_site(request.headers());
    match form::read(request).await {
        Ok(fields) if own => Problem::sign_in_with(&path, &fields),
        Ok(_) => Problem::new(Kind::CrossSite),
        // A file cannot be carried along; whoever sent it is asked to sign in and choose it again.
        Err(problem) if problem.kind == Kind::BadMediaType => Problem::new(Kind::SignIn),
        Err(problem) => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_view_cookie_is_read() {
        assert_eq!(view("en.elder.dark"), (Some(Lang::En), true, Theme::Dark));
        assert_eq!(view("zh"), (Some(Lang::Zh), false, Theme::Auto));
        assert_eq!(view("'><script>"), (None, false, Theme::Auto));
    }

    #[test]
    fn one_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=1; kepu_view=en; kepu_session=x"));
        assert_eq!(cookie(&headers, VIEW), Some("en"));
        assert_eq!(cookie(&headers, "view"), None);
    }
}
