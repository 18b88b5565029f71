//! Accessibility by axe-core: the rules of WCAG 2.0 to 2.2, levels A and AA, and its best practices. In elder mode also the
//! stronger contrast that `LOOK.md` asks for. What a keyboard reaches is tested in `tests/pages.rs`.

use crate::browser::{Person, skip};
use anyhow::ensure;
use serde::Deserialize;
use std::path::PathBuf;

/// axe-core, as `npm ci` puts it there.
pub struct Axe {
    source: String,
}

#[derive(Deserialize)]
struct Violation {
    id: String,
    help: String,
    nodes: Vec<String>,
}

impl Axe {
    /// `None` where the npm packages are not installed.
    pub fn find() -> anyhow::Result<Option<Self>> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../assets/node_modules/axe-core/axe.min.js");
        match std::fs::read_to_string(&path) {
            Ok(source) => Ok(Some(Self { source })),
            Err(_) => skip("axe-core is not installed: npm ci --ignore-scripts in assets/"),
        }
    }

    /// Fails with rule, place and help of everything that somebody could not use on the page that `person` sees.
    pub fn check(&self, person: &Person, elder: bool) -> anyhow::Result<()> {
        // The debugging port is no part of the page, so the page's rule against foreign scripts stays as it is.
        person.evaluate::<serde_json::Value>(&format!("{}; null", self.source))?;
        let contrast = if elder { "rules: {'color-contrast-enhanced': {enabled: true}}," } else { "" };
        let found: Vec<Violation> = person.evaluate(&format!(
            "axe.run(document, {{ {contrast} resultTypes: ['violations'], elementRef: false, \
             runOnly: {{type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']}} }}) \
             .then(r => r.violations.map(v => ({{id: v.id, help: v.help, nodes: v.nodes.map(n => n.target.join(' ') + '  ' + n.html.slice(0, 160) + '  ' + (n.failureSummary || ''))}})))"
        ))?;
        let report: String = found.iter().map(|v| format!("\n  {}: {}\n    {}", v.id, v.help, v.nodes.join("\n    "))).collect();
        ensure!(found.is_empty(), "{} on {}:{report}", if found.len() == 1 { "a violation" } else { "violations" }, person.address()?);
        Ok(())
    }
}
