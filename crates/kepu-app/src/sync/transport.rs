//! Bytes on a connection to a parent: HTTP over TCP or TLS, counted, with an end to every wait.

use crate::error::AppError;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use kepu_sync::frame::{self, Frame};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Bytes over a connection, headers included.
#[derive(Debug, Default)]
pub struct Counts {
    pub(super) read: AtomicU64,
    pub(super) written: AtomicU64,
}

struct Counting<S> {
    stream: S,
    counts: Arc<Counts>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counting<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.counts.read.fetch_add((buf.filled().len() - before) as u64, Ordering::Relaxed);
        result
    }
}
impl<S: AsyncWrite + Unpin> AsyncWrite for Counting<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(size)) = &result {
            self.counts.written.fetch_add(*size as u64, Ordering::Relaxed);
        }
        result
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// One kept connection to a parent.
pub(crate) struct Connection {
    url: String,
    counts: Arc<Counts>,
    host: String,
    sender: hyper::client::conn::http1::SendRequest<Full<Bytes>>,
}

/// What a parent answers, while it comes in.
pub(crate) struct Answer {
    body: hyper::body::Incoming,
    buffer: Vec<u8>,
    host: String,
    /// The byte with which the body begins, of a file asked for in part.
    pub(crate) from: u64,
}

/// Longest silence on a connection, beyond the time a parent was asked to wait.
const SILENCE: Duration = Duration::from_secs(75);

impl Connection {
    pub(crate) async fn open(url: &str, counts: Arc<Counts>) -> Result<Self, AppError> {
        let failed = |cause: String| AppError::Peer { peer: url.to_owned(), cause };
        let (secure, rest) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(failed("the address must begin with http:// or https://".into())),
        };
        let host = rest.trim_end_matches('/').to_owned();
        let address = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
            host.clone()
        } else {
            format!("{host}:{}", if secure { 443 } else { 80 })
        };
        let stream = tokio::time::timeout(Duration::from_secs(15), TcpStream::connect(&address))
            .await
            .map_err(|_| failed("no answer within 15 seconds; is the node running and the address right?".into()))?
            .map_err(|e| failed(format!("cannot be reached ({e}); is the node running and the address right?")))?;
        stream.set_nodelay(true).map_err(|e| failed(e.to_string()))?;
        let stream = Counting { stream, counts: counts.clone() };
        let sender = if secure {
            let name = rustls::pki_types::ServerName::try_from(host.split(':').next().unwrap_or_default().to_owned()).map_err(|e| failed(e.to_string()))?;
            let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
            let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|e| failed(e.to_string()))?;
            handshake(stream).await.map_err(failed)?
        } else {
            handshake(stream).await.map_err(failed)?
        };
        Ok(Self { url: url.to_owned(), counts, host, sender })
    }

    /// Begins anew: what was under way is given up.
    pub(crate) async fn reopen(&mut self) -> Result<(), AppError> {
        *self = Self::open(&self.url, self.counts.clone()).await?;
        Ok(())
    }

    /// Sends frames, or a request to join.
    pub(super) async fn post(&mut self, target: &str, authorization: Option<&str>, body: Vec<u8>) -> Result<Answer, AppError> {
        let mut request = Request::post(target).header("host", &self.host).header("accept-language", "en");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        self.send(request, body).await
    }

    /// Asks for a file from byte `from` on.
    pub(crate) async fn get(&mut self, target: &str, from: u64) -> Result<Answer, AppError> {
        let mut request = Request::get(target).header("host", &self.host).header("accept", "application/problem+json, */*");
        if from > 0 {
            request = request.header("range", format!("bytes={from}-"));
        }
        self.send(request, vec![]).await
    }

    async fn send(&mut self, request: hyper::http::request::Builder, body: Vec<u8>) -> Result<Answer, AppError> {
        let failed = |cause: String| AppError::Peer { peer: self.host.clone(), cause };
        let request = request.body(Full::new(Bytes::from(body))).map_err(|e| failed(e.to_string()))?;
        self.sender.ready().await.map_err(|e| AppError::Peer { peer: self.host.clone(), cause: format!("closed the connection ({e})") })?;
        let response = tokio::time::timeout(SILENCE, self.sender.send_request(request)).await;
        let failed = |cause: String| AppError::Peer { peer: self.host.clone(), cause };
        let response = response.map_err(|_| failed("fell silent".into()))?.map_err(|e| failed(format!("broke off ({e})")))?;
        let status = response.status();
        let range_begins = response.headers().get("content-range").and_then(|v| v.to_str().ok()).and_then(begin_of_range);
        let from = if status == hyper::StatusCode::PARTIAL_CONTENT { range_begins } else { Some(0) };
        let mut answer = Answer { body: response.into_body(), buffer: Vec::new(), host: self.host.clone(), from: from.unwrap_or(u64::MAX) };
        if !status.is_success() {
            let text = answer.all(16 * 1024).await.unwrap_or_default();
            return Err(failed(format!("answered {status}: {}", said(&text))));
        }
        Ok(answer)
    }
}

/// The first number of `bytes 100-199/200`.
fn begin_of_range(text: &str) -> Option<u64> {
    text.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}

/// What a parent's problem says to an operator.
fn said(body: &[u8]) -> String {
    let detail = serde_json::from_slice::<serde_json::Value>(body).ok().and_then(|value| Some(value.get("detail")?.as_str()?.to_owned()));
    detail.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()).chars().filter(|c| !c.is_control()).take(300).collect()
}

/// Begins to speak HTTP on a connection.
pub(crate) async fn handshake<S, B>(stream: S) -> Result<hyper::client::conn::http1::SendRequest<B>, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to a parent ended");
        }
    });
    Ok(sender)
}

impl Answer {
    async fn more(&mut self) -> Result<bool, AppError> {
        let failed = |cause: String| AppError::Peer { peer: self.host.clone(), cause };
        loop {
            let next = tokio::time::timeout(SILENCE, self.body.frame()).await;
            match next {
                Err(_) => return Err(failed("fell silent in the middle of its answer".into())),
                Ok(None) => return Ok(false),
                Ok(Some(Err(error))) => return Err(failed(format!("the connection was cut ({error}); what has arrived is kept"))),
                Ok(Some(Ok(part))) => {
                    if let Ok(data) = part.into_data() {
                        self.buffer.extend_from_slice(&data);
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// The next bytes of a file; `None` at its end.
    pub(crate) async fn piece(&mut self) -> Result<Option<Vec<u8>>, AppError> {
        let more = self.more().await?;
        let piece = std::mem::take(&mut self.buffer);
        Ok((more || !piece.is_empty()).then_some(piece))
    }

    pub(super) async fn next_frame(&mut self) -> Result<Option<Frame>, AppError> {
        loop {
            let wrong = |e: frame::FrameError| AppError::Peer { peer: self.host.clone(), cause: e.to_string() };
            if let Some(size) = frame::length(&self.buffer).map_err(wrong)?.filter(|size| *size <= self.buffer.len()) {
                let frame = frame::read(&self.buffer[..size]).map_err(wrong)?;
                self.buffer.drain(..size);
                return Ok(Some(frame));
            }
            if !self.more().await? {
                if self.buffer.is_empty() {
                    return Ok(None);
                }
                return Err(AppError::Peer { peer: self.host.clone(), cause: "the answer ended within a frame; what arrived before is kept".into() });
            }
        }
    }

    async fn all(&mut self, most: usize) -> Result<Vec<u8>, AppError> {
        while self.more().await? {
            if self.buffer.len() > most {
                return Err(AppError::TooLarge { max: most as u64 });
            }
        }
        Ok(std::mem::take(&mut self.buffer))
    }
}

/// One request without a session: joining.
pub(crate) async fn post_once(url: &str, target: &str, body: Vec<u8>) -> Result<Vec<u8>, AppError> {
    let mut connection = Connection::open(url, Arc::default()).await?;
    connection.post(target, None, body).await?.all(super::BODY_BYTES_MAX).await
}

/// One request with a JSON body to a service of others; at most `most` bytes of its answer are read.
pub(crate) async fn post_json(url: &str, authorization: Option<&str>, body: Vec<u8>, most: usize) -> Result<Vec<u8>, AppError> {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let path = url[begin..].find('/').map_or(url.len(), |at| begin + at);
    let mut connection = Connection::open(&url[..path], Arc::default()).await?;
    let target = if path == url.len() { "/" } else { &url[path..] };
    let mut request = Request::post(target).header("host", &connection.host).header("content-type", "application/json");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    connection.send(request, body).await?.all(most).await
}
