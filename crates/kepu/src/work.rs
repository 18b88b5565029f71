//! `kepu work`: does the jobs that other processes queue, without serving pages. `kepu serve` works as well; this is for a
//! second machine or for nodes whose pages must not wait.

use crate::Data;
use kepu_app::listen::hear;
use kepu_app::{App, job};
use std::process::ExitCode;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// `kepu work`
#[derive(clap::Args)]
pub struct Work {
    #[command(flatten)]
    data: Data,
    /// Jobs done at the same time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    workers: u8,
    /// Lists of signals may be read from addresses inside the house too, if a steward named the host.
    #[arg(long)]
    intranet: bool,
    #[cfg(feature = "nats")]
    #[command(flatten)]
    signals: crate::nats::Source,
    /// End when nothing is due any more.
    #[arg(long)]
    once: bool,
}

impl Work {
    /// Works until it is told to stop.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let app = self.data.open(false).await?;
        app.allow_intranet(self.intranet);
        if self.once {
            let mut done = 0;
            while job::run_one(&app).await? {
                done += 1;
            }
            hear::settle(&app).await?;
            println!("{}", serde_json::json!({"jobs": done}));
            return Ok(ExitCode::SUCCESS);
        }
        let (stop, workers) = begin(&app, self.workers);
        tokio::spawn(crate::serve::keep_claims(app.clone()));
        #[cfg(feature = "nats")]
        self.signals.begin(&app, &stop);
        eprintln!("kepu: working; Ctrl-C ends");
        crate::serve::stopped().await;
        end(stop, workers).await;
        hear::settle(&app).await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Starts `count` workers.
pub fn begin(app: &App, count: u8) -> (watch::Sender<bool>, Vec<JoinHandle<()>>) {
    let (stop, stopped) = watch::channel(false);
    let workers = (0..count).map(|_| tokio::spawn(job::work(app.clone(), stopped.clone()))).collect();
    (stop, workers)
}

/// Tells workers to stop and waits until what they had under way is given back.
pub async fn end(stop: watch::Sender<bool>, workers: Vec<JoinHandle<()>>) {
    // Nobody listens if every worker has ended already.
    let _ = stop.send(true);
    for worker in workers {
        let _ = worker.await;
    }
}
