//! Records and frames of every release, read for ever. Each folder of `tests/golden` was written by the release it is named
//! after; none of them is ever changed. What a newer release cannot read any more, old nodes' libraries would lose.
//!
//! A release writes its own folder once: `cargo test -p kepu-tests --test golden -- --ignored`.

use anyhow::{Context, ensure};
use kepu_app::{App, Options, files, record, sync};
use kepu_domain::ids::KeyId;
use kepu_domain::record::Body;
use kepu_store::subject;
use kepu_sync::record::Record;
use kepu_tests::Node;
use kepu_tests::house::House;
use kepu_tests::http::Http;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn folders() -> anyhow::Result<Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    folders.retain(|path| path.is_dir());
    folders.sort();
    Ok(folders)
}

/// What a folder's files must be read as.
fn expected(folder: &Path) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(folder.join("expected.json"))?)?)
}

fn records(folder: &Path) -> anyhow::Result<Vec<Record>> {
    let text = std::fs::read_to_string(folder.join("records.jsonl"))?;
    let read = |line: &str| {
        let (doc, signature) = kepu_sync::record::split_proof(line.as_bytes())?;
        anyhow::Ok(kepu_sync::record::verify(doc, signature)?)
    };
    text.lines().map(read).collect()
}

#[test]
fn records_of_every_release_are_genuine_and_say_what_they_said() -> anyhow::Result<()> {
    let folders = folders()?;
    ensure!(!folders.is_empty(), "no release has written its golden records");
    for folder in folders {
        let (expected, name) = (expected(&folder)?, folder.display().to_string());
        let found: Vec<Value> = records(&folder).with_context(|| name.clone())?.iter().map(facts).collect();
        ensure!(found == *expected["records"].as_array().context("records")?, "{name}: {}", serde_json::to_string_pretty(&found)?);
        let root = KeyId(expected["root"].as_str().context("root")?.to_owned());
        for file in ["records.jsonl", "library.kepu"] {
            let verified = files::Verifier::new(Some(files::Pin::Key(root.clone()))).verify(file, std::fs::File::open(folder.join(file))?);
            ensure!(verified.ok, "{name}/{file}: {}", verified.reason);
        }
    }
    Ok(())
}

#[test]
fn frames_of_every_release_fill_an_empty_node() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    for folder in folders()? {
        let expected = expected(&folder)?;
        let node = Node::init("读者", "000000")?;
        let public = runtime.block_on(async {
            let app = App::open(Options { data: node.data().to_owned(), database: None, index: false }).await?;
            let mut tx = app.db.write().await?;
            kepu_store::meta::set(&mut tx, "root", expected["root"].as_str().context("root")?).await?;
            kepu_store::counter::take(&mut tx, "trust", 1).await?;
            let (good, rejected) = record::check(sync::items_of(&std::fs::read(folder.join("session.frames"))?)?);
            ensure!(rejected.is_empty(), "{rejected:?}");
            record::apply(&app, &mut tx, good, "did:key:golden").await?;
            tx.commit().await?;
            public(&app).await
        })?;
        ensure!(public == expected["public"], "{}: {}", folder.display(), serde_json::to_string_pretty(&public)?);
    }
    Ok(())
}

/// Everything that a reader of the node would see in a list.
async fn public(app: &App) -> anyhow::Result<Value> {
    let mut tx = app.db.read().await?;
    let rows = subject::list(&mut tx, &subject::Filter::default(), subject::Order::Title, None, 1_000).await?;
    let lines: BTreeMap<String, Value> = rows
        .into_iter()
        .map(|row| (row.id.0.clone(), json!({"kind": row.kind, "title": row.title, "verdict": row.verdict, "standing": row.standing.as_str()})))
        .collect();
    Ok(json!(lines))
}

fn facts(record: &Record) -> Value {
    let says = match &record.body {
        Ok(Body::Claim(claim)) => claim.claim.clone(),
        Ok(Body::Resource(resource)) => resource.title.clone(),
        Ok(Body::Retraction(retraction)) => retraction.reason.clone(),
        Ok(Body::Correction(notice)) => notice.text.clone(),
        Ok(other) => other.kind().to_owned(),
        Err(error) => error.to_string(),
    };
    json!({"hash": record.hash.hex(), "kind": record.kind, "place": record.envelope.place.to_string(), "subject": record.envelope.subject.0, "says": says})
}

#[test]
#[ignore = "a release writes its golden records once, before it is tagged"]
fn write_the_golden_records_of_this_release() -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(env!("CARGO_PKG_VERSION"));
    ensure!(!folder.exists(), "{} is there and never changes", folder.display());
    let (house, http) = (House::open()?, Http::new()?);
    // A county with the other suite, so that both kinds of signature are kept.
    let county = Node::init_with("县示例", "411525", "sm2")?;
    house.node.adopt(&county, "411525", &house.url())?;
    county.publish(2, "本县")?;
    county.json(&["sync"])?;
    // Nobody is sent what they said themselves, so a third node asks for everything.
    let reader = Node::init("省示例", "000000")?;
    house.node.adopt(&reader, "000000", &house.url())?;
    let reader = house.runtime.block_on(App::open(Options { data: reader.data().to_owned(), database: None, index: false }))?;
    let target = "/sync?r=000000&b=1";
    let answer = http.send("POST", &format!("{}{target}", house.url()), &[("authorization", &sync::authorize(&reader, target, b""))], Vec::new())?;
    ensure!(answer.status == 200, "{}", answer.text);
    let rows = house.runtime.block_on(async {
        let mut tx = house.app.db.read().await?;
        anyhow::Ok(kepu_store::record::list_all(&mut tx, None, 1_000).await?)
    })?;
    // Of the many samples a few; of everything else all.
    let mut samples = BTreeMap::<String, usize>::new();
    let kept: Vec<Record> = rows
        .into_iter()
        .filter_map(|(_, row)| record::read_row(row))
        .filter(|record| {
            let count = samples.entry(record.kind.clone()).or_default();
            *count += 1;
            *count <= 4 || !matches!(record.kind.as_str(), "claim" | "resource") || record.envelope.subject.0.contains("/c-")
        })
        .collect();
    let lines: String = kept.iter().map(|record| format!("{}\n", record.with_proof())).collect();
    let root = house.app.key.id().0.clone();
    let expected = json!({
        "root": root, "records": kept.iter().map(facts).collect::<Vec<_>>(), "public": house.runtime.block_on(public(&house.app))?,
    });
    std::fs::create_dir_all(&folder)?;
    house.node.run(&["bundle", "make", &folder.join("library.kepu").display().to_string()])?;
    std::fs::write(folder.join("records.jsonl"), lines)?;
    std::fs::write(folder.join("session.frames"), &answer.bytes)?;
    std::fs::write(folder.join("expected.json"), serde_json::to_string_pretty(&expected)? + "\n")?;
    Ok(())
}
