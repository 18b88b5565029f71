//! Files of resources. Known by content, sent so that no browser takes them for a page; whole, or the part asked for, so that
//! a cut download goes on where it broke off.

use crate::Web;
use crate::page::Answer;
use crate::problem::Problem;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use kepu_app::AppError;
use std::io::{self, SeekFrom};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// Bytes read at once.
const PIECE: usize = 64 * 1024;

/// GET /media/{hash}
pub async fn serve(State(web): State<Web>, Path(hash): Path<String>, headers: HeaderMap) -> Answer {
    let (kind, path) = kepu_app::media::open(&web.app, &hash).await?.ok_or_else(Problem::not_found)?;
    // Not for ever: what is withdrawn must be gone from caches within the day.
    send(&Sent { hash: &hash, kind: &kind, cache: "public, max-age=86400" }, &path, &headers).await
}

/// A file as it is sent: its name is its content.
pub struct Sent<'a> {
    /// BLAKE3 of the bytes, hex.
    pub hash: &'a str,
    /// Media type.
    pub kind: &'a str,
    /// `Cache-Control`.
    pub cache: &'a str,
}

/// Sends a file, or the part of it that was asked for.
pub async fn send(sent: &Sent<'_>, path: &std::path::Path, headers: &HeaderMap) -> Answer {
    let hash = sent.hash;
    let failed = |source| AppError::File { action: "read", path: path.display().to_string(), source };
    let mut file = File::open(path).await.map_err(failed)?;
    let size = file.metadata().await.map_err(failed)?.len();
    let tag = format!("\"{hash}\"");
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    if text(header::IF_NONE_MATCH).is_some_and(|known| known.split(',').any(|one| one.trim() == tag || one.trim() == "*")) {
        let mut response = with(StatusCode::NOT_MODIFIED, sent, size, Body::empty());
        response.headers_mut().remove(header::CONTENT_LENGTH);
        return Ok(response);
    }
    // The name is the content, so a condition on the version can only fail if it names another file.
    let same = text(header::IF_RANGE).is_none_or(|known| known == tag);
    let (status, from, to) = match text(header::RANGE).filter(|_| same).map(|range| part(range, size)) {
        Some(Part::Bytes(from, to)) => (StatusCode::PARTIAL_CONTENT, from, to),
        Some(Part::Outside) => {
            let mut response = with(StatusCode::RANGE_NOT_SATISFIABLE, sent, 0, Body::empty());
            set(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return Ok(response);
        }
        Some(Part::Whole) | None => (StatusCode::OK, 0, size.saturating_sub(1)),
    };
    let length = if size == 0 { 0 } else { to - from + 1 };
    file.seek(SeekFrom::Start(from)).await.map_err(failed)?;
    let mut response = with(status, sent, length, Body::from_stream(pieces(file, length)));
    if status == StatusCode::PARTIAL_CONTENT {
        set(&mut response, header::CONTENT_RANGE, &format!("bytes {from}-{to}/{size}"));
    }
    Ok(response)
}

fn pieces(file: File, length: u64) -> impl futures::Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((file, length), async |(mut file, left)| {
        if left == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        file.read_exact(&mut piece).await?;
        let left = left - piece.len() as u64;
        Ok(Some((Bytes::from(piece), (file, left))))
    })
}

fn with(status: StatusCode, sent: &Sent<'_>, length: u64, body: Body) -> Response {
    let Sent { hash, kind, cache } = *sent;
    let shown = ["image/", "audio/", "video/"].iter().any(|group| kind.starts_with(group));
    let place = if shown { "inline".to_owned() } else { format!("attachment; filename=\"{}.{}\"", &hash[..12], ending(kind)) };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, &place),
        (header::CONTENT_LENGTH, &length.to_string()),
        (header::ACCEPT_RANGES, "bytes"),
        (header::ETAG, &format!("\"{hash}\"")),
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let mut response = (status, body).into_response();
    headers.into_iter().for_each(|(name, value)| set(&mut response, name, value));
    response
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// From, to, both included.
    Bytes(u64, u64),
    /// Nothing of the file lies there.
    Outside,
    /// Several parts, or a form unknown here: the whole is always a right answer.
    Whole,
}

/// Reads `bytes=from-to`, `bytes=from-`, `bytes=-last`.
fn part(range: &str, size: u64) -> Part {
    let Some((from, to)) = range.strip_prefix("bytes=").filter(|list| !list.contains(',')).and_then(|one| one.trim().split_once('-')) else {
        return Part::Whole;
    };
    let end = size.saturating_sub(1);
    match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), _) if from >= size => Part::Outside,
        (Ok(from), Ok(to)) if from <= to => Part::Bytes(from, to.min(end)),
        (Ok(from), Err(_)) if to.is_empty() => Part::Bytes(from, end),
        (Err(_), Ok(0)) if from.is_empty() => Part::Outside,
        (Err(_), Ok(last)) if from.is_empty() && size > 0 => Part::Bytes(size.saturating_sub(last), end),
        (Err(_), Ok(_)) if from.is_empty() => Part::Outside,
        _ => Part::Whole,
    }
}

fn ending(kind: &str) -> &'static str {
    match kind {
        "application/pdf" => "pdf",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_browsers_and_nodes_ask_for_them() {
        assert_eq!(part("bytes=0-9", 100), Part::Bytes(0, 9));
        assert_eq!(part("bytes=90-", 100), Part::Bytes(90, 99));
        assert_eq!(part("bytes=-10", 100), Part::Bytes(90, 99));
        assert_eq!(part("bytes=-1000", 100), Part::Bytes(0, 99));
        assert_eq!(part("bytes=5-1000", 100), Part::Bytes(5, 99));
        assert_eq!(part("bytes=100-", 100), Part::Outside);
        assert_eq!(part("bytes=-0", 100), Part::Outside);
        assert_eq!(part("bytes=0-", 0), Part::Outside);
        for odd in ["bytes=9-5", "bytes=1-2,4-5", "lines=1-2", "bytes=a-b", "bytes=-", ""] {
            assert_eq!(part(odd, 100), Part::Whole, "{odd}");
        }
    }
}
