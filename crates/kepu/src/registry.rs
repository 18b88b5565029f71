//! `kepu registry` and `kepu definitions`: a register as a file, and whether the definition files of a node are in order.

use crate::Data;
use crate::commands::{DataFolder, operator};
use anyhow::Context;
use kepu_app::create::export;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// `kepu registry …`
#[derive(clap::Subcommand)]
pub enum Registry {
    /// Write a register as CSV that `kepu import --kind party` takes back unchanged.
    Export {
        #[command(flatten)]
        data: Data,
        /// The register, such as experts or halls.
        register: String,
        /// File; default: standard output.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

impl Registry {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let Registry::Export { data, register, out } = self;
        let app = data.open(false).await?;
        let mut sink: Box<dyn Write + Send> = match &out {
            Some(path) => Box::new(std::io::BufWriter::new(std::fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?)),
            None => Box::new(std::io::stdout()),
        };
        let entries = export::export(&app, &operator(), &register, &mut |text| sink.write_all(text.as_bytes())).await?;
        sink.flush()?;
        if out.is_some() {
            println!("{}", json!({"register": register, "entries": entries}));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// `kepu definitions …`
#[derive(clap::Subcommand)]
pub enum Definitions {
    /// Read the node's definition files and name every mistake with its line. Exit status 1 if there is one.
    Check(DataFolder),
}

impl Definitions {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let Definitions::Check(folder) = self;
        let app = folder.open().await?;
        let definitions = app.definitions();
        for mistake in &definitions.mistakes {
            eprintln!("{mistake}");
        }
        println!(
            "{}",
            json!({
                "registers": definitions.registers.registers.keys().collect::<Vec<_>>(),
                "rounds": definitions.rounds.len(), "criteria": definitions.criteria.len(), "schemes": definitions.schemes.len(),
                "mistakes": definitions.mistakes.iter().map(|m| json!({"file": m.file, "line": m.line, "cause": m.cause})).collect::<Vec<_>>(),
            })
        );
        Ok(if definitions.mistakes.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
