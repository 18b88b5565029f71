//! The commands: each opens the node, calls one operation and prints what came of it.

use crate::Data;
use crate::import::BatchArgs;
use anyhow::{Context, bail};
use kepu_app::{App, Options, audit, record, seed};
use kepu_domain::access::Actor;
use kepu_domain::ids::KeyId;
use kepu_domain::record::{DocHash, Place, Stream};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Whoever has the data folder in hand.
pub fn operator() -> Actor {
    Actor::Node { name: "operator".into() }
}

impl Data {
    /// Opens the node.
    pub async fn open(&self, index: bool) -> anyhow::Result<App> {
        let options = Options { data: self.data.clone(), database: self.database.clone(), index };
        App::open(options)
            .await
            .with_context(|| format!("cannot open the node in {}; make one with: kepu node init --data DIR --name NAME", self.data.display()))
    }
}

/// `kepu record …`
#[derive(clap::Subcommand)]
pub enum Record {
    /// Publish many small resources at once.
    Publish {
        #[command(flatten)]
        data: Data,
        /// JSON lines or CSV with at least title and text.
        #[arg(long = "in")]
        input: PathBuf,
        #[command(flatten)]
        batch: BatchArgs,
    },
    /// Show one record with its proof.
    Show {
        #[command(flatten)]
        data: Data,
        /// Hash of the document, or KEY/STREAM/NUMBER.
        id: String,
        /// With everything that anybody needs to verify it without this node: certificates up to the root, withdrawals.
        #[arg(long)]
        chain: bool,
    },
    /// Erase the body of a library record here, because a law demands it. Its stub stays and still verifies.
    Erase {
        #[command(flatten)]
        data: Data,
        /// Hash of the document, or KEY/STREAM/NUMBER.
        id: String,
        /// Why; stands in the audit log and beside the stub.
        #[arg(long)]
        reason: String,
    },
}

impl Record {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Record::Publish { data, input, batch } => crate::import::take_in(&data, &input, batch.plan(Default::default()), batch.org(), false).await,
            Record::Show { data, id, chain } => {
                let app = data.open(false).await?;
                let row = find(&app, &id).await?;
                let refusal = row.refusal.clone();
                let Some(record) = record::read_row(row) else { bail!("the body of {id} was erased; only its stub is held") };
                let shown = if chain { kepu_app::chain::of(&app, &mut app.db.read().await?, &record).await? } else { record.with_proof() };
                println!("{shown}");
                if !refusal.is_empty() {
                    eprintln!("held, but without effect: {refusal}");
                }
                Ok(ExitCode::SUCCESS)
            }
            Record::Erase { data, id, reason } => {
                let app = data.open(false).await?;
                let place = find(&app, &id).await?.place();
                record::erase(&app, &operator(), &place, &reason).await?;
                println!("{}", json!({"erased": place.to_string()}));
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

async fn find(app: &App, id: &str) -> anyhow::Result<kepu_store::record::Row> {
    let mut tx = app.db.read().await?;
    let row = match DocHash::from_hex(id) {
        Some(hash) => kepu_store::record::find_by_hash(&mut tx, &hash).await?,
        None => kepu_store::record::find(&mut tx, &place(id)?).await?,
    };
    row.with_context(|| format!("this node holds no record {id}"))
}

fn place(text: &str) -> anyhow::Result<Place> {
    let mut parts = text.rsplitn(3, '/');
    let (n, stream, key) = (parts.next(), parts.next(), parts.next());
    let place = (|| Some(Place { key: KeyId::from(key?), stream: Stream::parse(stream?)?, n: n?.parse().ok()? }))();
    place.with_context(|| format!("\"{text}\" is neither a document hash (64 hex digits) nor KEY/STREAM/NUMBER"))
}

/// Commands that need a data folder only.
#[derive(clap::Args)]
pub struct DataFolder {
    #[command(flatten)]
    data: Data,
}

impl DataFolder {
    /// Opens the node.
    pub async fn open(&self) -> anyhow::Result<App> {
        self.data.open(false).await
    }

    /// `kepu rebuild`
    pub async fn rebuild(self) -> anyhow::Result<ExitCode> {
        let app = self.data.open(false).await?;
        let rebuilt = record::rebuild(&app).await?;
        println!("{}", json!({"records": rebuilt.records, "before": rebuilt.before, "after": rebuilt.after, "same": rebuilt.before == rebuilt.after}));
        Ok(ExitCode::SUCCESS)
    }

    /// `kepu seed`
    pub async fn seed(self) -> anyhow::Result<ExitCode> {
        let app = self.data.open(false).await?;
        let count = seed::publish(&app).await?;
        seed::ledger(&app).await?;
        let accounts = seed::accounts(&app).await?;
        for (login, roles, password) in &accounts {
            eprintln!("{login:<10} {password}   {roles}");
        }
        println!("{}", json!({"published": count, "accounts": accounts.len()}));
        Ok(ExitCode::SUCCESS)
    }
}

/// `kepu audit …`
#[derive(clap::Subcommand)]
pub enum Audit {
    /// Check the hash chain of the whole log, and the daily anchors against it.
    Verify(DataFolder),
}

impl Audit {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let Audit::Verify(folder) = self;
        let app = folder.data.open(false).await?;
        let checked = audit::check(&app).await?;
        println!(
            "{}",
            json!({
                "whole": checked.is_whole(), "entries": checked.entries, "head": checked.head, "anchors": checked.anchors,
                "broken": checked.broken.map(|(seq, cause)| json!({"seq": seq, "cause": cause.as_str()})),
                "wrong_anchors": checked.wrong.iter().map(|(day, fault)| json!({"day": day, "cause": fault.as_str()})).collect::<Vec<_>>(),
            })
        );
        if let Some((seq, cause)) = checked.broken {
            eprintln!("kepu: the audit log is broken at entry {seq}: {}", cause.as_str());
        }
        for (day, fault) in &checked.wrong {
            eprintln!("kepu: the anchor of {day} does not fit: {}", fault.as_str());
        }
        Ok(if checked.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
