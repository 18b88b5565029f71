//! One row of a list of claims or resources, and the choices of the sentence above such a list.

use crate::Web;
use crate::page::{Html, Req, Shell};
use crate::words::{division, divisions_below};
use crate::{form::Fields, urls};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use kepu_app::AppError;
use kepu_domain::create::resource::Correction;
use kepu_domain::listen::claim::VERDICTS;
use kepu_domain::org::Region;
use kepu_domain::record::Body;
use kepu_domain::trust::TrustView;
use kepu_domain::vocabulary::{AUDIENCES, FIELDS, Vocabulary};
use kepu_store::Tx;
use kepu_store::subject::{self, Filter, Order, Row, Standing};

/// A row as lists show it.
#[derive(Clone, Debug)]
pub struct Line {
    /// Address of its page.
    pub href: String,
    /// Title or claim, in the page's language if there is one.
    pub title: String,
    /// `lang` of the title where it differs from the page's.
    pub lang: Html,
    /// One sentence.
    pub summary: String,
    /// `claim` or `resource`.
    pub kind: String,
    /// Verdict of a claim, as stored.
    pub verdict: String,
    /// Who signed it: the institution.
    pub by: String,
    /// Date of the content.
    pub date: Html,
    /// Invented for demonstration.
    pub sample: bool,
    /// Whether it was corrected.
    pub corrected: bool,
}

impl Line {
    /// From a public row.
    pub fn new(s: &Shell, row: &Row, trust: &TrustView) -> Self {
        Self {
            href: urls::of_kind(&row.kind, &row.id),
            title: s.pick(&row.title, &row.title_en).to_owned(),
            lang: s.pick_attr(&row.lang, &row.title_en),
            summary: row.summary.clone(),
            kind: row.kind.clone(),
            verdict: row.verdict.clone(),
            by: holder(trust, row),
            date: s.day(&row.date),
            sample: row.sample,
            corrected: row.corrected > 0,
        }
    }
}

/// The institution that signed a row.
pub fn holder(trust: &TrustView, row: &Row) -> String {
    trust.grant(&row.signer).map(|grant| grant.holder.clone()).unwrap_or_default()
}

/// Several rows.
pub fn lines(s: &Shell, rows: &[Row], trust: &TrustView) -> Vec<Line> {
    rows.iter().map(|row| Line::new(s, row, trust)).collect()
}

/// One choice of a `<select>`.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Value sent.
    pub value: String,
    /// Words.
    pub text: String,
    /// Whether it is the present one.
    pub on: bool,
}

/// The choices of one `<select>`; the first one is "any".
pub fn choices<'a>(any: String, list: impl Iterator<Item = (String, String)> + 'a, present: &'a str) -> Vec<Choice> {
    let first = Choice { value: String::new(), text: any, on: present.is_empty() };
    std::iter::once(first).chain(list.map(move |(value, text)| Choice { on: value == present, value, text })).collect()
}

fn named(s: &Shell, vocabulary: &'static Vocabulary) -> impl Iterator<Item = (String, String)> {
    let english = s.is_en();
    vocabulary.terms().iter().map(move |term| (term.id.clone(), if english { term.en.clone() } else { term.zh.clone() }))
}

/// Fields.
pub fn field_choices(s: &Shell, present: &str) -> Vec<Choice> {
    choices(s.t("any-field"), named(s, &FIELDS), present)
}
/// Audiences.
pub fn audience_choices(s: &Shell, present: &str) -> Vec<Choice> {
    choices(s.t("any-audience"), named(s, &AUDIENCES), present)
}
/// Verdicts.
pub fn verdict_choices(s: &Shell, present: &str) -> Vec<Choice> {
    choices(s.t("any-verdict"), VERDICTS.iter().map(|v| (v.as_str().to_owned(), s.verdict_word(v.as_str()))), present)
}
/// The node's own line of places, then all provinces.
pub fn region_choices(s: &Shell, own: Region, present: &str) -> Vec<Choice> {
    let own: Vec<Region> = own.chain().into_iter().skip(1).rev().collect();
    let others = divisions_below(Region::NATION).into_iter().map(|org| org.region).filter(|region| !own.contains(region)).collect::<Vec<_>>();
    let mut list = choices(s.t("any-place"), own.iter().chain(&others).map(|region| (region.to_string(), s.place(region))), present);
    // A place that came by a link and stands in no list is shown all the same.
    if let Some(org) = Region::parse(present).ok().and_then(division).filter(|_| !list.iter().any(|choice| choice.on)) {
        list.push(Choice { value: present.to_owned(), text: org.name.clone(), on: true });
    }
    list
}

/// What the sentence above a list asks for.
pub fn filter(query: &Fields, kind: &str) -> Filter {
    let opt = |name: &str| query.opt(name).map(|v| v.chars().take(40).collect::<String>());
    Filter {
        kind: Some(kind.to_owned()),
        standing: Some(Standing::Public),
        verdict: opt("verdict"),
        field: opt("field"),
        audience: opt("audience"),
        type_: opt("type"),
        hazard: opt("hazard"),
        lang: opt("in"),
        region_chain: query.opt("region").and_then(|code| Region::parse(code).ok()).map(Region::chain).unwrap_or_default(),
        corrected_only: query.opt("corrected").is_some(),
        ..Filter::default()
    }
}

/// `?sort=`: `title`, `corrected`, else the newest first.
pub fn order(query: &Fields) -> Order {
    match query.get("sort") {
        "title" => Order::Title,
        "corrected" => Order::Corrected,
        _ => Order::Newest,
    }
}

/// One page of a list with the number of rows on all pages.
pub async fn page_of(tx: &mut Tx, filter: &Filter, order: Order, page: usize, size: usize) -> Result<(Vec<Row>, usize), AppError> {
    let total = usize::try_from(subject::count(tx, filter).await?).unwrap_or_default();
    let limit = u32::try_from(page * size).unwrap_or(u32::MAX);
    let rows = subject::list(tx, filter, order, None, limit).await?;
    Ok((rows.into_iter().skip((page - 1) * size).collect(), total))
}

/// The title of a subject for whoever reads the page; of one that has none left its id.
pub(crate) fn title_of(s: &Shell, row: &Row) -> String {
    if row.title.is_empty() { row.id.0.clone() } else { s.pick(&row.title, &row.title_en).to_owned() }
}

/// The message for something taken back: for ever, or while it is looked at again.
pub(crate) fn taken_word(row: &Row) -> &'static str {
    if row.held.is_some() { "recall-held" } else { "withdrawn" }
}

/// What was corrected or withdrawn, as short lists tell it.
#[derive(Clone, Debug)]
pub struct Change {
    /// Address of its page.
    pub href: String,
    /// Title.
    pub title: String,
    /// What was wrong, or why it was withdrawn.
    pub text: String,
    /// When.
    pub day: Html,
    /// Milliseconds, to sort by.
    pub at: i64,
    /// What happened, in a word.
    pub word: String,
}

/// The latest corrections and withdrawals, newest first.
pub async fn changes(web: &Web, req: &Req, tx: &mut Tx, limit: u32) -> Result<Vec<Change>, AppError> {
    let s = &req.shell;
    let public = Filter { standing: Some(Standing::Public), ..Filter::default() };
    let mut list = Vec::new();
    for row in subject::list(tx, &public, Order::Corrected, None, limit).await? {
        let text = corrections(web, tx, &row).await?.into_iter().next().map(|c| c.text).unwrap_or_default();
        list.push(change(s, &row, text, row.corrected, false));
    }
    // What has neither text nor title left, such as a card that its owner took back, is no news for readers.
    for row in subject::list(tx, &Filter::default(), Order::Withdrawn, None, limit).await?.into_iter().filter(|row| !row.title.is_empty()) {
        let text = row.reason.clone();
        list.push(change(s, &row, text, row.withdrawn_at.unwrap_or_default(), true));
    }
    list.sort_by(|a, b| (b.at, &b.href).cmp(&(a.at, &a.href)));
    list.truncate(limit as usize);
    Ok(list)
}

fn change(s: &Shell, row: &Row, text: String, at: i64, withdrawn: bool) -> Change {
    let title = title_of(s, row);
    let word = s.t(if withdrawn { taken_word(row) } else { "corrected" });
    Change { href: urls::of_kind(&row.kind, &row.id), title, text, day: s.day_ms(&at), at, word }
}

async fn corrections(web: &Web, tx: &mut Tx, row: &Row) -> Result<Vec<Correction>, AppError> {
    let found = kepu_app::create::publish::current(&web.app, tx, &row.id).await?;
    Ok(match found.and_then(|(_, record)| record).and_then(|record| record.body.ok()) {
        Some(Body::Resource(r)) => r.corrections,
        Some(Body::Claim(c)) => c.corrections,
        _ => vec![],
    })
}

/// Rows as CSV with a byte order mark, as office programs expect it.
pub fn csv(s: &Shell, rows: &[Row], trust: &TrustView) -> String {
    let head = ["id", "kind", "title", "title_en", "verdict", "summary", "fields", "audience", "region", "date", "publisher", "address", "sample"];
    let mut out = format!("\u{feff}{}\r\n", head.join(","));
    for row in rows {
        let cells = [
            row.id.0.clone(),
            row.kind.clone(),
            row.title.clone(),
            row.title_en.clone(),
            row.verdict.clone(),
            row.summary.clone(),
            row.fields.join(";"),
            row.audience.join(";"),
            row.region.to_string(),
            row.date.clone(),
            holder(trust, row),
            format!("{}{}", s.origin, urls::of_kind(&row.kind, &row.id)),
            row.sample.to_string(),
        ];
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push_str("\r\n");
    }
    out
}

/// A CSV file to be saved.
pub(crate) fn attachment(name: &str, csv: String) -> Response {
    let place = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, place.as_str())], csv).into_response()
}

/// One cell. What a spreadsheet would run as a formula gets an apostrophe in front.
pub fn csv_cell(text: &str) -> String {
    let guarded = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", guarded.replace('"', "\"\"")) } else { guarded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_runs_nothing() {
        assert_eq!(csv_cell("=1+1"), "'=1+1");
        assert_eq!(csv_cell("水，\"盐\",糖"), "\"水，\"\"盐\"\",糖\"");
    }
}
