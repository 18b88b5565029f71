//! Search over claims and resources. The same field asks "is this true?": a claim that says the same stands on top.

use crate::Web;
use crate::line::{Choice, Line, audience_choices, choices, field_choices, region_choices};
use crate::page::{Answer, Html, Pager, Req, Shell, escape, page};
use crate::subject::{Name, reviewers};
use crate::urls;
use askama::Template;
use axum::extract::State;
use kepu_app::create::publish::current;
use kepu_app::listen::claim::{Checked, check};
use kepu_app::listen::hear::Said;
use kepu_app::{AppError, phrase};
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::sighting::Channel;
use kepu_domain::org::Region;
use kepu_domain::record::Body;
use kepu_domain::trust::TrustView;
use kepu_search::{Hit, Query, Sort, Span, Why};
use kepu_store::Tx;
use kepu_store::subject::{self, Filter, Order, Row, Standing};
use std::collections::HashMap;

/// Hits on a page.
const SIZE: usize = 10;
/// User characters from which on a query may be a statement.
const STATEMENT: usize = 6;

/// How sure the engine must be of an answer before it stands on top of a page.
const SURE: f32 = 0.4;

/// Something found, with the part of its text that says why.
pub struct Found {
    /// As in any list.
    pub line: Line,
    /// The part of its text with the hits marked.
    pub snippet: Html,
    /// Which words of the query stand where.
    pub why: String,
}

/// A sentence of a resource quoted as the answer, with who stands for it.
pub struct Quoted {
    /// The sentence.
    pub quote: String,
    /// The resource.
    pub line: Line,
    /// Its reviewers.
    pub by: Vec<Name>,
    /// When they last looked.
    pub reviewed: Html,
}

/// What a language model may add, where the operator has named one and a reader asks for it.
#[derive(Default)]
struct Phrased {
    /// Address that asks it, or empty.
    offer: String,
    /// Its name.
    model: String,
    /// Whether it was asked.
    asked: bool,
    /// Sentences that a quoted passage holds, with address and title of where that stands.
    said: Vec<(String, String, String)>,
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    s: Shell,
    q: String,
    kinds: Vec<Choice>,
    fields: Vec<Choice>,
    audiences: Vec<Choice>,
    regions: Vec<Choice>,
    sorts: Vec<Choice>,
    same: Option<Line>,
    quoted: Option<Quoted>,
    phrased: Phrased,
    /// Nothing holds the words; what is shown sounds or looks like them.
    guessed: bool,
    /// Something that somebody said, and no claim like it: asking is offered ahead of texts that merely share words with it.
    unanswered: bool,
    total: usize,
    claims: Vec<Found>,
    resources: Vec<Found>,
    pager: Pager,
    truncated: bool,
}

/// GET /search
pub async fn search(State(web): State<Web>, req: Req) -> Answer {
    let q = kepu_text::clean::clean_line(req.query.get("q"));
    let title = if q.is_empty() { req.shell.t("search-title") } else { req.shell.t1("search-title-for", "q", short(&q)) };
    let s = req.titled(title).script("suggest.js");
    let at = req.page_number();
    let query = Query { facets: ["kind", "field", "audience"].map(str::to_owned).into(), ..query_of(&req, &q, (at - 1) * SIZE, SIZE) };
    let found = find(&web, &query).await?;
    // One or two words are a subject to read about, not something somebody said: no verdict stands on top of them.
    let answer = if at == 1 && kepu_text::count(&q) >= STATEMENT {
        check(&web.app, &Said { text: q.clone(), channel: Channel::Search, region: None, at: web.app.now() }, 1).await?
    } else {
        Checked::default()
    };

    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let trust = web.app.trust(&mut tx).await?;
    let near = !answer.matches.is_empty();
    let answered = answer.answered();
    let same = answer.matches.into_iter().next().filter(|_| answered).map(|m| Line::new(&s, &m.row, &trust));
    let (mut claims, mut resources) = (Vec::new(), Vec::new());
    let quoted = match found.answer.filter(|answer| answer.confidence >= SURE && same.is_none()) {
        Some(answer) => quoted(&web, &s, &mut tx, answer, &trust).await?,
        None => None,
    };
    let hits = with_rows(&mut tx, found.hits).await?;
    let phrased = if quoted.is_some() { phrased(&web, &req, &q, &hits).await } else { Phrased::default() };
    for (hit, row) in hits {
        let line = Line::new(&s, &row, &trust);
        let found = Found { snippet: marked(&hit.snippet), why: why(&s, &hit.why), line };
        if row.kind == "claim" { claims.push(found) } else { resources.push(found) }
    }
    let unanswered = at == 1 && kepu_text::count(&q) >= STATEMENT && !near && quoted.is_none() && req.query.opt("kind").is_none();
    let kind = |value: &str, text: String| (value.to_owned(), text);
    Ok(page(&SearchPage {
        kinds: counted(
            &found.facets,
            "kind",
            choices(s.t("any-kind"), [kind("claim", s.t("kind-claims")), kind("resource", s.t("kind-resources"))].into_iter(), req.query.get("kind")),
        ),
        fields: counted(&found.facets, "field", field_choices(&s, req.query.get("field"))),
        audiences: counted(&found.facets, "audience", audience_choices(&s, req.query.get("audience"))),
        regions: region_choices(&s, web.settings.region, req.query.get("region")),
        sorts: choices(s.t("sort-relevance"), [kind("newest", s.t("sort-newest"))].into_iter(), req.query.get("sort")),
        pager: Pager::new(&s, at, SIZE, found.total),
        q,
        same,
        quoted,
        phrased,
        guessed: found.guessed,
        unanswered,
        total: found.total,
        claims,
        resources,
        truncated: found.truncated,
        s,
    }))
}

/// The answer with its source, if that is a resource which is still public.
async fn quoted(web: &Web, s: &Shell, tx: &mut Tx, answer: kepu_search::Answer, trust: &TrustView) -> Result<Option<Quoted>, AppError> {
    let Some((row, Some(record))) = current(&web.app, tx, &SubjectId(answer.id)).await? else { return Ok(None) };
    let Ok(Body::Resource(resource)) = &record.body else { return Ok(None) };
    if row.standing != Standing::Public {
        return Ok(None);
    }
    let reviewed = resource.reviews.iter().map(|review| review.date).max().map_or_else(Html::default, |day| s.date(&day));
    Ok(Some(Quoted { quote: answer.quote, line: Line::new(s, &row, trust), by: reviewers(s, &resource.reviews), reviewed }))
}

/// What the model says of the best passages. The node waits for it only if the reader asked; whatever goes wrong there, the quotes stay.
async fn phrased(web: &Web, req: &Req, q: &str, hits: &[(Hit, Row)]) -> Phrased {
    let Some(model) = &web.settings.model else { return Phrased::default() };
    let name = model.name.clone();
    if req.query.opt("phrased").is_none() {
        return Phrased { offer: req.shell.here_with("phrased", "1"), model: name, ..Phrased::default() };
    }
    let best: Vec<&(Hit, Row)> = hits.iter().filter(|(hit, _)| !hit.passage.is_empty()).take(phrase::PASSAGES).collect();
    let passages: Vec<String> = best.iter().map(|(hit, row)| format!("{}。{}", row.title, hit.passage)).collect();
    let said = phrase::phrase(model, q, &passages).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "the model did not answer");
        vec![]
    });
    let source = |n: usize| best.get(n).map(|(_, row)| (urls::of_kind(&row.kind, &row.id), row.title.clone())).unwrap_or_default();
    let line = |one: phrase::Said| {
        let (href, title) = source(one.passage);
        (one.text, href, title)
    };
    Phrased { model: name, asked: true, said: said.into_iter().map(line).collect(), ..Phrased::default() }
}

/// Which words of the query stand where, in one line; empty for a listing.
fn why(s: &Shell, why: &Why) -> String {
    let list = |words: &[String]| words.join(&s.t("comma-list"));
    let mut parts = Vec::new();
    if !why.title.is_empty() {
        parts.push(s.t1("search-why-title", "words", list(&why.title)));
    }
    if !why.text.is_empty() {
        parts.push(s.t1("search-why-text", "words", list(&why.text)));
    }
    parts.extend(why.everyday.iter().take(3).map(|(said, word)| s.t2("search-why-everyday", "said", said, "word", word)));
    parts.join(&s.t("search-why-between"))
}

/// `list` with how many of everything found each choice would leave.
fn counted(facets: &[(String, Vec<(String, usize)>)], name: &str, mut list: Vec<Choice>) -> Vec<Choice> {
    let counts = facets.iter().find(|(known, _)| known == name).map_or(&[][..], |(_, values)| values);
    for choice in &mut list {
        if let Some((_, count)) = counts.iter().find(|(value, _)| *value == choice.value) {
            choice.text = format!("{} ({count})", choice.text);
        }
    }
    list
}

fn short(q: &str) -> String {
    let cut = kepu_text::graphemes::truncate(q, 30);
    if cut.len() < q.len() { format!("{cut}…") } else { cut.to_owned() }
}

/// Titles offered while somebody types.
pub const SUGGESTIONS: usize = 8;

/// Public things whose title or text goes on from what was typed so far, the best first.
pub async fn suggestions(web: &Web, typed: &str) -> Result<Vec<Row>, AppError> {
    let text = kepu_text::clean::clean_line(typed);
    if kepu_text::count(&text) < 2 {
        return Ok(vec![]);
    }
    let kinds = vec!["claim".to_owned(), "resource".to_owned()];
    let found = find(web, &Query { text: text.clone(), kinds, limit: 3 * SUGGESTIONS, ..Query::default() }).await?;
    let mut tx = web.app.db.read().await?;
    let mut rows: Vec<Row> = with_rows(&mut tx, found.hits).await?.into_iter().map(|(_, row)| row).collect();
    // What begins with it, then what has it in the title, then the rest; within each as the search orders them.
    let key = kepu_text::fold::fold(&text);
    rows.sort_by_key(|row| kepu_text::fold::fold(&row.title).find(&key).map_or(2, |at| usize::from(at > 0)));
    rows.truncate(SUGGESTIONS);
    Ok(rows)
}

/// What the query of a request asks the index for.
pub fn query_of(req: &Req, text: &str, offset: usize, limit: usize) -> Query {
    let opt = |name: &str| req.query.opt(name).map(str::to_owned);
    let kinds = match req.query.get("kind") {
        "claim" => vec!["claim".to_owned()],
        "resource" => vec!["resource".to_owned()],
        _ => vec!["claim".to_owned(), "resource".to_owned()],
    };
    Query {
        text: text.to_owned(),
        kinds,
        field: opt("field"),
        audience: opt("audience"),
        region_chain: opt("region").and_then(|r| Region::parse(&r).ok()).map(|r| r.chain().iter().map(Region::to_string).collect()).unwrap_or_default(),
        lang: opt("in"),
        offset,
        limit,
        sort: if req.query.get("sort") == "newest" { Sort::Newest } else { Sort::Relevance },
        ..Query::default()
    }
}

/// Asks the index; without one, looks at the titles of the newest.
pub async fn find(web: &Web, query: &Query) -> Result<kepu_search::Page, AppError> {
    if web.app.index.is_none() {
        return without_index(web, query).await;
    }
    let (app, query) = (web.app.clone(), query.clone());
    let found = tokio::task::spawn_blocking(move || app.index.as_ref().map(|index| index.search(&query))).await;
    match found {
        Ok(Some(result)) => Ok(result?),
        _ => Ok(kepu_search::Page::default()),
    }
}

async fn without_index(web: &Web, query: &Query) -> Result<kepu_search::Page, AppError> {
    let key = kepu_text::fold::fold(&query.text);
    let mut tx = web.app.db.read().await?;
    let filter = Filter { standing: Some(Standing::Public), field: query.field.clone(), audience: query.audience.clone(), ..Filter::default() };
    let rows = subject::list(&mut tx, &filter, Order::Newest, None, 2_000).await?;
    let fits = |row: &Row| query.kinds.contains(&row.kind) && kepu_text::fold::fold(&format!("{} {}", row.title, row.summary)).contains(&key);
    let hits: Vec<Hit> = rows
        .into_iter()
        .filter(fits)
        .map(|row| Hit { id: row.id.0, kind: row.kind, snippet: vec![Span { text: row.summary, hit: false }], ..Hit::default() })
        .collect();
    let total = hits.len();
    Ok(kepu_search::Page { total, hits: hits.into_iter().skip(query.offset).take(query.limit).collect(), ..kepu_search::Page::default() })
}

/// Hits with their public rows. The index may lag a moment: what was just withdrawn is left out.
pub async fn with_rows(tx: &mut Tx, hits: Vec<Hit>) -> Result<Vec<(Hit, Row)>, AppError> {
    let ids: Vec<SubjectId> = hits.iter().map(|hit| SubjectId(hit.id.clone())).collect();
    let mut rows: HashMap<String, Row> = subject::find_many(tx, &ids).await?.into_iter().map(|row| (row.id.0.clone(), row)).collect();
    Ok(hits.into_iter().filter_map(|hit| rows.remove(&hit.id).filter(|row| row.standing == Standing::Public).map(|row| (hit, row))).collect())
}

fn marked(spans: &[Span]) -> Html {
    Html(spans.iter().map(|span| if span.hit { format!("<mark>{}</mark>", escape(&span.text)) } else { escape(&span.text) }).collect())
}
