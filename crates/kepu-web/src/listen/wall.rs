//! The wall of a duty room: what rises, what nobody answered, what waits, in letters that are read across the room. It shows itself anew by the header `Refresh`,
//! without a script, and names nobody.

use super::topic::{Expected, Line, Waiting, expected, line, usual, waiting};
use crate::Web;
use crate::page::{Answer, Html, Req, Shell, page};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use kepu_app::listen::topic::desk as desks;

/// Seconds until it shows itself anew.
const SECONDS: u32 = 30;
/// Rows of each list: what is read in one glance.
const ROWS: usize = 6;

#[derive(Template)]
#[template(path = "listen/wall.html")]
struct WallPage {
    s: Shell,
    now: Html,
    rising: Vec<Line>,
    rising_total: usize,
    unanswered: Vec<Line>,
    unanswered_total: usize,
    returning: Vec<Expected>,
    waiting: Vec<Waiting>,
    waiting_total: usize,
    usual: String,
    still: bool,
}

/// GET /listen/wall?still=
pub async fn show(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("listen-wall"));
    let desk = desks::desk(&web.app, &req.actor).await?;
    let definitions = web.app.definitions();
    let lines = |list: &[desks::Row]| list.iter().take(ROWS).map(|row| line(&s, &definitions.listen, row)).collect();
    let still = req.query.opt("still").is_some();
    let mut response = page(&WallPage {
        now: s.time(&web.app.now()),
        rising: lines(&desk.rising),
        rising_total: desk.rising.len(),
        unanswered: lines(&desk.unanswered),
        unanswered_total: desk.unanswered.len(),
        returning: desk.returning.iter().take(3).map(|one| expected(&s, &definitions.returns, one)).collect(),
        waiting: desk.waiting.iter().take(ROWS).map(|(case, clock)| waiting(&s, case, clock)).collect(),
        waiting_total: desk.waiting_total,
        usual: usual(&s, desk.usual),
        still,
        s,
    });
    if !still && let Ok(value) = HeaderValue::from_str(&SECONDS.to_string()) {
        response.headers_mut().insert(header::REFRESH, value);
    }
    Ok(response)
}
