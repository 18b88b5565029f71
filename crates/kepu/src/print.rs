//! `kepu print`: pages as PDF from JSON files. What stands on them is described by the types of `kepu-print`.

use crate::input;
use anyhow::Context;
use kepu_print::PrintError;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// `kepu print …`
#[derive(clap::Subcommand)]
pub enum Print {
    /// A certificate.
    Certificate(Page),
    /// A sheet: title, paragraphs, lists, tables, QR footer.
    Sheet(Page),
}

/// From where and to where.
#[derive(clap::Args)]
pub struct Page {
    /// JSON, `-` for standard input.
    file: PathBuf,
    /// The PDF to write.
    #[arg(long)]
    out: PathBuf,
}

impl Print {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Print::Certificate(page) => page.make(kepu_print::certificate),
            Print::Sheet(page) => page.make(kepu_print::sheet),
        }
    }
}

impl Page {
    fn make<T: DeserializeOwned>(self, print: impl Fn(&T) -> Result<Vec<u8>, PrintError>) -> anyhow::Result<ExitCode> {
        let name = self.file.display();
        let sheet: T = serde_json::from_slice(&input::read(&self.file)?).with_context(|| format!("{name} does not describe this page"))?;
        let pdf = print(&sheet).with_context(|| format!("cannot print {name}"))?;
        std::fs::write(&self.out, &pdf).with_context(|| format!("cannot write {}", self.out.display()))?;
        println!("{}", json!({"out": self.out, "bytes": pdf.len()}));
        Ok(ExitCode::SUCCESS)
    }
}
