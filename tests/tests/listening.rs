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

/// Waits for a line of a child's standard output.
fn line_of(child: &mut std::process::Child) -> anyhow::Result<String> {
    use std::io::BufRead;
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.as_mut().context("no output")?).read_line(&mut line)?;
    Ok(line)
}

/// A served node with a tipline: address of the call, secret.
fn tipline() -> anyhow::Result<(kepu_tests::Node, kepu_tests::Served, String, String)> {
    use kepu_app::listen::intake::inlet;
    let node = kepu_tests::Node::init("国家示例", "000000")?;
    let runtime = tokio::runtime::Runtime::new()?;
    let (id, secret) = runtime.block_on(async {
        let app = kepu_app::App::open(kepu_app::Options { data: node.data().to_owned(), database: None, index: false }).await?;
        kepu_app::seed::publish(&app).await?;
        let operator = kepu_domain::access::Actor::Node { name: "operator".into() };
        let typed = inlet::Typed { name: "热线".into(), org: "000000".into(), ..inlet::Typed::default() };
        let id = inlet::add(&app, &operator, kepu_domain::listen::inlet::Kind::Tipline, typed).await?;
        let secret = inlet::secret(&app, &inlet::get(&app, &operator, &id).await?);
        anyhow::Ok((id, secret))
    })?;
    let served = node.serve()?;
    let address = format!("{}/api/v1/tipline/{id}", served.url());
    Ok((node, served, address, secret))
}

#[test]
fn the_caller_of_the_guide_speaks_with_a_node() -> anyhow::Result<()> {
    let python = Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !python.is_ok_and(|status| status.success()) {
        println!("skipped: python3 is not installed");
        return Ok(());
    }
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/tipline.md"))?;
    let script = guide.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).context("the guide has a caller")?;
    anyhow::ensure!(script.trim().lines().count() <= 36, "a caller of thirty lines");
    let folder = Folder::new()?;
    let path = folder.file("bot.py", script)?;
    let (_node, served, address, secret) = tipline()?;
    let mut bot = Command::new("python3")
        .arg(&path)
        .env("KEPU_TIPLINE", &address)
        .env("KEPU_SECRET", &secret)
        .env("PYTHONIOENCODING", "utf-8")
        .env("no_proxy", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    bot.stdin.take().context("no input")?.write_all("打了流感疫苗反而会得流感，越打身体越差\n听说后山的石头半夜会唱歌\n".as_bytes())?;
    let first = line_of(&mut bot)?;
    assert!(first.starts_with("answer\t") && first.contains("/c/"), "{first}");
    let output = bot.wait_with_output()?;
    assert!(output.status.success());
    served.stop()?;
    Ok(())
}

#[test]
fn the_same_wire_spoken_from_here_is_signed_fresh_and_heard_once() -> anyhow::Result<()> {
    let (_node, served, address, secret) = tipline()?;
    let http = kepu_tests::http::Http::new()?;
    let body = serde_json::json!({"text": "听说后山的石头半夜会唱歌"}).to_string().into_bytes();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis();
    let call = |stamp: &str, secret: &str| {
        let mark = kepu_app::listen::intake::tipline::sign(secret, stamp, &body);
        http.send("POST", &address, &[("kepu-timestamp", stamp), ("kepu-signature", &mark), ("content-type", "application/json")], body.clone())
    };
    let stamp = now.to_string();
    assert_eq!(call(&stamp, "wrong")?.status, 403);
    assert_eq!(call(&(now - 400_000).to_string(), &secret)?.status, 403);
    let answer = call(&stamp, &secret)?;
    assert_eq!((answer.status, answer.json()?["band"].as_str().map(str::to_owned)), (200, Some("nothing".to_owned())));
    assert_eq!(call(&stamp, &secret)?.status, 409);
    served.stop()?;
    Ok(())
}

#[test]
fn files_of_messages_are_heard_once_with_refused_lines_named() -> anyhow::Result<()> {
    let node = kepu_tests::Node::init("国家示例", "000000")?;
    let folder = Folder::new()?;
    let rows: String = (0..1_200).map(|n| format!("{{\"text\":\"第{n}个人说后山的石头会唱歌\"}}\n")).collect();
    let jsonl = folder.file("a.jsonl", &format!("{rows}{{\"text\":\"\"}}\n"))?;
    let txt = folder.file("b.txt", "听说井水变甜了\n\n听说井水变咸了\n")?;
    let (jsonl, txt) = (jsonl.to_string_lossy().into_owned(), txt.to_string_lossy().into_owned());
    let output = node.output(&["hear", &jsonl, &txt])?;
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    let found = lines(&output)?;
    assert_eq!((found[0]["heard"].as_i64(), found[0]["refused"].as_i64(), found[1]["heard"].as_i64()), (Some(1_200), Some(1), Some(2)));
    assert!(words(&output).contains("line 1201") && words(&output).contains("1202 matched"), "{}", words(&output));
    let again = node.output(&["hear", &jsonl, &txt])?;
    assert!(words(&again).contains("0 matched") && lines(&again)?.iter().all(|line| line["before"] == true), "{}", words(&again));
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
