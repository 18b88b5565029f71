//! An answer passed on as it is: address, a text for a family chat, a picture, a script to be read aloud; each says the date and leads back to the page, so that
//! whoever meets it later finds what holds then. Cards on other sites are in `deliver::embed`.

use crate::Web;
use crate::deliver::embed;
use crate::page::{Answer, Html, Req, Shell, escape, page};
use crate::paper::PicturePaper;
use crate::problem::Problem;
use crate::subject::{Found, Subject, find};
use crate::{statics, urls};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use kepu_domain::listen::claim::ClaimReview;
use kepu_domain::record::Body;
use kepu_text::speech;

#[derive(Template)]
#[template(path = "listen/share.html")]
struct SharePage {
    s: Shell,
    title: String,
    verdict: String,
    href: String,
    address: String,
    chat: String,
    chat_file: String,
    card: String,
    /// The same as PNG; empty without a typesetter.
    picture: String,
    spoken: String,
    spoken_file: String,
    frame: String,
    lang: Html,
}

/// The public answer at this address, or what is shown in its place.
async fn answer(web: &Web, req: &Req, owner: &str, local: &str) -> Result<Result<(Subject, ClaimReview), axum::response::Response>, Problem> {
    match find(web, req, "claim", owner, local).await? {
        Found::Here(subject) => match &subject.record.body {
            Ok(Body::Claim(claim)) => {
                let claim = (**claim).clone();
                Ok(Ok((*subject, claim)))
            }
            _ => Err(Problem::not_found()),
        },
        Found::Other(response) => Ok(Err(response)),
    }
}

/// GET /c/{owner}/{local}/share
pub async fn show(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    let (subject, claim) = match answer(&web, &req, &owner, &local).await? {
        Ok(found) => found,
        Err(response) => return Ok(response),
    };
    let s = &req.shell;
    let id = &subject.row.id;
    let title = s.pick(&claim.claim, &claim.claim_en).to_owned();
    let href = urls::claim(id);
    Ok(page(&SharePage {
        verdict: claim.verdict.as_str().to_owned(),
        address: format!("{}{href}", s.origin),
        chat: chat_text(s, &subject, &claim),
        chat_file: format!("{href}/chat.txt"),
        card: format!("{href}/card.svg"),
        picture: if web.settings.printer.is_some() { format!("{href}/card.png") } else { String::new() },
        spoken: spoken_text(s, &claim),
        spoken_file: format!("{href}/spoken.txt"),
        frame: embed::code(s, "claim", id, &title),
        lang: s.lang_attr(&claim.lang),
        s: req.titled(s.t1("share-title", "claim", &title)).script("copy.js"),
        href,
        title,
    }))
}

/// GET /c/{owner}/{local}/chat.txt
pub async fn chat(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    Ok(match answer(&web, &req, &owner, &local).await? {
        Ok((subject, claim)) => plain(chat_text(&req.shell, &subject, &claim)),
        Err(response) => response,
    })
}

/// GET /c/{owner}/{local}/spoken.txt
pub async fn spoken(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    Ok(match answer(&web, &req, &owner, &local).await? {
        Ok((_, claim)) => plain(spoken_text(&req.shell, &claim)),
        Err(response) => response,
    })
}

fn plain(text: String) -> axum::response::Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// What a family chat holds: verdict, claim, one sentence, what to do, date and address. Also what a chat bot says.
pub(crate) fn chat_text(s: &Shell, subject: &Subject, claim: &ClaimReview) -> String {
    said(s, &format!("{}{}", s.origin, urls::claim(&subject.row.id)), claim)
}

pub(crate) fn said(s: &Shell, address: &str, claim: &ClaimReview) -> String {
    let title = s.pick(&claim.claim, &claim.claim_en);
    let sentence = if claim.is_holding() { s.t("holding-say") } else { s.pick(&claim.plain, &claim.plain_en).to_owned() };
    let body = if claim.chat.is_empty() || s.is_en() {
        format!("{}{}{title}\n{sentence}", s.verdict_word(claim.verdict.as_str()), s.t("colon"))
    } else {
        claim.chat.clone()
    };
    format!("{body}\n{}\n{address}", s.t1("share-checked", "date", claim.checked))
}

fn spoken_text(s: &Shell, claim: &ClaimReview) -> String {
    let title = s.pick(&claim.claim, &claim.claim_en);
    let verdict = s.verdict_word(claim.verdict.as_str());
    let mut parts = vec![s.t2("share-spoken", "claim", title, "verdict", verdict)];
    if claim.is_holding() {
        parts.push(s.t("holding-say"));
    } else {
        parts.push(s.pick(&claim.plain, &claim.plain_en).to_owned());
        if !s.is_en() || claim.plain_en.is_empty() {
            parts.push(claim.instead.clone());
        }
        parts.push(s.t1("share-spoken-checked", "date", s.day_text(claim.checked)));
    }
    parts.iter().map(|part| speech::script(part)).filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

/// Width and height of the picture.
const SIDE: usize = 1080;

/// GET /c/{owner}/{local}/card.svg: a picture for a chat, square, with the code that leads back.
pub async fn card(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    let (subject, claim) = match answer(&web, &req, &owner, &local).await? {
        Ok(found) => found,
        Err(response) => return Ok(response),
    };
    let svg = draw(&req.shell, &subject, &claim);
    let mut response = ([(header::CONTENT_TYPE, "image/svg+xml; charset=utf-8")], svg).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Ok(response)
}

/// GET /c/{owner}/{local}/card.png: the same picture for programs that show no drawings; only where there is a typesetter.
pub async fn picture(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    let Some(printer) = web.settings.printer else { return Err(Problem::not_found()) };
    let (subject, claim) = match answer(&web, &req, &owner, &local).await? {
        Ok(found) => found,
        Err(response) => return Ok(response),
    };
    let s = &req.shell;
    let texts = [s.pick(&claim.claim, &claim.claim_en), s.pick(&claim.plain, &claim.plain_en), &subject.holder];
    let texts = texts.into_iter().filter(|text| !text.trim().is_empty()).map(str::to_owned).collect();
    let paper = PicturePaper { svg: draw(s, &subject, &claim), texts };
    let drawn = tokio::task::spawn_blocking(move || (printer.picture)(&paper)).await;
    let png = drawn.map_err(|fault| Problem::internal(fault.to_string()))??;
    Ok(([(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "public, max-age=300")], png).into_response())
}

fn draw(s: &Shell, subject: &Subject, claim: &ClaimReview) -> String {
    let verdict = claim.verdict.as_str();
    let colour = match verdict {
        "true" => "#1B7F4B",
        "false" => "#B3261E",
        "partly" => "#8A5A00",
        "checking" => "#1F5FBF",
        _ => "#57606A",
    };
    let title = s.pick(&claim.claim, &claim.claim_en);
    let sentence = if claim.is_holding() { s.t("holding-say") } else { s.pick(&claim.plain, &claim.plain_en).to_owned() };
    let address = format!("{}{}", s.origin, urls::claim(&subject.row.id));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {SIDE} {SIDE}\" width=\"{SIDE}\" height=\"{SIDE}\" role=\"img\" lang=\"{}\"><title>{}</title><rect width=\"{SIDE}\" height=\"{SIDE}\" fill=\"#FBFAF7\"/><rect width=\"{SIDE}\" height=\"16\" fill=\"{colour}\"/>",
        s.lang.tag(),
        escape(title),
    );
    let mut y = write(&mut out, &[s.t("claim-heard")], (120, 36), "#57606A", false);
    let heads = wrap(title, 15.0, 3);
    y = write(&mut out, &heads, (y + 88, 62), "#1F2328", true);
    y = write(&mut out, &[s.verdict_word(verdict)], (y + 148, 104), colour, true);
    write(&mut out, &wrap(&sentence, 19.0, if heads.len() < 3 { 5 } else { 4 }), (y + 94, 49), "#1F2328", false);
    let foot = SIDE - 190;
    out.push_str(&format!("<rect x=\"72\" y=\"{foot}\" width=\"{}\" height=\"2\" fill=\"#D9D6CF\"/>", SIDE - 144));
    let lines = [subject.holder.clone(), s.t1("share-checked", "date", claim.checked), s.t("share-scan")];
    write(&mut out, &lines, (foot + 56, 30), "#57606A", false);
    // The code is drawn inside, so that the picture stays one file.
    if let Some(code) = statics::qr_svg(&address) {
        let inner = code.replacen("<svg ", &format!("<svg x=\"{}\" y=\"{}\" width=\"148\" height=\"148\" ", SIDE - 220, foot + 22), 1);
        out.push_str(&inner);
    }
    out.push_str("</svg>");
    out
}

/// Writes lines below each other, and says on which line the last one stands.
fn write(out: &mut String, lines: &[String], (top, size): (usize, usize), colour: &str, bold: bool) -> usize {
    const SANS: &str = "'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif";
    let weight = if bold { 700 } else { 400 };
    let mut y = top;
    for (at, line) in lines.iter().enumerate() {
        y = top + at * (size * 3 / 2);
        out.push_str(&format!(
            "<text x=\"72\" y=\"{y}\" font-family=\"{SANS}\" font-size=\"{size}\" font-weight=\"{weight}\" fill=\"{colour}\">{}</text>",
            escape(line)
        ));
    }
    y
}

/// Marks that begin no line.
const NO_BEGIN: &str = "，。、；：？！）」』”’…,.;:?!)";

/// Lines of at most `width` Chinese characters (a Latin letter counts half); what is left after `most` lines ends in "…".
fn wrap(text: &str, width: f64, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0.0;
    for c in text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }) {
        let wide = if c.is_ascii() { 0.55 } else { 1.0 };
        if used + wide > width && !NO_BEGIN.contains(c) {
            if lines.len() == most {
                if let Some(last) = lines.last_mut() {
                    last.pop();
                    last.push('…');
                }
                return lines;
            }
            lines.push(String::new());
            used = 0.0;
        }
        if let Some(line) = lines.last_mut() {
            line.push(c);
        }
        used += wide;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_filled_and_no_mark_begins_one() {
        assert_eq!(wrap("隔夜菜不会致癌，放心吃。", 7.0, 3), ["隔夜菜不会致癌，", "放心吃。"]);
        assert_eq!(wrap("一二三四五六七八九十", 3.0, 2), ["一二三", "四五…"]);
        assert_eq!(wrap("", 3.0, 2), [""]);
    }
}
