//! `kepu search` as a script calls it: shapes of rows, refused lines, exit status; no node, no network.

use anyhow::Context;
use kepu_tests::binary;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const DOCS: &str = r#"{"id": "d1", "title": "黑洞", "text": "黑洞由大质量恒星坍缩形成。连光也逃不出来。", "kind": "wiki"}
{"id": "d2", "title": "颱風", "text": "颱風來臨前應關好門窗。儲備三天的飲水。", "kind": "guide"}
not json
{"id": "d1", "title": "又一个", "text": "同一个编号"}
{"id": "d3", "title": "没有正文"}
{"id": "d4", "title": "彩虹", "text": "彩虹是阳光在水滴里折射和反射形成的。", "kind": "wiki"}
"#;

fn kepu(args: &[&str], stdin: &str) -> anyhow::Result<Output> {
    let mut child = Command::new(binary()).arg("search").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    child.stdin.take().context("standard input")?.write_all(stdin.as_bytes())?;
    Ok(child.wait_with_output()?)
}

fn index(folder: &Path) -> anyhow::Result<(String, Output)> {
    let dir = folder.join("index").display().to_string();
    let out = kepu(&["index", "--docs", "-", "--index", &dir], DOCS)?;
    Ok((dir, out))
}

fn lines(out: &Output) -> anyhow::Result<Vec<Value>> {
    String::from_utf8(out.stdout.clone())?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

#[test]
fn good_rows_are_indexed_and_refused_ones_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (_, out) = index(folder.path())?;
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    let report = &lines(&out)?[0];
    assert_eq!((report["documents"].as_u64(), report["refused"].as_u64()), (Some(3), Some(3)));
    let said = String::from_utf8(out.stderr)?;
    for part in ["- line 3: not JSON", "- line 4: another document before it has the id d1", "- line 5: \"text\" is missing"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    Ok(())
}

#[test]
fn questions_get_hits_passages_and_an_answer_or_none() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (dir, _) = index(folder.path())?;
    let queries = folder.path().join("q.jsonl");
    std::fs::write(&queries, "{\"qid\": \"a\", \"question\": \"台风来了怎么办？\"}\n{\"qid\": 2, \"question\": \"\\u202e\"}\n{\"qid\": \"c\"}\n")?;
    let queries = queries.display().to_string();
    let out = kepu(&["run", "--index", &dir, "--queries", &queries, "--top", "2", "--time", "--threads", "2"], "")?;
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    let answers = lines(&out)?;
    assert_eq!(answers.len(), 2);
    assert_eq!((answers[0]["qid"].as_str(), answers[0]["hits"][0]["id"].as_str()), (Some("a"), Some("d2")));
    assert!(answers[0]["hits"][0]["passage"].as_str().is_some_and(|passage| passage.contains("關好門窗")), "{}", answers[0]);
    assert!(answers[0]["hits"][0]["score"].is_number() && answers[0]["hits"].as_array().is_some_and(|hits| hits.len() <= 2));
    assert_eq!((answers[1]["qid"].as_u64(), &answers[1]["answer"], answers[1]["hits"].as_array().map(Vec::len)), (Some(2), &Value::Null, Some(0)));
    let said = String::from_utf8(out.stderr)?;
    assert!(said.contains("q.jsonl line 3: \"question\" is missing"), "{said}");
    let time: Value = serde_json::from_str(said.lines().last().context("the line of --time")?)?;
    assert!(["wall_s", "cpu_s", "rows", "rows_per_s", "peak_rss_mb", "load_s", "run_s"].iter().all(|name| time[*name].is_number()), "{time}");
    Ok(())
}

#[test]
fn other_members_filter() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (dir, _) = index(folder.path())?;
    let out = kepu(&["run", "--index", &dir, "--queries", "-", "--filter", "kind=wiki", "--facet", "kind"], "{\"qid\": 1, \"question\": \"形成\"}")?;
    let answer = &lines(&out)?[0];
    assert_eq!((answer["total"].as_u64(), answer["facets"]["kind"]["wiki"].as_u64()), (Some(2), Some(2)), "{answer}");
    Ok(())
}

#[test]
fn what_cannot_be_used_ends_with_2_and_says_what_to_do() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let nowhere = folder.path().join("none").display().to_string();
    let out = kepu(&["run", "--index", &nowhere, "--queries", "-"], "")?;
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8(out.stderr)?.contains("make one with: kepu search index"));
    assert!(!Path::new(&nowhere).exists(), "asking makes no folder");
    let out = kepu(&["index", "--docs", &nowhere, "--index", &nowhere], "")?;
    assert_eq!(out.status.code(), Some(2));
    let out = kepu(&["index", "--docs", "-", "--index", &nowhere], "broken\n")?;
    assert_eq!(out.status.code(), Some(2));
    std::fs::write(folder.path().join("photo.jpg"), "x")?;
    let out = kepu(&["index", "--docs", "-", "--index", &folder.path().display().to_string()], DOCS)?;
    assert_eq!(out.status.code(), Some(2));
    assert!(folder.path().join("photo.jpg").exists());
    Ok(())
}
