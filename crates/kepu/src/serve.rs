//! `kepu serve`: the node over HTTP, with the work that goes on beside it: exchange with parents, index, daily head.

use crate::Data;
use anyhow::Context;
use axum::serve::ListenerExt;
use kepu_app::listen::{duty, hear, known};
use kepu_app::record::heads;
use kepu_app::{App, audit, encoder, index, node, phrase, relearn, setup, sync};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// `kepu serve`
#[derive(clap::Args)]
pub struct Serve {
    #[command(flatten)]
    data: Data,
    /// Address to listen at.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Public address without a final slash, such as https://kepu.example.cn.
    #[arg(long)]
    base_url: Option<String>,
    /// Believe X-Forwarded-For: only behind a proxy that writes it.
    #[arg(long)]
    behind_proxy: bool,
    /// Do not exchange with parents by itself; leave that to `kepu sync`.
    #[arg(long)]
    no_sync: bool,
    /// Lists of signals may be read from addresses inside the house too (10.…, 192.168.…, this machine), if a steward named the host.
    #[arg(long)]
    intranet: bool,
    /// A program that reads the words in a picture: it gets the picture as its standard input and prints the text, such as "tesseract stdin stdout -l chi_sim".
    #[arg(long)]
    ocr_command: Option<String>,
    /// Read the page behind a link that a visitor shows.
    #[arg(long)]
    fetch_links: bool,
    #[cfg(feature = "nats")]
    #[command(flatten)]
    signals: crate::nats::Source,
    /// Jobs done at the same time; 0 leaves them to `kepu work`.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=16))]
    workers: u8,
    /// OpenAI-compatible endpoint of a language model that may phrase answers from quoted passages, such as http://127.0.0.1:8000/v1. Off unless given.
    #[arg(long, requires = "model")]
    model_url: Option<String>,
    /// Name of that model, shown to readers.
    #[arg(long, requires = "model_url")]
    model: Option<String>,
    /// File with the secret of that endpoint.
    #[arg(long, requires = "model_url")]
    model_key: Option<std::path::PathBuf>,
}

impl Serve {
    /// Runs until it is told to stop.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        self.refuse_open_air()?;
        let app = self.data.open(true).await?;
        app.allow_intranet(self.intranet);
        app.allow_links(self.fetch_links);
        if let Some(command) = &self.ocr_command {
            app.read_pictures_with(command);
        }
        // Whoever searches right after a start must not be told that nobody has checked what the node holds.
        index::catch_up(&app).await?;
        known::refresh(&app).await?;
        tokio::spawn(keep_index(app.clone()));
        tokio::spawn(keep_claims(app.clone()));
        tokio::spawn(keep_head(app.clone()));
        tokio::spawn(keep_numbers(app.clone()));
        tokio::spawn(keep_house(app.clone()));
        tokio::spawn(keep_duty(app.clone()));
        if !self.no_sync {
            tokio::spawn(keep_sync(app.clone()));
        }
        let (stop, workers) = crate::work::begin(&app, self.workers);
        tokio::spawn(keep_encoder(app.clone(), stop.subscribe()));
        #[cfg(feature = "nats")]
        self.signals.begin(&app, &stop);
        let listener = tokio::net::TcpListener::bind(self.listen).await.with_context(|| format!("cannot listen at {}", self.listen))?;
        let address = listener.local_addr()?;
        if let Some(code) = setup::code(&app).await? {
            eprintln!("kepu: 首次运行 first run: http://{address}/setup  设置码 setup code: {code}");
        }
        eprintln!("kepu: open http://{address}");
        // Small answers go out at once; waiting for more to send would cost each of them up to 40 ms.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let farewell = app.clone();
        let router = kepu_web::router(self.web(app).await?);
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        // Children hold long polls for most of a minute; whatever was acknowledged is in the tables, so nobody waits for them.
        let mut stopping = stop.subscribe();
        let ending = stop.clone();
        tokio::spawn(async move {
            stopped().await;
            // Workers give back what they have under way while the last pages are sent.
            ending.send_replace(true);
        });
        let mut signal = stopping.clone();
        let server = axum::serve(listener, service).with_graceful_shutdown(async move {
            let _ = signal.wait_for(|stop| *stop).await;
        });
        tokio::select! {
            result = server => result?,
            () = async {
                let _ = stopping.wait_for(|stop| *stop).await;
                tokio::time::sleep(FAREWELL).await;
            } => {}
        }
        crate::work::end(stop, workers).await;
        hear::settle(&farewell).await?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Serve {
    /// Passwords and sessions must not cross a network in the clear (RULES §13).
    fn refuse_open_air(&self) -> anyhow::Result<()> {
        let https = self.base_url.as_ref().is_some_and(|url| url.starts_with("https://"));
        if self.listen.ip().is_loopback() || https || self.behind_proxy {
            return Ok(());
        }
        anyhow::bail!(
            "{} can be reached from other machines without encryption; put a TLS proxy in front and add --behind-proxy or --base-url https://…, or listen at 127.0.0.1",
            self.listen
        )
    }

    /// The model named on the command line.
    fn model(&self) -> anyhow::Result<Option<phrase::Model>> {
        let (Some(url), Some(name)) = (&self.model_url, &self.model) else { return Ok(None) };
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            anyhow::bail!("--model-url {url}: the address must begin with http:// or https://");
        }
        let read = |path: &std::path::PathBuf| std::fs::read_to_string(path).with_context(|| format!("--model-key {}", path.display()));
        let key = self.model_key.as_ref().map(read).transpose()?.map(|key| key.trim().to_owned());
        Ok(Some(phrase::Model { url: url.clone(), name: name.clone(), key, patience: phrase::PATIENCE }))
    }

    async fn web(&self, app: App) -> anyhow::Result<kepu_web::Web> {
        let mut tx = app.db.read().await?;
        let node_name = node::name(&mut tx).await?;
        let region = node::region(&mut tx).await?;
        drop(tx);
        let settings = kepu_web::Settings {
            node_name,
            base_url: self.base_url.clone(),
            secure_cookies: self.base_url.as_ref().is_some_and(|url| url.starts_with("https://")),
            region,
            behind_proxy: self.behind_proxy,
            printer: crate::PRINTER,
            model: self.model()?,
        };
        Ok(kepu_web::Web { app, settings: Arc::new(settings) })
    }
}

/// How long requests under way may take after the signal to stop.
const FAREWELL: Duration = Duration::from_secs(3);

/// Returns when the process is told to stop: Ctrl-C or SIGTERM.
pub async fn stopped() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(_) => return std::future::pending().await,
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Brings the index level after every change, and looks once a second for changes by other processes.
async fn keep_index(app: App) {
    let mut changed = app.watch();
    loop {
        if let Err(error) = index::catch_up(&app).await {
            tracing::error!(%error, "the index could not be brought up to date");
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), changed.changed()).await;
    }
}

/// Reads the library with the optional encoder, if its file is there, and what is new after every change.
async fn keep_encoder(app: App, stop: tokio::sync::watch::Receiver<bool>) {
    let node = app.clone();
    let Ok(Some(found)) = tokio::task::spawn_blocking(move || encoder::find(&node)).await else { return };
    encoder::begin(&app, found);
    let mut changed = app.watch();
    loop {
        let (node, stop) = (app.clone(), stop.clone());
        // On a thread of its own: the first time may take an hour. It ends with the node.
        let _ = tokio::task::spawn_blocking(move || encoder::read_ahead(&node, &|| !*stop.borrow())).await;
        if changed.changed().await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Writes every few seconds what was heard. The claims are level at every question; here they are made so before the next one comes.
pub async fn keep_claims(app: App) {
    let mut changed = app.watch();
    loop {
        if let Err(error) = known::refresh(&app).await {
            tracing::error!(%error, "the claims could not be kept level");
        }
        if let Err(error) = hear::settle(&app).await {
            tracing::error!(%error, "sightings could not be written");
        }
        let _ = tokio::time::timeout(Duration::from_secs(2), changed.changed()).await;
    }
}

/// Keeps the numbers given out beside the tables as well.
async fn keep_numbers(app: App) {
    let mut changed = app.watch();
    loop {
        if let Err(error) = relearn::note(&app).await {
            tracing::error!(%error, "the numbers given out could not be noted");
        }
        if changed.changed().await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn keep_head(app: App) {
    loop {
        if let Err(error) = heads::keep_head(&app).await {
            tracing::error!(%error, "the head could not be signed");
        }
        tokio::time::sleep(Duration::from_secs(300)).await;
    }
}

/// Calls whoever is on duty for a case that nobody has taken: at once when one opens, and as its minutes pass.
async fn keep_duty(app: App) {
    let mut changed = app.watch();
    loop {
        if let Err(error) = duty::watch(&app).await {
            tracing::error!(%error, "nobody could be called");
        }
        let _ = tokio::time::timeout(Duration::from_secs(20), changed.changed()).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Anchors the audit log, every hour; what has ended is removed by a daily job.
async fn keep_house(app: App) {
    loop {
        if let Err(error) = audit::anchor(&app).await {
            tracing::error!(%error, "the audit log could not be anchored");
        }
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
}

/// Long polls the parents; after a failure waits longer each time, at most five minutes.
async fn keep_sync(app: App) {
    let (mut pause, mut wait) = (1, 50);
    loop {
        match sync::run(&app, wait).await {
            Ok(list) if list.is_empty() => pause = 30,
            Ok(list) if list.iter().all(|done| done.error.is_none()) => {
                pause = 0;
                // Files that are left go on at once; one second is enough to hear whether there is a withdrawal.
                wait = if list.iter().any(|done| done.media.unfinished) { 1 } else { 50 };
            }
            Ok(list) => {
                for done in list.iter().filter(|done| done.error.is_some()) {
                    tracing::warn!(parent = %done.parent, error = done.error.as_deref().unwrap_or_default(), "exchange broke off");
                }
                pause = (pause * 2).clamp(1, 300);
            }
            Err(error) => {
                tracing::error!(%error, "exchange failed");
                pause = (pause * 2).clamp(1, 300);
            }
        }
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
}
