//! The repository as the checks see it: its root, its files, and what `cargo metadata` says about its packages.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository.
pub struct Workspace {
    /// Where it lies.
    pub root: PathBuf,
    /// `cargo metadata`, format version 1, for the platform of this machine.
    pub metadata: Value,
}

impl Workspace {
    /// Asks cargo. Only this platform's packages, so that nothing is downloaded beyond what a build needs.
    pub fn load() -> Result<Self> {
        let rustc = run(Command::new("rustc").arg("-vV"))?;
        let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc -vV names no host")?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let text = run(Command::new(cargo).args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host]))?;
        let metadata: Value = serde_json::from_str(&text).context("could not read cargo metadata")?;
        let root = metadata["workspace_root"].as_str().context("cargo metadata names no workspace root")?.into();
        Ok(Self { root, metadata })
    }

    /// The packages of the whole graph.
    pub fn packages(&self) -> &[Value] {
        self.metadata["packages"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The packages of ours.
    pub fn members(&self) -> impl Iterator<Item = &Value> {
        let members = self.metadata["workspace_members"].as_array().map_or(&[][..], Vec::as_slice);
        self.packages().iter().filter(|package| members.contains(&package["id"]))
    }

    /// `path` without the root, for messages.
    pub fn short<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }

    /// A file's text; `None` if there is no such file.
    pub fn read(&self, path: &str) -> Result<Option<String>> {
        let path = self.root.join(path);
        if !path.exists() {
            return Ok(None);
        }
        read(&path).map(Some)
    }

    /// All files below `folder` with one of these endings, sorted; none if the folder is absent.
    pub fn files(&self, folder: &str, endings: &[&str]) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let folder = self.root.join(folder);
        if folder.is_dir() {
            walk(&folder, endings, &mut found)?;
        }
        found.sort();
        Ok(found)
    }
}

/// A file's text.
pub fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))
}

fn walk(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("node_modules") {
                walk(&path, endings, found)?;
            }
        } else if path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)) {
            found.push(path);
        }
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("could not start {}", command.get_program().to_string_lossy()))?;
    ensure!(output.status.success(), "{} failed: {}", command.get_program().to_string_lossy(), String::from_utf8_lossy(&output.stderr).trim());
    String::from_utf8(output.stdout).context("cargo or rustc did not answer in UTF-8")
}
