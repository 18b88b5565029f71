//! Reading signals from NATS JetStream: the client, and nothing else. What is done with a message, and how far the stream was read, is in
//! `kepu_app::listen::intake::stream`.

use anyhow::Context;
use async_nats::jetstream::{self, consumer};
use futures::StreamExt;
use kepu_app::App;
use kepu_app::listen::intake::stream::{self, BATCH, Message};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

/// Where signals come from.
#[derive(Clone, Debug, clap::Args)]
pub struct Source {
    /// Server with a JetStream stream of signals, such as nats://127.0.0.1:4222. Each message is a JSON object with text, and perhaps time, region, weight.
    #[arg(long = "nats", value_name = "URL")]
    pub url: Option<String>,
    /// Name of the stream.
    #[arg(long = "nats-stream", value_name = "NAME", default_value = "KEPU_SIGNALS", requires = "url")]
    pub stream: String,
    /// File with the credentials for the server.
    #[arg(long = "nats-creds", value_name = "FILE", requires = "url")]
    pub creds: Option<PathBuf>,
}

impl Source {
    /// Begins to read beside the other work, if a server was named.
    pub fn begin(&self, app: &App, stop: &watch::Sender<bool>) {
        if self.url.is_some() {
            tokio::spawn(keep(app.clone(), self.clone(), stop.subscribe()));
        }
    }
}

/// Longest time that messages are waited for before what is there is taken in.
const GATHER: Duration = Duration::from_millis(250);
/// How often an idle stream is asked how it stands.
const LOOK: Duration = Duration::from_secs(30);

/// Reads until it is told to stop. What breaks is said on the intake page and in the log, and tried again with growing pauses.
async fn keep(app: App, source: Source, mut stop: watch::Receiver<bool>) {
    let mut pause = 1;
    while !*stop.borrow() {
        let done = tokio::select! {
            done = read(&app, &source, &mut pause) => done,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        if let Err(error) = done {
            tracing::warn!(error = format!("{error:#}"), "the stream of signals cannot be read");
            if let Err(error) = stream::note(&app, &source.stream, 0, &format!("{error:#}")).await {
                tracing::error!(%error, "how the stream of signals stands could not be noted");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(pause)) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        pause = (pause * 2).min(300);
    }
}

async fn read(app: &App, source: &Source, pause: &mut u64) -> anyhow::Result<()> {
    let url = source.url.as_deref().unwrap_or_default();
    let (broken, mut breaks) = watch::channel(false);
    let told = move |event| {
        if matches!(event, async_nats::Event::Disconnected | async_nats::Event::Closed) {
            broken.send_replace(true);
        }
        std::future::ready(())
    };
    let mut options = async_nats::ConnectOptions::new().connection_timeout(Duration::from_secs(10)).event_callback(told);
    if let Some(file) = &source.creds {
        options = options.credentials_file(file).await.with_context(|| format!("--nats-creds {}", file.display()))?;
    }
    let client = options.connect(url).await.with_context(|| format!("cannot connect to {url}"))?;
    let context = jetstream::new(client);
    let mut queue = context.get_stream(&source.stream).await.with_context(|| format!("the server has no stream {:?}", source.stream))?;
    let info = queue.info().await.context("the stream does not answer")?;
    let (made, first, last) = (info.created.unix_timestamp(), info.state.first_sequence, info.state.last_sequence);
    let reached = stream::reached(app, &source.stream, made).await?;
    // What the server threw away before it was read cannot be had any more: go on with what is there.
    let from = (reached + 1).max(first).max(1);
    let config = consumer::pull::OrderedConfig {
        deliver_policy: consumer::DeliverPolicy::ByStartSequence { start_sequence: from },
        ..consumer::pull::OrderedConfig::default()
    };
    stream::note(app, &source.stream, last.saturating_sub(reached), "").await?;
    let mut messages = queue.create_consumer(config).await.context("no consumer could be made")?.messages().await.context("no messages could be asked for")?;
    *pause = 1;
    let mut batch: Vec<Message> = Vec::new();
    let mut waiting = 0;
    loop {
        let patience = if batch.is_empty() { LOOK } else { GATHER };
        let next = tokio::select! {
            next = tokio::time::timeout(patience, messages.next()) => next,
            _ = breaks.wait_for(|broken| *broken) => anyhow::bail!("the connection to {url} broke off"),
        };
        match next {
            Ok(Some(message)) => {
                let message = message.context("the stream broke off")?;
                let info = message.info().map_err(|fault| anyhow::anyhow!("a message without its place in the stream: {fault}"))?;
                waiting = info.pending;
                let seq = info.stream_sequence;
                batch.push(Message { seq, bytes: message.payload.to_vec() });
                if batch.len() < BATCH {
                    continue;
                }
            }
            Ok(None) => anyhow::bail!("the stream ended"),
            // An idle stream: is the server still there?
            Err(_) if batch.is_empty() => {
                queue.info().await.context("the stream does not answer")?;
                stream::note(app, &source.stream, 0, "").await?;
                continue;
            }
            Err(_) => {}
        }
        let refused = stream::take(app, (&source.stream, made), &batch, waiting).await?;
        if refused > 0 {
            tracing::warn!(refused, "messages of the stream could not be read as signals");
        }
        batch.clear();
    }
}
