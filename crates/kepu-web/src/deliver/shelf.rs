//! The shelf for reading without a network: its page, what a browser asks about the things it keeps, and the files that make the site
//! installable. What is kept stays in the browser; nobody here knows who keeps what.

use crate::api::json;
use crate::page::{Answer, Req, Shell, page};
use crate::problem::{Kind, Problem};
use crate::{Web, assets};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use kepu_app::deliver::channel::{self, Kept};
use kepu_domain::ids::SubjectId;
use serde_json::json as value;

/// Ids that are asked about at once.
const IDS_MAX: usize = 100;

#[derive(Template)]
#[template(path = "deliver/shelf.html")]
struct ShelfPage {
    s: Shell,
}

/// GET /shelf
pub async fn show(req: Req) -> Answer {
    Ok(page(&ShelfPage { s: req.titled(req.shell.t("shelf-title")).script("shelf.js") }))
}

/// GET /shelf/status?ids=a,b: what became of things that a browser keeps.
pub async fn status(State(web): State<Web>, req: Req) -> Answer {
    let ids: Vec<SubjectId> = req.query.get("ids").split(',').filter(|id| !id.is_empty()).map(SubjectId::from).collect();
    if ids.len() > IDS_MAX || ids.iter().any(|id| id.parts().is_none()) {
        return Err(Problem::new(Kind::BadRequest));
    }
    let list = channel::kept(&web.app, &ids).await?;
    let item = |(id, kept): (SubjectId, Kept)| {
        let (state, version) = match kept {
            Kept::Public(version) => ("public", version),
            Kept::Expired => ("expired", String::new()),
            Kept::Withdrawn => ("withdrawn", String::new()),
            Kept::Unknown => ("unknown", String::new()),
        };
        value!({"id": id, "state": state, "version": version})
    };
    let mut response = json(&value!({"items": list.into_iter().map(item).collect::<Vec<_>>()}))?;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// GET /sw.js: answers from the shelf. It stands at the root because its place decides which pages it may serve.
pub async fn worker() -> Answer {
    Ok(([(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], assets::text("sw.js")).into_response())
}

/// GET /manifest.webmanifest: what a telephone needs to put the site beside its own programs.
pub async fn manifest(req: Req) -> Answer {
    let s = &req.shell;
    let text = value!({
        "name": format!("{} · {}", s.t("brand"), s.node_name),
        "short_name": s.t("brand"),
        "lang": s.lang.tag(),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#FBFAF7",
        "theme_color": "#0B6E6E",
        "icons": [{"src": s.asset("favicon.svg"), "sizes": "any", "type": "image/svg+xml"}],
        "shortcuts": [{"name": s.t("shelf-title"), "url": "/shelf"}, {"name": s.t("nav-ask"), "url": "/ask"}],
    });
    Ok(([(header::CONTENT_TYPE, "application/manifest+json")], text.to_string()).into_response())
}
