//! `kepu hear`: files of messages into the queue of signals, matched at once. Progress and refused lines on standard error, the report as JSON lines on standard output.

use crate::commands::operator;
use crate::import::{brought, explain, report};
use crate::measure::Usage;
use crate::{Data, input};
use anyhow::{Context, bail};
use kepu_app::create::import;
use kepu_app::listen::intake::{self, file::lines_of_text};
use kepu_domain::create::import::{Counts, Kind, Plan};
use kepu_domain::ids::OrgId;
use serde_json::json;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `kepu hear`
#[derive(clap::Args)]
pub struct Hear {
    #[command(flatten)]
    data: Data,
    /// JSON lines or CSV with a column text (and, if there are, time, region, weight), or .txt with one message a line; also .gz and .zst.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Which column fills what, such as text=内容; what is left open is guessed from the columns' names.
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = pair)]
    map: Vec<(String, String)>,
    /// Organisation that the files belong to; default: the one that runs the node.
    #[arg(long)]
    org: Option<String>,
    /// Only take in; matching is left to `kepu serve` or `kepu work`.
    #[arg(long)]
    later: bool,
    /// Print time and memory as JSON on standard error.
    #[arg(long)]
    time: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as FIELD=COLUMN")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// The name of a file without what says how it is packed.
fn unpacked_name(path: &Path) -> String {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("-").to_lowercase();
    name.trim_end_matches(".gz").trim_end_matches(".zst").to_owned()
}

impl Hear {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let app = self.data.open(false).await?;
        let begun = Usage::now();
        let terminal = std::io::stderr().is_terminal();
        let (mut rows, mut refused) = (0, 0);
        for file in &self.files {
            let bytes = input::read(file)?;
            let bytes = if unpacked_name(file).ends_with(".txt") { lines_of_text(&bytes).map_err(explain)? } else { bytes };
            if bytes.trim_ascii().is_empty() {
                bail!("{} has no rows", file.display());
            }
            let plan = Plan { kind: Kind::Signal, columns: self.map.iter().cloned().collect(), signed_by: "节点操作员".into(), ..Plan::default() };
            let progress = move |counts: &Counts| {
                if terminal {
                    eprint!("\r{}/{}", counts.done, counts.rows);
                }
            };
            let brought = brought(&app, file, &bytes, plan, self.org.clone().map(OrgId)).await?;
            let before = app.now();
            let done = import::take_in(&app, &operator(), brought, &progress)
                .await
                .map_err(explain)
                .with_context(|| format!("{} cannot be taken in", file.display()))?;
            if terminal {
                eprintln!();
            }
            report(&app, &done).await?;
            let c = done.counts;
            println!(
                "{}",
                json!({"file": file.display().to_string(), "import": done.id.0, "rows": c.rows, "heard": c.published, "refused": c.refused, "before": finished_before(&done, before)})
            );
            rows += usize::try_from(c.rows)?;
            refused += c.refused;
        }
        if !self.later {
            let done = intake::run(&app).await?;
            eprintln!("kepu: {} matched", done.matched);
        }
        if self.time {
            eprintln!("{}", begun.since(rows, &[]));
        }
        Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// Whether a file had been taken in before this call.
fn finished_before(done: &kepu_domain::create::import::Import, before: jiff::Timestamp) -> bool {
    matches!(done.stage, kepu_domain::create::import::Stage::Done { at } if at < before)
}
