//! Taking in many resources at once: JSON lines or CSV, mapped by field names. What a whole batch may be signed off for is
//! published; what needs individual reviewers becomes a draft; what cannot be taken comes back with line and reason.

use crate::account::log;
use crate::create::draft::{begin_in, check_lengths, clean};
use crate::create::publish::saying_of;
use crate::error::AppError;
use crate::{App, keys, record};
use jiff::ToSpan;
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::draft::Matter;
use kepu_domain::create::resource::{AiUse, Credit, Resource, Source, Weight};
use kepu_domain::create::review::{Method, SignOff};
use kepu_domain::ids::{OrgId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::publication::Policy;
use kepu_domain::vocabulary::{AUDIENCES, FIELDS, RESOURCE_TYPES, licence};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Who answers for a batch and what fills gaps in its rows.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Name under the batch sign-off.
    pub signed_by: String,
    /// Institution.
    pub org_name: String,
    /// Licence of rows that name none.
    pub licence: String,
    /// Field of rows that name none.
    pub field: String,
    /// Place of rows that name none.
    pub region: Region,
    /// Organisation that drafts belong to.
    pub org: OrgId,
}

/// What became of a file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Rows read.
    pub rows: usize,
    /// Published.
    pub published: usize,
    /// Kept as drafts, because their field needs individual reviewers.
    pub drafts: usize,
    /// Taken, with something to know: line and words.
    pub warnings: Vec<(usize, String)>,
    /// Not taken: line and reason.
    pub refused: Vec<(usize, String)>,
    /// How many rows got the batch's licence because they named none.
    pub licence_filled: usize,
}

/// Rows of a file, each with its line (from 1) or why it cannot be read.
pub type Rows = Vec<(usize, Result<BTreeMap<String, String>, String>)>;

/// Reads JSON lines or CSV in UTF-8, UTF-16 or GB 18030.
pub fn read_rows(bytes: &[u8]) -> Result<(Rows, Vec<(usize, String)>), AppError> {
    let decoded = kepu_text::decode(bytes).map_err(|e| AppError::Record(e.to_string()))?;
    let warnings = decoded.warnings.iter().map(|w| (w.line, w.text.clone())).collect();
    let text = decoded.text;
    if text.trim_start().starts_with('{') {
        let rows = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(at, line)| (at + 1, serde_json::from_str::<Value>(line).map_err(|e| format!("not readable as JSON: {e}")).and_then(flatten)))
            .collect();
        return Ok((rows, warnings));
    }
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|e| AppError::Record(format!("line 1: {e}")))?.clone();
    let rows = reader
        .records()
        .enumerate()
        .map(|(at, row)| match row {
            Ok(row) => {
                let line = row.position().map_or(at + 2, |p| p.line() as usize);
                (line, Ok(headers.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect()))
            }
            Err(error) => (error.position().map_or(at + 2, |p| p.line() as usize), Err(error.to_string())),
        })
        .collect();
    Ok((rows, warnings))
}

/// Texts stay, lists are joined by `;`, numbers and truth values become text; nested objects are passed over.
fn flatten(value: Value) -> Result<BTreeMap<String, String>, String> {
    let Value::Object(map) = value else { return Err("the line is no JSON object".into()) };
    let text = |v: &Value| match v {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    };
    Ok(map
        .iter()
        .filter_map(|(name, value)| match value {
            Value::Array(list) => Some((name.clone(), list.iter().filter_map(text).collect::<Vec<_>>().join(";"))),
            other => text(other).map(|t| (name.clone(), t)),
        })
        .collect())
}

/// Maps a row to a resource. Known columns: `title text summary subject|fields audience source|publisher url licence rights
/// kind|type lang date region mt`.
fn map(row: &BTreeMap<String, String>, batch: &Batch, today: jiff::civil::Date) -> Result<(Resource, bool, bool), String> {
    let cell = |name: &str| row.get(name).map(|s| s.trim()).filter(|s| !s.is_empty());
    let title = cell("title").ok_or("\"title\" is missing")?;
    let text = cell("text").ok_or("\"text\" is missing")?;
    let known = |list: Option<&str>, vocabulary: &kepu_domain::vocabulary::Vocabulary, default: &str| -> Vec<String> {
        let words: Vec<String> =
            list.unwrap_or_default().split([';', ',']).map(str::trim).filter(|w| vocabulary.find(w).is_some()).map(str::to_owned).collect();
        if words.is_empty() { vec![default.to_owned()] } else { words }
    };
    let fields = known(cell("fields").or(cell("subject")), &FIELDS, &batch.field);
    let audience = known(cell("audience"), &AUDIENCES, "public");
    let filled = cell("licence").is_none();
    let licence_text = cell("licence").unwrap_or(&batch.licence);
    let id = licence_id(licence_text).ok_or_else(|| format!("the licence \"{licence_text}\" is not one that may be passed on; see the list of licences"))?;
    let kind = cell("type").or(cell("kind")).map_or("article", |word| if RESOURCE_TYPES.find(word).is_some() { word } else { "article" });
    let region = match cell("region") {
        Some(code) => Region::parse(code).map_err(|e| e.to_string())?,
        None => batch.region,
    };
    let date = match cell("date") {
        Some(text) => text.parse().map_err(|_| format!("\"{text}\" is no date like 2026-01-31"))?,
        None => today,
    };
    let evidence = match kind {
        "law" => "official",
        "classic" => "historic",
        _ => "unverified",
    };
    let source = Source {
        title: cell("source").unwrap_or(&batch.org_name).to_owned(),
        publisher: cell("publisher").unwrap_or_default().to_owned(),
        kind: evidence.into(),
        date: date.to_string(),
        url: cell("url").filter(|u| u.starts_with("http")).map(str::to_owned),
    };
    let resource = Resource {
        title: kepu_text::truncate(title, 80).to_string(),
        title_en: cell("title_en").unwrap_or_default().to_owned(),
        summary: cell("summary").unwrap_or_default().to_owned(),
        text: text.to_owned(),
        kind: kind.to_owned(),
        fields,
        audience,
        sources: vec![source],
        licence: id,
        rights: cell("rights").or(cell("source")).unwrap_or(&batch.org_name).to_owned(),
        region,
        lang: cell("lang").unwrap_or("zh-Hans").to_owned(),
        date: date.min(today),
        expires: today.checked_add(1.year()).ok(),
        author: Credit { name: cell("author").or(cell("source")).unwrap_or(&batch.signed_by).to_owned(), ..Credit::default() },
        ai_use: if cell("mt") == Some("true") { AiUse::Assisted } else { AiUse::None },
        editions: BTreeMap::new(),
        hazard: String::new(),
        phase: String::new(),
        media: vec![],
        corrections: vec![],
        reviews: vec![],
        sample: cell("sample") == Some("true"),
    };
    Ok((resource, filled, kepu_text::count(title) > 80))
}

fn licence_id(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some((id, _)) = licence(text) {
        return Some(id.to_owned());
    }
    let lower = text.to_lowercase();
    let guess = if lower.contains("public domain") || lower.contains("unlicense") || lower.contains("art. 5") {
        "PD"
    } else if lower.contains("gpl") || lower.contains("-nd") || lower.contains("all rights") {
        return None;
    } else if lower.starts_with("cc-by-sa") || lower.starts_with("cc by-sa") {
        "CC-BY-SA-4.0"
    } else if lower.starts_with("cc0") {
        "CC0-1.0"
    } else if lower.starts_with("cc-by") || lower.starts_with("cc by") {
        "CC-BY-4.0"
    } else if lower.starts_with("mit") {
        "MIT"
    } else {
        return None;
    };
    Some(guess.into())
}

/// Imports rows in batches of 500; `progress` hears how many rows are done. Good rows enter, bad ones come back.
///
/// May: editors. Writes: records, subjects, drafts, log.
pub async fn import(app: &App, who: &Actor, rows: Rows, batch: &Batch, progress: impl Fn(usize)) -> Result<Report, AppError> {
    let mut report = Report { rows: rows.len(), ..Report::default() };
    let mut tx = app.db.read().await?;
    who.may(Action::Import, Some(&kepu_store::org::line(&mut tx, &batch.org).await?))?;
    let policy = app.trust(&mut tx).await?.policy.clone();
    drop(tx);
    let mut done = 0;
    for part in rows.chunks(500) {
        let mut tx = app.db.write().await?;
        let mut sayings = Vec::with_capacity(part.len());
        for (line, row) in part {
            let ready = row.clone().and_then(|row| prepare(app, &row, batch, &policy));
            match ready {
                Err(reason) => report.refused.push((*line, reason)),
                Ok(Ready { matter, publish, filled, cut }) => {
                    report.licence_filled += usize::from(filled);
                    if cut {
                        report.warnings.push((*line, "the title was cut to 80 characters".into()));
                    }
                    if publish {
                        let subject = SubjectId::new(&app.key.id().fingerprint(), &format!("r-{}", keys::random_word(10)));
                        let saying = saying_of(&subject, &matter);
                        sayings.push((*line, saying));
                    } else {
                        begin_in(app, &mut tx, who, &batch.org, matter, None, None).await?;
                        report.drafts += 1;
                    }
                }
            }
        }
        report.published += sayings.len();
        record::publish(app, &mut tx, sayings.into_iter().map(|(_, s)| s).collect()).await?;
        log(app, &mut tx, &who.log_name(), "import.batch", &part.len().to_string(), "ok").await?;
        tx.commit().await?;
        done += part.len();
        progress(done);
    }
    app.notify();
    Ok(report)
}

struct Ready {
    matter: Matter,
    publish: bool,
    filled: bool,
    cut: bool,
}

fn prepare(app: &App, row: &BTreeMap<String, String>, batch: &Batch, policy: &Policy) -> Result<Ready, String> {
    let today = app.today();
    let (resource, filled, cut) = map(row, batch, today)?;
    let fields = resource.fields.clone();
    let mut matter = clean(Matter::Resource(Box::new(resource)));
    check_lengths(&matter).map_err(|e| e.to_string())?;
    if let Some(finding) = matter.check(today).into_iter().find(|f| f.weight == Weight::Block) {
        return Err(format!("{}: {} {}", finding.field, finding.rule, finding.found));
    }
    let sign_off = SignOff {
        party: format!("batch:{}", batch.signed_by),
        name: batch.signed_by.clone(),
        org: batch.org_name.clone(),
        title: String::new(),
        fields,
        conflict: "批量签发：对整批来源负责，未逐篇评议".into(),
        date: today,
        method: Method::Batch,
        comment: String::new(),
    };
    matter.set_reviews(vec![sign_off]);
    let publish = policy.valid_reviews(&matter, &[]) >= policy.needed(&matter);
    if !publish {
        matter.set_reviews(vec![]);
    }
    Ok(Ready { matter, publish, filled, cut })
}
