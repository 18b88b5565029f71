//! The page that verifies certificates and records in the reader's own browser: `static/verify.html`, one file that also
//! works from a disk. Here it only gets the digits of this node's root and a policy that lets nothing in or out.

use crate::page::{Answer, Req, escape};
use crate::{Web, assets};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use kepu_app::AppError;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

static PAGE: LazyLock<String> = LazyLock::new(|| assets::text("verify.html"));
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| policy(&PAGE));

/// GET /verify
pub async fn show(State(web): State<Web>, req: Req) -> Answer {
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let root = web.app.root(&mut tx).await?;
    let s = &req.shell;
    let html = format!("<html lang=\"{}\"{}>", s.lang.tag(), if s.elder { " class=\"elder\"" } else { "" });
    let page = PAGE
        .replacen("<html lang=\"zh-Hans\">", &html, 1)
        .replacen("name=\"kepu-root\" content=\"\"", &format!("name=\"kepu-root\" content=\"{}\"", root.digits()), 1)
        .replacen("name=\"kepu-node\" content=\"\"", &format!("name=\"kepu-node\" content=\"{}\"", escape(&s.node_name)), 1);
    let media = HeaderValue::from_static("text/html; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, media), (header::CONTENT_SECURITY_POLICY, POLICY.clone())], page).into_response())
}

/// Only the page's own script and style, by their digests; no network, no forms, no frames.
fn policy(page: &str) -> HeaderValue {
    let digest = |tag: &str| {
        let inside = page.split_once(&format!("<{tag}>")).and_then(|(_, rest)| rest.split_once(&format!("</{tag}>")));
        data_encoding::BASE64.encode(&Sha256::digest(inside.map_or("", |(text, _)| text)))
    };
    let text = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        digest("script"),
        digest("style")
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
