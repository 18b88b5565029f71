//! Taking files in with the real binary: killed in the middle and gone on with, by a command and by a worker; encodings; exit status.

use kepu_app::create::import::{self, Brought};
use kepu_app::{App, Options};
use kepu_domain::access::Actor;
use kepu_domain::create::import::{Counts, Plan, Stage};
use kepu_store::create::import as store;
use kepu_tests::{Node, binary};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

async fn open(node: &Node) -> App {
    App::open(Options { data: node.data().to_owned(), database: None, index: false }).await.expect("node opens")
}

fn rows(count: usize) -> String {
    (0..count).map(|n| format!("{{\"title\":\"断电第{n}号\",\"text\":\"这是第{n}条说明，用来看断电以后是不是接着做。\",\"licence\":\"CC0-1.0\"}}\n")).collect()
}

fn write(node: &Node, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = node.data().join(name);
    std::fs::write(&path, bytes).expect("file");
    path
}

fn import(node: &Node, path: &Path, more: &[&str]) -> (i32, Value, String) {
    let output = node.output(&[&["import", path.to_str().expect("path")], more].concat()).expect("runs");
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().unwrap_or(-1), report, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The counts of the only import of a node.
async fn counts(app: &App) -> Option<Counts> {
    let mut tx = app.db.read().await.expect("tx");
    store::list(&mut tx, None, 9).await.expect("list").first().map(|import| import.counts)
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime").block_on(future)
}

#[test]
fn a_killed_command_is_gone_on_with_and_nothing_enters_twice() -> anyhow::Result<()> {
    const ROWS: usize = 4_000;
    let node = Node::init("国家示例", "000000")?;
    let path = write(&node, "rows.jsonl", rows(ROWS));
    let mut command = Command::new(binary());
    command.args(["import", "--data"]).arg(node.data()).arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    block(async {
        let app = open(&node).await;
        loop {
            if counts(&app).await.is_some_and(|c| c.done >= 400) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        child.kill().expect("killed");
        child.wait().expect("gone");
        let half = counts(&app).await.expect("begun");
        assert!((400..ROWS as i64).contains(&half.done), "killed in the middle: {half:?}");
        assert_eq!(half.done, half.published);
    });
    let (code, report, words) = import(&node, &path, &[]);
    assert_eq!((code, report["rows"].as_u64(), report["published"].as_u64(), report["known"].as_u64()), (0, Some(4_000), Some(4_000), Some(0)), "{words}");
    // Two records of the node itself, and every row once.
    assert_eq!(node.json(&["node", "show"])?["records"], ROWS + 2);
    assert_eq!(node.json(&["rebuild"])?["same"], true);
    let (code, report, _) = import(&node, &path, &[]);
    assert_eq!((code, report["published"].as_u64(), report["known"].as_u64()), (0, Some(0), Some(4_000)), "a third time enters nothing");
    assert!(node.run(&["audit", "verify"])?.contains("\"whole\":true"));
    Ok(())
}

#[test]
fn a_killed_server_leaves_its_file_to_the_next_worker() -> anyhow::Result<()> {
    const ROWS: usize = 6_000;
    let node = Node::init("国家示例", "000000")?;
    let operator = Actor::Node { name: "operator".into() };
    block(async {
        let app = open(&node).await;
        let plan = Plan { signed_by: "示例".into(), ..Plan::default() };
        let bytes = rows(ROWS);
        let brought = import::bring(&app, &operator, Brought { name: "rows.jsonl", bytes: bytes.as_bytes(), plan, org: "000000".into() }).await?;
        import::start(&app, &operator, &brought.id, brought.version).await?;
        let served = node.serve()?;
        while counts(&app).await.is_none_or(|c| c.done < 400) {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        served.kill();
        let half = counts(&app).await.expect("begun");
        assert!(half.done < ROWS as i64, "killed in the middle");
        // The dead worker's lease is not waited for: it is ended as time would end it.
        let mut tx = app.db.write().await?;
        let job = kepu_store::job::list(&mut tx, None, None, 50).await?.into_iter().find(|job| job.kind == "import").expect("job");
        kepu_store::job::extend(&mut tx, &job, app.now() - jiff::SignedDuration::from_secs(1)).await?;
        tx.commit().await?;
        let done: Value = node.json(&["work", "--once"])?;
        assert!(done["jobs"].as_u64() >= Some(1), "{done}");
        let mut tx = app.db.read().await?;
        let import = store::get(&mut tx, &brought.id).await?;
        assert!(matches!(import.stage, Stage::Done { .. }), "{import:?}");
        assert_eq!((import.counts.published, import.counts.known), (ROWS as i64, 0));
        anyhow::Ok(())
    })?;
    assert_eq!(node.json(&["rebuild"])?["same"], true);
    Ok(())
}

#[test]
fn a_worker_ends_gracefully_when_told_to() -> anyhow::Result<()> {
    let node = Node::init("国家示例", "000000")?;
    let operator = Actor::Node { name: "operator".into() };
    block(async {
        let app = open(&node).await;
        let bytes = rows(6_000);
        let plan = Plan { signed_by: "示例".into(), ..Plan::default() };
        let brought = import::bring(&app, &operator, Brought { name: "rows.jsonl", bytes: bytes.as_bytes(), plan, org: "000000".into() }).await?;
        import::start(&app, &operator, &brought.id, brought.version).await?;
        let mut worker = Command::new(binary()).args(["work", "--data"]).arg(node.data()).stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
        while counts(&app).await.is_none_or(|c| c.done < 200) {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        assert!(Command::new("kill").args(["-TERM", &worker.id().to_string()]).status()?.success());
        assert!(worker.wait()?.success());
        let mut tx = app.db.read().await?;
        let job = kepu_store::job::list(&mut tx, None, None, 50).await?.into_iter().find(|job| job.kind == "import").expect("job");
        assert_eq!((job.state, job.attempts), (kepu_store::job::State::Queued, 0), "given back");
        anyhow::Ok(())
    })
}

#[test]
fn every_encoding_is_read_and_broken_files_are_unusable() -> anyhow::Result<()> {
    let node = Node::init("国家示例", "000000")?;
    let text = |n: usize| format!("标题,正文,来源,许可\n水实验{n},把一杯水放在窗台上，每天量一次水面的高度。,科普馆,CC0-1.0\n");
    let gb = |text: &str| {
        // A GB 18030 text of letters that are in GB 2312 needs no table here: iconv is part of every Linux.
        let mut child = Command::new("iconv").args(["-f", "UTF-8", "-t", "GB18030"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("iconv");
        std::io::Write::write_all(&mut child.stdin.take().expect("stdin"), text.as_bytes()).expect("written");
        child.wait_with_output().expect("converted").stdout
    };
    let utf16: Vec<u8> = std::iter::once(0xFEFF).chain(text(3).encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xEF\xBB\xBF", text(4).as_bytes()].concat();
    for (name, bytes) in [("1.csv", text(1).into_bytes()), ("2.csv", gb(&text(2))), ("3.csv", utf16), ("4.csv", marked)] {
        let (code, report, words) = import(&node, &write(&node, name, bytes), &[]);
        assert_eq!((code, report["published"].as_u64()), (0, Some(1)), "{name}: {words}");
    }
    let mut broken = text(5).into_bytes();
    let at = broken.len() - 20;
    broken[at] = 0xFF;
    let (code, report, words) = import(&node, &write(&node, "5.csv", broken), &[]);
    assert_eq!((code, report), (2, Value::Null));
    assert!(words.contains("line 2") && words.contains("UTF-8"), "{words}");
    let (code, _, words) = import(&node, &write(&node, "6.xlsx", b"PK\x03\x04"), &[]);
    assert!(code == 2 && words.contains("workbook"), "{words}");
    let (code, _, words) = import(&node, &node.data().join("none.csv"), &[]);
    assert!(code == 2 && words.contains("none.csv"), "{words}");
    Ok(())
}

#[test]
fn bad_rows_come_back_with_line_and_reason_and_status_one() -> anyhow::Result<()> {
    let node = Node::init("国家示例", "000000")?;
    let row = |n: usize| {
        let licence = if n % 33 == 7 { "All rights reserved" } else { "CC-BY-4.0" };
        format!("水的第{n}个小实验,\"把一杯水放在窗台上，第{n}天量一次水面的高度，记下来。\",{licence},physics\n")
    };
    let csv: String = std::iter::once("标题,正文,许可,领域\n".to_owned()).chain((0..1_000).map(row)).collect();
    let path = write(&node, "rows.csv", csv);
    let (code, report, _) = import(&node, &path, &["--dry-run"]);
    assert_eq!((code, report["published"].as_u64(), report["refused"].as_u64(), report["dry_run"].as_bool()), (1, Some(969), Some(31), Some(true)));
    assert_eq!(node.json(&["node", "show"])?["records"], 2, "a dry run writes nothing");
    let (code, report, words) = import(&node, &path, &["--time"]);
    assert_eq!((code, report["rows"].as_u64(), report["published"].as_u64(), report["refused"].as_u64()), (1, Some(1_000), Some(969), Some(31)));
    assert_eq!(words.lines().filter(|line| line.contains(": not taken: ")).count(), 31);
    assert!(
        words.contains("line 9: not taken: The licence \"All rights reserved\"") || words.contains("line 9: not taken: The licence “All rights reserved”"),
        "{words}"
    );
    let time: Value = words.lines().find_map(|line| serde_json::from_str(line).ok()).expect("--time prints JSON");
    assert!(time["rows"] == 1_000 && time["wall_s"].as_f64() > Some(0.0) && time["cpu_s"].is_number() && time["peak_rss_mb"].as_f64() > Some(1.0), "{time}");
    Ok(())
}

#[test]
fn columns_are_mapped_and_verdicts_become_drafts() -> anyhow::Result<()> {
    let node = Node::init("国家示例", "000000")?;
    let claims = "{\"id\":1,\"label\":\"refutes\",\"domain\":\"食品\",\"claim\":\"隔夜的白开水會致癌\",\"evidence\":[[\"亞硝酸鹽\",0]]}\n\
                  {\"id\":2,\"label\":\"NOT ENOUGH INFO\",\"domain\":\"世界地理\",\"claim\":\"芝加哥人口將近三百萬\",\"evidence\":[]}\n";
    let path = write(&node, "claims.jsonl", claims);
    let (code, report, words) = import(&node, &path, &["--kind", "claim", "--map", "verdict=label", "--map", "claim=claim", "--set", "lang=zh-Hant-TW"]);
    assert_eq!((code, report["published"].as_u64(), report["drafts"].as_u64()), (0, Some(0), Some(2)), "{words}");
    assert!(words.contains("a verdict is given by named people"), "{words}");
    let (code, _, words) = import(&node, &path, &["--kind", "claim", "--map", "colour=label"]);
    assert!(code == 2 && words.contains("colour"), "{words}");
    let (code, _, words) = import(&node, &path, &["--kind", "claim", "--map", "claim=nowhere"]);
    assert!(code == 2 && words.contains("nowhere"), "{words}");
    let (code, _, words) = import(&node, &path, &["--kind", "claim", "--map", "claim=nowhere", "--dry-run"]);
    assert!(code == 2 && words.contains("nowhere"), "{words}");
    let (code, _, words) = import(&node, &path, &["--kind", "novel"]);
    assert!(code == 2 && words.contains("resource, claim, party and signal"), "{words}");
    let (code, _, words) = import(&node, &path, &["--org", "nowhere"]);
    assert!(code == 2 && words.contains("nowhere"), "{words}");
    Ok(())
}
