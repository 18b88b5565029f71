//! `kepu import`: takes a file of resources, claims or entries of a register in. Progress and refused lines on standard error, the report as JSON on
//! standard output.

use crate::commands::operator;
use crate::measure::Usage;
use crate::{Data, input};
use anyhow::{Context, anyhow, bail};
use kepu_app::create::import::{self, Brought};
use kepu_app::{App, AppError};
use kepu_domain::create::import::{Counts, Import as Run, Kind, Plan, Stage};
use kepu_domain::ids::OrgId;
use kepu_store::create::import::LineKind;
use kepu_web::i18n::Lang;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Who answers for a batch, and what rows get that leave something open.
#[derive(clap::Args)]
pub struct BatchArgs {
    /// Name under the batch sign-off.
    #[arg(long, default_value = "节点操作员")]
    signed_by: String,
    /// Licence of rows that name none.
    #[arg(long, default_value = "CC-BY-4.0")]
    licence: String,
    /// Field of rows that name none.
    #[arg(long, default_value = "other")]
    field: String,
    /// Organisation that the batch belongs to; default: the one that runs the node.
    #[arg(long)]
    org: Option<String>,
}

impl BatchArgs {
    /// The plan without columns.
    pub fn plan(&self, kind: Kind) -> Plan {
        let mut fixed = BTreeMap::new();
        if !matches!(kind, Kind::Party | Kind::Signal) {
            fixed.insert("fields".to_owned(), self.field.clone());
        }
        if kind == Kind::Resource {
            fixed.insert("licence".into(), self.licence.clone());
        }
        Plan { kind, columns: BTreeMap::new(), fixed, signed_by: self.signed_by.clone(), register: String::new() }
    }
    /// The organisation named.
    pub fn org(&self) -> Option<OrgId> {
        self.org.clone().map(OrgId)
    }
}

/// `kepu import`
#[derive(clap::Args)]
pub struct Import {
    #[command(flatten)]
    data: Data,
    /// JSON lines, a JSON list, CSV or a workbook (.xlsx); UTF-8, UTF-16 or GB 18030; also .gz and .zst; - for standard input.
    file: PathBuf,
    /// What the rows are: resource, claim, party or signal.
    #[arg(long, default_value = "resource", value_parser = kind)]
    kind: Kind,
    /// The register that the parties are for, such as experts or halls.
    #[arg(long, required_if_eq("kind", "party"))]
    register: Option<String>,
    /// Which column fills what, such as title=标题; what is left open is guessed from the columns' names.
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = pair)]
    map: Vec<(String, String)>,
    /// What stands in rows whose column is empty or missing, such as source=某某县科协.
    #[arg(long, value_name = "FIELD=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Only say what would become of the rows.
    #[arg(long)]
    dry_run: bool,
    /// Print time and memory as JSON on standard error.
    #[arg(long)]
    time: bool,
    #[command(flatten)]
    batch: BatchArgs,
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| "there are resource, claim, party and signal".into())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl Import {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let mut plan = self.batch.plan(self.kind);
        plan.register = self.register.unwrap_or_default();
        plan.columns.extend(self.map);
        plan.fixed.extend(self.set);
        if self.dry_run {
            return dry_run(&self.data, &self.file, plan, self.batch.org()).await;
        }
        take_in(&self.data, &self.file, plan, self.batch.org(), self.time).await
    }
}

/// Words for whoever sits at the terminal.
fn lang() -> Lang {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()));
    set.and_then(|text| Lang::parse(&text)).unwrap_or(Lang::En)
}

/// An error with what is wrong in words.
pub fn explain(error: AppError) -> anyhow::Error {
    match error {
        AppError::Invalid(list) => {
            let lines: Vec<String> = list.into_iter().map(|field| kepu_web::create::import::reason_text(lang(), &field.into())).collect();
            anyhow!(lines.join("\n"))
        }
        other => other.into(),
    }
}

pub async fn brought<'a>(app: &App, file: &'a Path, bytes: &'a [u8], plan: Plan, org: Option<OrgId>) -> anyhow::Result<Brought<'a>> {
    let mut tx = app.db.read().await?;
    let org = match org {
        Some(org) => org,
        None => OrgId(kepu_store::meta::find(&mut tx, "org").await?.unwrap_or_else(|| "000000".into())),
    };
    if kepu_store::org::find(&mut tx, &org).await?.is_none() {
        bail!("this node knows no organisation {org}");
    }
    Ok(Brought { name: file.file_name().and_then(|name| name.to_str()).unwrap_or("-"), bytes, plan, org })
}

/// Takes a file in and reports.
pub async fn take_in(data: &Data, file: &Path, plan: Plan, org: Option<OrgId>, time: bool) -> anyhow::Result<ExitCode> {
    let app = data.open(false).await?;
    let begun = Usage::now();
    let loading = Instant::now();
    let bytes = input::read(file)?;
    let load_s = loading.elapsed().as_secs_f64();
    let terminal = std::io::stderr().is_terminal();
    let progress = move |counts: &Counts| {
        if terminal {
            eprint!("\r{}/{}", counts.done, counts.rows);
        } else if counts.done == counts.rows || counts.done % 2_000 == 0 {
            eprintln!("{}/{}", counts.done, counts.rows);
        }
    };
    let done = import::take_in(&app, &operator(), brought(&app, file, &bytes, plan, org).await?, &progress).await.map_err(explain)?;
    if terminal {
        eprintln!();
    }
    let warnings = report(&app, &done).await?;
    if time {
        eprintln!("{}", begun.since(usize::try_from(done.counts.rows)?, &[("load_s", load_s)]));
    }
    let c = done.counts;
    println!(
        "{}",
        json!({"import": done.id.0, "rows": c.rows, "published": c.published, "drafts": c.drafts, "known": c.known, "refused": c.refused,
               "licence_filled": c.licence_filled, "warnings": warnings})
    );
    Ok(if c.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Prints what there is to say about single lines; returns how many warnings.
pub async fn report(app: &App, done: &Run) -> anyhow::Result<i64> {
    const PAGE: u32 = 1_000;
    for (kind, word) in [(LineKind::Warning, "note"), (LineKind::Refused, "not taken")] {
        let mut skip = 0;
        loop {
            let lines = import::lines(app, done, kind, skip, PAGE).await?;
            for (line, reason) in &lines {
                eprintln!("line {line}: {word}: {}", kepu_web::create::import::reason_text(lang(), reason));
            }
            if lines.len() < PAGE as usize {
                break;
            }
            skip += PAGE;
        }
    }
    let c = done.counts;
    if c.licence_filled > 0 {
        eprintln!("{} rows named no licence and got {}", c.licence_filled, done.plan.fixed.get("licence").map_or("", String::as_str));
    }
    if c.drafts > 0 {
        let why = match done.plan.kind {
            Kind::Resource => "their fields need individual reviewers",
            Kind::Party | Kind::Signal => "",
            Kind::Claim => "a verdict is given by named people, and the review policy asks for more than a batch sign-off",
        };
        eprintln!("{} rows became drafts: {why}", c.drafts);
    }
    if c.known > 0 {
        eprintln!("{} rows were here already", c.known);
    }
    Ok(import::count_lines(app, done, LineKind::Warning).await?)
}

async fn dry_run(data: &Data, file: &Path, plan: Plan, org: Option<OrgId>) -> anyhow::Result<ExitCode> {
    let app = data.open(false).await?;
    let bytes = input::read(file)?;
    let import = import::bring(&app, &operator(), brought(&app, file, &bytes, plan, org).await?).await.map_err(explain)?;
    debug_assert!(matches!(import.stage, Stage::Planned));
    let tried = async {
        import::fits(&app, &import.plan, &*import::table(&app, &import).await?)?;
        import::try_out(&app, &import, usize::MAX, 0).await
    };
    let tried = tried.await;
    import::discard(&app, &operator(), &import.id).await?;
    let tried = tried.map_err(explain).context("the file cannot be tried out")?;
    for (target, column) in &import.plan.columns {
        eprintln!("{target} = {column}");
    }
    for (line, reason) in &tried.refused {
        eprintln!("line {line}: not taken: {}", kepu_web::create::import::reason_text(lang(), reason));
    }
    let c = tried.counts;
    println!("{}", json!({"rows": import.counts.rows, "published": c.published, "drafts": c.drafts, "refused": c.refused, "dry_run": true}));
    Ok(if c.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
