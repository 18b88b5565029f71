//! A node that comes back from yesterday's copy never signs a number twice.

use super::{open, problems};
use kepu_tests::Node;
use std::path::Path;

fn restore(backup: &str, node: &Node) -> anyhow::Result<serde_json::Value> {
    Ok(serde_json::from_str(&node.run_plain(&["restore", backup, "--data", &node.data().display().to_string()])?)?)
}

fn number(value: &serde_json::Value) -> i64 {
    value.as_i64().unwrap_or(-1)
}

#[test]
fn a_restored_county_with_its_old_key_learns_its_numbers_before_it_publishes() -> anyhow::Result<()> {
    let (nation, county, served) = super::pair()?;
    county.publish(5, "昨天")?;
    county.run(&["sync"])?;
    let saved = county.json(&["backup", &county.file("yesterday.bak")])?;
    assert!(saved["key"] == false && number(&saved["bytes"]) > 10_000, "{saved}");
    // Three more are published and go up; then the disk fails.
    county.publish(3, "今天")?;
    county.run(&["sync"])?;
    let back = Node::empty()?;
    std::fs::copy(county.file("node.key"), back.file("node.key"))?;
    let restored = restore(&county.file("yesterday.bak"), &back)?;
    assert!(restored["key"] == "same" && restored["waits_for"] == serde_json::json!(["国家示例"]), "{restored}");
    // Before it has heard from above it signs nothing.
    let refused = back.publish(1, "太早");
    assert!(refused.is_err_and(|e| e.to_string().contains("must first hear from 国家示例")));
    assert_eq!(back.json(&["node", "head"])?["signed"], false);
    // The exchange brings back what it had said itself, and its numbers go on behind it.
    let done = back.json(&["sync"])?;
    assert!(done["error"].is_null() && number(&done["pulled"]) >= 3, "{done}");
    back.publish(2, "恢复之后")?;
    let done = back.json(&["sync"])?;
    assert!(done["refused"].is_null() && number(&done["pushed"]) >= 2, "{done}");
    assert_eq!(nation.state()?, back.state()?);
    for node in [&nation, &back] {
        assert!(problems(node)?.is_empty(), "no fork, no hole");
        assert_eq!(node.json(&["rebuild"])?["same"], true);
        assert!(node.run(&["audit", "verify"])?.contains("\"whole\":true"));
    }
    let show = nation.run(&["node", "show"])?;
    assert!(show.contains("恢复之后第1号") && show.contains("今天第"), "{show}");
    drop(served);
    Ok(())
}

#[test]
fn an_old_file_copied_back_by_hand_is_noticed() -> anyhow::Result<()> {
    let (nation, county, _served) = super::pair()?;
    county.publish(5, "昨天")?;
    county.run(&["sync"])?;
    for name in ["kepu.db", "kepu.db-wal"] {
        let _ = std::fs::copy(county.file(name), county.file(&format!("old-{name}")));
    }
    county.publish(3, "今天")?;
    county.run(&["sync"])?;
    for name in ["kepu.db", "kepu.db-wal", "kepu.db-shm"] {
        let _ = std::fs::remove_file(county.file(name));
        let _ = std::fs::copy(county.file(&format!("old-{name}")), county.file(name));
    }
    let refused = county.publish(1, "太早");
    assert!(refused.is_err_and(|e| e.to_string().contains("must first hear from 国家示例")));
    county.run(&["sync"])?;
    county.publish(1, "之后")?;
    county.run(&["sync"])?;
    assert_eq!(nation.state()?, county.state()?);
    assert!(problems(&nation)?.is_empty() && problems(&county)?.is_empty());
    Ok(())
}

#[test]
fn a_restored_root_is_taught_by_those_below() -> anyhow::Result<()> {
    let (nation, county, served) = super::pair()?;
    nation.publish(4, "昨天")?;
    county.run(&["sync"])?;
    // While it is being served, and while somebody publishes.
    nation.run(&["backup", &nation.file("yesterday.bak"), "--with-key"])?;
    nation.publish(6, "今天")?;
    nation.run(&["node", "head"])?;
    county.run(&["sync"])?;
    let address = served.kill();
    let back = Node::empty()?;
    let restored = restore(&nation.file("yesterday.bak"), &back)?;
    assert!(restored["key"] == "same" && restored["waits_for"] == serde_json::json!(["县示例"]), "{restored}");
    assert!(back.publish(1, "太早").is_err());
    let served = back.serve_at(&address.to_string())?;
    let done = county.json(&["sync"])?;
    assert!(done["error"].is_null() && number(&done["pushed"]) >= 6, "the county gives back what the root had said: {done}");
    back.publish(1, "恢复之后")?;
    county.run(&["sync"])?;
    assert_eq!(back.state()?, county.state()?);
    assert!(problems(&back)?.is_empty() && problems(&county)?.is_empty());
    drop(served);
    Ok(())
}

#[test]
fn without_the_key_a_restored_node_is_a_new_one_with_its_old_records() -> anyhow::Result<()> {
    let (nation, county, served) = super::pair()?;
    county.publish(5, "昨天")?;
    county.run(&["sync"])?;
    county.run(&["backup", &county.file("yesterday.bak")])?;
    let back = Node::empty()?;
    let restored = restore(&county.file("yesterday.bak"), &back)?;
    assert_eq!(restored["key"], "new");
    assert_eq!(back.state()?, county.state()?);
    let refused = back.publish(1, "没有证书");
    assert!(refused.is_err_and(|e| e.to_string().contains("no certificate leads")));
    nation.adopt(&back, "000000", &served.url())?;
    back.publish(1, "新的密钥")?;
    let done = back.json(&["sync"])?;
    assert!(done["error"].is_null() && done["refused"].is_null(), "{done}");
    assert_eq!(nation.state()?, back.state()?);
    assert!(problems(&nation)?.is_empty());
    // A key of somebody else in the folder is no key of this backup.
    let other = Node::empty()?;
    std::fs::copy(nation.file("node.key"), other.file("node.key"))?;
    let refused = restore(&county.file("yesterday.bak"), &other);
    assert!(refused.is_err_and(|e| e.to_string().contains("another node")));
    assert!(!Path::new(&other.file("kepu.db")).exists());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_restores_nothing_and_a_sound_one_everything() -> anyhow::Result<()> {
    let node = Node::init("国家", "000000")?;
    node.publish(30, "备份")?;
    let app = open(&node).await;
    let file = kepu_app::media::put(&app, &super::files::picture(700_000, 4)).await?;
    let path = node.file("all.bak");
    node.run(&["backup", &path])?;
    assert!(!node.output(&["backup", &path])?.status.success(), "never over an earlier backup");
    let bytes = std::fs::read(&path)?;
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path)?.permissions()) & 0o077, 0, "nobody else reads it");
    let broken = node.file("broken.bak");
    for at in [bytes.len() / 3, bytes.len() - 1] {
        let empty = Node::empty()?;
        std::fs::write(&broken, &bytes[..at])?;
        assert!(restore(&broken, &empty).is_err_and(|e| e.to_string().contains("nothing was restored")));
        let mut other = bytes.clone();
        other[at / 2] ^= 1;
        std::fs::write(&broken, &other)?;
        assert!(restore(&broken, &empty).is_err());
        assert_eq!(std::fs::read_dir(empty.data())?.count(), 0, "nothing half done");
    }
    let back = Node::empty()?;
    assert_eq!(restore(&path, &back)?["files"], 1);
    assert_eq!(back.state()?, node.state()?);
    let (_, place) = kepu_app::media::open(&open(&back).await, &file.hash).await?.expect("here");
    assert_eq!(std::fs::read(place)?, super::files::picture(700_000, 4));
    let again = restore(&path, &back);
    assert!(again.is_err_and(|e| e.to_string().contains("never goes over a node")));
    Ok(())
}
