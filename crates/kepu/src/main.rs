//! The one binary. Reads the command line, opens the node, calls one operation, prints its outcome: results as JSON on
//! standard output, words for people on standard error. Exit status: 0 done, 1 done with refused rows, 2 unusable call.

mod account;
mod alert;
mod backup;
mod bench;
mod bundle;
mod claims;
mod commands;
mod demo;
mod encoder;
mod hear;
mod import;
mod input;
mod measure;
#[cfg(feature = "nats")]
mod nats;
mod node;
#[cfg(feature = "print")]
mod print;
mod registry;
mod search;
mod serve;
mod verify;
mod work;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Kepu 科普: a federated science-communication platform.
#[derive(Parser)]
#[command(name = "kepu", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Begin a node, invite another one, join one.
    #[command(subcommand)]
    Node(node::Node),
    /// Publish and show records.
    #[command(subcommand)]
    Record(commands::Record),
    /// Serve a node over HTTP; also exchanges with its parents and keeps the index level.
    Serve(serve::Serve),
    /// One full exchange with all parents.
    Sync(node::Sync),
    /// An exchange on a stick.
    #[command(subcommand)]
    Bundle(bundle::Bundle),
    /// Check records, certificates and bundles offline.
    Verify(verify::Verify),
    /// Official warnings.
    #[command(subcommand)]
    Alert(alert::Alert),
    /// Save the whole node into one file.
    Backup(backup::Backup),
    /// Bring a node back from a backup.
    Restore(backup::Restore),
    /// Make the public tables again from the records alone.
    Rebuild(commands::DataFolder),
    /// Accounts of people, for whoever has the machine in hand.
    #[command(subcommand)]
    Account(account::Account),
    /// The audit log.
    #[command(subcommand)]
    Audit(commands::Audit),
    /// Take in many resources, claims or entries of a register from JSON lines, CSV or a workbook.
    Import(import::Import),
    /// The registry as files.
    #[command(subcommand)]
    Registry(registry::Registry),
    /// An index of documents in files, and questions asked of it.
    #[command(subcommand)]
    Search(search::Search),
    /// Definition files: registers, rounds, criteria, scoring.
    #[command(subcommand)]
    Definitions(registry::Definitions),
    /// Posts and the claims that say the same.
    #[command(subcommand)]
    Claims(claims::Claims),
    /// Take in files of messages that were heard, and match them.
    Hear(hear::Hear),
    /// Topics that rise in a stream of signals, one alert each.
    Topics(claims::Topics),
    /// The optional encoder.
    #[command(subcommand)]
    Encoder(encoder::Encoding),
    /// Do queued jobs, without serving pages.
    Work(work::Work),
    /// Publish the sample texts and make the sample accounts.
    Seed(commands::DataFolder),
    /// Make pages as PDF.
    #[cfg(feature = "print")]
    #[command(subcommand)]
    Print(print::Print),
    /// A national and a county node on this machine with sample texts.
    Demo(demo::Demo),
    /// Measure.
    #[command(subcommand)]
    Bench(bench::Bench),
}

/// The data folder of a node.
#[derive(clap::Args, Clone)]
pub struct Data {
    /// Data folder.
    #[arg(long, default_value = "kepu-data")]
    data: PathBuf,
    /// Tables elsewhere: postgres://… or sqlite:FILE; default: kepu.db in the data folder.
    #[arg(long, env = "KEPU_DATABASE")]
    database: Option<String>,
}

/// How certificates become PDF, if the typesetter was built in.
#[cfg(feature = "print")]
const PRINTER: Option<kepu_web::paper::Printer> = Some(print::PRINTER);
/// How certificates become PDF: not in this build.
#[cfg(not(feature = "print"))]
const PRINTER: Option<kepu_web::paper::Printer> = None;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("KEPU_LOG").unwrap_or_else(|_| "warn,kepu=info".into()))
        .with_writer(std::io::stderr)
        // A log that cannot be written, because nobody reads standard error any more, must not end the task that wrote it.
        .log_internal_errors(false)
        .init();
    // The only provider in the program; a second install can only fail because the first one stands.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let outcome = match Cli::parse().command {
        Command::Node(node) => node.run().await,
        Command::Record(record) => record.run().await,
        Command::Serve(serve) => serve.run().await,
        Command::Sync(sync) => sync.run().await,
        Command::Bundle(bundle) => bundle.run().await,
        Command::Verify(verify) => verify.run().await,
        Command::Alert(alert) => alert.run().await,
        Command::Backup(backup) => backup.run().await,
        Command::Restore(restore) => restore.run().await,
        Command::Rebuild(folder) => folder.rebuild().await,
        Command::Account(account) => account.run().await,
        Command::Audit(audit) => audit.run().await,
        Command::Import(import) => import.run().await,
        Command::Registry(registry) => registry.run().await,
        Command::Search(search) => search.run(),
        Command::Definitions(definitions) => definitions.run().await,
        Command::Claims(claims) => claims.run(),
        Command::Hear(hear) => hear.run().await,
        Command::Topics(topics) => topics.run(),
        Command::Encoder(encoder) => encoder.run(),
        Command::Work(work) => work.run().await,
        Command::Seed(folder) => folder.seed().await,
        #[cfg(feature = "print")]
        Command::Print(print) => print.run(),
        Command::Demo(demo) => demo.run().await,
        Command::Bench(bench) => bench.run().await,
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kepu: {error:#}");
            ExitCode::from(2)
        }
    }
}
