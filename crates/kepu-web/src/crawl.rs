//! What search engines and monitors read: site map, robots, health. Feeds are in `deliver::feed`, harvesters in `deliver::oai`.

use crate::Web;
use crate::page::{Answer, Req};
use crate::problem::Problem;
use crate::urls;
use crate::words::{iso, moment};
use crate::xml::Xml;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use kepu_app::AppError;
use kepu_app::deliver::channel;
use kepu_store::subject::{self, Filter, Order, Standing};

/// Addresses in one file: below the 50,000 of the protocol, so that 10 MiB hold them with long addresses too.
const FILE: u32 = 25_000;
/// Most places and institutions that the first file names.
const CARDS: u32 = 10_000;
/// Pages that stand for themselves.
const PAGES: [&str; 10] = ["/", "/claims", "/resources", "/registers", "/figures", "/talent", "/packs", "/rounds", "/about", "/help"];
const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

/// GET /healthz: whether the tables answer.
pub async fn health(State(web): State<Web>) -> Answer {
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    kepu_store::meta::find(&mut tx, "name").await.map_err(AppError::from)?;
    Ok(([(header::CONTENT_TYPE, "text/plain"), (header::CACHE_CONTROL, "no-store")], "ok\n").into_response())
}

/// GET /robots.txt: public pages may be found; pages of askers and of work may not.
pub async fn robots(req: Req) -> Answer {
    let map = if req.shell.base_url.is_empty() { String::new() } else { format!("Sitemap: {}\n", req.shell.public("/sitemap.xml")) };
    let closed: String = ["/q/", "/search", "/check", "/login", "/desk", "/drafts", "/embed/", "/screen", "/oai", "/shelf"]
        .iter()
        .map(|path| format!("Disallow: {path}\n"))
        .collect();
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("User-agent: *\n{closed}{map}")).into_response())
}

fn answer(xml: Xml) -> Answer {
    Ok(([(header::CONTENT_TYPE, "application/xml; charset=utf-8")], xml.done()).into_response())
}

fn entry(xml: &mut Xml, loc: &str, at: Option<i64>) {
    xml.open("url", &[]).text("loc", &[], loc).text("lastmod", &[], &at.map_or_else(String::new, |at| iso(moment(at)))).close("url");
    xml.raw("\n");
}

/// GET /sitemap.xml: all addresses, or, where there are more than one file holds, the files that hold them.
pub async fn sitemap(State(web): State<Web>, req: Req) -> Answer {
    let (total, _) = channel::shown(&web.app, 0, 0).await?;
    let files = u32::try_from(total).unwrap_or(u32::MAX).div_ceil(FILE).max(1);
    if files == 1 {
        return file(&web, &req, 0).await;
    }
    let mut xml = Xml::new();
    xml.open("sitemapindex", &[("xmlns", NAMESPACE)]);
    for n in 1..=files {
        xml.open("sitemap", &[]).text("loc", &[], &format!("{}/sitemap/{n}", req.shell.origin)).close("sitemap");
    }
    xml.close("sitemapindex");
    answer(xml)
}

/// GET /sitemap/{n}: one of the files, from 1.
pub async fn sitemap_file(State(web): State<Web>, req: Req, Path(n): Path<String>) -> Answer {
    let n: u32 = n.parse().ok().filter(|n| (1..=100_000).contains(n)).ok_or_else(Problem::not_found)?;
    file(&web, &req, n - 1).await
}

async fn file(web: &Web, req: &Req, n: u32) -> Answer {
    let origin = &req.shell.origin;
    let (_, shown) = channel::shown(&web.app, n, FILE).await?;
    if shown.is_empty() && n > 0 {
        return Err(Problem::not_found());
    }
    let mut xml = Xml::new();
    xml.open("urlset", &[("xmlns", NAMESPACE)]);
    if n == 0 {
        PAGES.iter().for_each(|path| entry(&mut xml, &format!("{origin}{path}"), None));
        let filter = Filter { kind: Some("party".into()), standing: Some(Standing::Public), ..Filter::default() };
        let mut tx = web.app.db.read().await.map_err(AppError::from)?;
        let cards = subject::list(&mut tx, &filter, Order::Newest, None, CARDS).await.map_err(AppError::from)?;
        // Cards of people are found here, not by search engines; places and institutions may be.
        for row in cards.iter().filter(|row| row.type_ != "person") {
            entry(&mut xml, &format!("{origin}{}", urls::party(&row.id)), Some(row.modified));
        }
    }
    for change in &shown {
        entry(&mut xml, &format!("{origin}{}", urls::of_kind(&change.kind, &change.id)), Some(change.at));
    }
    xml.close("urlset");
    answer(xml)
}
