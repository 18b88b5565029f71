//! `kepu print`: pages as PDF from JSON files. What stands on them is described by the types of `kepu-print`.

use crate::input;
use anyhow::Context;
use kepu_print::{Block, CertificateSheet, Footer, Item, Lang, Paper, PrintError, Sheet};
use kepu_text::outline::Part;
use kepu_web::paper::{CertificatePaper, PaperError, PicturePaper, Printer, SheetPaper};
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

/// What the pages print with.
pub const PRINTER: Printer = Printer { certificate, picture, sheets };

/// A drawing of the pages as PNG.
fn picture(paper: &PicturePaper) -> Result<Vec<u8>, PaperError> {
    kepu_print::picture(&kepu_print::Picture { svg: paper.svg.clone(), texts: paper.texts.clone() }).map_err(refused)
}

/// A certificate of the pages as PDF.
fn certificate(paper: &CertificatePaper) -> Result<Vec<u8>, PaperError> {
    let items = paper.items.iter().map(|(kind, count, unit, hours)| Item { kind: kind.clone(), count: *count, unit: unit.clone(), hours: *hours });
    let sheet = CertificateSheet {
        lang: if paper.english { Lang::En } else { Lang::Zh },
        title: paper.title.clone(),
        number: paper.number.clone(),
        holder: paper.holder.clone(),
        lines: paper.lines.clone(),
        items: items.collect(),
        issuer: paper.issuer.clone(),
        date: paper.date,
        verify: paper.verify.clone(),
        key_digits: paper.key_digits.clone(),
        sample: paper.sample,
    };
    kepu_print::certificate(&sheet).map_err(refused)
}

/// Sheets of the pages as one PDF, in large letters.
fn sheets(papers: &[SheetPaper]) -> Result<Vec<u8>, PaperError> {
    let sheets: Vec<Sheet> = papers.iter().map(sheet).collect();
    kepu_print::sheets(&sheets).map_err(refused)
}

fn sheet(paper: &SheetPaper) -> Sheet {
    let block = |part: &Part| match part {
        Part::Heading(text) => Block::Heading(text.clone()),
        Part::Paragraph(text) => Block::Paragraph(text.clone()),
        Part::List(items) => Block::List(items.clone()),
    };
    Sheet {
        lang: paper.lang.clone(),
        paper: if paper.a3 { Paper::A3 } else { Paper::A4 },
        large: true,
        title: paper.title.clone(),
        blocks: paper.parts.iter().map(block).collect(),
        footer: Some(Footer { qr: paper.qr.clone(), lines: paper.foot.clone() }),
    }
}

fn refused(error: PrintError) -> PaperError {
    match error {
        PrintError::Glyphs { chars, install, .. } => {
            let chars = chars.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            PaperError::Glyphs { chars, install }
        }
        other => PaperError::Other(other.to_string()),
    }
}
