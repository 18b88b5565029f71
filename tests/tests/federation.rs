//! Two real nodes: exchange, cuts, kills, forged records. The rules behind it are tested in `kepu-domain` and `kepu-sync`.

use anyhow::Context;
use kepu_app::create::publish;
use kepu_app::{App, Options, record};
use kepu_domain::create::draft::Matter;
use kepu_domain::create::resource::Resource;
use kepu_domain::ids::SubjectId;
use kepu_domain::org::Region;
use kepu_domain::record::Body;
use kepu_store::subject::{self, Filter, Order, Standing};
use kepu_tests::http::Http;
use kepu_tests::{Node, cutting_relay};

fn pair() -> anyhow::Result<(Node, Node, kepu_tests::Served)> {
    let (nation, county) = (Node::init("国家示例", "000000")?, Node::init("县示例", "411525")?);
    let served = nation.serve()?;
    nation.adopt(&county, "411525", &served.url())?;
    Ok((nation, county, served))
}

#[test]
fn a_county_receives_everything_once_and_rebuilds_the_same_state() -> anyhow::Result<()> {
    let (nation, county, _served) = pair()?;
    nation.run(&["seed"])?;
    let first = county.json(&["sync"])?;
    assert_eq!(first["pulled"], 251, "{first}");
    let second = county.json(&["sync"])?;
    assert_eq!((second["pulled"].as_i64(), second["pushed"].as_i64(), second["round_trips"].as_i64()), (Some(0), Some(0), Some(1)), "{second}");
    assert!(second["bytes_in"].as_u64() < Some(400) && second["bytes_out"].as_u64() < Some(400), "{second}");
    assert_eq!(nation.state()?, county.state()?);
    for node in [&nation, &county] {
        let rebuilt = node.json(&["rebuild"])?;
        assert_eq!(rebuilt["same"], true, "{rebuilt}");
    }
    let latest = &nation.json(&["node", "show"])?["latest"][0];
    assert_eq!((latest["reached"].as_i64(), latest["of"].as_i64()), (Some(1), Some(1)), "{latest}");
    assert!(nation.run(&["audit", "verify"])?.contains("\"whole\":true"));
    Ok(())
}

/// Exchanges until one ends well; how many records each of them brought.
fn sync_to_the_end(county: &Node) -> anyhow::Result<Vec<u64>> {
    let mut pulled = Vec::new();
    for _ in 0..60 {
        let output = county.output(&["sync"])?;
        let done: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        pulled.push(done["pulled"].as_u64().unwrap_or_default());
        if output.status.success() {
            return Ok(pulled);
        }
    }
    anyhow::bail!("sixty exchanges broke off: {pulled:?}")
}

#[test]
fn a_cut_network_loses_nothing_and_nothing_comes_twice() -> anyhow::Result<()> {
    let (nation, county) = (Node::init("国家示例", "000000")?, Node::init("县示例", "000000")?);
    let served = nation.serve()?;
    let relay = cutting_relay(served.address, 90_000)?;
    nation.adopt(&county, "000000", &format!("http://{relay}"))?;
    nation.publish(3_000, "断网")?;
    let pulled = sync_to_the_end(&county)?;
    assert!(pulled.len() >= 2, "the relay never cut");
    assert_eq!(pulled.iter().sum::<u64>(), 3_000);
    assert_eq!(nation.state()?, county.state()?);
    Ok(())
}

#[test]
fn a_line_that_breaks_after_a_few_kilobytes_brings_something_each_time() -> anyhow::Result<()> {
    let (nation, county) = (Node::init("国家示例", "000000")?, Node::init("县示例", "000000")?);
    let served = nation.serve()?;
    let relay = cutting_relay(served.address, 6_000)?;
    nation.adopt(&county, "000000", &format!("http://{relay}"))?;
    nation.publish(200, "弱网")?;
    let pulled = sync_to_the_end(&county)?;
    let broken = &pulled[..pulled.len() - 1];
    assert!(broken.len() >= 2, "the line broke {} times", broken.len());
    assert!(broken.iter().all(|count| *count > 0), "an exchange brought nothing: {pulled:?}");
    assert_eq!(pulled.iter().sum::<u64>(), 200);
    assert_eq!(nation.state()?, county.state()?);
    Ok(())
}

#[test]
fn killed_nodes_come_back_with_everything_they_acknowledged() -> anyhow::Result<()> {
    let (nation, county, served) = pair()?;
    nation.publish(200, "之前")?;
    county.json(&["sync"])?;
    let address = served.kill();
    let failed = county.output(&["sync"])?;
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stderr).contains("cannot be reached"), "{failed:?}");
    nation.publish(50, "之后")?;
    let _served = nation.serve_at(&address.to_string())?;
    let done = county.json(&["sync"])?;
    // A restarted node also signs a head over its history, so one record more may come.
    assert!(done["pulled"].as_i64() >= Some(50), "{done}");
    assert_eq!(nation.state()?, county.state()?);
    Ok(())
}

#[test]
fn what_a_county_says_reaches_the_nation_only_within_its_certificate() -> anyhow::Result<()> {
    let (nation, county, _served) = pair()?;
    county.publish(5, "本县")?;
    let done = county.json(&["sync"])?;
    assert!(done["pushed"].as_i64() >= Some(5), "{done}");
    let titles = nation.run(&["node", "show"])?;
    assert!(titles.contains("本县第"), "{titles}");
    let path = county.data().join("outside.jsonl");
    std::fs::write(&path, r#"{"title":"别处的事","text":"这条内容写给另一个省。","region":"420000"}"#)?;
    let refused = county.output(&["record", "publish", "--in", &path.display().to_string()])?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("region 420000 lies outside"), "{refused:?}");
    Ok(())
}

#[test]
fn a_stranger_gets_nothing_and_an_invitation_works_once() -> anyhow::Result<()> {
    let (nation, county, served) = pair()?;
    let token = nation.run(&["node", "invite"])?;
    let (one, two) = (Node::init("甲", "000000")?, Node::init("乙", "000000")?);
    one.run(&["node", "join", &token, "--url", &served.url()])?;
    let refused = two.output(&["node", "join", &token, "--url", &served.url()])?;
    assert!(!refused.status.success());
    assert!(two.output(&["sync"])?.stdout.is_empty());
    drop(county);
    Ok(())
}

#[test]
fn altered_files_do_not_verify() -> anyhow::Result<()> {
    let node = Node::init("国家示例", "000000")?;
    node.publish(1, "验证")?;
    let show = node.json(&["node", "show"])?;
    let key = show["key"].as_str().unwrap_or_default().to_owned();
    let record = node.run(&["record", "show", &format!("{key}/lib/1")])?;
    let path = node.data().join("record.json");
    for (text, good) in [(record.clone(), true), (record.replace("简短", "冗长"), false), (record.replace("\"n\":1", "\"n\":2"), false)] {
        std::fs::write(&path, text)?;
        let output = std::process::Command::new(kepu_tests::binary()).arg("verify").arg(&path).output()?;
        let verified: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        assert_eq!(verified["ok"], good, "{verified}");
        assert_eq!(verified["reason"].as_str() == Some(""), good, "{verified}");
    }
    Ok(())
}

#[test]
fn bad_rows_come_back_with_line_and_reason_and_good_rows_enter() -> anyhow::Result<()> {
    let node = Node::init("国家示例", "000000")?;
    let path = node.data().join("rows.jsonl");
    let name = "王\u{3400}\u{20BB7}\u{E0100}\u{30000}\u{2EBF0}";
    let lines = [
        format!(r#"{{"title":"{name}的讲座","text":"正文里有<script>alert(1)</script>也只是文字。"}}"#),
        r#"{"title":"没有正文"}"#.into(),
        "这不是JSON".into(),
        r#"{"title":"许可不明","text":"这一条的许可不允许转载。","licence":"All rights reserved"}"#.into(),
        r#"{"title":"健康内容","text":"这一条需要两位专家逐篇评议，请看医生。","fields":"health"}"#.into(),
    ];
    std::fs::write(&path, lines.join("\n"))?;
    let output = node.output(&["import", &path.display().to_string()])?;
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(["line 2:", "line 3:", "line 4:"].iter().all(|line| words.contains(line)), "{words}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!((report["published"].as_i64(), report["drafts"].as_i64(), report["refused"].as_i64()), (Some(1), Some(1), Some(3)), "{report}");
    assert!(node.run(&["node", "show"])?.contains(name));
    std::fs::write(
        &path,
        [b"title,text\n".as_slice(), "好的标题,这一行是好的文字内容\n坏".as_bytes(), &[0xff, 0xfe, 0x80], "的中文字符在这里,很多中文字符\n".as_bytes()]
            .concat(),
    )?;
    let broken = node.output(&["import", &path.display().to_string()])?;
    assert_eq!(broken.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&broken.stderr).contains("line 3"), "{}", String::from_utf8_lossy(&broken.stderr));
    Ok(())
}

#[test]
fn a_revoked_honour_is_gone_everywhere_after_one_exchange() -> anyhow::Result<()> {
    use kepu_app::create::round::after;
    use kepu_app::{App, Options};
    use kepu_domain::access::Actor;
    use kepu_domain::create::round::AppStage;
    use kepu_domain::ids::SubjectId;
    use kepu_store::subject::{self, Standing};
    let (nation, county, _served) = pair()?;
    nation.run(&["seed"])?;
    county.json(&["sync"])?;
    let runtime = tokio::runtime::Runtime::new()?;
    let open = async |node: &Node| App::open(Options { data: node.data().to_owned(), database: None, index: false }).await;
    let seen = async |id: &SubjectId| {
        let app = open(&county).await?;
        let row = subject::find(&mut app.db.read().await?, id).await?;
        anyhow::Ok(row.map(|row| (row.kind, row.standing, row.reason)))
    };
    let id = runtime.block_on(async {
        let app = open(&nation).await?;
        let application = kepu_store::create::round::get_application(&mut app.db.read().await?, &"sample-decided-1".into()).await?;
        let AppStage::Granted { credential, .. } = &application.stage else { anyhow::bail!("granted") };
        assert_eq!(seen(credential).await?, Some(("credential".into(), Standing::Public, String::new())), "the certificate travels");
        let operator = Actor::Node { name: "operator".into() };
        after::revoke(&app, &operator, &application.id, application.version, "年度复核发现材料不实").await?;
        Ok(credential.clone())
    })?;
    let done = county.json(&["sync"])?;
    assert!(done["pulled"].as_u64() >= Some(1), "{done}");
    let now = runtime.block_on(seen(&id))?;
    assert_eq!(now, Some(("credential".into(), Standing::Withdrawn, "年度复核发现材料不实".into())));
    assert_eq!(nation.state()?, county.state()?);
    Ok(())
}

/// A medical text that a county's program let out although nobody qualified wrote it. Its parent holds the record, and shows it nowhere.
#[test]
fn a_medical_text_by_an_unqualified_author_from_a_peer_is_shown_nowhere() -> anyhow::Result<()> {
    let (nation, county, served) = pair()?;
    nation.run(&["seed"])?;
    county.json(&["sync"])?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let app = App::open(Options { data: county.data().to_owned(), database: None, index: false }).await?;
        let mut tx = app.db.write().await?;
        let filter = Filter { kind: Some("resource".into()), field: Some("health".into()), standing: Some(Standing::Public), ..Filter::default() };
        let row = subject::list(&mut tx, &filter, Order::Newest, None, 1).await?.pop().context("a sample about health")?;
        let found = publish::current(&app, &mut tx, &row.id).await?.and_then(|(_, record)| record?.body.ok());
        let Some(Body::Resource(sample)) = found else { anyhow::bail!("a resource") };
        let region = Region::parse("411525")?;
        let own = |word: &str| SubjectId::new(&app.key.id().fingerprint(), word);
        let good = Resource { title: "本县有资质的健康文章".into(), region, ..(*sample).clone() };
        let mut bad = Resource { title: "本县没有资质的健康文章".into(), ..good.clone() };
        bad.author.qualification = None;
        // Past every page, operation and gate of the county, as an altered program would.
        let list = [("good", good), ("bad", bad)].map(|(word, r)| publish::saying_of(&own(word), &Matter::Resource(Box::new(r))));
        record::publish(&app, &mut tx, list.into()).await?;
        tx.commit().await?;
        anyhow::Ok(())
    })?;
    let done = county.json(&["sync"])?;
    assert!(done["pushed"].as_i64() >= Some(2), "{done}");
    let http = Http::new()?;
    for (path, shows) in
        [("/search?q=本县有资质的健康文章", true), ("/resources?q=本县", true), ("/feed.atom", true), ("/oai?verb=ListRecords&metadataPrefix=oai_dc", false)]
    {
        let page = http.get(&format!("{}{path}", served.url()))?;
        assert!(!page.text.contains("没有资质"), "{path}");
        assert!(!shows || page.status == 200, "{path}: {}", page.status);
    }
    let id = runtime
        .block_on(async { anyhow::Ok(App::open(Options { data: county.data().to_owned(), database: None, index: false }).await?.key.id().fingerprint()) })?;
    assert_eq!(http.get(&format!("{}/r/{id}/bad", served.url()))?.status, 404);
    let good = http.get(&format!("{}/r/{id}/good", served.url()))?;
    assert!(good.status == 200 && good.text.contains("本县有资质的健康文章"), "{}", good.status);
    Ok(())
}
