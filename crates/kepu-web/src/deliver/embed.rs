//! Cards on other sites: a small page that may stand in a frame anywhere, always says what holds now, and empties itself with a reason
//! when its subject was withdrawn or must be looked at again; and oEmbed, by which editors turn an address into such a card.

use super::feed::open_to_pages;
use crate::Web;
use crate::page::{Answer, Html, Req, Shell, page_with};
use crate::problem::{Kind, Problem};
use crate::subject::id_of;
use crate::urls;
use crate::xml::Xml;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kepu_app::deliver::channel::{self, Embedded, Piece};
use kepu_app::listen::placement;
use kepu_domain::create::draft::Matter;
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::placement::{PlaceKind, host_of};
use kepu_domain::vocabulary::RESOURCE_TYPES;
use serde_json::json;

/// Width and height of a frame that shows a card whole.
const SIZE: (u32, u32) = (480, 300);
/// How often a frame that stays open asks again, in seconds.
const AGAIN: &str = "3600";
/// Everybody may frame it; it may do nothing else: no form, no script, nothing from elsewhere.
const CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; frame-ancestors *; form-action 'none'; base-uri 'none'";

#[derive(Template)]
#[template(path = "deliver/embed.html")]
struct Card {
    s: Shell,
    /// Empty where nothing is shown any more.
    title: String,
    lang: Html,
    /// Verdict of a claim, else what kind of text it is.
    verdict: String,
    kind: String,
    summary: String,
    correction: String,
    by: String,
    date: Html,
    /// Why the card is empty.
    why: String,
    reason: String,
    address: String,
    sample: bool,
}

/// GET /embed/{kind}/{owner}/{local}: `kind` is `resource` or `claim`.
pub async fn show(State(web): State<Web>, req: Req, Path((kind, owner, local)): Path<(String, String, String)>, headers: HeaderMap) -> Answer {
    let kind = kind_of(&kind).ok_or_else(Problem::not_found)?;
    let id = id_of(&owner, &local)?;
    let (status, card) = match channel::embedded(&web.app, kind, &id).await? {
        Embedded::Here(piece) => {
            if let Some(host) = site(&req, &headers) {
                placement::note(&web.app, &piece.row, PlaceKind::Embed, &host).await?;
            }
            (StatusCode::OK, full(&req, kind, &piece))
        }
        Embedded::Withdrawn(row) => {
            let s = &req.shell;
            let at = row.withdrawn_at.map_or_else(Html::default, |ms| s.day_ms(&ms));
            (
                StatusCode::GONE,
                Card { date: at, reason: row.reason.clone(), ..empty(&req, kind, &id, s.t(if row.held.is_some() { "held-head" } else { "embed-withdrawn" })) },
            )
        }
        // The page itself says that it is overdue and stays; here only the way there is left.
        Embedded::Expired(_) => (StatusCode::OK, empty(&req, kind, &id, req.shell.t("embed-expired"))),
    };
    let mut response = page_with(status, &card);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    headers.insert(header::REFRESH, HeaderValue::from_static(AGAIN));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    Ok(response)
}

/// The host of the site that shows the card, if the browser tells it and it is not this one.
fn site(req: &Req, headers: &HeaderMap) -> Option<String> {
    let host = host_of(headers.get(header::REFERER)?.to_str().ok()?)?;
    (host_of(&req.shell.origin).as_ref() != Some(&host)).then_some(host)
}

fn kind_of(word: &str) -> Option<&'static str> {
    ["resource", "claim"].into_iter().find(|kind| *kind == word)
}

fn empty(req: &Req, kind: &str, id: &SubjectId, why: String) -> Card {
    let s = &req.shell;
    Card {
        title: String::new(),
        lang: Html::default(),
        verdict: String::new(),
        kind: String::new(),
        summary: String::new(),
        correction: String::new(),
        by: String::new(),
        date: Html::default(),
        reason: String::new(),
        address: format!("{}{}", s.origin, urls::of_kind(kind, id)),
        sample: false,
        s: req.titled(why.clone()),
        why,
    }
}

fn full(req: &Req, kind: &str, piece: &Piece) -> Card {
    let s = &req.shell;
    let row = &piece.row;
    let (word, summary, corrections) = match &piece.matter {
        Matter::Resource(r) => (RESOURCE_TYPES.name(&r.kind, s.lang.code()).to_owned(), summary_of(&r.summary, &r.text), &r.corrections),
        Matter::Claim(c) => (String::new(), s.pick(&c.plain, &c.plain_en).to_owned(), &c.corrections),
    };
    let title = s.pick(&row.title, &row.title_en).to_owned();
    Card {
        lang: s.pick_attr(&row.lang, &row.title_en),
        verdict: row.verdict.clone(),
        kind: word,
        summary,
        correction: corrections.first().map(|c| c.text.clone()).unwrap_or_default(),
        by: piece.holder.clone(),
        date: s.day(&row.date),
        sample: row.sample,
        s: req.titled(title.clone()),
        title,
        ..empty(req, kind, &row.id, String::new())
    }
}

/// The summary, or the beginning of the text where there is none.
pub(super) fn summary_of(summary: &str, text: &str) -> String {
    if !summary.is_empty() {
        return summary.to_owned();
    }
    let plain = kepu_text::plain(text).replace('\n', " ");
    let cut = kepu_text::truncate(&plain, 120);
    if cut.len() < plain.len() { format!("{cut}…") } else { plain }
}

/// What somebody copies to show the card.
pub(crate) fn code(s: &Shell, kind: &str, id: &SubjectId, title: &str) -> String {
    frame(s, kind, id, title, SIZE)
}

fn frame(s: &Shell, kind: &str, id: &SubjectId, title: &str, (width, height): (u32, u32)) -> String {
    let address = format!("{}{}", s.origin, urls::embed(kind, id));
    let title = crate::page::escape(title);
    // A claim's card is told the name of the site, so that a correction can be followed there; never the page, never the reader.
    let policy = if kind == "claim" { "origin" } else { "no-referrer" };
    format!("<iframe src=\"{address}\" title=\"{title}\" width=\"{width}\" height=\"{height}\" loading=\"lazy\" referrerpolicy=\"{policy}\"></iframe>")
}

/// The link by which programs find the card of a page.
pub(crate) fn discovery(s: &Shell, kind: &str, id: &SubjectId) -> Html {
    let page = format!("{}{}", s.origin, urls::of_kind(kind, id));
    let link = |format: &str| {
        let address = urls::with("/oembed", &[("url", &page), ("format", format)]);
        format!("<link rel=\"alternate\" type=\"application/{format}+oembed\" href=\"{}\">", crate::page::escape(&format!("{}{address}", s.origin)))
    };
    Html(format!("{}{}", link("json"), link("xml").replace("application/xml+oembed", "text/xml+oembed")))
}

/// GET /oembed?url=&format=&maxwidth=&maxheight=
pub async fn oembed(State(web): State<Web>, req: Req) -> Answer {
    let s = &req.shell;
    let (kind, id) = own_page(s, req.query.get("url")).ok_or_else(Problem::not_found)?;
    let most = |name: &str, or: u32| req.query.int(name).and_then(|n| u32::try_from(n).ok()).map_or(or, |n| n.clamp(120, or));
    let size = (most("maxwidth", SIZE.0), most("maxheight", SIZE.1));
    let piece = match channel::embedded(&web.app, kind, &id).await? {
        Embedded::Here(piece) => piece,
        Embedded::Withdrawn(_) => return Err(Problem::new(Kind::Gone)),
        Embedded::Expired(_) => return Err(Problem::not_found()),
    };
    let title = s.pick(&piece.row.title, &piece.row.title_en);
    let html = frame(s, kind, &id, title, size);
    let home = format!("{}/", s.origin);
    let (width, height) = size;
    let response: Response = match req.query.get("format") {
        "" | "json" => {
            let text = json!({"version": "1.0", "type": "rich", "title": title, "author_name": piece.holder, "provider_name": s.node_name,
                "provider_url": home, "cache_age": 3600, "width": width, "height": height, "html": html});
            ([(header::CONTENT_TYPE, "application/json+oembed; charset=utf-8")], text.to_string()).into_response()
        }
        "xml" => {
            let mut xml = Xml::new();
            xml.open("oembed", &[]).text("version", &[], "1.0").text("type", &[], "rich").text("title", &[], title);
            xml.text("author_name", &[], &piece.holder).text("provider_name", &[], &s.node_name).text("provider_url", &[], &home);
            xml.text("cache_age", &[], "3600").text("width", &[], &width.to_string()).text("height", &[], &height.to_string());
            xml.text("html", &[], &html).close("oembed");
            ([(header::CONTENT_TYPE, "text/xml+oembed; charset=utf-8")], xml.done()).into_response()
        }
        // The protocol's own answer to a format that is not spoken.
        _ => (StatusCode::NOT_IMPLEMENTED, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "format: json, xml\n").into_response(),
    };
    Ok(open_to_pages(response))
}

/// The subject of one of our own pages.
fn own_page(s: &Shell, url: &str) -> Option<(&'static str, SubjectId)> {
    let path = url.strip_prefix(&s.origin).filter(|_| !s.origin.is_empty())?.split(['?', '#']).next()?;
    let mut parts = path.strip_prefix('/')?.split('/');
    let kind = match parts.next()? {
        "r" => "resource",
        "c" => "claim",
        "embed" => kind_of(parts.next()?)?,
        _ => return None,
    };
    let (owner, local) = (parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    id_of(owner, local).ok().map(|id| (kind, id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    #[test]
    fn only_our_own_pages_become_cards() {
        let s = Shell { origin: "https://kepu.example.cn".into(), ..crate::page::tests::shell(Lang::Zh) };
        let found = |url: &str| own_page(&s, url);
        assert_eq!(found("https://kepu.example.cn/r/abcdefgh23/r-1?edition=elder"), Some(("resource", "kepu:abcdefgh23/r-1".into())));
        assert_eq!(found("https://kepu.example.cn/embed/claim/abcdefgh23/c-1"), Some(("claim", "kepu:abcdefgh23/c-1".into())));
        for other in ["https://evil.example/r/abcdefgh23/r-1", "https://kepu.example.cn.evil.example/r/a/b", "https://kepu.example.cn/about", "", "/r/a/b"] {
            assert_eq!(found(other), None, "{other}");
        }
        assert_eq!(own_page(&Shell { origin: String::new(), ..s.clone() }, "/r/abcdefgh23/r-1"), None);
    }

    #[test]
    fn the_code_to_copy_cannot_be_left() {
        let s = Shell { origin: "https://kepu.example.cn".into(), ..crate::page::tests::shell(Lang::Zh) };
        let code = code(&s, "resource", &"kepu:abcdefgh23/r-1".into(), "\"><script>");
        assert!(code.starts_with("<iframe src=\"https://kepu.example.cn/embed/resource/abcdefgh23/r-1\"") && !code.contains("<script>"), "{code}");
    }
}
