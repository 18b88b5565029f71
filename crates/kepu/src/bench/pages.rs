//! How fast the main pages come: through the whole router with its guards, without a socket.

use super::{Figure, begin, quantile};
use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use kepu_domain::org::Region;
use kepu_store::subject::{self, Filter, Order};
use std::sync::Arc;
use std::time::Instant;
use tower::ServiceExt;

/// Requests that are made before anything is measured.
const WARM: usize = 5;

/// Size of a page and times of single requests, one after the other; then all cores at once.
pub async fn run(size: usize) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let app = begin(folder.path(), "bench", true).await?;
    let mut tx = app.db.read().await?;
    let mut first = Vec::new();
    for kind in ["claim", "resource"] {
        let filter = Filter { kind: Some(kind.into()), ..Filter::default() };
        let row = subject::list(&mut tx, &filter, Order::Newest, None, 1).await?.pop().context("the sample has no such text")?;
        first.push(kepu_web::urls::of_kind(kind, &row.id));
    }
    drop(tx);
    let settings = kepu_web::Settings {
        node_name: "bench".into(),
        base_url: None,
        secure_cookies: false,
        region: Region::NATION,
        behind_proxy: false,
        printer: None,
        model: None,
    };
    let site = kepu_web::router(kepu_web::Web { app, settings: Arc::new(settings) });
    let word = kepu_web::urls::encode("隔夜菜");
    let pages = [
        ("home", "/".to_owned()),
        ("search", format!("/search?q={word}")),
        ("check", format!("/check?q={word}")),
        ("claims", "/claims".to_owned()),
        ("claim", first[0].clone()),
        ("resources", "/resources".to_owned()),
        ("resource", first[1].clone()),
        ("cases", "/cases".to_owned()),
        ("ask", "/ask".to_owned()),
        ("figures", "/figures".to_owned()),
        ("api_claims", "/api/claims".to_owned()),
    ];
    let mut figures = Vec::new();
    for (name, path) in &pages {
        for _ in 0..WARM {
            get(&site, path).await?;
        }
        let mut times = Vec::with_capacity(size);
        let mut bytes = 0;
        let start = Instant::now();
        for _ in 0..size {
            let one = Instant::now();
            bytes = get(&site, path).await?;
            times.push(one.elapsed().as_secs_f64() * 1e3);
        }
        let whole = start.elapsed().as_secs_f64();
        times.sort_by(f64::total_cmp);
        figures.push(Figure::new(format!("{name}_requests_per_s"), size as f64 / whole, "1/s"));
        figures.push(Figure::new(format!("{name}_p50"), quantile(&times, 0.5), "ms"));
        figures.push(Figure::new(format!("{name}_p99"), quantile(&times, 0.99), "ms"));
        figures.push(Figure::new(format!("{name}_bytes"), bytes as f64, "B"));
    }
    figures.push(together(&site, &pages.map(|(_, path)| path), size).await?);
    Ok(figures)
}

/// One request; the size of its body.
async fn get(site: &Router, path: &str) -> anyhow::Result<usize> {
    let response = site.clone().oneshot(Request::get(path).body(Body::empty())?).await?;
    ensure!(response.status().is_success(), "{path} answered {}", response.status());
    Ok(axum::body::to_bytes(response.into_body(), 16 << 20).await?.len())
}

/// All pages in turn, by as many readers as there are cores.
async fn together(site: &Router, paths: &[String], size: usize) -> anyhow::Result<Figure> {
    let readers = std::thread::available_parallelism().map_or(1, usize::from);
    let start = Instant::now();
    let tasks: Vec<_> = (0..readers)
        .map(|reader| {
            let (site, paths) = (site.clone(), paths.to_vec());
            tokio::spawn(async move {
                for n in 0..size {
                    get(&site, &paths[(n + reader) % paths.len()]).await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(Figure::new("all_pages_requests_per_s", (readers * size) as f64 / start.elapsed().as_secs_f64(), "1/s"))
}
