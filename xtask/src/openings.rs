//! Every source file opens with `//!`: what lives there, and what does not and where that is (`STYLE.md` section 8).

use crate::report::Report;
use crate::workspace::{Workspace, read};
use anyhow::Result;

/// Lists the Rust files of the workspace that do not.
pub fn check(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let mut count = 0;
    for folder in ["crates", "tests", "xtask"] {
        for path in workspace.files(folder, &["rs"])? {
            count += 1;
            if !opens(&read(&path)?) {
                report.fail(format!("{}:1", workspace.short(&path)), "does not open with `//!`", "say in a line what lives here and what does not");
            }
        }
    }
    report.done("openings", format!("{count} files"));
    Ok(())
}

fn opens(text: &str) -> bool {
    text.strip_prefix("//!").is_some_and(|rest| rest.lines().next().is_some_and(|line| !line.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_says_something() {
        assert!(opens("//! What it is.\n"));
        assert!(!opens("//!\nuse x;") && !opens("// no") && !opens("") && !opens("\n//! late"));
    }
}
