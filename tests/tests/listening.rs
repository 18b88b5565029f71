//! `kepu claims match` and `kepu topics` over files, by their contracts: shapes, order, refused lines, exit status.

use anyhow::Context;
use kepu_tests::binary;
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const CLAIMS: &str = concat!(
    r#"{"id":"c1","text":"网传「隔夜菜会致癌」，是谣言。隔夜菜的亚硝酸盐含量远低于标准。"}"#,
    "\n",
    r#"{"id":"c2","text":"微波炉加热食物会产生致癌物，这个说法没有科学根据。"}"#,
    "\n",
    r#"{"id":"c3","text":"打疫苗会导致不孕不育？专家：没有证据。"}"#,
    "\n",
);
const POSTS: &str = concat!(
    r#"{"id":"p2","text":"【緊急】微波爐加熱食物會產生致癌物！！<url>"}"#,
    "\n",
    r#"{"id":"p1","text":"國足今晚八點對陣日本隊"}"#,
    "\n",
    r#"{"id":3,"text":""}"#,
    "\n",
);

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        Ok(Self(tempfile::Builder::new().prefix("kepu-listening-").tempdir()?))
    }
    fn file(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.0.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }
}

fn kepu(args: &[&str], input: &str) -> anyhow::Result<Output> {
    let mut child = Command::new(binary()).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // A command that refuses its call does not read its input.
    let _ = child.stdin.take().context("no input")?.write_all(input.as_bytes());
    Ok(child.wait_with_output()?)
}

fn lines(output: &Output) -> anyhow::Result<Vec<Value>> {
    String::from_utf8(output.stdout.clone())?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn posts_are_answered_in_their_order_with_the_claim_that_says_the_same() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let (claims, posts) = (folder.file("c.jsonl", CLAIMS)?, folder.file("p.jsonl", POSTS)?);
    let (claims, posts) = (claims.to_string_lossy(), posts.to_string_lossy());
    let output = kepu(&["claims", "match", "--claims", &claims, "--posts", &posts, "--top", "2", "--threads", "2", "--time"], "")?;
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    let rows = lines(&output)?;
    let ids: Vec<&Value> = rows.iter().map(|row| &row["post"]).collect();
    assert_eq!(ids, ["p2", "p1", "3"]);
    assert_eq!(rows[0]["hits"][0]["claim"], "c2");
    for row in &rows {
        let hits = row["hits"].as_array().context("hits")?;
        let confidence = row["confidence"].as_f64().context("confidence")?;
        assert!(row["matched"].is_boolean() && (0.0..=1.0).contains(&confidence) && hits.len() <= 2, "{row}");
    }
    assert_eq!((&rows[1]["matched"], &rows[2]["matched"], rows[2]["hits"].as_array().map(Vec::len)), (&false.into(), &false.into(), Some(0)));
    let time: Value = serde_json::from_str(words(&output).lines().last().context("no line about time")?)?;
    for part in ["wall_s", "cpu_s", "rows", "rows_per_s", "peak_rss_mb", "load_s", "build_s", "run_s"] {
        assert!(time[part].is_number(), "{part}: {time}");
    }
    let piped = kepu(&["claims", "match", "--claims", &claims, "--posts", "-", "--top", "2"], POSTS)?;
    assert_eq!(piped.stdout, output.stdout);
    Ok(())
}

#[test]
fn broken_lines_are_named_and_the_others_answered() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let claims = folder.file("c.jsonl", CLAIMS)?;
    let posts = format!("{{\"id\":\"x\"}}\nnonsense\n\n{POSTS}");
    let output = kepu(&["claims", "match", "--claims", &claims.to_string_lossy(), "--posts", "-"], &posts)?;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines(&output)?.len(), 3);
    assert!(
        words(&output).contains("line 1: not read: \"text\" is missing") && words(&output).contains("line 2: not read: no JSON object"),
        "{}",
        words(&output)
    );
    for call in [
        &["claims", "match", "--claims", "/no/such/file", "--posts", "-"][..],
        &["claims", "match", "--claims", "-", "--posts", "-"],
        &["topics", "--signals", "-", "--bucket", "often"],
    ] {
        assert_eq!(kepu(call, "")?.status.code(), Some(2), "{call:?}");
    }
    Ok(())
}

#[test]
fn a_burst_gives_one_line_and_a_broken_signal_is_named() -> anyhow::Result<()> {
    let mut signals = String::from("unix_time\tweight\ttext\n");
    let letters: Vec<char> = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜金生丽水玉出昆冈".chars().collect();
    let mut state = 7u64;
    for n in 0..2_000 {
        let mut text = String::new();
        for _ in 0..10 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push(letters[(state >> 33) as usize % letters.len()]);
        }
        signals.push_str(&format!("{}\t1\t{text}\n", n * 30));
        if (1_200..1_230).contains(&n) {
            signals.push_str(&format!("{}\t1\t{}县城自来水被投毒\n", n * 30, if n % 2 == 0 { "听说" } else { "" }));
        }
    }
    signals.push_str("60000\tmany\tx\n");
    let output = kepu(&["topics", "--signals", "-", "--bucket", "10m", "--time"], &signals)?;
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    assert!(words(&output).contains("\"many\" is no weight above 0"), "{}", words(&output));
    let rows = lines(&output)?;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert!(row["topic"] == 1 && row["label"].as_str().is_some_and(|label| label.contains("自来水")), "{row}");
    let time = |name: &str| row[name].as_i64().with_context(|| name.to_owned());
    assert_eq!(time("start")?, 36_000);
    assert!(time("start")? <= time("alert")? && time("alert")? <= 36_000 + 8 * 30 && time("peak")? <= time("end")?, "{row}");
    // Line numbers count from 1, with the line that names the columns.
    assert_eq!(row["signals"][0], 1_203);
    assert!(row["score"].as_f64().is_some_and(|score| score > 5.0));
    Ok(())
}

#[test]
fn the_score_of_usefulness_comes_out_again_from_the_dump() -> anyhow::Result<()> {
    let line = |id: &str, votes: [(i64, i64); 3]| {
        let kinds = ["public", "staff", "scientist"];
        let list: Vec<Value> =
            kinds.iter().zip(votes).map(|(kind, (useful, useless))| serde_json::json!({"kind": kind, "useful": useful, "useless": useless})).collect();
        serde_json::json!({"id": format!("kepu:abcdefgh23/{id}"), "usefulness": {"votes": list}}).to_string()
    };
    let mut dump = vec![
        line("good", [(19, 1), (18, 2), (20, 0)]),
        line("split", [(20, 0), (10, 10), (0, 20)]),
        line("lips", [(0, 20), (10, 10), (20, 0)]),
        line("bad", [(0, 20), (1, 19), (0, 20)]),
        line("worse", [(1, 19), (0, 20), (1, 19)]),
        r#"{"id":"kepu:abcdefgh23/silent","usefulness":null}"#.to_owned(),
    ];
    let output = kepu(&["claims", "useful", "--dump", "-"], &dump.join("\n"))?;
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    let rows = lines(&output)?;
    let bridges: Vec<(&str, bool)> = rows.iter().filter_map(|row| Some((row["claim"].as_str()?.rsplit('/').next()?, row["bridges"].as_bool()?))).collect();
    assert_eq!(bridges, [("bad", false), ("good", true), ("lips", false), ("split", false), ("worse", false)]);
    dump.push("nonsense".into());
    let output = kepu(&["claims", "useful", "--dump", "-"], &dump.join("\n"))?;
    assert!(output.status.code() == Some(1) && words(&output).contains("line 7: not read"), "{}", words(&output));
    Ok(())
}
