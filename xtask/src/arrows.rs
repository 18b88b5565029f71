//! Which crate of ours may know which: one small table, compared with the dependencies that the manifests declare.

use crate::report::Report;
use crate::workspace::{Workspace, read};
use std::path::PathBuf;

/// What a crate may depend on, in every kind of dependency.
enum May {
    Only(&'static [&'static str]),
    Everything,
}

/// The arrows of `STYLE.md` section 1. `kepu-tests` and `xtask` stand outside the house.
const TABLE: &[(&str, May)] = &[
    ("kepu-domain", May::Only(&[])),
    ("kepu-text", May::Only(&[])),
    ("kepu-stats", May::Only(&[])),
    ("kepu-plan", May::Only(&[])),
    ("kepu-sync", May::Only(&["kepu-domain"])),
    ("kepu-store", May::Only(&["kepu-domain"])),
    ("kepu-search", May::Only(&["kepu-domain", "kepu-text"])),
    ("kepu-app", May::Only(&["kepu-domain", "kepu-text", "kepu-stats", "kepu-plan", "kepu-sync", "kepu-store", "kepu-search"])),
    ("kepu-web", May::Only(&["kepu-domain", "kepu-text", "kepu-sync", "kepu-store", "kepu-search", "kepu-app"])),
    ("kepu", May::Everything),
    ("kepu-tests", May::Everything),
    ("xtask", May::Everything),
];

const CURE: &str = "move the code to the crate that may know both, or change the table in xtask/src/arrows.rs and say why";

/// One crate of ours depends on another.
#[derive(Debug)]
struct Edge {
    from: String,
    to: String,
    manifest: PathBuf,
}

/// Compares every edge of the workspace with the table.
pub fn check(workspace: &Workspace, report: &mut Report) {
    let names: Vec<&str> = workspace.members().filter_map(|package| package["name"].as_str()).collect();
    for name in names.iter().filter(|name| !TABLE.iter().any(|(known, _)| known == *name)) {
        report.fail(name, "stands in no line of the table of arrows", "add what it may know to xtask/src/arrows.rs");
    }
    let edges = edges(workspace, &names);
    for edge in edges.iter().filter(|edge| !allowed(&edge.from, &edge.to)) {
        let line = read(&edge.manifest).map_or(1, |text| line_of(&text, &edge.to));
        report.fail(format!("{}:{line}", workspace.short(&edge.manifest)), format!("{} must not know {}", edge.from, edge.to), CURE);
    }
    report.done("arrows", format!("{} crates, {} edges", names.len(), edges.len()));
}

fn edges(workspace: &Workspace, names: &[&str]) -> Vec<Edge> {
    let mut found = Vec::new();
    for package in workspace.members() {
        let from = package["name"].as_str().unwrap_or_default();
        let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap_or_default());
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            if names.contains(&to) {
                found.push(Edge { from: from.into(), to: to.into(), manifest: manifest.clone() });
            }
        }
    }
    found
}

/// A crate may name itself: that is how its tests switch on its own features.
fn allowed(from: &str, to: &str) -> bool {
    if from == to {
        return true;
    }
    match TABLE.iter().find(|(name, _)| *name == from) {
        Some((_, May::Only(list))) => list.contains(&to),
        Some((_, May::Everything)) | None => true,
    }
}

fn line_of(manifest: &str, dependency: &str) -> usize {
    let names_it = |line: &str| line.strip_prefix(dependency).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    manifest.lines().position(names_it).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_point_one_way() {
        assert!(allowed("kepu-app", "kepu-store") && allowed("kepu-web", "kepu-app") && allowed("kepu", "kepu-web"));
        assert!(!allowed("kepu-store", "kepu-app") && !allowed("kepu-sync", "kepu-text") && !allowed("kepu-domain", "kepu-text"));
        assert!(allowed("kepu-app", "kepu-stats") && allowed("kepu-app", "kepu-plan"));
        assert!(!allowed("kepu-stats", "kepu-domain") && !allowed("kepu-plan", "kepu-stats") && !allowed("kepu-web", "kepu-plan"));
    }

    #[test]
    fn the_table_has_no_circle() {
        for (from, may) in TABLE {
            if let May::Only(list) = may {
                for to in *list {
                    assert!(!allowed(to, from), "{from} and {to} know each other");
                }
            }
        }
    }

    #[test]
    fn a_line_is_found_by_the_whole_name() {
        assert_eq!(line_of("[dependencies]\nkepu-web-x = \"1\"\nkepu-web.workspace = true\n", "kepu-web"), 3);
    }
}
