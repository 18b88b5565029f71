//! What the checks found, printed as one line each: where, what, cure. Failures come last, where the eye is.

use std::fmt;

/// Everything found so far.
#[derive(Debug, Default)]
pub struct Report {
    notes: Vec<String>,
    warnings: Vec<String>,
    failures: Vec<String>,
}

impl Report {
    /// A check was done; `what` says how much it looked at.
    pub fn done(&mut self, check: &str, what: impl fmt::Display) {
        self.notes.push(format!("done  {check}: {what}"));
    }

    /// A check could not be done yet, and why.
    pub fn skip(&mut self, check: &str, why: impl fmt::Display) {
        self.notes.push(format!("skip  {check}: {why}"));
    }

    /// Worth a look, breaks nothing.
    pub fn warn(&mut self, place: impl fmt::Display, what: impl fmt::Display) {
        self.warnings.push(format!("warn  {place}: {what}"));
    }

    /// A broken rule. `place` is `file:line` or a crate.
    pub fn fail(&mut self, place: impl fmt::Display, what: impl fmt::Display, cure: impl fmt::Display) {
        self.failures.push(format!("FAIL  {place}: {what}; {cure}"));
    }

    /// How many rules are broken.
    pub fn failures(&self) -> usize {
        self.failures.len()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.notes.iter().chain(&self.warnings).chain(&self.failures) {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "xtask check: {} failed, {} warnings", self.failures.len(), self.warnings.len())
    }
}
