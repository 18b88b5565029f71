//! The page of a screen in a hall: one thing at a time in large letters, the next by itself without a script (the header `Refresh`), what
//! concerns the place first. Each turn asks anew, so what was withdrawn is gone with the next one.

use super::embed::summary_of;
use crate::Web;
use crate::line::filter;
use crate::page::{Answer, Html, Req, Shell, page};
use crate::urls;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use kepu_app::deliver::channel::{self, Piece};
use kepu_app::listen::placement;
use kepu_domain::create::draft::Matter;
use kepu_domain::listen::placement::PlaceKind;
use kepu_domain::org::Region;
use kepu_store::subject::Filter;

/// Seconds for each slide unless `?seconds=` says otherwise.
const SECONDS: i64 = 20;
/// What a screen may ask for: long enough to read, short enough to move.
const SECONDS_MIN: i64 = 8;
const SECONDS_MAX: i64 = 600;
/// How soon an empty screen looks again.
const EMPTY_SECONDS: i64 = 60;
/// Most points of an emergency card: what a passer-by takes in.
const POINTS: usize = 5;

/// What stands on the screen.
struct Slide {
    title: String,
    lang: Html,
    text_lang: Html,
    verdict: String,
    /// An emergency card for this place.
    alert: bool,
    correction: String,
    say: String,
    /// Instead of `say`: what to do, one line each.
    points: Vec<String>,
    by: String,
    date: Html,
    qr: String,
    address: String,
    sample: bool,
}

#[derive(Template)]
#[template(path = "deliver/screen.html")]
struct Wall {
    s: Shell,
    place: String,
    today: Html,
    slide: Option<Slide>,
    strips: Vec<super::now::Strip>,
    at: usize,
    total: usize,
    before: String,
    after: String,
    still: bool,
    pause: String,
    go: String,
    ask: String,
}

/// GET /screen?region=&field=&audience=&seconds=&n=&still=
pub async fn show(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("screen-title"));
    let region = req.query.opt("region").and_then(|code| Region::parse(code).ok()).unwrap_or(web.settings.region);
    let asked = Filter { kind: None, region_chain: region.chain(), ..filter(&req.query, "") };
    let pieces = channel::wall(&web.app, &asked).await?;
    let total = pieces.len();
    // A list that has become shorter begins again.
    let at = req.query.int("n").and_then(|n| usize::try_from(n).ok()).filter(|n| (1..=total).contains(n)).unwrap_or(1);
    let link = |n: usize| s.here_with("n", &n.to_string());
    let (before, after) = (link(if at > 1 { at - 1 } else { total.max(1) }), link(if at < total { at + 1 } else { 1 }));
    if let Some(piece) = pieces.get(at - 1) {
        placement::note(&web.app, &piece.row, PlaceKind::Screen, &region.to_string()).await?;
    }
    let still = req.query.opt("still").is_some();
    let seconds = if total == 0 { EMPTY_SECONDS } else { req.query.int("seconds").unwrap_or(SECONDS).clamp(SECONDS_MIN, SECONDS_MAX) };
    let mut response = page(&Wall {
        place: s.place(&region),
        today: s.date(&web.app.today()),
        slide: pieces.get(at - 1).map(|piece| slide(&s, piece)),
        strips: super::now::strips(&web, &s, region, 2).await?,
        at,
        total,
        before,
        still,
        pause: s.here_with("still", "1"),
        go: s.here_with("still", ""),
        ask: format!("{}/ask", s.origin),
        after: after.clone(),
        s,
    });
    if !still && let Ok(value) = HeaderValue::from_str(&format!("{seconds}; url={after}")) {
        response.headers_mut().insert(header::REFRESH, value);
    }
    Ok(response)
}

fn slide(s: &Shell, piece: &Piece) -> Slide {
    let row = &piece.row;
    let path = urls::of_kind(&row.kind, &row.id);
    let (say, points, corrections, alert) = match &piece.matter {
        Matter::Resource(r) => {
            let say = r.editions.get("chalk").cloned().unwrap_or_else(|| summary_of(&r.summary, &r.text));
            let alert = r.kind == "emergency";
            (say, if alert { points(&r.text) } else { vec![] }, &r.corrections, alert)
        }
        Matter::Claim(c) if c.is_holding() => (s.t("holding-say"), vec![], &c.corrections, false),
        Matter::Claim(c) => (s.pick(&c.plain, &c.plain_en).to_owned(), vec![], &c.corrections, false),
    };
    Slide {
        title: s.pick(&row.title, &row.title_en).to_owned(),
        lang: s.pick_attr(&row.lang, &row.title_en),
        text_lang: s.lang_attr(&row.lang),
        verdict: row.verdict.clone(),
        alert,
        correction: corrections.first().map(|c| c.text.clone()).unwrap_or_default(),
        say,
        points,
        by: piece.holder.clone(),
        date: s.day(&row.date),
        qr: urls::with("/qr.svg", &[("path", &urls::subject(&row.id))]),
        address: format!("{}{path}", s.origin),
        sample: row.sample,
    }
}

/// The first list of a card: what to do now.
fn points(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with("- ")).take_while(|line| line.starts_with("- "));
    lines.map(kepu_text::plain).take(POINTS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_shows_what_to_do_first() {
        let text = "## 现在做什么\n\n- 往**高处**走\n- 关掉电闸\n\n## 不要做\n\n- 不要蹚水";
        assert_eq!(points(text), ["往高处走", "关掉电闸"]);
        assert_eq!(points("没有列表"), Vec::<String>::new());
    }
}
