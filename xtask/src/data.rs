//! Every definition in `data/` parses. What it must contain is tested beside the code that reads it.

use crate::report::Report;
use crate::workspace::{Workspace, read};
use anyhow::Result;
use std::path::Path;

/// Reads all JSON, JSON lines and CSV files.
pub fn check(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let files = workspace.files("data", &["json", "jsonl", "csv"])?;
    for path in &files {
        if let Err((line, what)) = parse(path, &read(path)?) {
            report.fail(format!("{}:{line}", workspace.short(path)), what, "mend the line");
        }
    }
    report.done("data", format!("{} files", files.len()));
    Ok(())
}

/// The first line that cannot be read, and why.
fn parse(path: &Path, text: &str) -> Result<(), (usize, String)> {
    if text.starts_with('\u{feff}') {
        return Err((1, "begins with a byte order mark".into()));
    }
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("json") => json(text).map_err(|error| (error.line(), error.to_string())),
        Some("jsonl") => text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .try_for_each(|(at, line)| json(line).map_err(|error| (at + 1, error.to_string()))),
        _ => csv::Reader::from_reader(text.as_bytes())
            .records()
            .try_for_each(|row| row.map(|_| ()).map_err(|error| (error.position().map_or(1, |position| position.line() as usize), error.to_string()))),
    }
}

fn json(text: &str) -> serde_json::Result<()> {
    serde_json::from_str::<serde_json::Value>(text).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, text: &str) -> Option<usize> {
        parse(Path::new(name), text).err().map(|(line, _)| line)
    }

    #[test]
    fn the_broken_line_is_named() {
        assert_eq!(line("a.json", "{\n\"a\": 1\n}"), None);
        assert_eq!(line("a.json", "{\n\"a\": \n}"), Some(3));
        assert_eq!(line("a.jsonl", "{}\n\n{\n"), Some(3));
        assert_eq!(line("a.csv", "a,b\n1,2\n1\n"), Some(3));
        assert_eq!(line("a.csv", "\u{feff}a,b\n"), Some(1));
    }
}
