//! Files of resources. Known by content, sent so that no browser takes them for a page.

use crate::Web;
use crate::page::Answer;
use crate::problem::Problem;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use kepu_app::AppError;

/// GET /media/{hash}
pub async fn serve(State(web): State<Web>, Path(hash): Path<String>) -> Answer {
    let (kind, path) = kepu_app::media::open(&web.app, &hash).await?.ok_or_else(Problem::not_found)?;
    let bytes = tokio::fs::read(&path).await.map_err(|source| AppError::File { action: "read", path: path.display().to_string(), source })?;
    let place = if kind.starts_with("image/") { "inline".to_owned() } else { format!("attachment; filename=\"{}.{}\"", &hash[..12], ending(&kind)) };
    let headers = [
        (header::CONTENT_TYPE, kind.as_str()),
        (header::CONTENT_DISPOSITION, place.as_str()),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, bytes).into_response())
}

fn ending(kind: &str) -> &'static str {
    match kind {
        "application/pdf" => "pdf",
        "audio/mpeg" => "mp3",
        "video/mp4" => "mp4",
        _ => "bin",
    }
}
