//! One exchange between a child and its parent. The child opens the connection; one request carries what it has to say,
//! what it holds of the parent, and asks for the rest; the answer is frames, alerts first, library newest first.
//!
//! Here: the address of a request and its signature. The two sides are `client` and `server`; what arrives goes through
//! `inbox`, what is sent through `outbox`, what is missing is asked for by `wishes`; bytes on a connection are in `transport`,
//! rows as frames in `frames`.

mod client;
mod frames;
mod inbox;
mod outbox;
mod server;
pub(crate) mod transport;
mod wishes;

pub(crate) use client::offer_vector_next;
pub use client::{Exchanged, run};
pub use frames::items_of;
pub(crate) use frames::{trust_frames, vector};
pub(crate) use inbox::{From, take};
pub(crate) use outbox::{Outbox, Sink, Stop};
pub use server::{Answer, handle, into_stream};
pub(crate) use transport::post_once;

use crate::App;
use data_encoding::BASE64URL_NOPAD;
use kepu_domain::deliver::scope::Scope;
use kepu_domain::ids::KeyId;
use kepu_domain::org::Region;
use kepu_sync::cursor::Cursor;
use kepu_sync::suite::{self, Check};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Largest request body.
pub const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct ScopeJson {
    region: Region,
    below: bool,
    fields: Vec<String>,
    langs: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    drills: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    coordination: bool,
}

/// A scope as stored.
pub fn scope_text(scope: &Scope) -> String {
    let Scope { region, below, fields, langs, drills, coordination } = scope.clone();
    serde_json::to_string(&ScopeJson { region, below, fields, langs, drills, coordination }).unwrap_or_default()
}

/// A stored scope; everything, if it cannot be read.
pub fn read_scope(text: &str) -> Scope {
    serde_json::from_str::<ScopeJson>(text)
        .map(|s| Scope { region: s.region, below: s.below, fields: s.fields, langs: s.langs, drills: s.drills, coordination: s.coordination })
        .unwrap_or_else(|_| Scope::all())
}

/// The scope in a request's address: `r=411525&b=0&f=health,food&l=zh`.
fn scope_query(scope: &Scope) -> String {
    let mut text = format!("r={}", scope.region);
    if scope.below {
        text.push_str("&b=1");
    }
    if !scope.fields.is_empty() {
        text.push_str(&format!("&f={}", scope.fields.join(",")));
    }
    if !scope.langs.is_empty() {
        text.push_str(&format!("&l={}", scope.langs.join(",")));
    }
    if scope.drills {
        text.push_str("&x=1");
    }
    if scope.coordination {
        text.push_str("&k=1");
    }
    text
}

/// A request as the web layer hands it over.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Path with query, exactly as received.
    pub target: String,
    /// The `Authorization` header.
    pub authorization: String,
    /// The body.
    pub body: Vec<u8>,
}

/// The `Authorization` of a request: `Kepu <key> <signature>` over address and body.
pub fn authorize(app: &App, target: &str, body: &[u8]) -> String {
    let signature = app.key.signing().sign(&signed_text(target, body));
    format!("Kepu {} {}", app.key.id(), BASE64URL_NOPAD.encode(&signature))
}

fn signed_text(target: &str, body: &[u8]) -> [u8; 64] {
    let mut message = [0; 64];
    message[..32].copy_from_slice(&Sha256::digest(format!("kepu-sync\n{target}")));
    message[32..].copy_from_slice(&Sha256::digest(body));
    message
}

fn caller(exchange: &Exchange) -> Option<KeyId> {
    let mut parts = exchange.authorization.strip_prefix("Kepu ")?.split(' ');
    let key = KeyId::from(parts.next()?);
    let signature = BASE64URL_NOPAD.decode(parts.next()?.as_bytes()).ok()?;
    let message = signed_text(&exchange.target, &exchange.body);
    suite::verify(&Check { key: key.clone(), message, signature }).then_some(key)
}

struct Asked {
    scope: Scope,
    cursor: Cursor,
    wait: u64,
}

fn read_query(target: &str) -> Option<Asked> {
    let query = target.split_once('?').map_or("", |(_, q)| q);
    let mut asked = Asked { scope: Scope { below: false, ..Scope::all() }, cursor: Cursor::default(), wait: 0 };
    let list = |text: &str| text.split(',').filter(|w| !w.is_empty() && w.len() <= 40).take(36).map(str::to_owned).collect::<Vec<_>>();
    for pair in query.split('&') {
        match pair.split_once('=')? {
            ("r", value) => asked.scope.region = Region::parse(value).ok()?,
            ("b", value) => asked.scope.below = value == "1",
            ("f", value) => asked.scope.fields = list(value),
            ("l", value) => asked.scope.langs = list(value),
            ("x", value) => asked.scope.drills = value == "1",
            ("k", value) => asked.scope.coordination = value == "1",
            ("cur", value) => asked.cursor = Cursor::read(value).ok()?,
            ("wait", value) => asked.wait = value.parse::<u64>().ok()?.min(55),
            _ => return None,
        }
    }
    Some(asked)
}
