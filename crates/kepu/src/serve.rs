//! `kepu serve`: the node over HTTP, with the work that goes on beside it: exchange with parents, index, daily head.

use crate::Data;
use anyhow::Context;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, OriginalUri, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use kepu_app::{App, AppError, index, node, record, sync};
use kepu_domain::org::Region;
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
}

impl Serve {
    /// Runs until it is told to stop.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let app = self.data.open(true).await?;
        // Whoever searches right after a start must not be told that nobody has checked what the node holds.
        index::catch_up(&app).await?;
        tokio::spawn(keep_index(app.clone()));
        tokio::spawn(keep_head(app.clone()));
        if !self.no_sync {
            tokio::spawn(keep_sync(app.clone()));
        }
        let listener = tokio::net::TcpListener::bind(self.listen).await.with_context(|| format!("cannot listen at {}", self.listen))?;
        eprintln!("kepu: open http://{}", listener.local_addr()?);
        let router = kepu_web::router(self.web(app.clone()).await?).merge(peers(app));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).with_graceful_shutdown(stopped()).await?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Serve {
    async fn web(&self, app: App) -> anyhow::Result<kepu_web::Web> {
        let mut tx = app.db.read().await?;
        let node_name = node::name(&mut tx).await?;
        let org = kepu_store::meta::find(&mut tx, "org").await?.unwrap_or_else(|| "000000".into());
        let region = kepu_store::meta::find(&mut tx, "region").await?.unwrap_or_else(|| "000000".into());
        drop(tx);
        let settings = kepu_web::Settings {
            node_name,
            base_url: self.base_url.clone(),
            secure_cookies: self.base_url.as_ref().is_some_and(|url| url.starts_with("https://")),
            org: org.into(),
            region: Region::parse(&region)?,
            behind_proxy: self.behind_proxy,
        };
        Ok(kepu_web::Web { app, settings: Arc::new(settings) })
    }
}

async fn stopped() {
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

async fn keep_head(app: App) {
    loop {
        if let Err(error) = record::publish_head(&app).await {
            tracing::error!(%error, "the daily head could not be signed");
        }
        tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    }
}

/// Long polls the parents; after a failure waits longer each time, at most five minutes.
async fn keep_sync(app: App) {
    let mut pause = 1;
    loop {
        match sync::run(&app, 50).await {
            Ok(list) if list.is_empty() => pause = 30,
            Ok(list) if list.iter().all(|done| done.error.is_none()) => {
                pause = 0;
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

/// What other nodes ask for.
pub fn peers(app: App) -> Router {
    Router::new()
        .route("/sync", post(exchange).layer(DefaultBodyLimit::max(sync::BODY_BYTES_MAX)))
        .route("/join", post(join).layer(DefaultBodyLimit::max(16 * 1024)))
        .with_state(app)
}

/// An error as problem details (RFC 9457): a peer's operator reads them.
struct Problem(AppError);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = match &self.0 {
            AppError::Denied(_) => StatusCode::FORBIDDEN,
            AppError::Invalid(_) | AppError::Record(_) | AppError::Peer { .. } | AppError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            AppError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            tracing::error!(error = ?self.0, "a peer's request failed");
        }
        let detail = if status.is_server_error() { "the node failed; its operator finds the cause in the log".to_owned() } else { self.0.to_string() };
        let body = serde_json::json!({"type": "about:blank", "title": status.canonical_reason(), "status": status.as_u16(), "detail": detail});
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}

async fn exchange(State(app): State<App>, OriginalUri(uri): OriginalUri, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let target = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    match sync::handle(&app, sync::Exchange { target, authorization, body: body.to_vec() }).await.map_err(Problem)? {
        sync::Answer::Nothing => Ok(StatusCode::NO_CONTENT.into_response()),
        sync::Answer::Frames(receiver) => Ok(Response::new(Body::from_stream(sync::into_stream(receiver)))),
    }
}

async fn join(State(app): State<App>, body: Bytes) -> Result<Vec<u8>, Problem> {
    let request = serde_json::from_slice(&body).map_err(|e| Problem(AppError::Record(format!("the request to join cannot be read: {e}"))))?;
    node::handle_join(&app, request).await.map_err(Problem)
}
