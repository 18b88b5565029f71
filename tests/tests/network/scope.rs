//! What a node does not take is no hole; what is a hole is asked for; and a parent that changed costs little.

use super::{open, pair, problems};
use kepu_tests::Node;

fn number(value: &serde_json::Value) -> i64 {
    value.as_i64().unwrap_or(-1)
}

#[test]
fn what_lies_outside_the_scope_is_no_hole_and_comes_when_the_scope_grows() -> anyhow::Result<()> {
    let (nation, county, _served) = pair()?;
    county.run(&["node", "subscribe", "--fields", "physics"])?;
    for round in 0..3 {
        nation.publish_for(3, &format!("物理{round}"), &[("fields", "physics")])?;
        nation.publish_for(40, &format!("化学{round}"), &[("fields", "chemistry")])?;
    }
    county.run(&["sync"])?;
    let show = county.json(&["node", "show"])?;
    assert_eq!(number(&show["outside_scope"]), 120, "{show}");
    assert_eq!(show["problems"].as_array().map(Vec::len), Some(0), "{show}");
    assert_ne!(county.state()?, nation.state()?);
    // The next exchange continues where the runs end, and each stays one row.
    nation.publish_for(5, "化学三", &[("fields", "chemistry")])?;
    nation.publish_for(1, "物理三", &[("fields", "physics")])?;
    let second = county.json(&["sync"])?;
    assert_eq!((number(&second["pulled"]), second["missing"].is_null()), (1, true), "{second}");
    assert_eq!(number(&county.json(&["node", "show"])?["outside_scope"]), 125);
    // A wider scope brings what was left out, and only that.
    county.run(&["node", "subscribe", "--fields", ""])?;
    let third = county.json(&["sync"])?;
    assert_eq!(number(&third["pulled"]), 125, "{third}");
    let show = county.json(&["node", "show"])?;
    assert_eq!((number(&show["outside_scope"]), show["problems"].as_array().map(Vec::len)), (0, Some(0)), "{show}");
    assert_eq!(county.state()?, nation.state()?);
    // A narrower one leaves what is here and skips what comes.
    county.run(&["node", "subscribe", "--langs", "en"])?;
    nation.publish_for(4, "中文", &[("fields", "physics")])?;
    let fourth = county.json(&["sync"])?;
    assert_eq!((number(&fourth["pulled"]), fourth["missing"].is_null()), (0, true), "{fourth}");
    assert_eq!(number(&county.json(&["node", "show"])?["outside_scope"]), 4);
    Ok(())
}

#[test]
fn a_province_passes_on_what_it_left_out_itself() -> anyhow::Result<()> {
    let (nation, province, county) = (Node::init("国家", "000000")?, Node::init("省", "410000")?, Node::init("县", "411525")?);
    let top = nation.serve()?;
    let token = nation.run(&["node", "invite", "--region", "410000", "--roles", "author,reviewer,issuer"])?;
    province.run(&["node", "join", &token, "--url", &top.url()])?;
    province.run(&["node", "subscribe", "--below", "yes"])?;
    let middle = province.serve()?;
    province.adopt(&county, "411525", &middle.url())?;
    for (at, region) in ["000000", "420000", "410000", "411525", "410100", "420100"].iter().enumerate() {
        nation.publish_for(7, &format!("地区{at}"), &[("region", region)])?;
    }
    province.run(&["sync"])?;
    county.run(&["sync"])?;
    for (node, outside) in [(&province, 14), (&county, 21)] {
        let show = node.json(&["node", "show"])?;
        assert_eq!(number(&show["outside_scope"]), outside, "{show}");
        assert_eq!(show["problems"].as_array().map(Vec::len), Some(0), "{show}");
    }
    // Again with what came in between at every level.
    nation.publish_for(2, "后来", &[("region", "420000")])?;
    county.publish_for(3, "本县", &[("region", "411525")])?;
    province.run(&["sync"])?;
    county.run(&["sync"])?;
    province.run(&["sync"])?;
    assert_eq!(number(&county.json(&["node", "show"])?["outside_scope"]), 23);
    assert!(problems(&county)?.is_empty() && problems(&province)?.is_empty() && problems(&nation)?.is_empty());
    // Lists of the newest would not do here: everything was said within a second or two.
    let key = county.json(&["node", "show"])?["key"].as_str().unwrap_or_default().to_owned();
    let arrived = tokio::runtime::Runtime::new()?.block_on(async {
        let mut tx = open(&nation).await.db.read().await.expect("read");
        let said = kepu_store::subject::Filter { signer: Some(key.as_str().into()), ..Default::default() };
        kepu_store::subject::count(&mut tx, &said).await.expect("count")
    });
    assert_eq!(arrived, 3, "what a county says goes all the way up");
    Ok(())
}

#[test]
fn missing_numbers_are_asked_for_once_and_shown_while_nobody_has_them() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let (nation, county) = (Node::init("国家", "000000")?, Node::init("县", "411525")?);
    nation.publish(30, "补取")?;
    nation.run(&["node", "head"])?;
    let served = nation.serve()?;
    nation.adopt(&county, "000000", &served.url())?;
    // The county believes that it has everything: as after a disk that lost something.
    runtime.block_on(async {
        let (above, app) = (open(&nation).await, open(&county).await);
        let mut tx = above.db.read().await.expect("read");
        let epoch = kepu_store::meta::find(&mut tx, "epoch").await.expect("meta").expect("epoch");
        let top = kepu_store::counter::last(&mut tx, "arrival").await.expect("top");
        let mut tx = app.db.write().await.expect("write");
        kepu_store::peer::set_cursor(&mut tx, above.key.id(), &format!("{epoch}.{top}")).await.expect("cursor");
        tx.commit().await.expect("commit");
    });
    let missing = problems(&county)?;
    assert_eq!(missing.len(), 1, "the signed head says what there should be: {missing:?}");
    let done = county.json(&["sync"])?;
    assert_eq!((number(&done["pulled"]), done["missing"].is_null()), (30, true), "{done}");
    assert!(problems(&county)?.is_empty());
    assert_eq!(county.state()?, nation.state()?);
    assert_eq!(number(&county.json(&["sync"])?["round_trips"]), 1);
    Ok(())
}

#[test]
fn another_parent_and_a_parent_with_a_new_epoch_send_only_what_is_lacking() -> anyhow::Result<()> {
    let (nation, first, county) = (Node::init("国家", "000000")?, Node::init("省甲", "000000")?, Node::init("县", "411525")?);
    let served = nation.serve()?;
    nation.publish(1_500, "很多")?;
    nation.adopt(&first, "000000", &served.url())?;
    let token = nation.run(&["node", "invite"])?;
    county.run(&["node", "join", &token, "--url", &served.url()])?;
    first.run(&["sync"])?;
    county.run(&["sync"])?;
    // The county gets a second parent that holds the same and three records more.
    nation.publish(3, "新来")?;
    first.run(&["sync"])?;
    let other = first.serve()?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let (above, app) = (open(&first).await, open(&county).await);
        super::make_parent(&app, &above.key.id().0, other.address).await;
        let mut tx = above.db.write().await.expect("write");
        let mut child = kepu_store::peer::list(&mut tx, None, 9).await.expect("peers").remove(0);
        child.id = app.key.id().clone();
        child.direction = kepu_store::peer::Direction::Child;
        kepu_store::peer::upsert(&mut tx, &child).await.expect("child");
        tx.commit().await.expect("commit");
    });
    drop(served);
    let lines = String::from_utf8(county.output(&["sync"])?.stdout)?;
    let done: serde_json::Value = serde_json::from_str(lines.lines().find(|line| line.contains("\"上级\"")).unwrap_or_default())?;
    // A head that was signed meanwhile may come along.
    assert!((3..=5).contains(&number(&done["pulled"])) && done["error"].is_null(), "{done}");
    assert!(number(&done["bytes_in"]) < 6_000 && number(&done["bytes_out"]) < 6_000, "{done}");
    drop(other);
    // The second parent loses its disk and comes back from yesterday's copy, under a new epoch.
    first.run(&["backup", &first.file("yesterday.bak")])?;
    let back = Node::empty()?;
    std::fs::copy(first.file("node.key"), back.file("node.key"))?;
    back.run_plain(&["restore", &first.file("yesterday.bak"), "--data", &back.data().display().to_string()])?;
    let other = back.serve_at(&other_address(&county)?)?;
    let lines = String::from_utf8(county.output(&["sync"])?.stdout)?;
    let done: serde_json::Value = serde_json::from_str(lines.lines().find(|line| line.contains("\"上级\"")).unwrap_or_default())?;
    assert_eq!((number(&done["pulled"]), done["error"].is_null()), (0, true), "{done}");
    assert!(number(&done["bytes_in"]) < 4_000, "{done}");
    let again = String::from_utf8(county.output(&["sync"])?.stdout)?;
    let done: serde_json::Value = serde_json::from_str(again.lines().find(|line| line.contains("\"上级\"")).unwrap_or_default())?;
    assert_eq!((number(&done["round_trips"]), number(&done["pulled"])), (1, 0), "{done}");
    drop(other);
    Ok(())
}

/// The address at which the county looks for its second parent.
fn other_address(county: &Node) -> anyhow::Result<String> {
    let show = county.json(&["node", "show"])?;
    let parents = show["parents"].as_array().cloned().unwrap_or_default();
    let url = parents.iter().find(|parent| parent["name"] == "上级").and_then(|parent| parent["url"].as_str()).unwrap_or_default().to_owned();
    Ok(url.trim_start_matches("http://").to_owned())
}
