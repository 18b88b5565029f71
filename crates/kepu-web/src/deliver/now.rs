//! "What do I do now": the official warnings for a place with pre-reviewed cards beside them, as a page, on paper, as texts, as feeds. Everything is asked
//! anew for each request and ends with its warning; what is done with messages of unknown issuers is in `warning`.

use crate::Web;
use crate::form::with_header;
use crate::page::{Answer, Html, Req, Shell, escape, page};
use crate::urls;
use crate::words::iso;
use crate::xml::Xml;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use kepu_app::AppError;
use kepu_app::deliver::warning::figures::{self, Line as Figure};
use kepu_app::deliver::warning::guidance::{Advice, For, beside};
use kepu_app::deliver::warning::{self, Shown};
use kepu_domain::deliver::guide::{Near, is_night};
use kepu_domain::deliver::say::{self, Said};
use kepu_domain::deliver::warning::{Kind, Stands, Warning, Words};
use kepu_domain::org::Region;
use kepu_domain::vocabulary::HAZARDS;

/// Warnings on one page: more than a county ever had at once.
const SHOWN_MAX: usize = 40;
/// How soon an open page looks again at the latest, in seconds.
const AGAIN_SECONDS: i64 = 60;

/// One part of a card: its heading and its steps.
pub struct Steps {
    /// Heading.
    pub head: String,
    /// Steps.
    pub list: Vec<String>,
}

/// A card beside a warning.
pub struct CardView {
    href: String,
    title: String,
    lang: Html,
    steps: Vec<Steps>,
    why: String,
    by: String,
    date: Html,
    sample: bool,
}

/// A warning as the page shows it.
pub struct WarningView {
    id: String,
    href: String,
    /// `red`, `orange`, `yellow`, `blue`; `clear` for one that ended.
    colour: &'static str,
    colour_word: String,
    words: Words,
    lang: Html,
    clear: bool,
    coming: bool,
    from: Html,
    until: Html,
    sent: Html,
    ends: bool,
    hazard: String,
    by: String,
    web: String,
    cards: Vec<CardView>,
    order: String,
}

#[derive(Template)]
#[template(path = "deliver/now.html")]
struct NowPage {
    s: Shell,
    place: String,
    code: String,
    warnings: Vec<WarningView>,
    more: usize,
    at: Html,
    next: Html,
    audiences: Vec<crate::line::Choice>,
    asks: Option<(String, Vec<String>)>,
    script: String,
    chat: String,
}

/// The place that an address names.
fn region_of(code: &str) -> Result<Region, AppError> {
    let missing = || AppError::NotFound { what: "place", id: code.chars().take(20).collect() };
    let region = Region::parse(code).map_err(|_| missing())?;
    if region != Region::NATION && kepu_app::org::division(region).is_none() {
        return Err(missing());
    }
    Ok(region)
}

fn whom(req: &Req) -> For {
    let audience = req.query.opt("audience").filter(|id| kepu_domain::vocabulary::AUDIENCES.find(id).is_some()).unwrap_or_default().to_owned();
    For { audience, lang: req.shell.lang.tag().to_owned() }
}

/// GET /now?county=: the node's own place, or the one that was typed
pub async fn show(State(web): State<Web>, req: Req) -> Answer {
    if let Some(typed) = req.query.opt("county") {
        if let Some(region) = kepu_app::org::region_named(typed) {
            return Ok(Redirect::to(&urls::now(region)).into_response());
        }
        let typed: String = typed.chars().take(40).collect();
        return show_for(&web, &req, web.settings.region, Some(typed)).await;
    }
    show_for(&web, &req, web.settings.region, None).await
}

/// GET /now/{county}
pub async fn show_place(State(web): State<Web>, req: Req, Path(code): Path<String>) -> Answer {
    show_for(&web, &req, region_of(&code)?, None).await
}

async fn show_for(web: &Web, req: &Req, region: Region, unknown: Option<String>) -> Answer {
    let place = req.shell.place(&region);
    let s = req.titled(req.shell.t1("now-title", "place", &place));
    let found = warning::here(&web.app, region).await?;
    let whom = whom(req);
    let mut warnings = Vec::new();
    for one in found.iter().take(SHOWN_MAX) {
        let advice = beside(&web.app, &one.open.warning, region, &whom).await?;
        warnings.push(view(&s, one, &advice));
    }
    let next = warning::next_change(&found, s.now);
    let audiences = ["elderly", "farmer", "teacher", "community"].map(|id| (id.to_owned(), s.audience(id).to_owned()));
    let answer = page(&NowPage {
        code: region.to_string(),
        more: found.len().saturating_sub(SHOWN_MAX),
        at: s.time(&s.now),
        next: next.map(|at| s.soon(&at)).unwrap_or_default(),
        audiences: crate::line::choices(s.t("now-everybody"), audiences.into_iter(), &whom.audience),
        asks: unknown.map(|typed| (typed, vec![])),
        script: format!("{}/script.txt", urls::now(region)),
        chat: format!("{}/chat.txt", urls::now(region)),
        place,
        warnings,
        s,
    });
    Ok(until(answer, &found, web))
}

/// No open window keeps a warning beyond its end: the page asks again by itself when something changes, every minute at least. No cache does either: like
/// every page it must be asked for anew (`guard`).
fn until(response: Response, found: &[Shown], web: &Web) -> Response {
    let now = web.app.now();
    if found.iter().all(|one| matches!(one.stands, Stands::Clear | Stands::Over)) {
        return response;
    }
    let seconds = warning::next_change(found, now).map_or(AGAIN_SECONDS, |at| at.duration_since(now).as_secs() + 1);
    with_header(response, header::REFRESH, &seconds.clamp(15, AGAIN_SECONDS).to_string())
}

/// The class of a level.
pub fn colour_class(level: i64) -> &'static str {
    match level {
        1 => "red",
        2 => "orange",
        3 => "yellow",
        _ => "blue",
    }
}

fn view(s: &Shell, shown: &Shown, advice: &[Advice]) -> WarningView {
    let warning = &shown.open.warning;
    let words = warning.words(s.lang.tag());
    let clear = shown.stands == Stands::Clear;
    WarningView {
        id: shown.open.subject.0.clone(),
        href: urls::warning(&shown.open.subject),
        colour: if clear { "clear" } else { colour_class(warning.level) },
        colour_word: if clear { s.t("now-clear") } else { s.t(&format!("level-{}", colour_class(warning.level))) },
        lang: s.lang_attr(&words.lang),
        clear,
        coming: shown.stands == Stands::Coming,
        from: s.time(&warning.effective),
        until: s.time(&warning.expires),
        sent: s.time(&warning.sent),
        ends: warning.ends,
        hazard: HAZARDS.name(&warning.hazard, s.lang.code()).to_owned(),
        by: shown.open.by.clone(),
        web: warning.web.clone(),
        cards: advice.iter().filter_map(|one| card(s, one)).collect(),
        order: if s.may(kepu_domain::access::Action::WorkCase) && !clear {
            urls::with("/orders/new", &[("warning", shown.open.subject.as_str())])
        } else {
            String::new()
        },
        words,
    }
}

fn card(s: &Shell, advice: &Advice) -> Option<CardView> {
    let (row, resource) = (&advice.piece.row, advice.resource()?);
    let own = resource.editions.iter().find(|(name, _)| s.lang.tag().starts_with(name.as_str()) || name.as_str() == s.lang.tag());
    let text = own.map_or(resource.text.as_str(), |(_, text)| text.as_str());
    Some(CardView {
        href: urls::resource(&row.id),
        title: s.pick(&row.title, &row.title_en).to_owned(),
        lang: s.lang_attr(&row.lang),
        steps: steps(text),
        why: why(s, advice),
        by: advice.piece.holder.clone(),
        date: s.day(&row.date),
        sample: row.sample,
    })
}

/// Why a card stands here, in one sentence.
pub fn why(s: &Shell, advice: &Advice) -> String {
    let hazard = HAZARDS.name(&advice.piece.row.hazard, s.lang.code());
    let key = match advice.why.near {
        Near::Own => "why-own",
        Near::Brought => "why-brought",
        Near::Subclass | Near::Class => "why-class",
    };
    let mut text = s.t1(key, "hazard", hazard);
    if advice.why.place {
        text.push_str(&s.t("why-place"));
    }
    if advice.why.audience {
        text.push_str(&s.t("why-audience"));
    }
    if !advice.why.lang {
        text.push_str(&s.t("why-lang"));
    }
    text
}

/// The lists of a card under their headings; a text without lists as one part.
pub fn steps(text: &str) -> Vec<Steps> {
    let mut out: Vec<Steps> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(head) = line.strip_prefix("## ") {
            out.push(Steps { head: kepu_text::plain(head), list: vec![] });
            continue;
        }
        let step = kepu_text::plain(line.strip_prefix("- ").unwrap_or(line));
        match out.last_mut() {
            Some(part) => part.list.push(step),
            None => out.push(Steps { head: String::new(), list: vec![step] }),
        }
    }
    out.retain(|part| !part.list.is_empty());
    out
}

/// The first points of a card in one line.
fn points_line(advice: &Advice, most: usize) -> String {
    let parts = advice.resource().map(|resource| steps(&resource.text)).unwrap_or_default();
    parts
        .into_iter()
        .next()
        .map(|part| part.list.into_iter().take(most).map(|step| step.trim_end_matches('。').to_owned()).collect::<Vec<_>>().join("；"))
        .unwrap_or_default()
}

/// A warning with the words of its first card.
pub(super) fn texts<T>(advice: &[Advice], make: impl FnOnce(Option<Said<'_>>) -> T) -> T {
    let Some(first) = advice.first() else { return make(None) };
    let points = points_line(first, 4);
    let spoken =
        first.resource().and_then(|resource| resource.editions.get("broadcast").or(resource.editions.get("elder"))).map_or(points.as_str(), String::as_str);
    make(Some(Said { title: &first.piece.row.title, spoken, points: &points }))
}

#[derive(Template)]
#[template(path = "deliver/warning.html")]
struct OnePage {
    s: Shell,
    it: WarningView,
    over: bool,
    taken_back: String,
    places: Vec<String>,
    kind: String,
    sender: String,
    identifier: String,
    original: String,
    script: String,
    chat: String,
    quiet: bool,
    can_take_back: bool,
}

/// GET /now/w/{owner}/{local}: one warning, for ever; what is over says so
pub async fn one(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    let id = kepu_domain::ids::SubjectId::new(&owner, &local);
    let (open, stands) = warning::find(&web.app, &id).await?;
    let shown = Shown { open: open.clone(), stands };
    let w = &open.warning;
    let region = w.region();
    let over = stands == Stands::Over;
    let advice = if over { vec![] } else { beside(&web.app, w, region, &whom(&req)).await? };
    let words = w.words(req.shell.lang.tag());
    let s = req.titled(words.headline.clone());
    let link = format!("{}{}", s.origin, urls::now(region));
    let hour = jiff::tz::Offset::constant(8).to_datetime(s.now).hour();
    let answer = page(&OnePage {
        it: view(&s, &shown, &advice),
        over,
        taken_back: w.taken_back.clone(),
        places: w.places.iter().take(200).map(|place| s.place_line(place)).collect(),
        kind: s.t(&format!("warning-{}", w.kind.as_str())),
        sender: w.name.sender.clone(),
        identifier: w.name.identifier.clone(),
        original: w.original.clone(),
        script: if over { String::new() } else { texts(&advice, |said| say::script(w, &words, said)) },
        chat: if over { String::new() } else { texts(&advice, |said| say::chat(w, &words, said, &link)) },
        quiet: is_night(hour) && w.level > 2,
        can_take_back: w.taken_back.is_empty() && !over && s.may(kepu_domain::access::Action::WorkCase),
        s,
    });
    Ok(until(answer, &[shown], &web))
}

/// GET /now/{county}/script.txt and /now/{county}/chat.txt: what a voice reads, what a group gets; the worst first
pub async fn text(State(web): State<Web>, req: Req, Path((code, file)): Path<(String, String)>) -> Answer {
    let region = region_of(&code)?;
    let found = warning::here(&web.app, region).await?;
    let s = &req.shell;
    let link = format!("{}{}", s.origin, urls::now(region));
    let hour = jiff::tz::Offset::constant(8).to_datetime(s.now).hour();
    let mut parts = Vec::new();
    for one in found.iter().take(5) {
        let w: &Warning = &one.open.warning;
        let words = w.words(s.lang.tag());
        let advice = beside(&web.app, w, region, &whom(&req)).await?;
        match file.as_str() {
            // At night nobody is woken for yellow and blue.
            "script.txt" if is_night(hour) && w.level > 2 && w.kind != Kind::Cancel => parts.push(s.t1("now-script-night", "headline", &words.headline)),
            "script.txt" => parts.push(texts(&advice, |said| say::script(w, &words, said))),
            "chat.txt" => parts.push(texts(&advice, |said| say::chat(w, &words, said, &link))),
            _ => return Err(AppError::NotFound { what: "file", id: file.chars().take(40).collect() }.into()),
        }
    }
    if !matches!(file.as_str(), "script.txt" | "chat.txt") {
        return Err(AppError::NotFound { what: "file", id: file.chars().take(40).collect() }.into());
    }
    let body = if parts.is_empty() { s.t1("now-none", "place", s.place(&region)) } else { parts.join("\n\n") };
    let response = ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{body}\n")).into_response();
    Ok(until(response, &found, &web))
}

/// A paragraph of HTML for an entry of a feed.
fn entry_html(s: &Shell, one: &Shown, advice: &[Advice]) -> String {
    let w = &one.open.warning;
    let words = w.words(s.lang.tag());
    let mut out = format!(
        "<p><strong>{}</strong></p>",
        escape(&s.t3("now-line", "issuer", &words.issuer, "from", crate::words::minute(w.effective), "until", crate::words::minute(w.expires)))
    );
    for text in [&words.description, &words.instruction].into_iter().filter(|text| !text.is_empty()) {
        out.push_str(&format!("<p>{}</p>", escape(text)));
    }
    for card in advice.iter().filter_map(|one| card(s, one)) {
        out.push_str(&format!("<h3><a href=\"{}{}\">{}</a></h3>", escape(&s.origin), card.href, escape(&card.title)));
        for part in card.steps {
            let list: String = part.list.iter().map(|step| format!("<li>{}</li>", escape(step))).collect();
            out.push_str(&format!("<p>{}</p><ul>{list}</ul>", escape(&part.head)));
        }
    }
    out
}

/// GET /now.atom?region=: what stands for a place; an entry goes with its warning
pub async fn atom(State(web): State<Web>, req: Req) -> Answer {
    let (region, found) = asked(&web, &req).await?;
    let s = &req.shell;
    let own = format!("{}{}", s.origin, urls::with("/now.atom", &[("region", req.query.get("region"))]));
    let mut xml = Xml::new();
    xml.open("feed", &[("xmlns", "http://www.w3.org/2005/Atom"), ("xml:lang", s.lang.tag())]);
    xml.text("title", &[], &s.t1("now-title", "place", s.place(&region))).text("id", &[], &own);
    xml.empty("link", &[("rel", "self"), ("href", &own)]).empty("link", &[("href", &format!("{}{}", s.origin, urls::now(region)))]);
    let latest = found.iter().map(|one| one.open.warning.sent).max().unwrap_or(s.now);
    xml.text("updated", &[], &iso(latest)).raw("\n");
    for one in &found {
        let w = &one.open.warning;
        let words = w.words(s.lang.tag());
        let advice = beside(&web.app, w, region, &For { lang: s.lang.tag().into(), ..For::default() }).await?;
        xml.open("entry", &[]).text("title", &[], &words.headline).text("id", &[], &format!("urn:{}", one.open.subject));
        xml.empty("link", &[("href", &format!("{}{}", s.origin, urls::warning(&one.open.subject)))]);
        xml.text("updated", &[], &iso(w.sent)).open("author", &[]).text("name", &[], &words.issuer).close("author");
        xml.empty("category", &[("term", if one.stands == Stands::Clear { "clear" } else { colour_class(w.level) })]);
        xml.text("content", &[("type", "html")], &entry_html(s, one, &advice)).close("entry").raw("\n");
    }
    xml.close("feed");
    Ok(until(([(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")], xml.done()).into_response(), &found, &web))
}

/// GET /now.json?region=: the same as JSON Feed
pub async fn json_feed(State(web): State<Web>, req: Req) -> Answer {
    let (region, found) = asked(&web, &req).await?;
    let s = &req.shell;
    let mut items = Vec::new();
    for one in &found {
        let w = &one.open.warning;
        let words = w.words(s.lang.tag());
        let advice = beside(&web.app, w, region, &For { lang: s.lang.tag().into(), ..For::default() }).await?;
        items.push(serde_json::json!({
            "id": one.open.subject.0, "url": format!("{}{}", s.origin, urls::warning(&one.open.subject)), "title": words.headline,
            "content_html": entry_html(s, one, &advice), "date_published": iso(w.sent), "language": words.lang, "authors": [{"name": words.issuer}],
            "_kepu": {"stands": stands_word(one.stands), "level": w.level, "hazard": w.hazard, "expires": iso(w.expires), "passedOnBy": one.open.by},
        }));
    }
    let feed = serde_json::json!({"version": "https://jsonfeed.org/version/1.1", "title": s.t1("now-title", "place", s.place(&region)),
        "home_page_url": format!("{}{}", s.origin, urls::now(region)), "items": items});
    let response = ([(header::CONTENT_TYPE, "application/feed+json")], feed.to_string()).into_response();
    Ok(until(super::feed::open_to_pages(response), &found, &web))
}

async fn asked(web: &Web, req: &Req) -> Result<(Region, Vec<Shown>), AppError> {
    let region = match req.query.opt("region") {
        Some(code) => region_of(code)?,
        None => web.settings.region,
    };
    Ok((region, warning::here(&web.app, region).await?.into_iter().take(SHOWN_MAX).collect()))
}

/// The word of programs for how a warning stands.
pub fn stands_word(stands: Stands) -> &'static str {
    match stands {
        Stands::InForce => "inForce",
        Stands::Coming => "coming",
        Stands::Clear => "clear",
        Stands::Over => "over",
    }
}

/// A line on the first page, the desk and a screen: what stands here.
pub struct Strip {
    /// Class of its colour.
    pub colour: &'static str,
    /// The colour as a word.
    pub word: String,
    /// Headline.
    pub title: String,
    /// Language of the headline.
    pub lang: Html,
    /// Issuer and end.
    pub line: String,
    /// Where to read on.
    pub href: String,
}

/// The worst warnings in force or just ended for a place.
pub async fn strips(web: &Web, s: &Shell, region: Region, most: usize) -> Result<Vec<Strip>, AppError> {
    let found = warning::here(&web.app, region).await?;
    Ok(found.iter().take(most).map(|one| strip(s, one, region)).collect())
}

fn strip(s: &Shell, one: &Shown, region: Region) -> Strip {
    let v = view(s, one, &[]);
    let w = &one.open.warning;
    Strip {
        colour: v.colour,
        word: v.colour_word,
        title: v.words.headline.clone(),
        lang: v.lang,
        line: s.t3("now-line", "issuer", &v.words.issuer, "from", crate::words::minute(w.effective), "until", crate::words::minute(w.expires)),
        href: urls::now(region),
    }
}

struct FigureRow {
    month: String,
    hazard: String,
    n: usize,
    bare: usize,
    sent: String,
    got: String,
}

#[derive(Template)]
#[template(path = "deliver/now_figures.html")]
struct FiguresPage {
    s: Shell,
    rows: Vec<FigureRow>,
    csv: String,
}

/// GET /now/figures: how long it took from a warning to guidance, by month and hazard; `?format=csv`
pub async fn figures(State(web): State<Web>, req: Req) -> Answer {
    let list = figures::figures(&web.app).await?;
    let s = req.titled(req.shell.t("now-figures-title"));
    if req.query.get("format") == "csv" {
        return Ok(crate::line::attachment("kepu-warnings.csv", csv(&list)));
    }
    let pair = |pair: Option<(i64, i64)>, div: i64| pair.map_or_else(|| "–".to_owned(), |(median, p90)| format!("{} / {}", median / div, p90 / div));
    let rows = list
        .iter()
        .map(|line| FigureRow {
            month: line.month.to_string(),
            hazard: if line.hazard.is_empty() { s.t("now-hazard-none") } else { HAZARDS.name(&line.hazard, s.lang.code()).to_owned() },
            n: line.warnings,
            bare: line.bare,
            sent: pair(line.from_sent_s, 1),
            got: pair(line.from_got_ms, 1),
        })
        .collect();
    Ok(page(&FiguresPage { rows, csv: s.here_with("format", "csv"), s }))
}

fn csv(list: &[Figure]) -> String {
    let mut out = "\u{feff}month,hazard,warnings,without_card,sent_to_guidance_median_s,sent_to_guidance_p90_s,arrival_to_guidance_median_ms,arrival_to_guidance_p90_ms\r\n".to_owned();
    let cell = |pair: Option<(i64, i64)>| pair.map_or_else(|| ",".to_owned(), |(a, b)| format!("{a},{b}"));
    for line in list {
        out.push_str(&format!("{},{},{},{},{},{}\r\n", line.month, line.hazard, line.warnings, line.bare, cell(line.from_sent_s), cell(line.from_got_ms)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_read_as_steps_under_headings() {
        let parts = steps("## 现在做什么\n\n- 往**高处**走\n- 关掉电闸\n\n## 不要做\n\n- 不要蹚水");
        assert_eq!(parts.iter().map(|part| (part.head.as_str(), part.list.len())).collect::<Vec<_>>(), [("现在做什么", 2), ("不要做", 1)]);
        assert_eq!(parts[0].list[0], "往高处走");
        assert_eq!(steps("没有列表").len(), 1);
    }
}
