//! Definitions as files (registers, kinds of parties, rounds, criteria, scoring): reading JSON so that a mistake is named with
//! its line. What a definition must say is checked beside its type.

use serde::de::{DeserializeOwned, IgnoredAny};
use std::collections::BTreeMap;

/// A mistake in a definition file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {cause}")]
pub struct Mistake {
    /// File.
    pub file: String,
    /// Line from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub cause: String,
}

/// A definition file: its name and its text.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Name shown with mistakes.
    pub name: &'a str,
    /// JSON.
    pub text: &'a str,
}

impl File<'_> {
    /// Reads the whole file as `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Mistake> {
        serde_json::from_str(self.text).map_err(|error| {
            let text = error.to_string();
            let cause = text.rsplit_once(" at line ").map_or(text.as_str(), |(cause, _)| cause).to_owned();
            Mistake { file: self.name.to_owned(), line: error.line().max(1), cause }
        })
    }

    /// A mistake at `path`: names of members and numbers of list items from the root, such as `["fields", "3", "type"]`.
    /// If the path is not there, the line of the longest part that is.
    pub fn mistake(&self, path: &[&str], cause: impl Into<String>) -> Mistake {
        Mistake { file: self.name.to_owned(), line: self.line(path), cause: cause.into() }
    }

    /// Members of the object at `path` that are not among `known`: mostly misspelt.
    pub fn strangers(&self, path: &[&str], known: &[&str]) -> Vec<Mistake> {
        let members: BTreeMap<String, IgnoredAny> =
            serde_json::Deserializer::from_str(self.part(path)).into_iter().next().and_then(Result::ok).unwrap_or_default();
        let unknown = members.keys().filter(|name| !known.contains(&name.as_str()));
        unknown.map(|name| self.mistake(&[path, &[name.as_str()]].concat(), format!("\"{name}\" is unknown here; known are {}", known.join(", ")))).collect()
    }

    /// The text from the value at `path` on, or from the longest part of the path that is there.
    fn part(&self, path: &[&str]) -> &str {
        let mut at = self.text.trim_start();
        for step in path {
            match inside(at, step) {
                Some(inner) => at = inner,
                None => break,
            }
        }
        at
    }

    fn line(&self, path: &[&str]) -> usize {
        let offset = self.text.len() - self.part(path).len();
        self.text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

/// The text from the value of member or item `step` on, in text that begins with an object or a list.
fn inside<'a>(text: &'a str, step: &str) -> Option<&'a str> {
    let is_list = text.starts_with('[');
    let mut at = text.strip_prefix(['{', '['])?.trim_start();
    for n in 0.. {
        let mut found = is_list && n.to_string() == step;
        if !is_list {
            let (name, rest) = value::<String>(at)?;
            at = rest.trim_start().strip_prefix(':')?.trim_start();
            found = name == step;
        }
        if found {
            return Some(at);
        }
        at = value::<IgnoredAny>(at)?.1.trim_start().strip_prefix(',')?.trim_start();
    }
    None
}

/// The value that `text` begins with, and what follows it.
fn value<T: DeserializeOwned>(text: &str) -> Option<(T, &str)> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let value = stream.next()?.ok()?;
    Some((value, &text[stream.byte_offset()..]))
}

/// Whether `id` is fit for addresses, columns and files: `a-z`, then `a-z0-9_-`, at most 40.
pub fn is_id(id: &str) -> bool {
    let bytes = id.as_bytes();
    (1..=40).contains(&bytes.len())
        && bytes[0].is_ascii_lowercase()
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_names_its_line() {
        let file = File { name: "a.json", text: "\n{\n  \"fields\": [\n    {\"id\": \"a\"},\n    {\"id\": \"b\",\n     \"type\": \"colour\"}\n  ]\n}" };
        assert_eq!(file.mistake(&["fields", "1", "type"], "x").line, 6);
        assert_eq!(file.mistake(&["fields", "1", "unit"], "x").line, 5);
        assert_eq!(file.mistake(&["fields", "9"], "x").line, 3);
        assert_eq!(file.mistake(&[], "x").line, 2);
        let broken = File { name: "b.json", text: "{\n\"a\": 1,\n}" }.read::<serde_json::Value>().expect_err("a comma too many");
        assert_eq!(broken.line, 3);
        assert_eq!(File { name: "c.json", text: "" }.read::<serde_json::Value>().expect_err("empty").line, 1);
    }

    #[test]
    fn misspelt_members_are_named() {
        let file = File { name: "a.json", text: "{\n\"id\": \"a\",\n\"requird\": true\n}" };
        let found = file.strangers(&[], &["id", "required"]);
        assert_eq!(found.iter().map(|m| m.line).collect::<Vec<_>>(), [3]);
        assert!(found[0].cause.contains("requird"));
    }

    #[test]
    fn ids_fit_addresses() {
        assert!(is_id("film-advisers") && is_id("a_1"));
        for bad in ["", "A", "1a", "a b", "ü", "a/b", &"a".repeat(41)] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
