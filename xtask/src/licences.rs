//! Licences of everything that is built into the program, and crates that must not be, against `deny.toml`. cargo-deny
//! knows more (advisories, every platform); this runs everywhere.

use crate::report::Report;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

const FILE: &str = "deny.toml";

/// Walks from our crates along normal and build dependencies.
pub fn check(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let text = workspace.read(FILE)?.with_context(|| format!("{FILE} is missing"))?;
    let allow: BTreeSet<String> = strings(&text, "licenses", "allow").into_iter().map(|(_, text)| text).collect();
    ensure!(!allow.is_empty(), "{FILE}: no licence stands in [licenses] allow");
    let banned =
        strings(&text, "bans", "deny").into_iter().filter(|(name, _)| name.is_none() || name.as_deref() == Some("crate") || name.as_deref() == Some("name"));
    let banned: BTreeSet<String> = banned.map(|(_, text)| text).collect();
    let built = built(&workspace.metadata);
    let packages = workspace.packages().iter().filter(|package| package["id"].as_str().is_some_and(|id| built.contains(id)));
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let crate_and_version = format!("{name} {}", package["version"].as_str().unwrap_or_default());
        if banned.contains(name) {
            report.fail(&crate_and_version, format!("is banned in {FILE}"), format!("find who brings it: cargo tree -i {name}"));
        }
        let licence = package["license"].as_str().unwrap_or_default();
        match allowed(licence, &allow) {
            Ok(true) => {}
            Ok(false) => report.fail(
                &crate_and_version,
                format!("its licence \"{licence}\" is not in {FILE}"),
                "take another crate, or allow the licence there and say why",
            ),
            Err(error) => report.fail(&crate_and_version, format!("its licence \"{licence}\" cannot be read: {error}"), "look at the crate itself"),
        }
    }
    report.done("licences", format!("{} crates, {} licences allowed", built.len(), allow.len()));
    Ok(())
}

/// Ids of all packages that are built into ours, tests left out.
fn built(metadata: &Value) -> BTreeSet<&str> {
    let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
    let nodes: HashMap<&str, &Value> =
        metadata["resolve"]["nodes"].as_array().into_iter().flatten().filter_map(|node| Some((node["id"].as_str()?, node))).collect();
    let mut open: Vec<&str> = metadata["workspace_members"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !found.insert(id) {
            continue;
        }
        let dependencies = nodes.get(id).and_then(|node| node["deps"].as_array()).into_iter().flatten();
        let wanted = dependencies.filter(|dependency| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev"));
        open.extend(wanted.filter_map(|dependency| dependency["pkg"].as_str()));
    }
    found
}

/// Whether an SPDX expression can be met with the licences in `allow`. `/` is an old way to write OR.
fn allowed(expression: &str, allow: &BTreeSet<String>) -> Result<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    let answer = either(&mut words, allow)?;
    ensure!(words.is_empty(), "\"{}\" is left over", words.join(" "));
    Ok(answer)
}

/// `a OR b`; `words` holds the rest, last word first.
fn either(words: &mut Vec<&str>, allow: &BTreeSet<String>) -> Result<bool> {
    let mut answer = both(words, allow)?;
    while words.pop_if(|word| *word == "OR").is_some() {
        answer |= both(words, allow)?;
    }
    Ok(answer)
}

/// `a AND b`, which binds closer.
fn both(words: &mut Vec<&str>, allow: &BTreeSet<String>) -> Result<bool> {
    let mut answer = one(words, allow)?;
    while words.pop_if(|word| *word == "AND").is_some() {
        answer &= one(words, allow)?;
    }
    Ok(answer)
}

/// A licence, with its exception if it has one, or an expression in parentheses.
fn one(words: &mut Vec<&str>, allow: &BTreeSet<String>) -> Result<bool> {
    match words.pop() {
        Some("(") => {
            let answer = either(words, allow)?;
            ensure!(words.pop() == Some(")"), "a parenthesis is not closed");
            Ok(answer)
        }
        None | Some("OR" | "AND" | "WITH" | ")") => bail!("a licence is missing"),
        Some(licence) if words.pop_if(|word| *word == "WITH").is_some() => {
            let exception = words.pop().context("an exception is missing")?;
            Ok(allow.contains(&format!("{licence} WITH {exception}")))
        }
        Some(licence) => Ok(allow.contains(licence)),
    }
}

/// The strings in the list `key` of `[section]`, each with the name before its `=` if it stands in an inline table.
///
/// Reads the TOML that `deny.toml` is written in, not all of TOML.
fn strings(text: &str, section: &str, key: &str) -> Vec<(Option<String>, String)> {
    let header = format!("[{section}]");
    let body = text.lines().skip_while(|line| line.trim() != header).skip(1).take_while(|line| !line.starts_with('['));
    let opening = |line: &&str| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
    let mut found = Vec::new();
    for line in body.skip_while(|line| !opening(line)) {
        let mut name = None;
        let mut rest = line;
        while let Some(at) = rest.find(['"', '#', '{', ',', ']', '=']) {
            let tail = &rest[at + 1..];
            match rest.as_bytes()[at] {
                b'"' => {
                    let (string, after) = tail.split_once('"').unwrap_or((tail, ""));
                    found.push((name.clone(), string.to_owned()));
                    rest = after;
                    continue;
                }
                b'#' => break,
                b']' => return found,
                b'=' => name = Some(rest[..at].trim().to_owned()).filter(|name| name != key),
                _ => name = None,
            }
            rest = tail;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_met_by_what_is_allowed() {
        let allow: BTreeSet<String> = ["MIT", "BSD-3-Clause", "Apache-2.0"].into_iter().map(str::to_owned).collect();
        for good in [
            "MIT",
            "MIT/GPL-3.0",
            "GPL-2.0-only OR Apache-2.0",
            "(GPL-3.0 OR MIT) AND BSD-3-Clause",
            "Apache-2.0 WITH LLVM-exception OR MIT",
            "GPL-3.0 AND ISC OR MIT",
        ] {
            assert!(allowed(good, &allow).expect(good), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "MIT AND (GPL-3.0 OR ISC)", "Apache-2.0 WITH LLVM-exception", "mit"] {
            assert!(!allowed(bad, &allow).expect(bad), "{bad}");
        }
        for broken in ["", "MIT OR", "(MIT", "MIT Apache-2.0", "MIT WITH"] {
            assert!(allowed(broken, &allow).is_err(), "{broken}");
        }
    }

    #[test]
    fn lists_are_read_from_their_section() {
        let text = "[licenses]\n# \"no\"\nallow = [\n  \"MIT\", # \"no\"\n  \"ISC\",\n]\nother = [\"no\"]\n[bans]\nallow = [\"no\"]\ndeny = [\n  { crate = \"openssl-sys\", reason = \"why\" },\n  \"plain\",\n]\n";
        let allow: Vec<_> = strings(text, "licenses", "allow").into_iter().map(|(_, s)| s).collect();
        assert_eq!(allow, ["MIT", "ISC"]);
        let deny = strings(text, "bans", "deny");
        assert_eq!(deny[0], (Some("crate".into()), "openssl-sys".into()));
        assert_eq!(deny[1].0.as_deref(), Some("reason"));
        assert_eq!(deny[2], (None, "plain".into()));
    }

    #[test]
    fn test_dependencies_are_not_built_in() {
        let metadata = serde_json::json!({"workspace_members": ["a"], "resolve": {"nodes": [
            {"id": "a", "deps": [{"pkg": "b", "dep_kinds": [{"kind": null}]}, {"pkg": "c", "dep_kinds": [{"kind": "dev"}]}, {"pkg": "d", "dep_kinds": [{"kind": "build"}]}]},
            {"id": "b", "deps": []}, {"id": "c", "deps": []}, {"id": "d", "deps": []}]}});
        assert_eq!(built(&metadata), BTreeSet::from(["a", "b", "d"]));
    }
}
