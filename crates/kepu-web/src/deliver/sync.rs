//! The doors for other nodes: an exchange and a join. Who a node is, its signature says; it covers the body, so the
//! operation checks it. What is said over this door is in `kepu-app::sync`.

use crate::Web;
use crate::form::read_body;
use crate::page::Answer;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kepu_app::{AppError, node, sync};

/// Largest request to join.
const JOIN_BYTES_MAX: usize = 16 * 1024;
/// Frames are bytes: no browser shows them, nothing between two nodes changes them.
const FRAMES: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/octet-stream")];

/// POST /sync
pub async fn exchange(State(web): State<Web>, request: Request) -> Answer {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let body = read_body(request, sync::BODY_BYTES_MAX).await?.to_vec();
    match sync::handle(&web.app, sync::Exchange { target, authorization, body }).await? {
        sync::Answer::Nothing => Ok(StatusCode::NO_CONTENT.into_response()),
        sync::Answer::Frames(receiver) => {
            let mut response = Response::new(Body::from_stream(sync::into_stream(receiver)));
            response.headers_mut().extend(FRAMES.map(|(name, value)| (name, header::HeaderValue::from_static(value))));
            Ok(response)
        }
    }
}

/// POST /join
pub async fn join(State(web): State<Web>, request: Request) -> Answer {
    let body = read_body(request, JOIN_BYTES_MAX).await?;
    let request = serde_json::from_slice(&body).map_err(|e| Problem::from(AppError::Record(format!("the request to join cannot be read: {e}"))))?;
    Ok((FRAMES, node::handle_join(&web.app, request).await?).into_response())
}
