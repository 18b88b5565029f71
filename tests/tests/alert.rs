//! `kepu alert check`: the contract of the command, and the shared samples.

use anyhow::{Context, ensure};
use kepu_tests::binary;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of the shared data, which lie beside the checkout or nowhere.
fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

fn check(file: &Path) -> anyhow::Result<Output> {
    Ok(Command::new(binary()).args(["alert", "check"]).arg(file).output()?)
}

#[test]
fn every_shared_sample_gets_its_verdict_and_its_counties() -> anyhow::Result<()> {
    let Some(folder) = shared("emergency/cap") else { return Ok(()) };
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json"))?)?;
    for (name, wanted) in expected.as_object().context("an object")? {
        let output = check(&folder.join(name))?;
        let line: Value = serde_json::from_slice(&output.stdout)?;
        let valid = wanted["xsd_valid"] == true && wanted["section3_valid"] == true;
        ensure!(line["valid"] == valid, "{name}: {line}");
        ensure!(output.status.code() == Some(i32::from(!valid)), "{name}: {:?}", output.status);
        ensure!(line["action"] == wanted["action"] && line["targets"] == wanted["targets"], "{name}: {line}");
        for (own, theirs) in [("msg_type", "msg_type"), ("status", "status"), ("hazards", "hazards"), ("unknown_geocodes", "unknown_geocodes")] {
            ensure!(wanted.get(theirs).is_none_or(|value| line[own] == *value), "{name}: {own} {line}");
        }
        let warnings: Vec<&Value> = line["warnings"].as_array().context("warnings")?.iter().map(|note| &note["text"]).collect();
        ensure!(warnings == wanted["profile_warnings"].as_array().context("list")?.iter().collect::<Vec<_>>(), "{name}: {warnings:?}");
    }
    Ok(())
}

#[test]
fn public_warnings_of_other_countries_are_valid_where_the_schema_says_so() -> anyhow::Result<()> {
    let Some(folder) = shared("emergency/real") else { return Ok(()) };
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json"))?)?;
    let mut wrong = Vec::new();
    for (name, wanted) in expected.as_object().context("an object")? {
        let output = check(&folder.join(name))?;
        let line: Value = serde_json::from_slice(&output.stdout)?;
        let form = line["errors"]
            .as_array()
            .context("errors")?
            .iter()
            .all(|note| ["polygon", "circle", "references", "identifier", "sender"].contains(&note["rule"].as_str().unwrap_or_default()));
        if wanted["xsd12_valid"].as_bool().unwrap_or(false) != form {
            wrong.push(format!("{name}: {}", line["errors"]));
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}
