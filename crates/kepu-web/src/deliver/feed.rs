//! Feeds: what is new, corrected and withdrawn, as Atom with tombstones (RFC 4287, RFC 6721) and as JSON Feed 1.1, each narrowed by kind,
//! field, audience and place; and recordings as a podcast (RSS 2.0). An entry keeps the id of its subject, so that a correction takes
//! the place of what it corrects and a withdrawal takes it away.

use crate::Web;
use crate::line::{filter, taken_word};
use crate::page::{Answer, Req, Shell, escape};
use crate::urls;
use crate::words::{iso, moment};
use crate::xml::Xml;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kepu_app::deliver::channel::{self, News, Piece};
use kepu_domain::create::draft::Matter;
use kepu_domain::create::resource::Correction;
use kepu_store::subject::{Filter, Row};
use serde_json::{Value, json};

/// Entries of a feed.
const FEED: u32 = 30;
/// What narrows a feed, in the order of its address.
const ASKED: [&str; 6] = ["kind", "field", "audience", "region", "type", "in"];

/// What the query asks for. A kind that is none asks for all.
fn asked(req: &Req) -> Filter {
    let kind = Some(req.query.get("kind")).filter(|kind| matches!(*kind, "claim" | "resource")).map(str::to_owned);
    Filter { kind, standing: None, corrected_only: false, ..filter(&req.query, "") }
}

/// The address of `path` narrowed as the query asks.
pub(crate) fn narrowed(req: &Req, path: &str) -> String {
    let pairs: Vec<(&str, &str)> = ASKED.iter().map(|name| (*name, req.query.get(name))).collect();
    urls::with(path, &pairs)
}

/// The feed of a list of this kind (empty: of both), narrowed as the list is.
pub(crate) fn of_list(req: &Req, kind: &str) -> String {
    let pairs: Vec<(&str, &str)> = ASKED.iter().map(|name| (*name, if *name == "kind" { kind } else { req.query.get(name) })).collect();
    urls::with("/feed.atom", &pairs)
}

/// What an entry says.
struct Entry<'a> {
    piece: &'a Piece,
    title: String,
    link: String,
    corrections: &'a [Correction],
    html: String,
    rights: String,
    author: String,
}

fn entry<'a>(s: &Shell, piece: &'a Piece) -> Entry<'a> {
    let title = s.pick(&piece.row.title, &piece.row.title_en);
    let (corrections, body, rights, author) = match &piece.matter {
        Matter::Resource(r) => (&r.corrections, kepu_text::render(&r.text, 3), licence(s, r), r.author.name.clone()),
        // Nothing has been found out yet, and nobody may read it as if it had.
        Matter::Claim(c) if c.is_holding() => {
            let said = c.holding.iter().flat_map(|holding| [&holding.known, &holding.not_known]).map(|part| paragraphs(part)).collect();
            (&c.corrections, said, String::new(), c.author.name.clone())
        }
        Matter::Claim(c) => {
            let parts = [s.pick(&c.plain, &c.plain_en), &c.why.join("\n\n"), &c.instead].iter().map(|part| paragraphs(part)).collect();
            (&c.corrections, parts, String::new(), c.author.name.clone())
        }
    };
    let word = match (corrections.is_empty(), &piece.matter) {
        (false, _) => format!("{}：", s.t("corrected")),
        (true, Matter::Claim(_)) => format!("{}：", s.verdict_word(&piece.row.verdict)),
        (true, Matter::Resource(_)) => String::new(),
    };
    let notice = corrections.first().map(|c| format!("<p><strong>{}：</strong>{}</p>", escape(&s.t("correction")), escape(&c.text)));
    Entry {
        title: format!("{word}{title}"),
        link: format!("{}{}", s.origin, urls::of_kind(&piece.row.kind, &piece.row.id)),
        corrections,
        html: format!("{}{body}", notice.unwrap_or_default()),
        rights,
        author: if author.is_empty() { piece.holder.clone() } else { author },
        piece,
    }
}

fn licence(s: &Shell, r: &kepu_domain::create::resource::Resource) -> String {
    if r.rights.is_empty() { s.licence(&r.licence) } else { format!("{} · {}", s.licence(&r.licence), r.rights) }
}

fn paragraphs(text: &str) -> String {
    text.split("\n\n").map(str::trim).filter(|p| !p.is_empty()).map(|p| format!("<p>{}</p>", escape(p))).collect()
}

/// GET /feed.atom
pub async fn atom(State(web): State<Web>, req: Req, headers: HeaderMap) -> Answer {
    let news = channel::news(&web.app, &asked(&req), FEED).await?;
    if unchanged(&headers, news.changed) {
        return Ok(not_modified(&web, news.changed));
    }
    let s = &req.shell;
    let own = format!("{}{}", s.origin, narrowed(&req, "/feed.atom"));
    let newest = news.pieces.first().map(|piece| piece.row.modified).max(news.withdrawn.first().and_then(|row| row.withdrawn_at));
    let mut xml = Xml::new();
    let spaces = [("xmlns", "http://www.w3.org/2005/Atom"), ("xmlns:at", "http://purl.org/atompub/tombstones/1.0"), ("xml:lang", s.lang.tag())];
    xml.open("feed", &spaces).text("title", &[], &s.t1("feed-title", "name", &s.node_name)).text("id", &[], &own);
    xml.empty("link", &[("rel", "self"), ("type", "application/atom+xml"), ("href", &own)]);
    xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &format!("{}/", s.origin))]);
    xml.text("updated", &[], &iso(moment(newest.unwrap_or_default())));
    xml.open("author", &[]).text("name", &[], &s.node_name).close("author").raw("\n");
    for row in &news.withdrawn {
        tombstone(&mut xml, s, row);
    }
    for piece in &news.pieces {
        atom_entry(&mut xml, s, &entry(s, piece));
    }
    xml.close("feed");
    Ok(fresh(&web, "application/atom+xml; charset=utf-8", xml.done(), news.changed))
}

/// Takes the entry away from readers that know tombstones, and tells those who do not.
fn tombstone(xml: &mut Xml, s: &Shell, row: &Row) {
    let at = iso(moment(row.withdrawn_at.unwrap_or_default()));
    xml.open("at:deleted-entry", &[("ref", &row.id.0), ("when", &at)]);
    xml.text("at:comment", &[], &row.reason).close("at:deleted-entry").raw("\n");
    if row.title.is_empty() {
        return;
    }
    let link = format!("{}{}", s.origin, urls::of_kind(&row.kind, &row.id));
    xml.open("entry", &[]).text("title", &[], &withdrawn_title(s, row));
    xml.text("id", &[], &format!("{}#withdrawn", row.id)).text("updated", &[], &at);
    xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &link)]).empty("category", &[("term", "withdrawn")]);
    xml.open("author", &[]).text("name", &[], if row.withdrawn_by.is_empty() { &s.node_name } else { &row.withdrawn_by }).close("author");
    xml.text("summary", &[], &row.reason).close("entry").raw("\n");
}

fn withdrawn_title(s: &Shell, row: &Row) -> String {
    format!("{}：{}", s.t(taken_word(row)), s.pick(&row.title, &row.title_en))
}

fn atom_entry(xml: &mut Xml, s: &Shell, e: &Entry<'_>) {
    let row = &e.piece.row;
    xml.open("entry", &[]).text("title", &[], &e.title).text("id", &[], &row.id.0).text("updated", &[], &iso(moment(row.modified)));
    xml.text("published", &[], &day(&row.date)).empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &e.link)]);
    xml.open("author", &[]).text("name", &[], &e.author).close("author");
    let what = if e.corrections.is_empty() { row.kind.as_str() } else { "corrected" };
    xml.empty("category", &[("term", what)]);
    for field in &row.fields {
        xml.empty("category", &[("scheme", &format!("{}/api/vocabularies/fields", s.origin)), ("term", field), ("label", s.field(field))]);
    }
    xml.text("rights", &[], &e.rights).text("summary", &[], &row.summary);
    xml.text("content", &[("type", "html"), ("xml:lang", &row.lang)], &e.html).close("entry").raw("\n");
}

/// A day as a moment: midnight in China.
fn day(date: &str) -> String {
    if date.parse::<jiff::civil::Date>().is_ok() { format!("{date}T00:00:00+08:00") } else { String::new() }
}

/// GET /feed.json
pub async fn json(State(web): State<Web>, req: Req, headers: HeaderMap) -> Answer {
    let news = channel::news(&web.app, &asked(&req), FEED).await?;
    if unchanged(&headers, news.changed) {
        return Ok(not_modified(&web, news.changed));
    }
    let text = json_feed(&req, &news).to_string();
    let response = fresh(&web, "application/feed+json; charset=utf-8", text, news.changed);
    Ok(open_to_pages(response))
}

fn json_feed(req: &Req, news: &News) -> Value {
    let s = &req.shell;
    let mut items: Vec<Value> = news.withdrawn.iter().filter(|row| !row.title.is_empty()).map(|row| withdrawn_item(s, row)).collect();
    items.extend(news.pieces.iter().map(|piece| json_item(s, &entry(s, piece))));
    json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": s.t1("feed-title", "name", &s.node_name),
        "home_page_url": format!("{}/", s.origin),
        "feed_url": format!("{}{}", s.origin, narrowed(req, "/feed.json")),
        "language": s.lang.tag(),
        "authors": [{"name": s.node_name}],
        "items": items,
        // The format has no word for what is gone; whoever republishes takes these ids away.
        "_kepu": {
            "about": format!("{}/api/docs", s.origin),
            "withdrawn": news.withdrawn.iter().map(|row| json!({"id": row.id, "when": iso(moment(row.withdrawn_at.unwrap_or_default())), "reason": row.reason})).collect::<Vec<_>>(),
        },
    })
}

fn withdrawn_item(s: &Shell, row: &Row) -> Value {
    json!({
        "id": format!("{}#withdrawn", row.id),
        "url": format!("{}{}", s.origin, urls::of_kind(&row.kind, &row.id)),
        "title": withdrawn_title(s, row),
        "content_text": row.reason,
        "date_modified": iso(moment(row.withdrawn_at.unwrap_or_default())),
        "tags": ["withdrawn"],
    })
}

fn json_item(s: &Shell, e: &Entry<'_>) -> Value {
    let row = &e.piece.row;
    let mut tags: Vec<&str> = row.fields.iter().map(String::as_str).collect();
    tags.extend((!e.corrections.is_empty()).then_some("corrected"));
    let mut item = json!({
        "id": row.id,
        "url": e.link,
        "title": e.title,
        "content_html": e.html,
        "date_modified": iso(moment(row.modified)),
        "authors": [{"name": e.author}],
        "tags": tags,
        "language": row.lang,
    });
    let members = [("summary", row.summary.clone()), ("date_published", day(&row.date))];
    for (name, value) in members.into_iter().filter(|(_, value)| !value.is_empty()) {
        item[name] = value.into();
    }
    if let Matter::Resource(r) = &e.piece.matter
        && !r.media.is_empty()
    {
        let file = |m: &kepu_domain::create::resource::Media| json!({"url": format!("{}{}", s.origin, urls::media(&m.hash)), "mime_type": m.media_type, "title": m.alt, "size_in_bytes": m.size});
        item["attachments"] = r.media.iter().map(file).collect();
    }
    item
}

/// GET /podcast.xml: resources with a recording.
pub async fn podcast(State(web): State<Web>, req: Req, headers: HeaderMap) -> Answer {
    let news = channel::heard(&web.app, FEED as usize).await?;
    if unchanged(&headers, news.changed) {
        return Ok(not_modified(&web, news.changed));
    }
    let s = &req.shell;
    let own = format!("{}/podcast.xml", s.origin);
    let title = s.t1("podcast-title", "name", &s.node_name);
    let mut xml = Xml::new();
    let spaces = [("version", "2.0"), ("xmlns:atom", "http://www.w3.org/2005/Atom"), ("xmlns:itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd")];
    xml.open("rss", &spaces).open("channel", &[]).text("title", &[], &title).text("link", &[], &format!("{}/", s.origin));
    xml.empty("atom:link", &[("rel", "self"), ("type", "application/rss+xml"), ("href", &own)]);
    xml.text("description", &[], &s.t("podcast-about")).text("language", &[], if s.is_en() { "en" } else { "zh-cn" });
    xml.text("itunes:author", &[], &s.node_name).text("itunes:explicit", &[], "false").empty("itunes:category", &[("text", "Science")]).raw("\n");
    for piece in &news.pieces {
        recordings(&mut xml, s, piece);
    }
    xml.close("channel").close("rss");
    Ok(fresh(&web, "application/rss+xml; charset=utf-8", xml.done(), news.changed))
}

/// An item for each recording of a resource; RSS has room for one file in each.
fn recordings(xml: &mut Xml, s: &Shell, piece: &Piece) {
    let Matter::Resource(r) = &piece.matter else { return };
    let link = format!("{}{}", s.origin, urls::resource(&piece.row.id));
    for file in r.media.iter().filter(|file| file.media_type.starts_with("audio/")) {
        xml.open("item", &[]).text("title", &[], s.pick(&r.title, &r.title_en)).text("link", &[], &link);
        xml.text("guid", &[("isPermaLink", "false")], &format!("{}#{}", piece.row.id, &file.hash[..file.hash.len().min(16)]));
        xml.text("pubDate", &[], &rfc2822(piece.row.modified)).text("description", &[], if r.summary.is_empty() { &file.alt } else { &r.summary });
        let address = format!("{}{}", s.origin, urls::media(&file.hash));
        xml.empty("enclosure", &[("url", &address), ("length", &file.size.to_string()), ("type", &file.media_type)]).text("itunes:author", &[], &piece.holder);
        xml.close("item").raw("\n");
    }
}

/// `Wed, 25 Nov 2026 14:30:00 GMT`, as RSS and HTTP write moments.
pub(crate) fn rfc2822(ms: i64) -> String {
    moment(ms).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Whether the client has everything up to `changed` (ms). What it knows by its ETag is looked at elsewhere, and goes first.
fn unchanged(headers: &HeaderMap, changed: i64) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let since = text(header::IF_MODIFIED_SINCE).filter(|_| text(header::IF_NONE_MATCH).is_none()).and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    since.is_some_and(|since| since.timestamp().as_second() >= changed.div_euclid(1000))
}

/// Tells when anything last changed, unless it was in this very second, in which more may still change.
fn dated(mut response: Response, web: &Web, changed: i64) -> Response {
    if changed > 0
        && changed.div_euclid(1000) < web.app.now().as_second()
        && let Ok(value) = HeaderValue::from_str(&rfc2822(changed))
    {
        response.headers_mut().insert(header::LAST_MODIFIED, value);
    }
    response
}

fn not_modified(web: &Web, changed: i64) -> Response {
    dated(StatusCode::NOT_MODIFIED.into_response(), web, changed)
}

fn fresh(web: &Web, kind: &'static str, text: String, changed: i64) -> Response {
    dated(([(header::CONTENT_TYPE, kind)], text).into_response(), web, changed)
}

/// Lets scripts of other sites read an answer that is the same for everybody.
pub(crate) fn open_to_pages(mut response: Response) -> Response {
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_everything_gets_nothing_again() {
        let since = |text: &'static str| HeaderMap::from_iter([(header::IF_MODIFIED_SINCE, HeaderValue::from_static(text))]);
        let at = 1_795_000_000_500;
        assert_eq!(rfc2822(at), "Wed, 18 Nov 2026 11:06:40 GMT");
        assert!(unchanged(&since("Wed, 18 Nov 2026 11:06:40 GMT"), at));
        assert!(!unchanged(&since("Wed, 18 Nov 2026 11:06:39 GMT"), at));
        assert!(!unchanged(&since("yesterday"), at) && !unchanged(&HeaderMap::new(), at));
        let mut both = since("Wed, 18 Nov 2026 11:06:40 GMT");
        both.insert(header::IF_NONE_MATCH, HeaderValue::from_static("W/\"0\""));
        assert!(!unchanged(&both, at), "the tag decides");
    }
}
