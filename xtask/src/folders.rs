//! Inside a layered crate the four folders know each other by id only (`STYLE.md` section 1). Where one names another's
//! types it is listed as a warning: what needs both is often an operation in `kepu-app`, but not always.

use crate::report::Report;
use crate::scan;
use crate::workspace::{Workspace, read};
use anyhow::Result;

const CRATES: [&str; 4] = ["kepu-domain", "kepu-store", "kepu-app", "kepu-web"];
const FOLDERS: [&str; 4] = ["listen", "create", "deliver", "measure"];

/// One folder names a type of another.
#[derive(Debug, PartialEq, Eq)]
struct Look {
    line: usize,
    path: String,
}

/// Lists every look across folders.
pub fn check(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let mut count = 0;
    for name in CRATES {
        for folder in FOLDERS {
            for path in workspace.files(&format!("crates/{name}/src/{folder}"), &["rs"])? {
                count += 1;
                for look in looks(&scan::code(&read(&path)?), folder) {
                    report.warn(format!("{}:{}", workspace.short(&path), look.line), format!("{folder}/ names `{}`; folders know each other by id", look.path));
                }
            }
        }
    }
    report.done("folders", format!("{count} files"));
    Ok(())
}

/// Every `crate::<other folder>::…` in code that ends in something else than ids.
fn looks(code: &str, own: &str) -> Vec<Look> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let path = path_at(&code[at..]);
        let folder = path["crate::".len()..].split("::").next().unwrap_or_default();
        if FOLDERS.contains(&folder) && folder != own && !ids_only(path) {
            found.push(Look { line: scan::line_at(code, at), path: path.split_whitespace().collect::<Vec<_>>().join(" ") });
        }
    }
    found
}

/// The path at the start, with its list in braces if it has one.
fn path_at(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    match text[end..].starts_with('{').then(|| text[end..].find('}')).flatten() {
        Some(close) => &text[..=end + close],
        None => &text[..end],
    }
}

fn ids_only(path: &str) -> bool {
    let last = path.rsplit("::").next().unwrap_or_default();
    last.trim_matches(['{', '}']).split(',').map(str::trim).filter(|name| !name.is_empty()).all(|name| name.ends_with("Id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_types_of_other_folders_are_listed() {
        let code = "use crate::ids::CaseId;\nuse crate::listen::case::{CaseId,\n    Due};\nuse crate::create::x::Y;\nuse crate::listen::case::CaseId;\nfn f(x: crate::measure::Z) {}";
        assert_eq!(
            looks(code, "create"),
            [Look { line: 2, path: "crate::listen::case::{CaseId, Due}".into() }, Look { line: 6, path: "crate::measure::Z".into() }]
        );
    }
}
