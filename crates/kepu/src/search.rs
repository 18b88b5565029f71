//! `kepu search`: an index of documents in files, and questions asked of it; no node needed. Shapes of rows as in the
//! contract of the commands: one JSON object a line, refused lines named on standard error, results on standard output.

use crate::input;
use crate::measure::Usage;
use anyhow::{Context, bail};
use kepu_search::{Doc, Index, Query};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Longest line in bytes; a longer one is refused without being read.
const LINE_MAX: usize = 16 << 20;
/// Longest id in bytes.
const ID_MAX: usize = 512;
/// Questions that are answered before their answers are written.
const BATCH: usize = 4_096;
/// Refused lines that are named one by one.
const NAMED_MAX: usize = 1_000;

/// `kepu search …`
#[derive(clap::Subcommand)]
pub enum Search {
    /// Make an index of documents, in place of the one that is there.
    Index {
        /// JSON lines with id, title and text; other members can be filtered by. Also .gz and .zst; - for standard input.
        #[arg(long)]
        docs: PathBuf,
        /// Folder of the index.
        #[arg(long)]
        index: PathBuf,
        /// The optional encoder (see kepu encoder add --help): also read every document with it now, so that `search run` need not.
        #[arg(long, value_name = "FILE")]
        encoder: Option<PathBuf>,
        #[command(flatten)]
        how: How,
    },
    /// Ask an index.
    Run {
        /// Folder of the index.
        #[arg(long)]
        index: PathBuf,
        /// JSON lines with qid and question. Also .gz and .zst; - for standard input.
        #[arg(long)]
        queries: PathBuf,
        /// Hits for each question.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
        top: u16,
        /// Only documents whose member has this value, such as kind=law. All that are named must hold.
        #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
        filter: Vec<(String, String)>,
        /// Also count the values of this member among everything found.
        #[arg(long, value_name = "NAME")]
        facet: Vec<String>,
        /// The optional encoder (see kepu encoder add --help): questions in everyday words find more. What it reads is kept beside the index.
        #[arg(long, value_name = "FILE")]
        encoder: Option<PathBuf>,
        #[command(flatten)]
        how: How,
    },
}

/// With how many processors, and whether to tell the time.
#[derive(clap::Args)]
pub struct How {
    /// Threads; default: one for each processor.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Print time and memory as JSON on standard error.
    #[arg(long)]
    time: bool,
}

impl How {
    fn threads(&self) -> usize {
        self.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get), usize::from)
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl Search {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Search::Index { docs, index, encoder, how } => make(&docs, &index, encoder.as_deref(), &how),
            Search::Run { index, queries, top, filter, facet, encoder, how } => ask(&index, &queries, encoder.as_deref(), &how, &move |text| Query {
                text,
                more: filter.clone(),
                facets: facet.clone(),
                at_least: usize::from(top),
                limit: usize::from(top),
                ..Query::default()
            }),
        }
    }
}

fn make(docs: &Path, dir: &Path, encoder: Option<&Path>, how: &How) -> anyhow::Result<ExitCode> {
    let encoder = encoder.map(crate::encoder::open).transpose()?;
    let mut rows = Rows::open(docs)?;
    let begun = Usage::now();
    let index = Index::open(dir)?;
    if let Some(encoder) = encoder {
        index.use_encoder(encoder, dir)?;
    }
    index.clear()?;
    let (mut ids, mut load_s) = (HashSet::new(), 0.0);
    let mut failed = None;
    let mut next = || {
        let loading = Instant::now();
        let doc = loop {
            match rows.next(document) {
                Err(error) => {
                    failed = Some(error);
                    break None;
                }
                Ok(Some(doc)) if !ids.insert(doc.id.clone()) => rows.refuse(&format!("another document before it has the id {}", doc.id)),
                Ok(doc) => break doc,
            }
        };
        load_s += loading.elapsed().as_secs_f64();
        doc
    };
    let building = Instant::now();
    let count = index.fill(&mut std::iter::from_fn(&mut next), how.threads())?;
    if let Some(error) = failed {
        return Err(error);
    }
    let build_s = building.elapsed().as_secs_f64() - load_s;
    let reading = Instant::now();
    let stretches = index.read_ahead(how.threads(), &mut |done| {
        if done.is_multiple_of(1_024) {
            eprintln!("kepu: {done} stretches of text read with the encoder");
        }
        true
    })?;
    if how.time {
        eprintln!("{}", begun.since(count, &[("load_s", load_s), ("build_s", build_s), ("read_s", reading.elapsed().as_secs_f64())]));
    }
    let mut line = json!({"documents": count, "refused": rows.refused, "index_bytes": bytes_in(dir)});
    if stretches > 0 {
        line["stretches"] = json!(stretches);
    }
    println!("{line}");
    rows.end(count)
}

fn ask(dir: &Path, queries: &Path, encoder: Option<&Path>, how: &How, query: &(dyn Fn(String) -> Query + Sync)) -> anyhow::Result<ExitCode> {
    if !Index::is_in(dir) {
        bail!("there is no search index in {}; make one with: kepu search index --docs FILE --index {}", dir.display(), dir.display());
    }
    let begun = Usage::now();
    let index = Index::open(dir)?;
    if index.was_reset() {
        bail!("the search index in {} was damaged or of another version and is empty now; make it again with: kepu search index", dir.display());
    }
    if let Some(path) = encoder {
        index.use_encoder(crate::encoder::open(path)?, dir)?;
    }
    let mut rows = Rows::open(queries)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let (mut count, mut load_s) = (0, 0.0);
    loop {
        let loading = Instant::now();
        let mut batch = Vec::new();
        while batch.len() < BATCH
            && let Some(asked) = rows.next(question)?
        {
            batch.push(asked);
        }
        load_s += loading.elapsed().as_secs_f64();
        if batch.is_empty() {
            break;
        }
        count += batch.len();
        for line in answers(&index, &batch, how.threads(), query)? {
            writeln!(out, "{line}").context("cannot write the answers")?;
        }
    }
    out.flush().context("cannot write the answers")?;
    if how.time {
        eprintln!("{}", begun.since(count, &[("load_s", load_s)]));
    }
    rows.end(count)
}

/// The answers to `batch` in its order, each thread taking a part.
fn answers(index: &Index, batch: &[(Value, String)], threads: usize, query: &(dyn Fn(String) -> Query + Sync)) -> anyhow::Result<Vec<Value>> {
    let part = batch.len().div_ceil(threads.max(1)).max(1);
    let parts: Vec<anyhow::Result<Vec<Value>>> = std::thread::scope(|scope| {
        let work = |asked: &(Value, String)| answer(index, asked, query);
        let running: Vec<_> = batch.chunks(part).map(|part| scope.spawn(move || part.iter().map(work).collect())).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    Ok(parts.into_iter().collect::<anyhow::Result<Vec<_>>>()?.concat())
}

fn answer(index: &Index, (qid, text): &(Value, String), query: &(dyn Fn(String) -> Query + Sync)) -> anyhow::Result<Value> {
    let page = index.search(&query(text.clone()))?;
    let hits: Vec<Value> = page.hits.iter().map(|hit| json!({"id": hit.id, "score": hit.score, "passage": hit.passage})).collect();
    let quote = page.answer.map(|answer| json!({"quote": answer.quote, "id": answer.id}));
    let mut line = json!({"qid": qid, "hits": hits, "answer": quote});
    if !page.facets.is_empty() {
        let counts = |values: Vec<(String, usize)>| values.into_iter().map(|(value, count)| (value, json!(count))).collect::<Map<_, _>>();
        line["total"] = json!(page.total);
        line["facets"] = page.facets.into_iter().map(|(name, values)| (name, Value::Object(counts(values)))).collect::<Map<_, _>>().into();
    }
    Ok(line)
}

fn document(mut row: Map<String, Value>) -> Result<Doc, String> {
    let id = match row.remove("id") {
        Some(Value::String(id)) if !id.trim().is_empty() && id.len() <= ID_MAX => id,
        Some(Value::Number(id)) => id.to_string(),
        Some(_) => return Err(format!("\"id\" must be a text of 1 to {ID_MAX} bytes")),
        None => return Err("\"id\" is missing".into()),
    };
    let mut prose = |name: &str, needed: bool| match row.remove(name) {
        Some(Value::String(text)) => Ok(text),
        None | Some(Value::Null) if !needed => Ok(String::new()),
        Some(_) => Err(format!("\"{name}\" must be a text")),
        None => Err(format!("\"{name}\" is missing")),
    };
    let (text, title) = (prose("text", true)?, prose("title", false)?);
    let more = row.into_iter().flat_map(|(name, value)| values(value).into_iter().map(move |value| (name.clone(), value))).collect();
    Ok(Doc { id, title, text, more, ..Doc::default() })
}

/// What a member can be filtered by; objects and nothing are nothing.
fn values(value: Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text],
        Value::Number(number) => vec![number.to_string()],
        Value::Bool(is) => vec![is.to_string()],
        Value::Array(list) => list.into_iter().flat_map(values).collect(),
        Value::Null | Value::Object(_) => Vec::new(),
    }
}

fn question(mut row: Map<String, Value>) -> Result<(Value, String), String> {
    let qid = row.remove("qid").filter(|qid| qid.is_string() || qid.is_number()).ok_or("\"qid\" must be a text or a number")?;
    match row.remove("question") {
        Some(Value::String(text)) => Ok((qid, text)),
        Some(_) => Err("\"question\" must be a text".into()),
        None => Err("\"question\" is missing".into()),
    }
}

/// Rows of a file of JSON lines, with those refused.
struct Rows {
    name: String,
    lines: BufReader<Box<dyn Read>>,
    line: usize,
    refused: usize,
}

impl Rows {
    fn open(path: &Path) -> anyhow::Result<Self> {
        Ok(Self { name: path.display().to_string(), lines: BufReader::with_capacity(1 << 20, input::open(path)?), line: 0, refused: 0 })
    }

    /// The next row that `read` takes; those before it that it does not take are named.
    fn next<T>(&mut self, read: impl Fn(Map<String, Value>) -> Result<T, String>) -> anyhow::Result<Option<T>> {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let length = self.lines.by_ref().take(LINE_MAX as u64).read_until(b'\n', &mut bytes).with_context(|| format!("cannot read {}", self.name))?;
            if length == 0 {
                return Ok(None);
            }
            self.line += 1;
            if length == LINE_MAX && !bytes.ends_with(b"\n") {
                self.lines.skip_until(b'\n').with_context(|| format!("cannot read {}", self.name))?;
                self.refuse(&format!("the line has more than {LINE_MAX} bytes"));
                continue;
            }
            if self.line == 1 && bytes.starts_with("\u{feff}".as_bytes()) {
                bytes.drain(..3);
            }
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let row = match serde_json::from_slice(&bytes) {
                Ok(Value::Object(row)) => read(row),
                Ok(_) => Err("a line must be one JSON object".to_owned()),
                Err(_) if std::str::from_utf8(&bytes).is_err() => Err("the line is not UTF-8".to_owned()),
                Err(error) => Err(format!("not JSON: {error}")),
            };
            match row {
                Ok(row) => return Ok(Some(row)),
                Err(reason) => self.refuse(&reason),
            }
        }
    }

    /// Names the line that was read last as refused.
    fn refuse(&mut self, reason: &str) {
        self.refused += 1;
        if self.refused <= NAMED_MAX {
            eprintln!("{} line {}: {reason}", self.name, self.line);
        }
    }

    /// The exit status after `taken` rows.
    fn end(&self, taken: usize) -> anyhow::Result<ExitCode> {
        if self.refused > NAMED_MAX {
            eprintln!("{}: {} lines more were refused", self.name, self.refused - NAMED_MAX);
        }
        if taken == 0 && self.refused > 0 {
            bail!("no line of {} could be used", self.name);
        }
        Ok(if self.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// Size of the files in a folder.
pub fn bytes_in(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).expect("an object")
    }

    #[test]
    fn other_members_become_filters() {
        let doc =
            document(row(r#"{"id": 7, "title": "水", "text": "水分子", "kind": "wiki", "tags": ["a", "b"], "mt": true, "deep": {"x": 1}, "none": null}"#))
                .expect("a document");
        assert_eq!((doc.id.as_str(), doc.title.as_str()), ("7", "水"));
        let more: Vec<String> = doc.more.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(more, ["kind=wiki", "mt=true", "tags=a", "tags=b"]);
    }

    #[test]
    fn what_cannot_be_a_document_or_question_says_why() {
        for (text, reason) in [
            (r#"{"title": "水"}"#, "\"id\" is missing"),
            (r#"{"id": ""}"#, "\"id\" must be a text of 1 to 512 bytes"),
            (r#"{"id": "a", "title": "水"}"#, "\"text\" is missing"),
            (r#"{"id": "a", "title": 1, "text": "水"}"#, "\"title\" must be a text"),
        ] {
            assert_eq!(document(row(text)).expect_err(text), reason);
        }
        assert!(question(row(r#"{"qid": null, "question": "水"}"#)).is_err());
        assert!(question(row(r#"{"qid": 1, "question": 2}"#)).is_err());
        assert_eq!(question(row(r#"{"qid": 1, "question": "水"}"#)), Ok((json!(1), "水".to_owned())));
    }
}
