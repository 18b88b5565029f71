//! Forms and queries as lists of fields: reading within limits, proof that the form is ours, one effect however often it is sent.
//! What a handler does with the fields is its own; a session that ended while somebody typed is in `resume`.

use crate::Web;
use crate::page::Req;
use crate::problem::{Kind, Problem};
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use kepu_app::AppError;
use kepu_store::once::{self, Once};
use std::future::Future;

/// Largest form, in bytes.
pub const FORM_BYTES_MAX: usize = 256 * 1024;
/// Most fields of a form.
pub const FIELDS_MAX: usize = 1_000;
/// Longest name of a field, in bytes.
pub const NAME_BYTES_MAX: usize = 100;

/// Names and values in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(String, String)>);

/// Why bytes are no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// More than [`FIELDS_MAX`] fields or a name longer than [`NAME_BYTES_MAX`].
    TooManyFields,
    /// Not UTF-8, or a broken `%` sign.
    NotText,
}

impl Fields {
    /// Reads `application/x-www-form-urlencoded`. Names are flat: `a[b][c]` is just a name.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut list = Vec::new();
        for pair in bytes.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let name = decode(&pair[..at])?;
            if list.len() == FIELDS_MAX || name.len() > NAME_BYTES_MAX {
                return Err(Unreadable::TooManyFields);
            }
            list.push((name, decode(pair.get(at + 1..).unwrap_or_default())?));
        }
        Ok(Self(list))
    }

    /// The first value of `name`, as typed; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }
    /// [`Fields::get`] without white space around it; `None` if nothing is left.
    pub fn opt(&self, name: &str) -> Option<&str> {
        Some(self.get(name).trim()).filter(|value| !value.is_empty())
    }
    /// Whether a field of this name came, be it empty.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }
    /// All values of `name` that are not blank: ticked boxes, repeated inputs.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(n, value)| n == name && !value.trim().is_empty()).map(|(_, value)| value.trim().to_owned()).collect()
    }
    /// All values of `name`, blank ones too: for repeated groups of inputs, where places must match.
    pub fn every(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.trim().to_owned()).collect()
    }
    /// A whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name).trim().parse().ok()
    }
    /// The values of `name` as lines: what a text area with one thing a line holds.
    pub fn lines(&self, name: &str) -> Vec<String> {
        self.get(name).lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }
}

fn decode(bytes: &[u8]) -> Result<String, Unreadable> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'+' => out.push(b' '),
            b'%' => {
                let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
                out.push(hex.ok_or(Unreadable::NotText)?);
                at += 2;
            }
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).map_err(|_| Unreadable::NotText)
}

impl From<Unreadable> for Problem {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::TooManyFields => Problem::new(Kind::TooLarge).why("problem-too-many-fields", &[("max", FIELDS_MAX.to_string())]),
            Unreadable::NotText => Problem::new(Kind::BadRequest).why("problem-not-text", &[]),
        }
    }
}

/// A form that was sent from one of our pages: fields, read within limits and checked against forgery.
#[derive(Clone, Debug)]
pub struct Form {
    fields: Fields,
    path: String,
}

impl std::ops::Deref for Form {
    type Target = Fields;
    fn deref(&self) -> &Fields {
        &self.fields
    }
}

impl FromRequest<Web> for Form {
    type Rejection = Problem;
    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let _ = web;
        let req = req_of(&request)?;
        let headers = request.headers().clone();
        let path = request.uri().path().to_owned();
        let fields = read(request).await?;
        check_origin(&req, &headers, &fields, &path)?;
        Ok(Self { fields, path })
    }
}

fn req_of(request: &Request) -> Result<Req, Problem> {
    request.extensions().get::<Req>().cloned().ok_or_else(|| Problem::internal("a request without its Req: guard::arrive is missing"))
}

/// Reads the body of a request as fields.
pub(crate) async fn read(request: Request) -> Result<Fields, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Err(Problem::new(Kind::BadMediaType));
    }
    let bytes = read_body(request, FORM_BYTES_MAX).await?;
    Ok(Fields::parse(&bytes)?)
}

/// Reads a body of at most `max` bytes.
pub(crate) async fn read_body(request: Request, max: usize) -> Result<Bytes, Problem> {
    let body = http_body_util::Limited::new(request.into_body(), max);
    match http_body_util::BodyExt::collect(body).await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.downcast_ref::<http_body_util::LengthLimitError>().is_some() || too_long(error.as_ref()) => Err(Problem::too_large(max as u64)),
        Err(_) => Err(Problem::new(Kind::BadRequest).why("problem-cut-off", &[])),
    }
}

fn too_long(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut at = Some(error);
    while let Some(error) = at {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        at = error.source();
    }
    false
}

/// Refuses what another site sent. A page of ours with an outdated token gets its typed fields back.
fn check_origin(req: &Req, headers: &HeaderMap, fields: &Fields, path: &str) -> Result<(), Problem> {
    if !same_site(headers) {
        return Err(Problem::new(Kind::CrossSite));
    }
    match &req.signed_in {
        None => Ok(()),
        Some(session) if same(fields.get("_csrf"), &session.csrf) => Ok(()),
        // Signed in anew in another window: the typed text is shown again with a button that sends it with the new token.
        Some(_) => Err(Problem::outdated_form(path, fields)),
    }
}

/// Whether the browser says that the request comes from our own pages. Programs that say nothing are no browsers and carry
/// nobody's cookies.
pub fn same_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, from)| from == host),
        _ => true,
    }
}

/// Compares secrets in a time that does not depend on where they differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

impl Form {
    /// The fields.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Runs `deed` once however often this form is sent, and answers 303 to the address it returns; a second sending gets
    /// the same answer. A deed that fails leaves nothing behind and may be tried again. `E` is mostly `AppError`.
    pub async fn once<E: From<AppError>>(&self, web: &Web, deed: impl Future<Output = Result<String, E>>) -> Result<Response, E> {
        let id = self.get("_once");
        if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return deed.await.map(|place| see_other(&place));
        }
        let key = format!("{} {id}", self.path);
        match claim(web, &key).await? {
            Claimed::Mine => {}
            Claimed::Done(place) => return Ok(see_other(&place)),
        }
        let result = deed.await;
        finish(web, &key, result.as_deref().unwrap_or(FAILED)).await?;
        result.map(|place| see_other(&place))
    }
}

async fn finish(web: &Web, key: &str, place: &str) -> Result<(), AppError> {
    let mut tx = web.app.db.write().await?;
    once::finish(&mut tx, key, place).await?;
    tx.commit().await?;
    Ok(())
}

/// Stands where the address of the result would: the deed failed, nothing was done.
const FAILED: &str = "!";

enum Claimed {
    Mine,
    Done(String),
}

/// Waits a while for a first sending that is still being done.
async fn claim(web: &Web, key: &str) -> Result<Claimed, AppError> {
    for _ in 0..40 {
        let mut tx = web.app.db.write().await?;
        match once::claim(&mut tx, key, web.app.now()).await? {
            Once::First => {
                tx.commit().await?;
                return Ok(Claimed::Mine);
            }
            Once::Done(place) if place == FAILED => {
                once::finish(&mut tx, key, "").await?;
                tx.commit().await?;
                return Ok(Claimed::Mine);
            }
            Once::Done(place) if !place.is_empty() => return Ok(Claimed::Done(place)),
            Once::Done(_) => drop(tx),
        }
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    // The first sending neither ended nor failed: its process may have died between deed and note. Never do it twice.
    Err(AppError::Stale { what: "form", id: String::new() })
}

/// 303 to one of our own addresses.
pub fn see_other(place: &str) -> Response {
    Redirect::to(if crate::urls::is_own(place) { place } else { "/" }).into_response()
}

/// A form with one file, `multipart/form-data`.
#[derive(Debug)]
pub struct Upload {
    /// Its other fields.
    pub form: Form,
    /// The file's name as sent; for show only.
    pub file_name: String,
    /// The file's bytes; empty if none was chosen.
    pub bytes: Bytes,
}

impl FromRequest<Web> for Upload {
    type Rejection = Problem;
    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let req = req_of(&request)?;
        let headers = request.headers().clone();
        let path = request.uri().path().to_owned();
        let broken = || Problem::new(Kind::BadRequest).why("problem-cut-off", &[]);
        let mut parts = Multipart::from_request(request, web).await.map_err(|_| Problem::new(Kind::BadMediaType))?;
        let (mut fields, mut file_name, mut bytes) = (Fields::default(), String::new(), Bytes::new());
        loop {
            let part = match parts.next_field().await {
                Ok(Some(part)) => part,
                Ok(None) => break,
                Err(error) if too_long(&error) => return Err(Problem::too_large(crate::guard::MEDIA_BYTES_MAX)),
                Err(_) => return Err(broken()),
            };
            let name = part.name().unwrap_or_default().to_owned();
            if fields.0.len() == FIELDS_MAX || name.len() > NAME_BYTES_MAX {
                return Err(Unreadable::TooManyFields.into());
            }
            if let Some(given) = part.file_name() {
                file_name = given.chars().take(200).collect();
                bytes = part.bytes().await.map_err(|error| if too_long(&error) { Problem::too_large(crate::guard::MEDIA_BYTES_MAX) } else { broken() })?;
            } else {
                fields.0.push((name, part.text().await.map_err(|_| Problem::from(Unreadable::NotText))?));
            }
        }
        check_origin(&req, &headers, &fields, &path)?;
        Ok(Self { form: Form { fields, path }, file_name, bytes })
    }
}

/// Adds a header to a response.
pub fn with_header(mut response: Response, name: header::HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_typed() {
        let fields = Fields::parse("text=%E6%B0%B4+a%26b&fields=health&fields=food&empty=&x".as_bytes()).expect("form");
        assert_eq!(fields.get("text"), "水 a&b");
        assert_eq!(fields.all("fields"), ["health", "food"]);
        assert_eq!(fields.all("empty"), Vec::<String>::new());
        assert!(fields.has("x") && fields.has("empty") && !fields.has("y"));
    }

    #[test]
    fn broken_and_endless_forms_are_refused() {
        assert_eq!(Fields::parse(b"a=%E6%B0"), Err(Unreadable::NotText));
        assert_eq!(Fields::parse(b"a=%zz"), Err(Unreadable::NotText));
        assert_eq!(Fields::parse("a=1&".repeat(FIELDS_MAX + 1).as_bytes()), Err(Unreadable::TooManyFields));
        let deep = format!("{}=1", "a[b]".repeat(100));
        assert_eq!(Fields::parse(deep.as_bytes()), Err(Unreadable::TooManyFields));
        assert_eq!(Fields::parse("a=1&".repeat(FIELDS_MAX).as_bytes()).expect("form").0.len(), FIELDS_MAX);
    }

    #[test]
    fn another_site_is_told_apart() {
        let headers =
            |list: &[(&'static str, &'static str)]| list.iter().map(|(n, v)| (n.parse().expect("name"), HeaderValue::from_static(v))).collect::<HeaderMap>();
        assert!(same_site(&headers(&[])));
        assert!(same_site(&headers(&[("sec-fetch-site", "same-origin")])));
        assert!(!same_site(&headers(&[("sec-fetch-site", "cross-site")])));
        assert!(same_site(&headers(&[("origin", "http://localhost:8080"), ("host", "localhost:8080")])));
        assert!(!same_site(&headers(&[("origin", "https://evil.example"), ("host", "kepu.example")])));
        assert!(!same_site(&headers(&[("origin", "null"), ("host", "kepu.example")])));
    }
}
