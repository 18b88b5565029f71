//! "Is this true?": a message of any length, the claims that say the same with the words that are the reason, those that may, or the way to ask.
//! One claim's own page is in `claim`, asking in `question`.

use crate::Web;
use crate::form::Form;
use crate::line::Line;
use crate::page::{Answer, Html, Req, Shell, escape, page};
use crate::problem::Problem;
use crate::urls;
use askama::Template;
use axum::extract::State;
use kepu_app::AppError;
use kepu_app::listen::claim::{self, Match};
use kepu_app::listen::hear::{Band, SAID_MAX, Said, Side, Span};
use kepu_app::listen::merge;
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::sighting::Channel;

/// Claims shown for one message.
const SHOWN: usize = 6;
/// User characters of a message shown around the words that are the reason.
const AROUND: usize = 24;
/// Stretches of a message shown as the reason.
const STRETCHES: usize = 6;

/// A claim with why it is shown.
pub struct Shown {
    line: Line,
    id: String,
    /// The words of the message that it has as well, marked.
    why: Html,
    /// Its own words that were met, if they are not its title.
    wording: String,
    overdue: bool,
    share: String,
}

#[derive(Template)]
#[template(path = "listen/check.html")]
struct CheckPage {
    s: Shell,
    q: String,
    /// The message was longer than what is looked at.
    cut: Option<usize>,
    answers: Vec<Shown>,
    others: Vec<Shown>,
    /// Whether words in a picture or behind a link can be read.
    shown: bool,
}

/// GET /check?q=
pub async fn check(State(web): State<Web>, req: Req) -> Answer {
    let q = req.query.get("q").to_owned();
    show(&web, &req, &q).await
}

/// POST /check: the same for what is too long, or too private, for an address.
pub async fn check_long(State(web): State<Web>, req: Req, form: Form) -> Answer {
    show(&web, &req, form.get("q")).await
}

async fn show(web: &Web, req: &Req, q: &str) -> Answer {
    let s = req.titled(req.shell.t("check-title"));
    let said = Said { text: q.to_owned(), channel: Channel::Page, region: None, at: web.app.now() };
    let checked = claim::check(&web.app, &said, SHOWN).await?;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let trust = web.app.trust(&mut tx).await?;
    drop(tx);
    let today = web.app.today().to_string();
    let (mut answers, mut others) = (Vec::new(), Vec::new());
    for found in &checked.matches {
        let shown = Shown {
            line: Line::new(&s, &found.row, &trust),
            id: found.row.id.0.clone(),
            why: reason(&checked.query, &found.because),
            wording: if found.wording == found.row.title { String::new() } else { found.wording.clone() },
            overdue: overdue(found, &today),
            share: urls::share(&found.row.id),
        };
        if found.band == Band::Answer { answers.push(shown) } else { others.push(shown) }
    }
    Ok(page(&CheckPage { q: checked.query, cut: checked.cut.then_some(SAID_MAX), answers, others, shown: web.app.reads_shown() != (false, false), s }))
}

fn overdue(found: &Match, today: &str) -> bool {
    found.row.verdict != "checking" && found.row.expires.as_deref().is_some_and(|day| day <= today)
}

/// The stretches of a message that a claim has as well, each with a little around it.
pub(crate) fn reason(text: &str, because: &[Span]) -> Html {
    let mut stretches: Vec<(usize, usize)> = because.iter().filter(|span| span.side == Side::Said).map(|span| (span.from, span.to)).collect();
    // The longest say the most; then in the order of the text.
    stretches.sort_by_key(|(from, to)| std::cmp::Reverse(to - from));
    stretches.truncate(STRETCHES);
    stretches.sort_unstable();
    let mut out = String::new();
    let mut at = 0;
    for (n, (from, to)) in stretches.iter().enumerate() {
        let (Some(gap), Some(words)) = (text.get(at..*from), text.get(*from..*to)) else { continue };
        let tail = kepu_text::truncate(gap, AROUND);
        let head = last(gap, AROUND);
        if n == 0 {
            out.push_str(if head.len() < gap.len() { "…" } else { "" });
            out.push_str(&escape(head));
        } else if tail.len() + head.len() >= gap.len() {
            out.push_str(&escape(gap));
        } else {
            out.push_str(&format!("{}…{}", escape(tail), escape(head)));
        }
        out.push_str(&format!("<mark>{}</mark>", escape(words)));
        at = *to;
    }
    if let Some(rest) = text.get(at..).filter(|_| at > 0) {
        let tail = kepu_text::truncate(rest, AROUND);
        out.push_str(&escape(tail));
        out.push_str(if tail.len() < rest.len() { "…" } else { "" });
    }
    Html(out)
}

/// The last `most` characters of a text.
fn last(text: &str, most: usize) -> &str {
    let from = text.char_indices().rev().nth(most.saturating_sub(1)).map_or(0, |(at, _)| at);
    &text[from..]
}

/// POST /check/same: "this is the one I meant". Leads to the claim; the wording waits for its editors.
pub async fn same(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let claim = SubjectId(form.get("claim").to_owned());
    if claim.parts().is_none() {
        return Err(Problem::from(AppError::NotFound { what: "subject", id: claim.0 }));
    }
    let said = Said { text: form.get("q").to_owned(), channel: Channel::Page, region: None, at: web.app.now() };
    let deed = async {
        merge::meant(&web.app, &claim, &said, &req.address).await?;
        Ok::<_, AppError>(urls::claim(&claim))
    };
    Ok(form.once(&web, deed).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_shows_the_shared_words_and_a_little_around() {
        let text = format!("{}喝柠檬水可以抗癌<br>{}", "啊".repeat(60), "呀".repeat(60));
        let from = text.find("柠檬水").expect("there");
        let span = |from, to| Span { side: Side::Said, from, to };
        let html = reason(&text, &[span(from, from + "柠檬水可以抗癌".len())]).0;
        assert!(html.contains("喝<mark>柠檬水可以抗癌</mark>&lt;br&gt;"), "{html}");
        assert!(html.starts_with('…') && html.ends_with('…') && html.chars().count() < 120, "{html}");
        assert_eq!(reason("大蒜", &[]).0, "");
    }
}
