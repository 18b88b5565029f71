//! The optional encoder as an operator meets it: a file that is another one is refused with one clear message, a node with a damaged one answers without it. What the
//! true file does is tested where `KEPU_ENCODER` names it.

use kepu_tests::http::Http;
use kepu_tests::{Node, binary};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn kepu(words: &[&str]) -> anyhow::Result<Output> {
    Ok(Command::new(binary()).args(words).output()?)
}

fn refused(words: &[&str], why: &str) -> anyhow::Result<()> {
    let output = kepu(words)?;
    let said = String::from_utf8(output.stderr)?;
    assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{words:?}: {said}");
    assert!(said.contains(why), "{why} not in {said}");
    Ok(())
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_file_that_is_not_the_encoder_is_refused_everywhere_with_the_cure() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| text(&folder.path().join(name));
    let (junk, claims, docs) = (at("junk.bin"), at("claims.jsonl"), at("docs.jsonl"));
    std::fs::write(&junk, "E5S1 and no more")?;
    std::fs::write(&claims, "{\"id\":\"c\",\"text\":\"隔夜菜会致癌\"}\n")?;
    std::fs::write(&docs, "{\"id\":\"d\",\"title\":\"水\",\"text\":\"水会沸腾。\"}\n")?;
    refused(&["encoder", "add", &junk, "--data", &at("")], "kepu encoder add FILE")?;
    assert!(!folder.path().join("encoder").exists());
    refused(&["encoder", "add", &junk, "--data", &at("nowhere")], "there is no data folder")?;
    for (file, why) in [(&junk, "is not the encoder, or it is damaged"), (&at("none.bin"), "could not read the encoder file")] {
        refused(&["claims", "match", "--claims", &claims, "--posts", &claims, "--encoder", file], why)?;
        refused(&["search", "index", "--docs", &docs, "--index", &at("index"), "--encoder", file], why)?;
    }
    assert_eq!(kepu(&["search", "index", "--docs", &docs, "--index", &at("index")])?.status.code(), Some(0));
    refused(&["search", "run", "--index", &at("index"), "--queries", &docs, "--encoder", &junk], "is not the encoder")
}

#[test]
fn a_node_with_a_damaged_encoder_answers_without_it() -> anyhow::Result<()> {
    let node = Node::init("县科协", "520526")?;
    node.publish(3, "彩虹")?;
    std::fs::create_dir_all(node.data().join("encoder"))?;
    std::fs::write(node.data().join("encoder/e5-small-q4.bin"), "broken")?;
    let served = node.serve()?;
    let answer = Http::new()?.get(&format!("{}/search?q=%E5%BD%A9%E8%99%B9", served.url()))?;
    assert_eq!(answer.status, 200);
    Ok(())
}

#[test]
fn the_true_file_is_taken_and_used() -> anyhow::Result<()> {
    let Ok(file) = std::env::var("KEPU_ENCODER") else {
        println!("skipped: KEPU_ENCODER names no file of the encoder");
        return Ok(());
    };
    let node = Node::init("县科协", "520526")?;
    let taken = kepu(&["encoder", "add", &file, "--data", &text(node.data())])?;
    let line: Value = serde_json::from_slice(&taken.stdout)?;
    let place = node.data().join("encoder/e5-small-q4.bin");
    assert!(line["bytes"].as_u64() == Some(std::fs::metadata(&place)?.len()), "{line}");
    let at = |name: &str| node.file(name);
    std::fs::write(at("docs.jsonl"), DOCS)?;
    std::fs::write(at("q.jsonl"), "{\"qid\": 1, \"question\": \"电饭锅在高山上做饭为什么半生不熟\"}\n")?;
    let (docs, index, queries) = (at("docs.jsonl"), at("files"), at("q.jsonl"));
    let made = kepu(&["search", "index", "--docs", &docs, "--index", &index, "--encoder", &text(&place)])?;
    assert_eq!(serde_json::from_slice::<Value>(&made.stdout)?["stretches"].as_u64(), Some(4));
    let asked = kepu(&["search", "run", "--index", &index, "--queries", &queries, "--encoder", &text(&place)])?;
    assert_eq!(serde_json::from_slice::<Value>(&asked.stdout)?["hits"][0]["id"], "d1");
    let served = node.serve()?;
    assert_eq!(Http::new()?.get(&format!("{}/search?q=%E6%B0%B4", served.url()))?.status, 200);
    Ok(())
}

const DOCS: &str = r#"{"id": "d1", "title": "沸点", "text": "海拔越高气压越低，水不到一百度就沸腾，所以高原上米饭难以煮熟，要用压力锅。"}
{"id": "d2", "title": "登山", "text": "高山上做什么都要小心，电饭锅不必带。"}
{"id": "d3", "title": "彩虹", "text": "彩虹是阳光在水滴里折射和反射形成的。"}
{"id": "d4", "title": "鸡蛋", "text": "煮熟的鸡蛋更容易消化。半熟的蛋可能带菌。"}
"#;
