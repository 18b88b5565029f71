//! `kepu claims` and `kepu topics`: the engines of listening over files, without a node.

use crate::input;
use crate::measure::Usage;
use anyhow::{Context, bail};
use kepu_app::listen::usefulness;
use kepu_domain::listen::usefulness::{ReaderKind, Tally};
use kepu_search::claims::{Matcher, Sums};
use kepu_search::encoder::Memory;
use kepu_search::topics::{Reading, Settings, Stream};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// Lines that are worked on side by side.
const CHUNK: usize = 8_192;
/// Refused lines that are named one by one.
const NAMED_MAX: usize = 100;

/// `kepu claims …`
#[derive(clap::Subcommand)]
pub enum Claims {
    /// For each post the claim that says the same, or none.
    Match {
        /// Claims: JSON lines with id and text; .gz and .zst are unpacked, - is standard input.
        #[arg(long)]
        claims: PathBuf,
        /// Posts: JSON lines with id and text.
        #[arg(long)]
        posts: PathBuf,
        /// Hits a post, at most.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=32))]
        top: u32,
        /// The optional encoder (see kepu encoder add --help): takes a second look where it is open whether a claim says the same.
        #[arg(long, value_name = "FILE")]
        encoder: Option<PathBuf>,
        #[command(flatten)]
        how: How,
    },
    /// Compute again, from a dump of claims (`/api/claims.jsonl`), on which answers kinds of readers agree.
    Useful {
        /// The dump: JSON lines; .gz and .zst are unpacked, - is standard input.
        #[arg(long)]
        dump: PathBuf,
    },
}

/// Threads and timing.
#[derive(clap::Args)]
pub struct How {
    /// Threads; default: all cores.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print how long it took, as a JSON line on standard error.
    #[arg(long)]
    time: bool,
}

impl How {
    fn threads(&self) -> usize {
        self.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
    }
}

/// `kepu topics`
#[derive(clap::Args)]
pub struct Topics {
    /// Signals: lines of unix time, weight and text, parted by tabs, in order of time; .gz and .zst are unpacked, - is standard input.
    #[arg(long)]
    signals: PathBuf,
    /// What is counted together where a topic's peak is looked for, such as 10m, 1h or 1d.
    #[arg(long, default_value = "1h", value_parser = bucket)]
    bucket: i64,
    #[command(flatten)]
    how: How,
}

fn bucket(text: &str) -> Result<i64, String> {
    let number = |digits: &str, unit: i64| digits.parse::<i64>().ok().filter(|n| (1..=100_000).contains(n)).map(|n| n * unit);
    let found = match text.char_indices().last() {
        Some((at, 's')) => number(&text[..at], 1),
        Some((at, 'm')) => number(&text[..at], 60),
        Some((at, 'h')) => number(&text[..at], 3_600),
        Some((at, 'd')) => number(&text[..at], 86_400),
        _ => None,
    };
    found.ok_or_else(|| format!("\"{text}\" is no length of time; write a whole number with s, m, h or d, such as 10m or 1h"))
}

/// Lines that could not be read, named on standard error.
struct Refused {
    file: String,
    count: usize,
}

impl Refused {
    fn new(path: &Path) -> Self {
        Self { file: path.display().to_string(), count: 0 }
    }
    fn name(&mut self, line: usize, reason: &str) {
        self.count += 1;
        if self.count <= NAMED_MAX {
            eprintln!("{} line {line}: not read: {reason}", self.file);
        }
    }
    fn done(self) -> usize {
        if self.count > NAMED_MAX {
            eprintln!("{}: {} more lines were not read", self.file, self.count - NAMED_MAX);
        }
        self.count
    }
}

impl Claims {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let (claims, posts, top, encoder, how) = match self {
            Claims::Match { claims, posts, top, encoder, how } => (claims, posts, top, encoder, how),
            Claims::Useful { dump } => return useful(&dump),
        };
        if claims.as_os_str() == "-" && posts.as_os_str() == "-" {
            bail!("only one of --claims and --posts can be standard input");
        }
        let memory = encoder.as_deref().map(crate::encoder::open).transpose()?.map(|encoder| Arc::new(Memory::new(encoder)));
        let (usage, threads) = (Usage::now(), how.threads());
        let (known, broken) = texts(&claims, threads)?;
        let (asked, also) = texts(&posts, threads)?;
        let load_s = usage.wall_s();
        let matcher = match memory {
            Some(memory) => Matcher::with_encoder(known, threads, memory),
            None => Matcher::new(known, threads),
        };
        let build_s = usage.wall_s() - load_s;
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let memory = Mutex::new(Vec::new());
        for chunk in asked.chunks(CHUNK) {
            for lines in side_by_side(chunk, threads, |posts| answer(&matcher, posts, top as usize, &memory)) {
                out.write_all(lines.as_bytes()).context("cannot write the answers")?;
            }
        }
        out.flush().context("cannot write the answers")?;
        if how.time {
            eprintln!("{}", usage.since(asked.len(), &[("load_s", load_s), ("build_s", build_s)]));
        }
        Ok(if broken + also == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// One line for each claim of a dump that has votes: what the dump says of it must come out again.
fn useful(dump: &Path) -> anyhow::Result<ExitCode> {
    let mut tallies = Vec::new();
    let mut refused = Refused::new(dump);
    for (number, line) in (1..).zip(BufReader::new(input::open(dump)?).lines()) {
        let line = line.with_context(|| format!("cannot read {}", dump.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        match votes(&line) {
            Ok(list) => tallies.extend(list),
            Err(reason) => refused.name(number, &reason),
        }
    }
    for (claim, score) in usefulness::scores(&tallies) {
        let part = score.part;
        let numbers =
            json!({"claim": claim, "intercept": part.map(|p| p.intercept), "factor": part.map(|p| p.factor), "bridges": part.is_some_and(|p| p.bridges())});
        println!("{numbers}");
    }
    Ok(if refused.done() == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The votes in one line of a dump; none if nobody voted.
fn votes(line: &str) -> Result<Vec<Tally>, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let id = value["id"].as_str().ok_or("\"id\" is missing")?;
    let Some(list) = value["usefulness"]["votes"].as_array() else { return Ok(vec![]) };
    let one = |vote: &Value| {
        let kind = vote["kind"].as_str().and_then(ReaderKind::parse).ok_or("a vote without a kind of reader")?;
        let count = |name: &str| vote[name].as_i64().filter(|n| *n >= 0).ok_or(format!("\"{name}\" is no count"));
        Ok(Tally { claim: id.into(), kind, useful: count("useful")?, useless: count("useless")? })
    };
    list.iter().map(one).collect()
}

/// Answers for some posts, one line each; `memory` is what the threads use again.
fn answer(matcher: &Matcher, posts: &[(String, String)], top: usize, memory: &Mutex<Vec<Sums>>) -> String {
    let kept = || memory.lock().unwrap_or_else(PoisonError::into_inner);
    let mut sums = kept().pop().unwrap_or_default();
    let mut out = String::new();
    for (id, text) in posts {
        let found = matcher.find(text, top, &mut sums);
        let hits: Vec<Value> = found.hits.iter().map(|hit| json!({"claim": hit.claim, "score": round(hit.score)})).collect();
        let line = json!({"post": id, "matched": found.matched, "confidence": round(found.confidence), "hits": hits});
        out.push_str(&line.to_string());
        out.push('\n');
    }
    kept().push(sums);
    out
}

/// Six digits are more than any chance is known to.
fn round(chance: f32) -> f64 {
    (f64::from(chance) * 1e6).round() / 1e6
}

/// Works on equal parts of `rows` in threads of their own; what came of them, in order.
fn side_by_side<T: Sync, R: Send>(rows: &[T], threads: usize, work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let part = rows.len().div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = rows.chunks(part).map(|rows| scope.spawn(|| work(rows))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// Rows of a file of JSON lines with id and text, and how many were refused.
fn texts(path: &Path, threads: usize) -> anyhow::Result<(Vec<(String, String)>, usize)> {
    let bytes = input::read(path)?;
    let mut refused = Refused::new(path);
    let lines: Vec<(usize, &[u8])> = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()).collect();
    let parsed = side_by_side(&lines, threads, |lines| lines.iter().map(|(n, line)| (*n, row(line))).collect::<Vec<_>>());
    let mut rows = Vec::with_capacity(lines.len());
    for (n, row) in parsed.into_iter().flatten() {
        match row {
            Ok(row) => rows.push(row),
            Err(reason) => refused.name(n + 1, &reason),
        }
    }
    Ok((rows, refused.done()))
}

fn row(line: &[u8]) -> Result<(String, String), String> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let mut value: Value = serde_json::from_slice(line).map_err(|e| format!("no JSON object ({e})"))?;
    let id = match value.get("id") {
        Some(Value::String(id)) if !id.is_empty() => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        Some(_) => return Err("\"id\" is neither a text nor a number".into()),
        None => return Err("\"id\" is missing".into()),
    };
    match value.get_mut("text").map(Value::take) {
        Some(Value::String(text)) => Ok((id, text)),
        Some(_) => Err("\"text\" is no text".into()),
        None => Err("\"text\" is missing".into()),
    }
}

/// A line of a stream of signals.
struct Line {
    number: u64,
    time: i64,
    weight: f32,
    text: String,
}

fn signal(number: u64, line: &[u8]) -> Result<Line, String> {
    let line = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
    let line = line.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
    let mut parts = line.splitn(3, '\t');
    let (time, weight, text) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let (Some(weight), Some(text)) = (weight, text) else { return Err("fewer than three columns; time, weight and text are parted by tabs".into()) };
    let time = time.trim().parse::<f64>().ok().filter(|t| t.abs() < 1e12).ok_or_else(|| format!("\"{time}\" is no unix time"))?;
    let weight = weight.trim().parse::<f32>().ok().filter(|w| w.is_finite() && *w > 0.0).ok_or_else(|| format!("\"{weight}\" is no weight above 0"))?;
    Ok(Line { number, time: time as i64, weight, text: text.to_owned() })
}

impl Topics {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let (usage, threads) = (Usage::now(), self.how.threads());
        let mut input = BufReader::with_capacity(1 << 20, input::open(&self.signals)?);
        let mut refused = Refused::new(&self.signals);
        let mut stream = Stream::new(Settings { bucket_s: self.bucket, ..Settings::default() });
        let (mut number, mut rows, mut load_s) = (0u64, 0, 0.0);
        loop {
            let begun = usage.wall_s();
            let chunk = chunk(&mut input, &mut number, &mut refused)?;
            load_s += usage.wall_s() - begun;
            if chunk.is_empty() {
                break;
            }
            rows += chunk.len();
            let read = side_by_side(&chunk, threads, |lines| lines.iter().map(|line| Reading::of(&line.text)).collect::<Vec<Reading>>());
            for (line, reading) in chunk.iter().zip(read.into_iter().flatten()) {
                stream.push(line.number, line.time, line.weight, &line.text, &reading);
            }
        }
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        for topic in stream.topics() {
            let line = json!({
                "topic": topic.number, "label": topic.label, "alert": topic.alert, "start": topic.start, "peak": topic.peak, "end": topic.end,
                "score": (topic.score * 1e3).round() / 1e3, "signals": topic.signals,
            });
            writeln!(out, "{line}").context("cannot write the topics")?;
        }
        out.flush().context("cannot write the topics")?;
        if self.how.time {
            eprintln!("{}", usage.since(rows, &[("load_s", load_s), ("build_s", 0.0)]));
        }
        Ok(if refused.done() == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// The next lines of a stream; none at its end. `number` counts every line, refused ones too.
fn chunk(input: &mut impl BufRead, number: &mut u64, refused: &mut Refused) -> anyhow::Result<Vec<Line>> {
    let mut out = Vec::with_capacity(CHUNK);
    let mut line = Vec::new();
    while out.len() < CHUNK {
        line.clear();
        if input.read_until(b'\n', &mut line).with_context(|| format!("cannot read {}", refused.file))? == 0 {
            break;
        }
        *number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match signal(*number, &line) {
            Ok(signal) => out.push(signal),
            // A file may name its columns.
            Err(_) if *number == 1 && line.starts_with(b"unix_time") => {}
            Err(reason) => refused.name(usize::try_from(*number).unwrap_or(usize::MAX), &reason),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_a_number_with_its_unit() {
        assert_eq!((bucket("10m"), bucket("1h"), bucket("2d")), (Ok(600), Ok(3_600), Ok(172_800)));
        for wrong in ["", "h", "0h", "-1h", "1 h", "1w", "一h"] {
            assert!(bucket(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_broken_line_says_what_is_wrong_with_it() {
        assert_eq!(row(br#"{"id":7,"text":"x"}"#), Ok(("7".into(), "x".into())));
        assert!(row(b"{").is_err_and(|e| e.starts_with("no JSON object")));
        assert_eq!(row(br#"{"id":"a"}"#), Err("\"text\" is missing".into()));
        assert_eq!(row(br#"{"text":"a"}"#), Err("\"id\" is missing".into()));
        assert!(signal(1, b"12\t1\tx").is_ok() && signal(1, b"12\t1").is_err() && signal(1, b"12\tNaN\tx").is_err() && signal(1, b"x\t1\tx").is_err());
    }
}
