//! What the examples share: rows of JSON lines, and their texts.

use serde_json::Value;
use std::error::Error;
use std::process::Command;

/// The rows of a file that `cat` (`cat`, `zcat`, `zstdcat`) writes out.
pub fn rows(cat: &str, path: &str) -> Result<Vec<Value>, Box<dyn Error>> {
    let out = Command::new(cat).arg(path).output()?;
    if !out.status.success() {
        return Err(format!("{cat} {path}: {}", String::from_utf8_lossy(&out.stderr)).into());
    }
    String::from_utf8(out.stdout)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// A text of a row, empty if it has none.
pub fn text(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_default().to_owned()
}
