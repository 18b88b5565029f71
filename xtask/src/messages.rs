//! The message catalogues: both languages have the same keys, every key asked for by a page exists, and keys that nobody
//! asks for are listed. The sentences themselves and their variables are for people to read.

use crate::report::Report;
use crate::scan;
use crate::workspace::{Workspace, read};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

const LOCALES: [&str; 2] = ["crates/kepu-web/locales/zh.ftl", "crates/kepu-web/locales/en.ftl"];
const ASKS: [&str; 2] = ["t", "tr"];

/// One catalogue as far as it matters here.
#[derive(Debug, Default)]
struct Catalogue {
    /// Key to line. An attribute `.x` of message `m` has the key `m.x`.
    lines: BTreeMap<String, usize>,
    /// Keys that other messages of the catalogue use, and messages that only carry attributes.
    inner: BTreeSet<String>,
    /// Lines that are wrong, and how.
    wrong: Vec<(usize, String)>,
}

/// What the pages ask for.
#[derive(Debug, Default)]
struct Asked {
    /// Keys, each with the places that ask.
    keys: BTreeMap<String, Vec<String>>,
    /// Literals that equal keys or begin them (`verdict-{…}` gives `verdict-`); they count as use, but need not exist.
    mentions: BTreeSet<String>,
    prefixes: BTreeSet<String>,
}

/// Compares catalogues with each other and with the pages.
pub fn check(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let (Some(zh), Some(en)) = (workspace.read(LOCALES[0])?, workspace.read(LOCALES[1])?) else {
        report.skip("messages", format!("{} or {} is not there yet", LOCALES[0], LOCALES[1]));
        return Ok(());
    };
    let catalogues = [parse(&zh), parse(&en)];
    for (file, catalogue) in LOCALES.iter().zip(&catalogues) {
        for (line, what) in &catalogue.wrong {
            report.fail(format!("{file}:{line}"), what, "mend the line");
        }
    }
    for (here, there) in [(0, 1), (1, 0)] {
        for (key, line) in catalogues[here].lines.iter().filter(|(key, _)| !catalogues[there].lines.contains_key(*key)) {
            report.fail(format!("{}:{line}", LOCALES[here]), format!("\"{key}\" has no counterpart in {}", LOCALES[there]), "translate it");
        }
    }
    let asked = asked(workspace)?;
    let exists = |key: &str| catalogues.iter().any(|catalogue| catalogue.lines.contains_key(key));
    for (key, places) in asked.keys.iter().filter(|(key, _)| !exists(key)) {
        report.fail(places.join(", "), format!("\"{key}\" is in no catalogue"), "add it to both");
    }
    for (key, line) in catalogues[0].lines.iter().filter(|(key, _)| !asked.uses(key) && !catalogues[0].inner.contains(*key)) {
        report.warn(format!("{}:{line}", LOCALES[0]), format!("no page asks for \"{key}\""));
    }
    report.done("messages", format!("{} keys, {} asked for by name", catalogues[0].lines.len(), asked.keys.len()));
    Ok(())
}

fn asked(workspace: &Workspace) -> Result<Asked> {
    let mut asked = Asked::default();
    for path in workspace.files("crates/kepu-web/templates", &["html", "txt", "xml"])? {
        asked.read(&read(&path)?, &workspace.short(&path).to_string());
    }
    for path in workspace.files("crates/kepu-web/src", &["rs"])? {
        asked.read(&scan::code(&read(&path)?), &workspace.short(&path).to_string());
    }
    Ok(asked)
}

impl Asked {
    fn read(&mut self, code: &str, file: &str) {
        for call in scan::calls(code, &ASKS) {
            let key = &call.literals[0];
            if key.ends_with(['-', '.', '_']) {
                self.prefixes.insert(key.clone());
            } else {
                self.keys.entry(key.clone()).or_default().push(format!("{file}:{}", call.line));
            }
        }
        for literal in scan::literals(code) {
            let (head, made_up) = literal.split_once('{').map_or((literal, false), |(head, _)| (head, true));
            if !head.starts_with(|c: char| c.is_ascii_lowercase()) || !head.chars().all(key_char) {
                continue;
            }
            if made_up || head.ends_with(['-', '.', '_']) {
                self.prefixes.insert(head.to_owned());
            } else {
                self.mentions.insert(head.to_owned());
            }
        }
    }

    fn uses(&self, key: &str) -> bool {
        self.keys.contains_key(key) || self.mentions.contains(key) || self.prefixes.iter().any(|prefix| key.starts_with(prefix))
    }
}

fn key_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// Reads the frame of a Fluent file: messages, terms, attributes, and what they refer to.
fn parse(text: &str) -> Catalogue {
    let mut found = Catalogue::default();
    let mut message = String::new();
    for (at, line) in text.lines().enumerate() {
        let (indented, trimmed) = (line.starts_with(' '), line.trim());
        if trimmed.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with('\t') {
            found.wrong.push((at + 1, "a tab does not indent in Fluent".into()));
        }
        let attribute = indented.then(|| trimmed.strip_prefix('.')).flatten();
        let entry = if indented { attribute } else { Some(trimmed) };
        if let Some((name, value)) = entry.and_then(|entry| entry.split_once('=')).map(|(name, value)| (name.trim(), value.trim()))
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        {
            let key = if attribute.is_some() { format!("{message}.{name}") } else { name.to_owned() };
            if attribute.is_some() {
                found.inner.insert(message.clone());
            } else {
                message = key.clone();
            }
            if let Some(first) = found.lines.insert(key.clone(), at + 1) {
                found.wrong.push((at + 1, format!("\"{key}\" stands in line {first} already")));
            }
            refer(value, &mut found.inner);
            continue;
        }
        if !indented && trimmed.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-') {
            found.wrong.push((at + 1, "this is no message: no `=` after a name, and not indented".into()));
        }
        refer(trimmed, &mut found.inner);
    }
    found
}

/// Notes every `{ key }` and `{ -term }` of a pattern.
fn refer(pattern: &str, inner: &mut BTreeSet<String>) {
    for (at, _) in pattern.match_indices('{') {
        let rest = pattern[at + 1..].trim_start();
        let end = rest.find(|c: char| !key_char(c)).unwrap_or(rest.len());
        if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-') {
            inner.insert(rest[..end].to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_attributes_and_references_are_read() {
        let text = "# remark\n-brand = 科普\nhome = 首页 { -brand } { other }\nother = x\ncheck =\n    .no_source = 无来源\ncount = { $n ->\n    [one] a = b\n   *[other] many\n}\nhome = 重复\nlost words\n";
        let found = parse(text);
        assert_eq!(found.lines.keys().map(String::as_str).collect::<Vec<_>>(), ["-brand", "check", "check.no_source", "count", "home", "other"]);
        for inner in ["-brand", "other", "check"] {
            assert!(found.inner.contains(inner), "{inner}");
        }
        assert_eq!(found.wrong.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [11, 12]);
    }

    #[test]
    fn pages_ask_by_name_by_mention_or_by_prefix() {
        let mut asked = Asked::default();
        asked.read("<a title=\"{{ t(\"home\") }}\">{{ self.tr(\"ask\", 1) }}</a>", "a.html");
        asked.read("t(&format!(\"verdict-{}\", v)); let key = \"later\"; t!(\"now\")", "b.rs");
        assert_eq!(asked.keys.keys().map(String::as_str).collect::<Vec<_>>(), ["ask", "home", "now"]);
        assert!(asked.uses("verdict-true") && asked.uses("later") && !asked.uses("never"));
    }
}
