//! Nodes with SM2 keys, among each other and with Ed25519 nodes.

use kepu_tests::{Node, binary};
use std::process::Command;

#[test]
fn nodes_of_both_suites_exchange_sign_and_verify() -> anyhow::Result<()> {
    for (above, below) in [("sm2", "sm2"), ("sm2", "ed25519"), ("ed25519", "sm2")] {
        let (nation, county) = (Node::init_with("国家", "000000", above)?, Node::init_with("县", "411525", below)?);
        let served = nation.serve()?;
        nation.adopt(&county, "411525", &served.url())?;
        nation.publish(30, "国密")?;
        county.publish(10, "本县")?;
        nation.run(&["node", "head"])?;
        county.run(&["node", "head"])?;
        let done = county.json(&["sync"])?;
        assert!(done["refused"].is_null() && done["pushed"].as_i64() >= Some(10), "{above} {below}: {done}");
        assert_eq!(nation.state()?, county.state()?, "{above} {below}");
        for node in [&nation, &county] {
            assert_eq!(node.json(&["node", "show"])?["problems"].as_array().map(Vec::len), Some(0));
            assert_eq!(node.json(&["rebuild"])?["same"], true);
        }
        // A record by itself, and a bundle with the chain from the pinned root.
        let key = county.json(&["node", "show"])?["key"].as_str().unwrap_or_default().to_owned();
        let root = nation.json(&["node", "show"])?["key"].as_str().unwrap_or_default().to_owned();
        let record = nation.file("record.json");
        std::fs::write(&record, nation.run(&["record", "show", &format!("{key}/lib/1")])?)?;
        let bundle = nation.file("all.kepu");
        nation.run(&["bundle", "make", &bundle])?;
        let output = Command::new(binary()).args(["verify", "--root", &root, "--with", &bundle, &record, &bundle]).output()?;
        let text = String::from_utf8(output.stdout)?;
        let lines: Vec<serde_json::Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line["ok"] == true && line["reason"] == ""), "{lines:?}");
        assert_eq!(lines[0]["chain"], serde_json::json!([key, root]), "{above} {below}");
        assert_eq!((lines[1]["by"].as_str(), lines[1]["chain"].as_array().map(Vec::len)), (Some(root.as_str()), Some(1)));
    }
    Ok(())
}
