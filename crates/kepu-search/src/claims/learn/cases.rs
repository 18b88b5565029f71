//! What the matcher learns from: claims, posts with the claims that say the same, and groups that must not be split between learning and measuring.
//!
//! Three sources. **Messages**: real posts and fact-checks that volunteers linked. **Encyclopedia**: sentences with the same evidence and verdict say the same;
//! sentences about the same page with another verdict do not, however alike they look. **Edits**: titles, worded anew by small edits that keep what is said, and by
//! small edits that change it (number, place, thing, denial, direction).

use super::dice::Dice;
use flate2::read::GzDecoder;
use kepu_text::fold::fold;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::path::Path;

/// A post whose answer is known.
#[derive(Debug, Clone)]
pub struct Post {
    pub id: String,
    pub text: String,
    pub track: &'static str,
    pub gold: Vec<String>,
    /// Posts of one group are never on both sides.
    pub group: u64,
}

/// Claims (id, text) and posts.
#[derive(Default)]
pub struct Cases {
    pub claims: Vec<(String, String)>,
    pub posts: Vec<Post>,
}

pub fn lines(path: &Path) -> impl Iterator<Item = String> {
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    BufReader::new(GzDecoder::new(file)).lines().map_while(Result::ok)
}

pub fn json(path: &Path) -> Vec<Value> {
    lines(path).filter_map(|line| serde_json::from_str(&line).ok()).collect()
}

pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().map(str::to_owned).unwrap_or_else(|| value[name].to_string())
}

pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h: u64, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)) >> 8
}

/// Posts and fact-checks of the development half.
pub fn messages(data: &Path) -> Cases {
    let claims: Vec<(String, String)> = json(&data.join("dev_claims.jsonl.gz")).iter().map(|c| (text(c, "id"), text(c, "text"))).collect();
    let rows = json(&data.join("dev_posts.jsonl.gz"));
    // Connected components of the links.
    let mut parent: HashMap<String, String> = HashMap::new();
    fn root(parent: &HashMap<String, String>, mut id: String) -> String {
        while let Some(next) = parent.get(&id).filter(|next| **next != id) {
            id = next.clone();
        }
        id
    }
    for row in &rows {
        let id = text(row, "id");
        for gold in row["gold"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let (a, b) = (root(&parent, id.clone()), root(&parent, gold.to_owned()));
            parent.insert(a, b);
        }
    }
    let posts = rows
        .iter()
        .map(|row| {
            let track = match row["track"].as_str() {
                Some("answer_msg") => "message",
                Some("answer_head") => "headline",
                Some("none_zhihu") => "none_zhihu",
                _ => "none_weibo",
            };
            let id = text(row, "id");
            let group = hash(&root(&parent, id.clone()));
            let gold = row["gold"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
            Post { text: text(row, "text"), track, gold, group, id }
        })
        .collect();
    Cases { claims, posts }
}

/// Sentences of an encyclopedia: the same in other words, and traps.
pub fn encyclopedia(data: &Path) -> Cases {
    let rows = json(&data.join("cfever_dev.jsonl.gz"));
    let mut same: BTreeMap<(String, String), Vec<&Value>> = BTreeMap::new();
    let mut pages: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for row in &rows {
        let Some(page) = row["evidence"][0][0].as_str() else { continue };
        same.entry((text(row, "label"), row["evidence"].to_string())).or_default().push(row);
        pages.entry(page.to_owned()).or_default().push(row);
    }
    let mut out = Cases::default();
    let id = |row: &Value| format!("e{}", row["id"]);
    let mut used: HashMap<String, bool> = HashMap::new();
    for (_, rows) in same.iter().filter(|(_, rows)| rows.len() > 1) {
        // The first is the claim; every other one asks.
        let claim = rows[0];
        let page = text(claim, "domain") + claim["evidence"][0][0].as_str().unwrap_or_default();
        out.claims.push((id(claim), text(claim, "claim")));
        used.insert(id(claim), true);
        for row in rows.iter().skip(1).take(3).filter(|row| row["claim"] != claim["claim"]) {
            used.insert(id(row), true);
            out.posts.push(Post { id: id(row), text: text(row, "claim"), track: "reworded", gold: vec![id(claim)], group: hash(&page) });
        }
    }
    for rows in pages.values() {
        let claimed: Vec<&&Value> = rows.iter().filter(|row| out.claims.iter().any(|(c, _)| *c == id(row))).collect();
        let Some(claim) = claimed.first() else { continue };
        let page = text(claim, "domain") + claim["evidence"][0][0].as_str().unwrap_or_default();
        let other = |row: &&&Value| claimed.iter().all(|c| c["label"] != row["label"]) && !used.contains_key(&id(row));
        for row in rows.iter().filter(other).take(6) {
            out.posts.push(Post { id: id(row), text: text(row, "claim"), track: "trap", gold: vec![], group: hash(&page) });
        }
    }
    out
}

/// How fact-checks put a claim, before and behind it.
const VERDICTS: [(&str, &str); 12] = [
    ("", "？没有这回事。"),
    ("网传「", "」，是谣言。"),
    ("", "？假的。"),
    ("", "，不实。"),
    ("“", "”的说法没有科学根据。"),
    ("", "？专家：没有证据。"),
    ("谣言：", ""),
    ("近日有消息称，", "。经核实，此消息不属实。"),
    ("", "？不会，不必担心。"),
    ("", "是真的吗？确有此事。"),
    ("", "，属实。"),
    ("辟谣！", "？不要再转了"),
];

/// `count` titles as claims, each asked for once in other words and once with another fact; and as many others that match nothing.
pub fn edits(data: &Path, count: usize) -> Cases {
    let mut titles: Vec<String> = lines(&data.join("weibo_titles_160k.tsv.gz")).filter_map(|l| l.split_once('\t').map(|(_, t)| t.to_owned())).collect();
    titles.extend(json(&data.join("zhihu_science_questions.jsonl.gz")).iter().map(|q| text(q, "text")));
    titles.extend(json(&data.join("public_doubts.jsonl.gz")).iter().map(|q| text(q, "text")));
    titles.retain(|t| (9..=60).contains(&t.chars().count()));
    // Some of these titles are posts that match nothing; as claims they would be what those posts say.
    let asked: HashSet<String> = messages(data).posts.iter().map(|post| fold(&post.text)).collect();
    titles.retain(|title| !asked.contains(&fold(title)));
    titles.sort_by_key(|t| (hash(t), t.clone()));
    let mut dice = Dice::new(20_261_125);
    // Science questions and doubts are fewer and nearer to what will be asked: each comes four times as often.
    let mut out = Cases::default();
    let pool: Vec<String> = titles.iter().rev().take(4_000).cloned().collect();
    for (n, title) in titles.iter().take(count).enumerate() {
        let id = format!("t{n}");
        // A third as fact-checks put it: what the verdict denies is not what the claim denies.
        let verdict = if n / 3 % 3 == 0 { *dice.pick(&VERDICTS) } else { ("", "") };
        out.claims.push((id.clone(), format!("{}{title}{}", verdict.0, verdict.1)));
        let group = hash(title);
        if n % 3 != 2 {
            out.posts.push(Post { id: format!("{id}s"), text: super::edit::reword(title, &mut dice), track: "edited", gold: vec![id.clone()], group });
        }
        if n % 3 != 1
            && let Some(other) = super::edit::change(title, &pool, &mut dice)
        {
            let other = if dice.below(2) == 0 { super::edit::reword(&other, &mut dice) } else { other };
            out.posts.push(Post { id: format!("{id}x"), text: other, track: "changed", gold: vec![], group });
        }
    }
    for (n, title) in titles.iter().skip(count).take(count / 2).enumerate() {
        out.posts.push(Post { id: format!("n{n}"), text: title.clone(), track: "none_title", gold: vec![], group: hash(title) });
    }
    out
}

/// Titles of a hot list, each once.
pub fn titles(data: &Path) -> Vec<String> {
    lines(&data.join("weibo_titles_160k.tsv.gz")).filter_map(|l| l.split_once('\t').map(|(_, t)| t.to_owned())).collect()
}

/// Hourly snapshots of a hot list: time, rank from 1, title.
pub fn ranks(data: &Path) -> Vec<(i64, u32, String)> {
    let path = data.join("weibo_rank_hourly.tsv.gz");
    let row = |line: String| {
        let mut parts = line.splitn(3, '\t');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.to_owned()))
    };
    lines(&path).skip(1).filter_map(row).collect()
}

/// `count` titles as claims that nobody asks for: those of the hot list and the questions, then the same again with another thing in them.
pub fn background(data: &Path, count: usize) -> Vec<(String, String)> {
    let mut pool = titles(data);
    pool.extend(json(&data.join("zhihu_science_questions.jsonl.gz")).iter().map(|q| text(q, "text")));
    let mut dice = Dice::new(3);
    let mut out: Vec<(String, String)> = Vec::with_capacity(count);
    while out.len() < count {
        let first = out.len() < pool.len();
        let title = &pool[out.len() % pool.len()];
        // Front of one and end of another: as varied as titles are, and no copy of any.
        let other: Vec<char> = dice.pick(&pool).chars().collect();
        let text = if first { title.clone() } else { title.chars().take(3 + dice.below(8)).chain(other[other.len() / 2..].iter().copied()).collect() };
        out.push((format!("b{}", out.len()), text));
    }
    out
}
