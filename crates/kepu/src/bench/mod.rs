//! `kepu bench`: figures of this machine, printed as a table or as JSON lines. Never asserted in a test. Everything happens in
//! temporary folders and on this machine alone.

mod claims;
mod intake;
mod pages;
mod records;
mod registry;
mod reviews;
mod rounds;
mod search;
mod store;
mod sync;
mod warnings;

use kepu_app::{App, Options, index, node, seed};
use kepu_domain::org::Region;
use kepu_sync::suite::Suite;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to measure.
#[derive(clap::Subcommand)]
pub enum Bench {
    /// Signing, packing and verifying records.
    Records(Args),
    /// The main pages through the router in this process, on a node with the sample texts. Size: requests a page.
    Pages(Args),
    /// Inserts, point reads and lists of the store. Size: rows.
    Store {
        #[command(flatten)]
        args: Args,
        /// An empty database to measure instead of an SQLite file: postgres://…; its tables are made and filled.
        #[arg(long)]
        database: Option<String>,
    },
    /// The registry: taking people and places in, finding the competent and near who are free, writing them out the same.
    Registry {
        /// How many people.
        #[arg(long, default_value_t = 200_000)]
        people: usize,
        /// How many places.
        #[arg(long, default_value_t = 50_000)]
        places: usize,
        /// JSON lines instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// A round of applications with a planted truth: assigning judges, ordering, raw means against adjusted scores. Size:
    /// applications, with one judge for every 25 of them.
    Rounds(Args),
    /// The review queue: texts among a tenth as many reviewers with conflicts and ceilings, at once and first come first served. Size: texts.
    Reviews(Args),
    /// The claims matcher on posts that its model had not seen, beside other rules; growth up to so many claims; topics on made-up days. Size: claims.
    Claims {
        #[command(flatten)]
        args: Args,
        /// Folder with the shared claims data.
        #[arg(long, default_value = "../shared/data/claims")]
        data: PathBuf,
        /// The optional encoder, measured beside; what it reads is kept beside its file.
        #[arg(long, value_name = "FILE")]
        encoder: Option<PathBuf>,
    },
    /// Intake end to end on a node: a day of messages as a file, taken in, matched, put into topics. Size: messages.
    Intake {
        #[command(flatten)]
        args: Args,
        /// Folder with the shared claims data.
        #[arg(long, default_value = "../shared/data/claims")]
        data: PathBuf,
    },
    /// Search: right documents and answers beside plain ways of searching, then speed and size as documents grow. Size: most documents.
    Search {
        #[command(flatten)]
        args: Args,
        /// Folder with documents.jsonl.zst and questions_dev.jsonl.
        #[arg(long, default_value = "../shared/data/content")]
        data: PathBuf,
        /// Other questions over the same documents: JSON lines with type, question, relevant, answers.
        #[arg(long)]
        questions: Option<PathBuf>,
        /// The optional encoder, measured beside; what it reads is kept beside its file.
        #[arg(long, value_name = "FILE")]
        encoder: Option<PathBuf>,
    },
    /// Official warnings judged: samples, hostile documents, counties of areas. Size: rounds over the samples.
    Alerts {
        #[command(flatten)]
        args: Args,
        /// Folder with the shared emergency data.
        #[arg(long, default_value = "../shared/data/emergency")]
        data: PathBuf,
    },
    /// From the file of a warning to page, feed and queue, for growing numbers of points. Size: most points.
    Warnings(Args),
    /// Two nodes over loopback: small records first, then nothing new. Size: records.
    Sync(Args),
}

/// How much, and how to print it.
#[derive(clap::Args)]
pub struct Args {
    /// How many; default: 100000 records, 500 requests a page, 20000 rows, 5000 applications, 10000 reviews, 1000000 claims, 20000 messages, 100000 documents, 10000 records exchanged.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    size: Option<u64>,
    /// JSON lines instead of a table.
    #[arg(long)]
    json: bool,
}

impl Args {
    fn or(&self, usual: usize) -> usize {
        self.size.map_or(usual, |size| usize::try_from(size).unwrap_or(usize::MAX))
    }
}

/// One measured value.
pub struct Figure {
    metric: String,
    value: f64,
    unit: &'static str,
}

impl Figure {
    /// A value with its unit.
    pub fn new(metric: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { metric: metric.into(), value, unit }
    }
}

impl Bench {
    /// Runs the bench.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let (name, size, json, figures) = match self {
            Bench::Records(args) => ("records", args.or(100_000), args.json, records::run(args.or(100_000))?),
            Bench::Pages(args) => ("pages", args.or(500), args.json, pages::run(args.or(500)).await?),
            Bench::Store { args, database } => ("store", args.or(20_000), args.json, store::run(args.or(20_000), database.as_deref()).await?),
            Bench::Registry { people, places, json } => ("registry", people + places, json, registry::run(people, places).await?),
            Bench::Rounds(args) => ("rounds", args.or(5_000), args.json, rounds::run(args.or(5_000)).await?),
            Bench::Reviews(args) => ("reviews", args.or(10_000), args.json, reviews::run(args.or(10_000))?),
            Bench::Intake { args, data } => ("intake", args.or(20_000), args.json, intake::run(&data, args.or(20_000)).await?),
            Bench::Claims { args, data, encoder } => ("claims", args.or(1_000_000), args.json, claims::run(&data, encoder.as_deref(), args.or(1_000_000))?),
            Bench::Search { args, data, questions, encoder } => {
                let figures = search::run(&data, questions.as_deref(), encoder.as_deref(), args.or(100_000))?;
                ("search", args.or(100_000), args.json, figures)
            }
            Bench::Alerts { args, data } => ("alerts", args.or(5_000), args.json, warnings::alerts(&data, args.or(5_000))?),
            Bench::Warnings(args) => ("warnings", args.or(1_000_000), args.json, warnings::warnings(args.or(1_000_000)).await?),
            Bench::Sync(args) => ("sync", args.or(10_000), args.json, sync::run(args.or(10_000)).await?),
        };
        for Figure { metric, value, unit } in figures {
            if json {
                println!("{}", serde_json::json!({"bench": name, "size": size, "metric": metric, "value": value, "unit": unit}));
            } else {
                println!("{metric:<58} {value:>14.3} {unit}");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Begins a node in a folder; with the sample texts and an index if `seeded`.
async fn begin(folder: &Path, name: &str, seeded: bool) -> anyhow::Result<App> {
    let init = node::Init { name: name.into(), region: Region::NATION, suite: Suite::Ed25519, database: None };
    let app = node::init(folder, init).await?;
    if !seeded {
        return Ok(app);
    }
    seed::publish(&app).await?;
    drop(app);
    let app = App::open(Options { data: folder.to_owned(), database: None, index: true }).await?;
    index::catch_up(&app).await?;
    Ok(app)
}

/// Value below which `share` of the sorted values lie.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_bench_measures_something() {
        assert!(records::run(200).expect("records").iter().all(|figure| figure.value > 0.0));
        for figures in [pages::run(3).await.expect("pages"), store::run(300, None).await.expect("store")] {
            assert!(figures.len() > 3 && figures.iter().all(|figure| figure.value > 0.0));
        }
        assert!((quantile(&[1.0, 2.0, 3.0], 0.5) - 2.0).abs() < 1e-9 && quantile(&[], 0.5) == 0.0);
    }
}
