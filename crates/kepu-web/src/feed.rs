//! What machines read of the public pages: feed, site map, robots, health.

use crate::Web;
use crate::page::{Answer, Req, escape};
use crate::urls;
use crate::words::moment;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use kepu_app::AppError;
use kepu_store::subject::{self, Filter, Order, Row, Standing};

/// Entries of the feed.
const FEED: u32 = 30;
/// Addresses of the site map.
const MAP: u32 = 10_000;

/// GET /healthz: whether the tables answer.
pub async fn health(State(web): State<Web>) -> Answer {
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    kepu_store::meta::find(&mut tx, "name").await.map_err(AppError::from)?;
    Ok(([(header::CONTENT_TYPE, "text/plain"), (header::CACHE_CONTROL, "no-store")], "ok\n").into_response())
}

/// GET /robots.txt: public pages may be found; pages of askers and of work may not.
pub async fn robots(req: Req) -> Answer {
    let map = if req.shell.base_url.is_empty() { String::new() } else { format!("Sitemap: {}\n", req.shell.public("/sitemap.xml")) };
    let text = format!("User-agent: *\nDisallow: /q/\nDisallow: /search\nDisallow: /check\nDisallow: /login\nDisallow: /desk\nDisallow: /drafts\n{map}");
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// GET /sitemap.xml
pub async fn sitemap(State(web): State<Web>, req: Req) -> Answer {
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let filter = Filter { standing: Some(Standing::Public), ..Filter::default() };
    let rows = subject::list(&mut tx, &filter, Order::Newest, None, MAP).await.map_err(AppError::from)?;
    let origin = &req.shell.origin;
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n".to_owned();
    for path in ["/", "/claims", "/resources", "/registers", "/figures", "/talent", "/about", "/help"] {
        xml.push_str(&format!("<url><loc>{}</loc></url>\n", escape(&format!("{origin}{path}"))));
    }
    // Cards of people are found here, not by search engines; places and institutions may be.
    for row in rows.iter().filter(|row| row.kind != "party" || row.type_ != "person") {
        let loc = escape(&format!("{origin}{}", urls::of_kind(&row.kind, &row.id)));
        xml.push_str(&format!("<url><loc>{loc}</loc><lastmod>{}</lastmod></url>\n", moment(row.modified)));
    }
    xml.push_str("</urlset>\n");
    Ok(([(header::CONTENT_TYPE, "application/xml; charset=utf-8")], xml).into_response())
}

/// GET /feed.atom: corrections, withdrawals and new claims.
pub async fn atom(State(web): State<Web>, req: Req) -> Answer {
    let s = &req.shell;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let claims = Filter { kind: Some("claim".into()), standing: Some(Standing::Public), ..Filter::default() };
    let public = Filter { standing: Some(Standing::Public), ..Filter::default() };
    // At the same moment a withdrawal stands before a correction, and that before something new.
    let mut entries: Vec<(i64, u8, String)> = Vec::new();
    for row in subject::list(&mut tx, &claims, Order::Newest, None, FEED).await.map_err(AppError::from)? {
        // Nothing has been found out yet, and nobody may read it as if it had.
        let word = s.t(if row.verdict == "checking" { "verdict-checking" } else { "feed-claim" });
        entries.push((row.modified, 0, entry(word, &row, row.modified, &row.summary, ("new", row.modified), &s.origin)));
    }
    for row in subject::list(&mut tx, &public, Order::Corrected, None, FEED).await.map_err(AppError::from)? {
        // A correction bears a day only; no reader may meet a moment that lies ahead.
        let at = row.corrected.min(row.modified);
        entries.push((at, 1, entry(s.t("corrected"), &row, at, &row.summary, ("corrected", row.corrected), &s.origin)));
    }
    let withdrawn = subject::list(&mut tx, &Filter::default(), Order::Withdrawn, None, FEED).await.map_err(AppError::from)?;
    // A card that its owner took back left no title: no reader follows that.
    for row in withdrawn.into_iter().filter(|row| !row.title.is_empty()) {
        let at = row.withdrawn_at.unwrap_or_default();
        entries.push((at, 2, entry(s.t("withdrawn"), &row, at, &row.reason, ("withdrawn", at), &s.origin)));
    }
    entries.sort_by(|a, b| b.cmp(a));
    entries.truncate(FEED as usize);
    let updated = moment(entries.first().map_or(0, |(at, ..)| *at));
    let body: String = entries.into_iter().map(|(.., text)| text).collect();
    let origin = escape(&s.origin);
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\"><title>{}</title><id>{origin}/feed.atom</id><link rel=\"self\" href=\"{origin}/feed.atom\"/><link href=\"{origin}/\"/><updated>{updated}</updated><author><name>{}</name></author>\n{body}</feed>\n",
        s.lang.tag(),
        escape(&s.t1("feed-title", "name", &s.node_name)),
        escape(&s.node_name),
    );
    Ok(([(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")], xml).into_response())
}

/// `mark` says what happened and gives the entry its id: the same happening keeps it.
fn entry(word: String, row: &Row, at: i64, text: &str, mark: (&str, i64), origin: &str) -> String {
    let (what, since) = mark;
    let title = if row.title.is_empty() { &row.id.0 } else { &row.title };
    let link = escape(&format!("{origin}{}", urls::of_kind(&row.kind, &row.id)));
    format!(
        "<entry><title>{}</title><id>{}#{what}-{since}</id><link href=\"{link}\"/><updated>{}</updated><category term=\"{what}\"/><summary>{}</summary></entry>\n",
        escape(&format!("{word}：{title}")),
        escape(&row.id.0),
        moment(at),
        escape(text)
    )
}
