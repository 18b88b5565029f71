//! A certificate from the ledger to the paper and back: drawn on one node, verified where there is no network, revoked by what a
//! stick brings, never read by a node it passed. Pages and refusals are in `kepu-web`, the browser's verdicts in `verifier`.

use anyhow::{Context, ensure};
use kepu_app::measure::certificate::{self, Draw};
use kepu_app::measure::contribution::{self, Answer, Claim};
use kepu_app::{App, Options};
use kepu_domain::access::Actor;
use kepu_domain::ids::PartyId;
use kepu_tests::{Node, binary};
use serde_json::Value;
use std::process::Command;

const HOLDER: &str = "p-zhou";

async fn open(node: &Node) -> anyhow::Result<App> {
    Ok(App::open(Options { data: node.data().to_owned(), database: None, index: false }).await?)
}

fn operator() -> Actor {
    Actor::Node { name: "operator".into() }
}

/// A confirmed talk of the holder, and a certificate of it. Returns its number and its file.
async fn certified(app: &App, title: &str, ago: i64) -> anyhow::Result<(String, String)> {
    let who = operator();
    let day = app.today().saturating_sub(jiff::Span::new().days(ago));
    let claim = Claim {
        party: Some(HOLDER.into()),
        kind: "talk".into(),
        title: title.into(),
        host: "org-nat".into(),
        day: Some(day),
        count: 1,
        minutes: 90,
        deed: String::new(),
    };
    let line = contribution::state(app, &who, claim).await?;
    contribution::answer(app, &who, &[line], Answer::Confirm).await?;
    let draw = Draw { party: Some(HOLDER.into()), from: day, until: day, kinds: vec![], lang: "zh-Hans".into() };
    let number = certificate::draw(app, &who, draw).await?;
    let file = certificate::file(app, &who, &number).await?;
    Ok((number, file))
}

/// `kepu verify` without any node or network.
fn verify(root: &str, more: &[&str], file: &str) -> anyhow::Result<Value> {
    let output = Command::new(binary()).args(["verify", "--root", root]).args(more).arg(file).output()?;
    let said: Value = serde_json::from_slice(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    ensure!(output.status.success() == (said["ok"] == true), "{said}");
    Ok(said)
}

/// A nation with sample people, a county that joined it, and the nation's root.
fn pair() -> anyhow::Result<(Node, Node, String)> {
    let (nation, county) = (Node::init("国家示例", "000000")?, Node::init("县示例", "411525")?);
    let served = nation.serve()?;
    nation.adopt(&county, "411525", &served.url())?;
    nation.run(&["seed"])?;
    let root = nation.json(&["node", "show"])?["key"].as_str().context("no key")?.to_owned();
    Ok((nation, county, root))
}

#[test]
fn a_certificate_holds_without_a_network_until_a_stick_brings_its_revocation() -> anyhow::Result<()> {
    let (nation, county, root) = pair()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let app = runtime.block_on(open(&nation))?;
    let (number, text) = runtime.block_on(certified(&app, "冬季用药安全", 400))?;
    let (_, other) = runtime.block_on(certified(&app, "另一场讲座", 500))?;
    let (file, second) = (county.file("certificate.json"), county.file("other.json"));
    std::fs::write(&file, &text)?;
    std::fs::write(&second, other)?;
    let digits = kepu_domain::ids::KeyId(root.clone()).digits();
    for pin in [&root, &digits] {
        let said = verify(pin, &[], &file)?;
        ensure!(said["ok"] == true && said["chain"][0] == root.as_str(), "{said}");
    }
    // One bit, wherever it is.
    let changed = county.file("changed.json");
    for at in [text.find("周示例").context("name")?, text.find("\"count\":1").context("count")? + 8, text.len() - 100, 40] {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        std::fs::write(&changed, bytes)?;
        let said = verify(&root, &[], &changed)?;
        ensure!(said["ok"] == false && said["reason"].as_str().is_some_and(|why| !why.is_empty()), "bit at {at}: {said}");
    }
    // Another root knows nobody here.
    let stranger = Node::init("别处", "000000")?.json(&["node", "show"])?["key"].as_str().context("no key")?.to_owned();
    ensure!(verify(&stranger, &[], &file)?["reason"].as_str().is_some_and(|why| why.contains("pinned root")));

    runtime.block_on(certificate::revoke(&app, &operator(), &number, "证书写错了日期"))?;
    ensure!(verify(&root, &[], &file)?["ok"] == true, "nobody has told this side yet");
    let stick = nation.file("news.kepu");
    nation.run(&["bundle", "make", &stick])?;
    county.run(&["bundle", "apply", &stick])?;
    let data = county.data().display().to_string();
    for more in [["--with", stick.as_str()], ["--data", data.as_str()]] {
        let said = verify(&root, &more, &file)?;
        ensure!(said["ok"] == false && said["reason"].as_str().is_some_and(|why| why.contains("证书写错了日期")), "{said}");
        ensure!(verify(&root, &more, &second)?["ok"] == true, "the other one still holds");
    }
    Ok(())
}

#[test]
fn the_body_stays_with_the_holder_whoever_sends_it_and_only_its_stub_travels() -> anyhow::Result<()> {
    let (nation, county, _) = pair()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let app = runtime.block_on(open(&nation))?;
    let (number, text) = runtime.block_on(certified(&app, "只有本人知道的讲座", 400))?;
    let stick = nation.file("all.kepu");
    nation.run(&["bundle", "make", &stick])?;
    county.run(&["bundle", "apply", &stick])?;
    let below = runtime.block_on(open(&county))?;
    runtime.block_on(async {
        let record: Value = serde_json::from_str(&text)?;
        let record = kepu_app::files::records(record["records"][0].to_string().as_bytes()).map_err(anyhow::Error::msg)?.remove(0);
        let place = record.envelope.place.clone();
        for node in [&app, &below] {
            let mut tx = node.db.read().await?;
            let row = kepu_store::record::find(&mut tx, &place).await?.context("the stub is there")?;
            ensure!(row.doc.is_none() && row.doc_hash == record.hash, "a body stands among the records");
            ensure!(kepu_store::subject::find(&mut tx, &record.envelope.subject).await?.is_none(), "it has no public row");
        }
        // Somebody sends the whole record, as a malicious holder or peer could: what is kept is still the stub.
        let mut tx = below.db.write().await?;
        kepu_app::record::apply(&below, &mut tx, vec![record.clone()], "did:key:peer").await?;
        ensure!(kepu_store::record::find(&mut tx, &place).await?.context("the stub is there")?.doc.is_none(), "sent whole, kept whole");
        drop(tx);
        ensure!(certificate::status(&app, &number, "").await?.is_some_and(|status| status.shown.is_none() && status.revoked.is_none()));
        ensure!(certificate::status(&below, &number, "").await?.is_none(), "numbers belong to the node that gave them");
        anyhow::Ok(())
    })?;
    for node in [&nation, &county] {
        ensure!(node.json(&["rebuild"])?["same"] == true);
        let all = std::fs::read(&stick)?;
        ensure!(!all.windows(24).any(|part| part == "只有本人知道的".as_bytes()), "the text is on the stick");
    }
    Ok(())
}

#[test]
fn a_certificate_from_elsewhere_counts_once_in_the_own_name_until_it_is_revoked_there() -> anyhow::Result<()> {
    let (nation, county, _) = pair()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let app = runtime.block_on(open(&nation))?;
    let (number, text) = runtime.block_on(certified(&app, "冬季用药安全", 400))?;
    let take = || -> anyhow::Result<()> {
        let stick = nation.file(&format!("{}.kepu", kepu_app::keys::random_word(6)));
        nation.run(&["bundle", "make", &stick])?;
        county.run(&["bundle", "apply", &stick]).map(drop)
    };
    take()?;
    let below = runtime.block_on(open(&county))?;
    let who = operator();
    runtime.block_on(async {
        let org = kepu_app::node::org(&mut below.db.read().await?).await?;
        let add = async |name: &str| -> anyhow::Result<PartyId> {
            let values = vec![("name".to_owned(), Value::from(name)), ("fields".to_owned(), serde_json::json!(["health"]))];
            Ok(kepu_app::create::party::add(&below, &who, &org, kepu_domain::create::party::PartyKind::Person, None, values).await?)
        };
        let (own, namesake) = (add("周示例").await?, add("吴示例").await?);
        let key = |result: Result<usize, kepu_app::AppError>| match result {
            Err(kepu_app::AppError::Invalid(errors)) => errors[0].key.clone(),
            other => format!("{other:?}"),
        };
        let bring = async |party: &PartyId, text: &str| certificate::bring(&below, &who, Some(party), text.as_bytes()).await;
        assert_eq!(key(bring(&namesake, &text).await), "certificate_name");
        assert_eq!(key(bring(&own, &text.replace("\"count\":1", "\"count\":9")).await), "certificate_wrong");
        assert_eq!(bring(&own, &text).await?, 1);
        assert_eq!(key(bring(&own, &text).await), "certificate_known");
        let (_, wider) = {
            let (number, _) = certified(&app, "同一天的另一场", 400).await?;
            let file = certificate::file(&app, &who, &number).await?;
            (number, file)
        };
        assert_eq!(key(bring(&own, &wider).await), "certificate_overlap", "its deeds would count twice");
        let (from, until) = (jiff::civil::date(2000, 1, 1), below.today());
        let counting = async || anyhow::Ok(contribution::ledger(&below, &who, Some(&own), from, until).await?.context("a ledger")?.counting().len());
        assert_eq!(counting().await?, 1);
        certificate::revoke(&app, &who, &number, "证书写错了日期").await?;
        take()?;
        assert_eq!(counting().await?, 0, "what its issuer revoked no longer counts");
        assert_eq!(key(certificate::bring(&app, &who, Some(&HOLDER.into()), wider.as_bytes()).await), "certificate_own");
        anyhow::Ok(())
    })
}
