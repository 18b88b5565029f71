//! `kepu bench search`: how often the right document comes first and the quoted sentence holds the answer, beside plain ways of searching in the same
//! run; and what it costs as documents grow from ten thousand to a million. The other ways are in `peers`.

mod peers;

use crate::bench::{Figure, quantile};
use crate::measure::Usage;
use crate::{input, search::bytes_in};
use anyhow::{Context, ensure};
use kepu_search::{Doc, Index, Query};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// Questions that are timed at each size.
const TIMED: usize = 2_000;
/// Sizes of the table of growth.
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];

/// A question with the documents that answer it.
pub struct Asked {
    kind: String,
    text: String,
    right: Vec<String>,
    answers: Vec<String>,
}

/// Measures on the documents and questions in `data`; growth up to `size` documents. Without the files nothing is measured and that is said.
pub fn run(data: &Path, questions: Option<&Path>, encoder: Option<&Path>, size: usize) -> anyhow::Result<Vec<Figure>> {
    let (docs, questions) = (data.join("documents.jsonl.zst"), questions.map_or_else(|| data.join("questions_dev.jsonl"), Path::to_owned));
    for path in [&docs, &questions] {
        if !path.is_file() {
            eprintln!("kepu: {} is not here, so search is not measured; name the folder with --data", path.display());
            return Ok(Vec::new());
        }
    }
    let docs: Vec<Doc> = rows(&docs)?.iter().map(doc).collect();
    let asked: Vec<Asked> = rows(&questions)?.iter().map(question).collect();
    ensure!(!docs.is_empty() && !asked.is_empty(), "there is nothing to ask or nobody who asks");
    let mut figures = quality(&docs, &asked, encoder)?;
    for count in SIZES.into_iter().filter(|count| *count <= size) {
        figures.extend(growth(&docs, &asked, count)?);
    }
    Ok(figures)
}

fn rows(path: &Path) -> anyhow::Result<Vec<Value>> {
    let bytes = input::read(path)?;
    let text = std::str::from_utf8(&bytes).with_context(|| format!("{} is not UTF-8", path.display()))?;
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).with_context(|| format!("{} is not JSON lines", path.display())))
        .collect()
}

fn word(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_default().to_owned()
}

fn words(row: &Value, name: &str) -> Vec<String> {
    row[name].as_array().into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

fn doc(row: &Value) -> Doc {
    let more = ["source", "licence"].map(|name| (name.to_owned(), word(row, name))).into();
    Doc {
        id: word(row, "id"),
        kind: word(row, "kind"),
        title: word(row, "title"),
        text: word(row, "text"),
        fields: vec![word(row, "subject")],
        lang: word(row, "lang"),
        more,
        ..Doc::default()
    }
}

fn question(row: &Value) -> Asked {
    Asked { kind: word(row, "type"), text: word(row, "question"), right: words(row, "relevant"), answers: words(row, "answers") }
}

fn ask(text: &str) -> Query {
    Query { text: text.to_owned(), at_least: 10, limit: 10, facets: vec!["field".into(), "kind".into()], ..Query::default() }
}

fn index(docs: &[Doc], dir: &Path) -> anyhow::Result<Index> {
    let index = Index::open(dir)?;
    index.fill(&mut docs.iter().cloned(), 1)?;
    Ok(index)
}

/// A way of searching: the ids of the ten best documents for a question.
pub type Way<'a> = Box<dyn Fn(&str) -> anyhow::Result<Vec<String>> + 'a>;

fn quality(docs: &[Doc], asked: &[Asked], encoder: Option<&Path>) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let index = index(docs, folder.path())?;
    let ours: Way<'_> = Box::new(|text| Ok(index.search(&ask(text))?.hits.into_iter().map(|hit| hit.id).collect()));
    let mut ways = vec![("kepu".to_owned(), ours)];
    ways.extend(peers::all(docs, folder.path())?);
    let mut figures = Vec::new();
    for (name, way) in &ways {
        figures.extend(recall(name, way, asked)?);
    }
    figures.extend(quotes(&index, asked)?);
    if let Some(path) = encoder {
        figures.extend(with_encoder(&index, path, asked)?);
    }
    Ok(figures)
}

/// The same index with the encoder, and the encoder alone over all documents. Last, because an index keeps its encoder.
fn with_encoder(index: &Index, path: &Path, asked: &[Asked]) -> anyhow::Result<Vec<Figure>> {
    let folder = path.parent().context("the encoder's file has no folder")?;
    index.use_encoder(crate::encoder::open(path)?, folder)?;
    let reading = Usage::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let stretches = index.read_ahead(threads, &mut |_| true)?;
    let mut figures = vec![
        Figure::new("encoder: stretches of text", stretches as f64, ""),
        Figure::new("encoder: reading those not known yet, processor", reading.cpu_s(), "s"),
    ];
    let both: Way<'_> = Box::new(|text| Ok(index.search(&ask(text))?.hits.into_iter().map(|hit| hit.id).collect()));
    figures.extend(recall("kepu with the encoder", &both, asked)?);
    let nearest = index.nearest()?.context("the encoder was just taken")?;
    let alone: Way<'_> = Box::new(|text| Ok(nearest.find(text, 10)));
    figures.extend(recall("encoder alone", &alone, asked)?);
    Ok(figures)
}

fn recall(name: &str, way: &Way<'_>, asked: &[Asked]) -> anyhow::Result<Vec<Figure>> {
    let mut by_kind: BTreeMap<&str, [f64; 5]> = BTreeMap::new();
    let mut times = Vec::with_capacity(asked.len());
    for one in asked {
        let begun = Instant::now();
        let found = way(&one.text)?;
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        let rank = found.iter().position(|id| one.right.contains(id)).unwrap_or(usize::MAX);
        for kind in [one.kind.as_str(), "all"] {
            let sums = by_kind.entry(kind).or_default();
            sums[0] += 1.0;
            for (at, within) in [1, 5, 10].into_iter().enumerate() {
                sums[at + 1] += f64::from(u8::from(rank < within));
            }
            sums[4] += if rank < 10 { 1.0 / (rank + 1) as f64 } else { 0.0 };
        }
    }
    times.sort_by(f64::total_cmp);
    let mut figures = Vec::new();
    for (kind, sums) in by_kind {
        for (at, metric) in ["R@1", "R@5", "R@10", "MRR"].into_iter().enumerate() {
            figures.push(Figure::new(format!("{name}: {kind} {metric}"), sums[at + 1] / sums[0], ""));
        }
    }
    figures.push(Figure::new(format!("{name}: a question p50"), quantile(&times, 0.5), "ms"));
    figures.push(Figure::new(format!("{name}: a question p99"), quantile(&times, 0.99), "ms"));
    Ok(figures)
}

/// How often an answer is quoted, and holds what the people who wrote the questions marked.
fn quotes(index: &Index, asked: &[Asked]) -> anyhow::Result<Vec<Figure>> {
    let plain = |text: &str| -> String { kepu_text::fold::fold(text).chars().filter(|c| !c.is_whitespace()).collect() };
    let (mut n, mut quoted, mut one, mut three) = (0.0, 0.0, 0.0, 0.0);
    for question in asked.iter().filter(|question| !question.answers.is_empty()) {
        let answers: Vec<String> = question.answers.iter().map(|answer| plain(answer)).filter(|answer| !answer.is_empty()).collect();
        let holds = |text: &str| f64::from(u8::from(answers.iter().any(|answer| plain(text).contains(answer.as_str()))));
        let page = index.search(&ask(&question.text))?;
        n += 1.0;
        if let Some(answer) = &page.answer {
            quoted += 1.0;
            one += holds(&answer.quote);
        }
        three += page.hits.first().map_or(0.0, |hit| holds(&hit.passage));
    }
    let share = |sum: f64| if n > 0.0 { sum / n } else { 0.0 };
    Ok(vec![
        Figure::new("kepu: an answer is quoted", share(quoted), ""),
        Figure::new("kepu: the best sentence holds the answer", share(one), ""),
        Figure::new("kepu: the passage of three holds the answer", share(three), ""),
    ])
}

/// Speed and size with `count` documents: those there are, again and again, each time with other numbers, sentences left out and a title of its own.
fn growth(docs: &[Doc], asked: &[Asked], count: usize) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let index = Index::open(folder.path())?;
    let mut bytes = 0;
    let building = Usage::now();
    let mut made = docs.iter().cycle().take(count).enumerate().map(|(at, doc)| {
        let doc = changed(doc, at, at / docs.len());
        bytes += doc.title.len() + doc.text.len();
        doc
    });
    index.fill(&mut made, 1)?;
    let (wall, cpu) = (building.wall_s(), building.cpu_s());
    let ms = |query: &Query| -> anyhow::Result<f64> {
        let begun = Instant::now();
        index.search(query)?;
        Ok(begun.elapsed().as_secs_f64() * 1_000.0)
    };
    let questions: Vec<Query> = asked.iter().step_by((asked.len() / TIMED).max(1)).map(|asked| ask(&asked.text)).collect();
    // Once to bring the files into memory, as on a node that has run for a while.
    for query in questions.iter().take(200) {
        ms(query)?;
    }
    let mut times = questions.iter().map(ms).collect::<anyhow::Result<Vec<f64>>>()?;
    times.sort_by(f64::total_cmp);
    let named = |metric: &str| format!("{count} documents: {metric}");
    Ok(vec![
        Figure::new(named("indexed"), count as f64 / wall, "documents/s"),
        Figure::new(named("indexed, processor"), cpu, "s"),
        Figure::new(named("text"), bytes as f64 / 1e6, "MB"),
        Figure::new(named("index"), bytes_in(folder.path()) as f64 / 1e6, "MB"),
        Figure::new(named("a question p50"), quantile(&times, 0.5), "ms"),
        Figure::new(named("a question p99"), quantile(&times, 0.99), "ms"),
        Figure::new(named("a question max"), quantile(&times, 1.0), "ms"),
    ])
}

/// The document as its `round`th copy.
fn changed(doc: &Doc, at: usize, round: usize) -> Doc {
    let mut text = String::with_capacity(doc.text.len() + 16);
    for (n, sentence) in doc.text.split_inclusive('。').enumerate() {
        // Every copy lacks other sentences.
        if round == 0 || !(n + round).is_multiple_of(7) {
            text.extend(sentence.chars().map(|c| match c.to_digit(10) {
                Some(digit) => char::from(b'0' + ((digit as usize + round) % 10) as u8),
                None => c,
            }));
        }
    }
    Doc { id: format!("d{at:07}"), title: if round == 0 { doc.title.clone() } else { format!("{}（{round}）", doc.title) }, text, ..doc.clone() }
}
