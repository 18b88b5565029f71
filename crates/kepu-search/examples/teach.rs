//! Learns the numbers of `data/search/model.tsv` from questions with known answers, and measures them on questions held back.
//!
//! `cargo run --release -p kepu-search --features teach --example teach -- rank|sentence|answer|rerank|eval [DATA] [OWN.tsv]`: `rank` prints the lines of the
//! second pass, `sentence` those of sentences (with the numbers in use), `answer` those of confidence, `rerank` that of the encoder, whose file
//! `KEPU_ENCODER` names, `eval` only measures. `DATA` is the shared data
//! folder; `OWN.tsv` may hold further everyday questions, a tab, and the ids of their documents. Set `KEPU_SEARCH_MODEL` to try another file of numbers.
//!
//! Order is learnt by comparing the right document of a question with each other one (logistic loss over the difference of signs); sentences and
//! confidence are learnt as yes or no. Everyday questions, of which there are few, weigh as much together as all questions of facts.
//! Held-back figures come from five parts by document: what is measured was never learnt from.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::sync::Arc;

use kepu_search::encoder::{Encoder, Memory, Role};
use kepu_search::teach::{Shown, names};
use kepu_search::{Doc, Index};
use kepu_text::fold::fold;
use shared::{rows, text};

mod shared;

const PARTS: usize = 5;

struct Question {
    kind: &'static str,
    text: String,
    right: Vec<String>,
    answers: Vec<String>,
    part: usize,
    shown: Vec<Shown>,
    /// Without the right documents: what is best then is no answer.
    wrong: Option<(Vec<f32>, f32)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let deed = args.next().unwrap_or_else(|| "eval".into());
    let data = args.next().unwrap_or_else(|| "../shared/data".into());
    let own = args.next();
    let (docs, mut questions) = load(&data, own.as_deref())?;
    let index = filled(&docs)?;
    let mut bare_docs = docs.clone();
    bare_docs.iter_mut().for_each(|doc| doc.title.clear());
    let bare = filled(&bare_docs)?;
    for question in &mut questions {
        let index = if question.kind == "heading" { &bare } else { &index };
        question.shown = index.show(&question.text, &[])?;
        if deed == "answer" && question.kind != "heading" {
            question.wrong = index.show(&question.text, &question.right)?.into_iter().next().map(|first| (first.answer, first.score));
        }
    }
    match deed.as_str() {
        "rank" => {
            report("in use", &questions, |question, at| question.shown[at].score);
            let held: Vec<Vec<f32>> = (0..PARTS).map(|part| learn_rank(&questions, Some(part))).collect();
            report("held back", &questions, |question, at| dot(&held[question.part], &question.shown[at].signs));
            let all = learn_rank(&questions, None);
            report("learnt", &questions, |question, at| dot(&all, &question.shown[at].signs));
            print("rank", names()[0], &all);
        }
        "sentence" => sentences(&questions),
        "answer" => answers(&questions),
        "rerank" => rerank(&questions)?,
        _ => report("in use", &questions, |question, at| question.shown[at].score),
    }
    Ok(())
}

fn load(data: &str, own: Option<&str>) -> Result<(Vec<Doc>, Vec<Question>), Box<dyn Error>> {
    let docs: Vec<Doc> = rows("zstdcat", &format!("{data}/content/documents.jsonl.zst"))?
        .iter()
        .map(|row| Doc { id: text(row, "id"), kind: text(row, "kind"), title: text(row, "title"), text: text(row, "text"), ..Doc::default() })
        .collect();
    let mut questions = Vec::new();
    let mut add = |kind, text: String, right: Vec<String>, answers: Vec<String>| {
        let part = right[0].bytes().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte))) / 3 % PARTS;
        questions.push(Question { kind, text, right, answers, part, shown: Vec::new(), wrong: None });
    };
    for row in rows("cat", &format!("{data}/content/questions_dev.jsonl"))? {
        let list = |name: &str| row[name].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect::<Vec<_>>();
        add(if row["type"] == "factoid" { "factoid" } else { "colloquial" }, text(&row, "question"), list("relevant"), list("answers"));
    }
    if let Some(own) = own {
        for line in std::fs::read_to_string(own)?.lines() {
            let Some((question, ids)) = line.split_once('\t') else { continue };
            add("own", question.to_owned(), ids.split(',').map(str::to_owned).collect(), Vec::new());
        }
    }
    let mut by_title: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    docs.iter().filter(|doc| doc.kind != "recipe").for_each(|doc| by_title.entry(&doc.title).or_default().push(doc.id.clone()));
    for (title, ids) in by_title.into_iter().filter(|(title, _)| title.chars().count() > 3).step_by(8) {
        add("heading", title.to_owned(), ids, Vec::new());
    }
    Ok((docs, questions))
}

fn filled(docs: &[Doc]) -> Result<Index, Box<dyn Error>> {
    let index = Index::in_ram()?;
    index.put(docs)?;
    index.commit(0)?;
    Ok(index)
}

/// Recall and mean reciprocal rank by kind, documents in the order of `score`.
fn report(name: &str, questions: &[Question], score: impl Fn(&Question, usize) -> f32) {
    let mut by_kind: BTreeMap<&str, [f64; 6]> = BTreeMap::new();
    for question in questions {
        let mut order: Vec<usize> = (0..question.shown.len()).collect();
        order.sort_by(|&a, &b| score(question, b).total_cmp(&score(question, a)).then_with(|| question.shown[a].id.cmp(&question.shown[b].id)));
        let rank = order.iter().position(|&at| question.right.contains(&question.shown[at].id));
        if std::env::var("KEPU_MISSES").is_ok_and(|kind| kind == question.kind) && rank != Some(0) {
            let first = order.first().map_or("-", |&at| question.shown[at].id.as_str());
            println!("{name}\t{:?}\t{}\t{:?}\t{first}", rank, question.text, question.right);
        }
        let sums = by_kind.entry(question.kind).or_default();
        sums[0] += 1.0;
        if let Some(rank) = rank {
            sums[1] += f64::from(u8::from(rank == 0));
            sums[2] += f64::from(u8::from(rank < 5));
            sums[3] += f64::from(u8::from(rank < 10));
            sums[4] += if rank < 10 { 1.0 / (rank as f64 + 1.0) } else { 0.0 };
            sums[5] += 1.0;
        }
    }
    for (kind, [n, one, five, ten, mrr, all]) in by_kind {
        println!("{name:<10} {kind:<10} {n:>5}: R@1 {:.3} R@5 {:.3} R@10 {:.3} MRR {:.3} judged {:.3}", one / n, five / n, ten / n, mrr / n, all / n);
    }
}

/// Weights of the second pass, from every question but those of `held`.
fn learn_rank(questions: &[Question], held: Option<usize>) -> Vec<f32> {
    let size = names()[0].len();
    let mut counts: HashMap<&str, f32> = HashMap::new();
    questions.iter().for_each(|question| *counts.entry(question.kind).or_default() += 1.0);
    let share = |kind: &str| {
        let wanted = match kind {
            "factoid" => 1_000.0,
            "heading" => 150.0,
            "colloquial" => 600.0,
            _ => 600.0,
        };
        wanted / counts[kind]
    };
    let mut pairs: Vec<(Vec<f32>, f32)> = Vec::new();
    for question in questions.iter().filter(|question| Some(question.part) != held) {
        let right: Vec<&Shown> = question.shown.iter().filter(|shown| question.right.contains(&shown.id)).collect();
        let wrong: Vec<&Shown> = question.shown.iter().filter(|shown| !question.right.contains(&shown.id)).take(30).collect();
        for one in &right {
            for wrong_one in &wrong {
                let difference = one.signs.iter().zip(&wrong_one.signs).map(|(a, b)| a - b).collect();
                pairs.push((difference, share(question.kind) / (right.len() * wrong.len()) as f32));
            }
        }
    }
    let rows: Vec<(Vec<f32>, f32, f32)> = pairs.into_iter().map(|(signs, weight)| (signs, 1.0, weight)).collect();
    descend(&rows, size, 0.3)
}

/// Logistic regression by Newton's method: rows of signs, wanted outcome (1 or 0) and weight; `ridge` keeps numbers small.
fn descend(rows: &[(Vec<f32>, f32, f32)], size: usize, ridge: f64) -> Vec<f32> {
    let mut weights = vec![0.0_f64; size];
    for _ in 0..25 {
        let mut gradient: Vec<f64> = weights.iter().map(|weight| -ridge * weight).collect();
        let mut curvature = vec![vec![0.0_f64; size]; size];
        for (at, row) in curvature.iter_mut().enumerate() {
            row[at] = ridge;
        }
        for (signs, wanted, share) in rows {
            let x: f64 = signs.iter().zip(&weights).map(|(sign, weight)| f64::from(*sign) * weight).sum();
            let p = 1.0 / (1.0 + (-x).exp());
            let (pull, bend) = ((f64::from(*wanted) - p) * f64::from(*share), p * (1.0 - p) * f64::from(*share));
            for a in 0..size {
                let sign = f64::from(signs[a]);
                if sign == 0.0 {
                    continue;
                }
                gradient[a] += pull * sign;
                for b in 0..=a {
                    curvature[a][b] += bend * sign * f64::from(signs[b]);
                }
            }
        }
        for a in 0..size {
            for b in 0..a {
                curvature[b][a] = curvature[a][b];
            }
        }
        let step = solve(curvature, gradient);
        weights.iter_mut().zip(&step).for_each(|(weight, step)| *weight += step);
        if step.iter().all(|step| step.abs() < 1e-6) {
            break;
        }
    }
    weights.into_iter().map(|weight| weight as f32).collect()
}

/// Solves `a · x = b` by Gauss's method with pivots.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for column in 0..n {
        let pivot = (column..n).max_by(|&x, &y| a[x][column].abs().total_cmp(&a[y][column].abs())).unwrap_or(column);
        a.swap(column, pivot);
        b.swap(column, pivot);
        let head = a[column].clone();
        for row in column + 1..n {
            let factor = a[row][column] / head[column];
            a[row].iter_mut().zip(&head).skip(column).for_each(|(cell, above)| *cell -= factor * above);
            b[row] -= factor * b[column];
        }
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|column| a[row][column] * b[column]).sum();
        b[row] = (b[row] - known) / a[row][row];
    }
    b
}

/// Lead of the first document, as a share of its score, from which on the encoder is never asked here.
const LEAD: f32 = 0.5;

/// A document that the encoder looks at again.
struct Row {
    right: bool,
    score: f32,
    cosine: f32,
}

/// What the encoder's cosine weighs beside the score of the words; both from parts held back.
fn rerank(questions: &[Question]) -> Result<(), Box<dyn Error>> {
    let path = std::path::PathBuf::from(std::env::var_os("KEPU_ENCODER").ok_or("KEPU_ENCODER names no file")?);
    let memory = Memory::beside(Arc::new(Encoder::open(&path)?), &path.with_extension("vectors"))?;
    let held: Vec<Vec<f32>> = (0..PARTS).map(|part| learn_rank(questions, Some(part))).collect();
    // Of questions of facts, of which there are many, every fifth.
    let some = questions.iter().enumerate().filter(|(n, question)| question.kind != "heading" && (question.kind != "factoid" || n % 5 == 0));
    let rows: Vec<(&Question, Vec<Row>)> = some.map(|(_, question)| (question, looked_at(question, &held[question.part], &memory))).collect();
    let plain = |_: &Question, row: &Row| row.score;
    for most in [10, 30] {
        measure(&format!("words, {most}"), &rows, most, 0.0, plain);
        measure(&format!("encoder alone, {most}"), &rows, most, LEAD, |_, row| row.cosine);
        let weights: Vec<f32> = (0..PARTS).map(|part| learn_cosine(&rows, most, Some(part))).collect();
        for lead in [0.1, 0.2, 0.3, LEAD] {
            measure(&format!("both, {most}, lead below {lead}"), &rows, most, lead, |question, row| row.score + weights[question.part] * row.cosine);
        }
        println!("held back: {weights:?}\nencoder.cosine\t{:.4}", learn_cosine(&rows, most, None));
    }
    Ok(())
}

/// The best documents by words not learnt from this question, with their cosines, best first.
fn looked_at(question: &Question, weights: &[f32], memory: &Memory) -> Vec<Row> {
    let asked = &memory.get(Role::Query, &[&question.text], 2)[0];
    let mut shown: Vec<(&Shown, f32)> = question.shown.iter().map(|shown| (shown, dot(weights, &shown.signs))).collect();
    shown.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.id.cmp(&b.0.id)));
    shown.truncate(30);
    // Nobody would look again where the words lead so clearly.
    if shown.len() > 1 && shown[0].1 - shown[1].1 >= LEAD * shown[0].1 {
        return shown.into_iter().map(|(shown, score)| Row { right: question.right.contains(&shown.id), score, cosine: 0.0 }).collect();
    }
    let texts: Vec<&str> = shown.iter().flat_map(|(shown, _)| shown.stretches.iter().map(String::as_str)).collect();
    let mut cosines = memory.get(Role::Passage, &texts, 2).into_iter().map(|vector| asked.cosine(&vector));
    let row = |(shown, score): (&Shown, f32)| Row {
        right: question.right.contains(&shown.id),
        score,
        cosine: cosines.by_ref().take(shown.stretches.len()).fold(0.0, f32::max),
    };
    shown.into_iter().map(row).collect()
}

/// Recall by kind, the first `most` documents in the order of `by` if the first leads by less than `lead` of its score.
fn measure(name: &str, rows: &[(&Question, Vec<Row>)], most: usize, lead: f32, by: impl Fn(&Question, &Row) -> f32) {
    let mut by_kind: BTreeMap<&str, [f64; 4]> = BTreeMap::new();
    for (question, rows) in rows {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let open = rows.len() > 1 && rows[0].score - rows[1].score < lead * rows[0].score;
        if open {
            order[..most.min(rows.len())].sort_by(|&a, &b| by(question, &rows[b]).total_cmp(&by(question, &rows[a])).then(a.cmp(&b)));
        }
        let rank = order.iter().position(|&at| rows[at].right).unwrap_or(usize::MAX);
        let sums = by_kind.entry(question.kind).or_default();
        sums[0] += 1.0;
        sums[1] += f64::from(u8::from(rank == 0));
        sums[2] += f64::from(u8::from(rank < 10));
        sums[3] += if rank < 10 { 1.0 / (rank as f64 + 1.0) } else { 0.0 };
    }
    for (kind, [n, one, ten, mrr]) in by_kind {
        println!("{name:<28} {kind:<10} {n:>5}: R@1 {:.3} R@10 {:.3} MRR {:.3}", one / n, ten / n, mrr / n);
    }
}

/// What a cosine weighs, from every question but those of `held`. Everyday questions, of which there are few, weigh as much together as the others.
fn learn_cosine(rows: &[(&Question, Vec<Row>)], most: usize, held: Option<usize>) -> f32 {
    /// Brings the two signs to one size.
    const SCALE: f32 = 20.0;
    let count = |kind: &str| rows.iter().filter(|(question, _)| question.kind == kind).count().max(1) as f32;
    let (facts, everyday) = (count("factoid"), count("colloquial"));
    let mut pairs = Vec::new();
    for (question, rows) in rows.iter().filter(|(question, _)| Some(question.part) != held) {
        let rows = &rows[..most.min(rows.len())];
        if rows.iter().all(|row| row.cosine == 0.0) {
            continue;
        }
        let (right, wrong): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.right);
        let weight = 500.0 / if question.kind == "factoid" { facts } else { everyday };
        for one in &right {
            for other in &wrong {
                let signs = vec![one.score - other.score, SCALE * (one.cosine - other.cosine)];
                pairs.push((signs, 1.0, weight / (right.len() * wrong.len()) as f32));
            }
        }
    }
    let weights = descend(&pairs, 2, 0.3);
    SCALE * weights[1] / weights[0].max(1e-3)
}

fn clean(text: &str) -> String {
    fold(text).chars().filter(|c| !c.is_whitespace()).collect()
}

fn sentences(questions: &[Question]) {
    let asked: Vec<&Question> = questions.iter().filter(|question| !question.answers.is_empty()).collect();
    let mut labelled: Vec<Vec<(Vec<f32>, bool, bool)>> = Vec::new();
    for question in &asked {
        let answers: Vec<String> = question.answers.iter().map(|answer| clean(answer)).filter(|answer| !answer.is_empty()).collect();
        let rows = question.shown.iter().enumerate().flat_map(|(rank, shown)| {
            let right = question.right.contains(&shown.id);
            shown.sentences.iter().map(move |(text, signs)| (rank, right, text, signs))
        });
        labelled.push(
            rows.map(|(rank, _, text, signs)| {
                let text = clean(text);
                (signs.clone(), answers.iter().any(|answer| text.contains(answer.as_str())), rank == 0)
            })
            .collect(),
        );
    }
    let size = names()[1].len();
    let learn = |held: Option<usize>| {
        let mut rows = Vec::new();
        for (question, list) in asked.iter().zip(&labelled).filter(|(question, _)| Some(question.part) != held) {
            let _ = question;
            for right in list.iter().filter(|row| row.1).take(2) {
                let wrong: Vec<_> = list.iter().filter(|row| !row.1).collect();
                for other in &wrong {
                    let difference: Vec<f32> = right.0.iter().zip(&other.0).map(|(a, b)| a - b).collect();
                    rows.push((difference, 1.0, 1.0 / wrong.len() as f32));
                }
            }
        }
        descend(&rows, size, 0.3)
    };
    let measure = |name: &str, weights: &dyn Fn(usize) -> Vec<f32>| {
        let (mut one, mut three, mut five, mut passage, mut n) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (question, list) in asked.iter().zip(&labelled) {
            let weights = weights(question.part);
            let mut order: Vec<usize> = (0..list.len()).collect();
            order.sort_by(|&a, &b| dot(&weights, &list[b].0).total_cmp(&dot(&weights, &list[a].0)).then(a.cmp(&b)));
            let within = |count: usize| f64::from(u8::from(order.iter().take(count).any(|&at| list[at].1)));
            n += 1.0;
            one += within(1);
            three += within(3);
            five += within(5);
            passage += f64::from(u8::from(order.iter().filter(|&&at| list[at].2).take(3).any(|&at| list[at].1)));
        }
        println!(
            "{name:<10} sentences over {n}: best {:.3}, best three {:.3}, best five {:.3}; passage of the first document {:.3}",
            one / n,
            three / n,
            five / n,
            passage / n
        );
    };
    let held: Vec<Vec<f32>> = (0..PARTS).map(|part| learn(Some(part))).collect();
    measure("held back", &|part| held[part].clone());
    let all = learn(None);
    measure("learnt", &|_| all.clone());
    print("sentence", names()[1], &all);
}

fn answers(questions: &[Question]) {
    let size = names()[2].len();
    let rows = |held: Option<usize>| -> Vec<(Vec<f32>, f32, f32)> {
        let mut rows = Vec::new();
        for question in questions.iter().filter(|question| Some(question.part) != held && question.kind != "heading") {
            let share = if question.kind == "factoid" { 1.0 } else { 4.0 };
            if let Some(first) = question.shown.first() {
                rows.push((first.answer.clone(), f32::from(u8::from(question.right.contains(&first.id))), share));
            }
            if let Some((wrong, _)) = &question.wrong {
                rows.push((wrong.clone(), 0.0, share));
            }
        }
        rows
    };
    let held: Vec<Vec<f32>> = (0..PARTS).map(|part| descend(&rows(Some(part)), size, 1.0)).collect();
    let sure = |weights: &[f32], signs: &[f32]| 1.0 / (1.0 + (-dot(weights, signs)).exp());
    for least in [0.2_f32, 0.3, 0.4, 0.5, 0.6, 0.7] {
        for kind in ["factoid", "colloquial", "own"] {
            let (mut n, mut quoted, mut right, mut invented) = (0.0, 0.0, 0.0, 0.0);
            for question in questions.iter().filter(|question| question.kind == kind) {
                n += 1.0;
                if let Some(first) = question.shown.first().filter(|first| sure(&held[question.part], &first.answer) >= least) {
                    quoted += 1.0;
                    right += f64::from(u8::from(question.right.contains(&first.id)));
                }
                invented += f64::from(u8::from(question.wrong.as_ref().is_some_and(|(wrong, _)| sure(&held[question.part], wrong) >= least)));
            }
            println!(
                "from {least}: {kind:<10} quoted {:.3}, of those right {:.3}; without its document quoted {:.3}",
                quoted / n,
                right / f64::max(quoted, 1.0),
                invented / n
            );
        }
    }
    print("answer", names()[2], &descend(&rows(None), size, 1.0));
}

fn print(group: &str, names: &[&str], weights: &[f32]) {
    for (name, weight) in names.iter().zip(weights) {
        println!("{group}.{name}\t{weight:.4}");
    }
}

fn dot(weights: &[f32], signs: &[f32]) -> f32 {
    weights.iter().zip(signs).map(|(weight, sign)| weight * sign).sum()
}
