//! Measures indexing, query time and answer quality on real content. Needs `zstdcat` and `zcat`.
//!
//! `cargo run --release -p kepu-search --example measure [DATA [COUNT…]]`, with `DATA` holding `content/` and `claims/`
//! (default `../shared/data`); speed is measured with each COUNT of documents. Prints a few lines; nothing is written but a temporary index.

use std::error::Error;
use std::time::Instant;

use kepu_search::claims::{Band, Matcher, Sums, contradicts};
use kepu_search::{Doc, Index, Query};
use serde_json::Value;
use shared::{rows, text};

mod shared;

fn main() -> Result<(), Box<dyn Error>> {
    let data = std::env::args().nth(1).unwrap_or_else(|| "../shared/data".into());
    let documents = rows("zstdcat", &format!("{data}/content/documents.jsonl.zst"))?;
    let questions = rows("cat", &format!("{data}/content/questions_dev.jsonl"))?;
    let docs: Vec<Doc> = documents
        .iter()
        .map(|row| Doc { id: text(row, "id"), kind: text(row, "kind"), title: text(row, "title"), text: text(row, "text"), ..Doc::default() })
        .collect();

    for count in std::env::args().skip(2).filter_map(|count| count.parse().ok()) {
        speed(&docs, &questions, count)?;
    }
    retrieval(&docs, &questions)?;
    claims(&data)?;
    joining(&data)
}

/// How often a question joins a case under way (the matcher's band "answer", nothing turned round): wordings of the seed claims against the claims' titles, and
/// real questions against others of their kind, few of which ask the same.
fn joining(data: &str) -> Result<(), Box<dyn Error>> {
    let seed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/seed");
    let mut known = rows("cat", &format!("{seed}/claims-1.jsonl"))?;
    known.extend(rows("cat", &format!("{seed}/claims-2.jsonl"))?);
    let titles: Vec<String> = known.iter().map(|row| text(row, "claim")).collect();
    let questions = rows("zcat", &format!("{data}/claims/zhihu_science_questions.jsonl.gz"))?;
    let real: Vec<String> = questions.iter().step_by(11).map(|row| text(row, "text")).collect();
    let (open, asked) = real.split_at(2_000.min(real.len()));
    let numbered = |texts: &[String]| texts.iter().enumerate().map(|(n, text)| (n.to_string(), text.clone())).collect();
    let (cases, others) = (Matcher::new(numbered(&titles), 1), Matcher::new(numbered(open), 1));
    let mut sums = Sums::default();
    let mut joins = |matcher: &Matcher, texts: &[String], text: &str| -> Option<usize> {
        let found = matcher.find(text, 1, &mut sums);
        let at = found.hits.first().filter(|_| found.band == Band::Answer)?.claim.parse().ok()?;
        (!contradicts(text, texts.get(at).map(String::as_str)?)).then_some(at)
    };
    let (mut right, mut wrong, mut wordings) = (0, 0, 0);
    for (at, row) in known.iter().enumerate() {
        for wording in row["variants"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            wordings += 1;
            match joins(&cases, &titles, wording) {
                Some(found) if found == at => right += 1,
                Some(_) => wrong += 1,
                None => {}
            }
        }
    }
    let joined: Vec<(&String, &String)> = asked.iter().take(500).filter_map(|question| Some((question, &open[joins(&others, open, question)?]))).collect();
    println!("joining: {right} of {wordings} wordings join their claim, {wrong} another one; {} of 500 real questions join one of 2,000", joined.len());
    for (question, case) in joined.iter().take(12) {
        println!("  {question} → {case}");
    }
    Ok(())
}

/// Documents a second and query times on `count` documents: those there are again and again, each time with other numbers and sentences left out.
fn speed(docs: &[Doc], questions: &[Value], count: usize) -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let index = Index::open(dir.path())?;
    let mut bytes = 0;
    let mut many = docs.iter().cycle().take(count).enumerate().map(|(at, doc)| {
        let round = at / docs.len();
        let kept = doc.text.split_inclusive('。').enumerate().filter(|(n, _)| round == 0 || !(n + round).is_multiple_of(7));
        let text: String = kept.map(|(_, sentence)| sentence.replace('1', &round.to_string())).collect();
        bytes += doc.title.len() + text.len();
        Doc { id: format!("d{at:07}"), fields: vec![format!("f{}", at % 36)], text, seq: at as i64, ..doc.clone() }
    });
    let start = Instant::now();
    index.fill(&mut many, 1)?;
    let took = start.elapsed().as_secs_f64();
    let size: u64 = std::fs::read_dir(dir.path())?.flatten().filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum();
    println!(
        "index: {} docs, {:.1} MB in {took:.2} s: {:.0} docs/s; {:.1} MB on disk",
        index.count(),
        bytes as f64 / 1e6,
        count as f64 / took,
        size as f64 / 1e6
    );
    let words =
        ["黑洞", "疫苗", "地震", "量子", "食品安全", "碳中和", "颱風", "人工智能", "深度学习", "高血压", "火灾 逃生", "dna", "光合作用", "维生素c", "航天"];
    let words: Vec<String> = (0..600).map(|i| words[i % words.len()].to_owned()).collect();
    let asked: Vec<String> = questions.iter().step_by(3).map(|row| text(row, "question")).collect();
    for (name, queries) in [("warm", asked.clone()), ("words", words), ("questions", asked)] {
        let (mut times, mut busy) = (Vec::new(), Vec::new());
        let mut total = 0;
        for query in queries {
            let (start, used) = (Instant::now(), processor_ms());
            total += index.search(&Query { text: query, limit: 10, facets: vec!["field".into(), "kind".into()], ..Query::default() })?.total;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            busy.push(processor_ms() - used);
        }
        print_times(name, times, total);
        print_times(&format!("{name}, processor"), busy, total);
    }
    Ok(())
}

/// Milliseconds that this thread has been on a processor, as Linux tells them; what other processes take is not in it.
fn processor_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or_default() / 1e6
}

/// Times of [`Index::similar`] over 2,263 published fact checks of up to 600 characters.
fn similar_speed(known: &[Value], posts: &[Value]) -> Result<(), Box<dyn Error>> {
    let index = Index::in_ram()?;
    let docs: Vec<Doc> = known.iter().map(|row| Doc { id: text(row, "id"), kind: "claim".into(), text: text(row, "text"), ..Doc::default() }).collect();
    index.put(&docs)?;
    index.commit(0)?;
    let mut times = Vec::new();
    for row in posts {
        let start = Instant::now();
        index.similar(&text(row, "text"), &[], 0.0, 5)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    print_times("similar", times, 0);
    Ok(())
}

fn print_times(name: &str, mut times: Vec<f64>, total: usize) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[(share * (times.len() - 1) as f64) as usize];
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    println!("{name}: p50 {:.2} ms, p99 {:.2} ms, mean {mean:.2} ms; {:.1} found on average", at(0.5), at(0.99), total as f64 / times.len() as f64);
}

/// Share of the development questions whose document is first, among the first ten, found at all.
fn retrieval(docs: &[Doc], questions: &[Value]) -> Result<(), Box<dyn Error>> {
    let index = Index::in_ram()?;
    index.put(docs)?;
    index.commit(0)?;
    for wanted in ["factoid", "colloquial"] {
        let (mut n, mut first, mut ten, mut found, mut reciprocal, mut none) = (0.0, 0.0, 0.0, 0.0, 0.0, 0);
        let mut totals = Vec::new();
        for row in questions.iter().filter(|row| row["type"] == wanted) {
            let page = index.search(&Query { text: text(row, "question"), limit: 1000, ..Query::default() })?;
            let right: Vec<&str> = row["relevant"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            n += 1.0;
            totals.push(page.total);
            none += usize::from(page.total == 0);
            if let Some(rank) = page.hits.iter().position(|hit| right.contains(&hit.id.as_str())) {
                first += f64::from(u8::from(rank == 0));
                ten += f64::from(u8::from(rank < 10));
                found += 1.0;
                reciprocal += 1.0 / (rank as f64 + 1.0);
            }
        }
        totals.sort_unstable();
        println!(
            "{wanted}: R@1 {:.3}, R@10 {:.3}, found {:.3}, MRR {:.3}; totals p10 {} p50 {} p90 {}, none {none}",
            first / n,
            ten / n,
            found / n,
            reciprocal / n,
            totals[totals.len() / 10],
            totals[totals.len() / 2],
            totals[totals.len() * 9 / 10]
        );
    }
    Ok(())
}

/// How well `similar` finds a claim by a wording it does not know, and what score parts such hits from posts about something else.
///
/// Each variant of the seed claims is taken out in turn and asked for. Posts without a fact check must stay low.
fn claims(data: &str) -> Result<(), Box<dyn Error>> {
    let seed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/seed");
    let mut known = rows("cat", &format!("{seed}/claims-1.jsonl"))?;
    known.extend(rows("cat", &format!("{seed}/claims-2.jsonl"))?);
    let posts = rows("zcat", &format!("{data}/claims/dev_posts.jsonl.gz"))?;
    similar_speed(&rows("zcat", &format!("{data}/claims/dev_claims.jsonl.gz"))?, &posts)?;
    let variants = |row: &Value| -> Vec<String> { row["variants"].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect() };
    let (mut right, mut asked) = (0, 0);
    let (mut yes, mut no): (Vec<f32>, Vec<f32>) = (Vec::new(), Vec::new());
    for left_out in 0..3 {
        let index = Index::in_ram()?;
        let mut docs = Vec::new();
        for row in &known {
            let mut lines = variants(row);
            if left_out < lines.len() {
                lines.remove(left_out);
            }
            docs.push(Doc { id: text(row, "id"), kind: "claim".into(), title: text(row, "claim"), text: lines.join("\n"), ..Doc::default() });
        }
        index.put(&docs)?;
        index.commit(0)?;
        for row in &known {
            let Some(wording) = variants(row).get(left_out).cloned() else { continue };
            let hits = index.similar(&wording, &["claim".into()], 0.0, 5)?;
            asked += 1;
            if hits.first().is_some_and(|hit| hit.id == text(row, "id")) {
                right += 1;
                yes.push(hits[0].score);
            }
        }
        for row in posts.iter().filter(|row| row["gold"].as_array().is_some_and(Vec::is_empty)) {
            no.push(index.similar(&text(row, "text"), &[], 0.0, 1)?.first().map_or(0.0, |hit| hit.score));
        }
    }
    let pairs = yes.iter().flat_map(|y| no.iter().map(move |n| f64::from(u8::from(y > n)))).sum::<f64>() / (yes.len() * no.len()) as f64;
    yes.sort_by(f32::total_cmp);
    no.sort_by(f32::total_cmp);
    let at = |sorted: &[f32], share: f64| sorted[(share * (sorted.len() - 1) as f64) as usize];
    println!(
        "claims: {right} of {asked} new wordings find their claim first; their scores p05 {:.2} p10 {:.2} p50 {:.2}; other posts p50 {:.2} p90 {:.2} p99 {:.2} max {:.2}; AUC {pairs:.3}",
        at(&yes, 0.05),
        at(&yes, 0.1),
        at(&yes, 0.5),
        at(&no, 0.5),
        at(&no, 0.9),
        at(&no, 0.99),
        at(&no, 1.0)
    );
    Ok(())
}
