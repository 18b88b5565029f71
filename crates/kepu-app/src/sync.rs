//! One exchange between a child and its parent. The child opens the connection; one request carries what it has to say,
//! what it holds of the parent, and asks for the rest; the answer is frames, alerts first, library newest first.

use crate::App;
use crate::error::AppError;
use crate::record::{self, Report};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use futures::channel::mpsc;
use futures::{SinkExt, Stream as _};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use kepu_domain::deliver::scope::Scope;
use kepu_domain::ids::KeyId;
use kepu_domain::org::Region;
use kepu_domain::record::{STREAMS, Stream};
use kepu_store::peer::{self as peers, Direction, Peer};
use kepu_store::record::{RegionFilter, Row};
use kepu_store::{Tx, counter, meta, record as records};
use kepu_sync::cursor::{Cursor, Vector};
use kepu_sync::frame::{self, Frame, Item, RAW_TARGET, Records};
use kepu_sync::suite::{self, Check};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Records pushed in one request at most.
const PUSH_MAX: u32 = 2_000;
/// Rows read from the store at once while answering.
const CHUNK: u32 = 1_000;
/// Largest request body.
pub const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct ScopeJson {
    region: Region,
    below: bool,
    fields: Vec<String>,
    langs: Vec<String>,
}

/// A scope as stored.
pub fn scope_text(scope: &Scope) -> String {
    let json = ScopeJson { region: scope.region, below: scope.below, fields: scope.fields.clone(), langs: scope.langs.clone() };
    serde_json::to_string(&json).unwrap_or_default()
}

/// A stored scope; everything, if it cannot be read.
pub fn read_scope(text: &str) -> Scope {
    serde_json::from_str::<ScopeJson>(text)
        .map(|s| Scope { region: s.region, below: s.below, fields: s.fields, langs: s.langs })
        .unwrap_or_else(|_| Scope::all())
}

/// The scope in a request's address: `r=411525&b=0&f=health,food&l=zh`.
fn scope_query(scope: &Scope) -> String {
    let mut text = format!("r={}", scope.region);
    if scope.below {
        text.push_str("&b=1");
    }
    if !scope.fields.is_empty() {
        text.push_str(&format!("&f={}", scope.fields.join(",")));
    }
    if !scope.langs.is_empty() {
        text.push_str(&format!("&l={}", scope.langs.join(",")));
    }
    text
}

/// A request as the web layer hands it over.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Path with query, exactly as received.
    pub target: String,
    /// The `Authorization` header.
    pub authorization: String,
    /// The body.
    pub body: Vec<u8>,
}

/// The answer.
pub enum Answer {
    /// Nothing new.
    Nothing,
    /// Frames, produced while they are sent.
    Frames(mpsc::Receiver<Result<Bytes, std::io::Error>>),
}

/// The `Authorization` of a request: `Kepu <key> <signature>` over address and body.
pub fn authorize(app: &App, target: &str, body: &[u8]) -> String {
    let signature = app.key.signing().sign(&signed_text(target, body));
    format!("Kepu {} {}", app.key.id(), BASE64URL_NOPAD.encode(&signature))
}

fn signed_text(target: &str, body: &[u8]) -> [u8; 64] {
    let mut message = [0; 64];
    message[..32].copy_from_slice(&Sha256::digest(format!("kepu-sync\n{target}")));
    message[32..].copy_from_slice(&Sha256::digest(body));
    message
}

fn caller(exchange: &Exchange) -> Option<KeyId> {
    let mut parts = exchange.authorization.strip_prefix("Kepu ")?.split(' ');
    let key = KeyId::from(parts.next()?);
    let signature = BASE64URL_NOPAD.decode(parts.next()?.as_bytes()).ok()?;
    let message = signed_text(&exchange.target, &exchange.body);
    suite::verify(&Check { key: key.clone(), message, signature }).then_some(key)
}

struct Asked {
    scope: Scope,
    cursor: Cursor,
    wait: u64,
}

fn read_query(target: &str) -> Option<Asked> {
    let query = target.split_once('?').map_or("", |(_, q)| q);
    let mut asked = Asked { scope: Scope { region: Region::NATION, below: false, fields: vec![], langs: vec![] }, cursor: Cursor::default(), wait: 0 };
    let list = |text: &str| text.split(',').filter(|w| !w.is_empty() && w.len() <= 40).take(36).map(str::to_owned).collect::<Vec<_>>();
    for pair in query.split('&') {
        match pair.split_once('=')? {
            ("r", value) => asked.scope.region = Region::parse(value).ok()?,
            ("b", value) => asked.scope.below = value == "1",
            ("f", value) => asked.scope.fields = list(value),
            ("l", value) => asked.scope.langs = list(value),
            ("cur", value) => asked.cursor = Cursor::read(value).ok()?,
            ("wait", value) => asked.wait = value.parse::<u64>().ok()?.min(55),
            _ => return None,
        }
    }
    Some(asked)
}

/// Answers a child: takes what it pushes, notes what it holds, sends what it lacks.
///
/// May: nodes that joined (their key signs every request). Writes: records, subject, peer.
pub async fn handle(app: &App, exchange: Exchange) -> Result<Answer, AppError> {
    let key = caller(&exchange).ok_or(kepu_domain::access::Denied::NotSignedIn)?;
    let mut tx = app.db.read().await?;
    let Some(peer) = peers::find(&mut tx, &key).await? else { return Err(kepu_domain::access::Denied::NotSignedIn.into()) };
    drop(tx);
    let wrong = || AppError::Peer { peer: peer.name.clone(), cause: "sent a request address that cannot be read".into() };
    let asked = read_query(&exchange.target).ok_or_else(wrong)?;
    let mut vector = None;
    let mut report = Report::default();
    for frame in frames_of(&exchange.body)? {
        match frame {
            Frame::Records(list) => report.add(receive(app, list.items, &key.0).await?),
            Frame::Vector(json) => vector = Vector::from_json(&json).ok(),
            Frame::Meta(_) => {}
        }
    }
    note_contact(app, &peer, &asked, &report).await?;
    let mut changed = app.watch();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(asked.wait);
    loop {
        changed.mark_unchanged();
        let plan = plan(app, &asked.cursor).await?;
        if plan.iter().any(|(_, gaps)| !gaps.is_empty()) {
            let (sender, receiver) = mpsc::channel(4);
            let (app, scope) = (app.clone(), asked.scope.clone());
            tokio::spawn(async move {
                if let Err(error) = send(&app, sender, plan, scope, vector, key).await {
                    tracing::warn!(%error, "an answer to a child broke off");
                }
            });
            return Ok(Answer::Frames(receiver));
        }
        // Another process may publish as well: look at the table once a second while waiting.
        let step = deadline.min(tokio::time::Instant::now() + Duration::from_secs(1));
        if tokio::time::Instant::now() >= deadline {
            return Ok(Answer::Nothing);
        }
        let _ = tokio::time::timeout_at(step, changed.changed()).await;
    }
}

async fn note_contact(app: &App, peer: &Peer, asked: &Asked, report: &Report) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let epoch = meta::find(&mut tx, "epoch").await?.unwrap_or_default();
    if asked.cursor.epoch == epoch {
        peers::set_acked(&mut tx, &peer.id, asked.cursor.floor()).await?;
    }
    let scope = scope_text(&asked.scope);
    if scope != peer.scope {
        peers::set_scope(&mut tx, &peer.id, &scope).await?;
    }
    let result = match (report.applied, report.rejected.len() + report.refused.len()) {
        (0, 0) => "ok".to_owned(),
        (applied, bad) => format!("ok +{applied} !{bad}"),
    };
    peers::set_seen(&mut tx, &peer.id, app.now(), &result).await?;
    tx.commit().await?;
    Ok(())
}

type Plan = Vec<(Stream, Vec<(i64, i64)>)>;

/// Which arrival numbers the child lacks, per class in the order of travel.
async fn plan(app: &App, cursor: &Cursor) -> Result<Plan, AppError> {
    let mut tx = app.db.read().await?;
    let epoch = meta::find(&mut tx, "epoch").await?.unwrap_or_default();
    let top = counter::last(&mut tx, counter::ARRIVAL).await?;
    let held = if cursor.epoch == epoch { cursor.clone() } else { Cursor::default() };
    Ok(STREAMS[..3].iter().zip(held.classes.iter()).map(|(stream, class)| (*stream, class.missing(top))).collect())
}

async fn send(
    app: &App,
    mut out: mpsc::Sender<Result<Bytes, std::io::Error>>,
    plan: Plan,
    scope: Scope,
    vector: Option<Vector>,
    to: KeyId,
) -> Result<(), AppError> {
    let mut tx = app.db.read().await?;
    let epoch = meta::find(&mut tx, "epoch").await?.unwrap_or_default();
    drop(tx);
    let mut alerts_to = plan.iter().flat_map(|(_, gaps)| gaps.iter().map(|(_, high)| *high)).max().unwrap_or(0);
    for (class, gaps) in plan {
        for (low, high) in gaps {
            let mut top = high;
            while top > low {
                if class == Stream::Lib {
                    // A withdrawal overtakes whatever backlog is under way.
                    let mut tx = app.db.read().await?;
                    let newest = records::max_arrival(&mut tx, Stream::Alert).await?;
                    if newest > alerts_to {
                        let rows = records::list_arrivals(&mut tx, Stream::Alert, alerts_to, newest, &RegionFilter::default(), CHUNK, true).await?;
                        let bottom = if rows.len() as u32 == CHUNK { rows.last().map_or(alerts_to, |r| r.arrival - 1) } else { alerts_to };
                        emit(&mut out, Stream::Alert, &epoch, rows, bottom, newest, &to, vector.as_ref()).await?;
                        alerts_to = newest;
                    }
                }
                let filter = if class == Stream::Lib { region_filter(&scope) } else { RegionFilter::default() };
                let mut tx = app.db.read().await?;
                let mut rows = records::list_arrivals(&mut tx, class, low, top, &filter, CHUNK, true).await?;
                drop(tx);
                let bottom = if rows.len() as u32 == CHUNK { rows.last().map_or(low, |row| row.arrival - 1) } else { low };
                if class == Stream::Lib {
                    rows.retain(|row| scope.wants_lib(row.region, &row.fields, &row.lang));
                }
                if !emit(&mut out, class, &epoch, rows, bottom, top, &to, vector.as_ref()).await? {
                    return Ok(());
                }
                top = bottom;
            }
        }
    }
    Ok(())
}

fn region_filter(scope: &Scope) -> RegionFilter {
    let below_prefix = scope.below.then(|| scope.region.to_string().trim_end_matches("00").to_owned());
    RegionFilter { chain: scope.region.chain(), below_prefix }
}

/// Sends rows as frames that together cover `(low, high]`. `false` if nobody listens any more.
#[expect(clippy::too_many_arguments, reason = "each belongs to one run of frames; a struct would only rename them")]
async fn emit(
    out: &mut mpsc::Sender<Result<Bytes, std::io::Error>>,
    class: Stream,
    epoch: &str,
    rows: Vec<Row>,
    low: i64,
    high: i64,
    to: &KeyId,
    vector: Option<&Vector>,
) -> Result<bool, AppError> {
    let items: Vec<(i64, Item)> = rows
        .into_iter()
        .filter(|row| row.source != to.0 && vector.is_none_or(|v| !v.holds(&row.key, row.stream, row.n)))
        .filter_map(|row| Some((row.arrival, item(row)?)))
        .collect();
    for records in frame::split(class, epoch, items, low, high, RAW_TARGET) {
        let bytes = tokio::task::spawn_blocking(move || frame::write(&Frame::Records(records), 3)).await.map_err(|e| AppError::Record(e.to_string()))?;
        let bytes = bytes.map_err(|e| AppError::Record(e.to_string()))?;
        if out.send(Ok(Bytes::from(bytes))).await.is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A row as it travels; erased bodies stay at home until stubs travel too.
fn item(row: Row) -> Option<Item> {
    let place = row.place();
    Some(Item { place, doc: row.doc?, signature: row.sig })
}

/// All trust records as frames: what a node needs to believe its new certificate.
pub(crate) async fn trust_frames(tx: &mut Tx) -> Result<Vec<u8>, AppError> {
    let items: Vec<(i64, Item)> = records::list_trust(tx).await?.into_iter().rev().filter_map(|row| Some((row.arrival, item(row)?))).collect();
    let top = items.first().map_or(0, |(arrival, _)| *arrival);
    let mut bytes = Vec::new();
    for part in frame::split(Stream::Trust, "", items, 0, top, RAW_TARGET) {
        bytes.extend(frame::write(&Frame::Records(part), 3).map_err(|e| AppError::Record(e.to_string()))?);
    }
    Ok(bytes)
}

fn frames_of(mut bytes: &[u8]) -> Result<Vec<Frame>, AppError> {
    let wrong = |e: frame::FrameError| AppError::Record(e.to_string());
    let mut list = Vec::new();
    while !bytes.is_empty() {
        let size = frame::length(bytes).map_err(wrong)?.filter(|size| *size <= bytes.len());
        let size = size.ok_or_else(|| AppError::Record("the last frame is cut off".into()))?;
        list.push(frame::read(&bytes[..size]).map_err(wrong)?);
        bytes = &bytes[size..];
    }
    Ok(list)
}

/// All items in a run of frames.
pub fn items_of(bytes: &[u8]) -> Result<Vec<Item>, AppError> {
    let lists = frames_of(bytes)?.into_iter().filter_map(|f| if let Frame::Records(r) = f { Some(r.items) } else { None });
    Ok(lists.flatten().collect())
}

/// Checks and applies what a peer sent.
async fn receive(app: &App, items: Vec<Item>, source: &str) -> Result<Report, AppError> {
    let (good, rejected) = tokio::task::spawn_blocking(move || record::check(items)).await.map_err(|e| AppError::Record(e.to_string()))?;
    let mut tx = app.db.write().await?;
    let mut report = record::apply(app, &mut tx, good, source).await?;
    tx.commit().await?;
    app.notify();
    report.rejected.extend(rejected);
    Ok(report)
}

/// What one exchange with one parent came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Exchanged {
    /// The parent's name.
    pub parent: String,
    /// New records received.
    pub pulled: usize,
    /// Records sent.
    pub pushed: usize,
    /// Bytes received, headers included.
    pub bytes_in: u64,
    /// Bytes sent, headers included.
    pub bytes_out: u64,
    /// Requests.
    pub round_trips: u32,
    /// Seconds.
    pub wall_s: f64,
    /// Records that did not verify or do not count: place and reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// Why it broke off, if it did; what arrived until then stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One full exchange with every parent.
pub async fn run(app: &App, wait: u64) -> Result<Vec<Exchanged>, AppError> {
    let mut tx = app.db.read().await?;
    let parents = peers::list(&mut tx, Some(Direction::Parent), 100).await?;
    drop(tx);
    let mut list = Vec::new();
    for parent in parents {
        list.push(with_parent(app, &parent, wait).await?);
    }
    Ok(list)
}

async fn with_parent(app: &App, parent: &Peer, wait: u64) -> Result<Exchanged, AppError> {
    let start = std::time::Instant::now();
    let counts = Arc::new(Counts::default());
    let mut done = Exchanged { parent: parent.name.clone(), ..Exchanged::default() };
    if let Err(error) = session(app, parent, wait, &counts, &mut done).await {
        done.error = Some(error.to_string());
    }
    done.bytes_in = counts.read.load(Ordering::Relaxed);
    done.bytes_out = counts.written.load(Ordering::Relaxed);
    done.wall_s = start.elapsed().as_secs_f64();
    let mut tx = app.db.write().await?;
    let result = done.error.clone().unwrap_or_else(|| "ok".into());
    // A failed contact must not look like a fresh one: "withdrawals checked until" reads this time.
    let seen = if done.error.is_some() { parent.last_seen.unwrap_or(parent.joined_at) } else { app.now() };
    peers::set_seen(&mut tx, &parent.id, seen, &result).await?;
    tx.commit().await?;
    Ok(done)
}

async fn session(app: &App, parent: &Peer, wait: u64, counts: &Arc<Counts>, done: &mut Exchanged) -> Result<(), AppError> {
    let mut connection = Connection::open(&parent.url, counts.clone()).await?;
    let scope = read_scope(&parent.scope);
    let mut cursor = Cursor::read(&parent.cursor).unwrap_or_default();
    let mut offer_vector = cursor.epoch.is_empty();
    let mut pushed_to = parent.push_cursor;
    loop {
        let (body, sent_to, sent) = outgoing(app, parent, pushed_to, offer_vector).await?;
        let wait = if done.round_trips == 0 && sent == 0 { wait } else { 0 };
        let wait = if wait > 0 { format!("&wait={wait}") } else { String::new() };
        let target = format!("/sync?{}&cur={}{wait}", scope_query(&scope), cursor.write());
        let authorization = authorize(app, &target, &body);
        done.round_trips += 1;
        let mut answer = connection.post(&target, Some(&authorization), body).await?;
        if sent_to > pushed_to {
            let mut tx = app.db.write().await?;
            peers::set_push_cursor(&mut tx, &parent.id, sent_to).await?;
            tx.commit().await?;
            pushed_to = sent_to;
            done.pushed += sent;
        }
        offer_vector = false;
        let mut got = 0;
        while let Some(frame) = answer.next_frame().await? {
            if let Frame::Records(list) = frame {
                got += 1;
                take(app, parent, list, &mut cursor, done).await?;
            }
        }
        // Ask again until the parent has nothing: the last request tells it what has arrived, which is the receipt.
        if got == 0 && sent < PUSH_MAX as usize {
            return Ok(());
        }
    }
}

/// Applies one frame and moves the cursor in the same transaction: a cut loses at most the frame under way.
async fn take(app: &App, parent: &Peer, list: Records, cursor: &mut Cursor, done: &mut Exchanged) -> Result<(), AppError> {
    let items = list.items;
    let (good, rejected) = tokio::task::spawn_blocking(move || record::check(items)).await.map_err(|e| AppError::Record(e.to_string()))?;
    if cursor.epoch != list.epoch {
        *cursor = Cursor { epoch: list.epoch, ..Cursor::default() };
    }
    if let Some(class) = cursor.class(list.class) {
        class.add(list.above, list.up_to);
    }
    let mut tx = app.db.write().await?;
    let report = record::apply(app, &mut tx, good, &parent.id.0).await?;
    peers::set_cursor(&mut tx, &parent.id, &cursor.write()).await?;
    tx.commit().await?;
    app.notify();
    done.pulled += report.applied;
    done.refused.extend(rejected.into_iter().chain(report.refused).map(|(place, why)| format!("{place}: {why}")));
    done.refused.truncate(1_000);
    Ok(())
}

/// What this node has to say to the parent: everything that did not come from it.
async fn outgoing(app: &App, parent: &Peer, after: i64, with_vector: bool) -> Result<(Vec<u8>, i64, usize), AppError> {
    let mut tx = app.db.read().await?;
    let top = counter::last(&mut tx, counter::ARRIVAL).await?;
    let mut body = Vec::new();
    let wrong = |e: frame::FrameError| AppError::Record(e.to_string());
    if with_vector {
        let mut vector = Vector::default();
        for head in records::heads(&mut tx).await? {
            vector.note(head.key, head.stream, head.high, head.holes);
        }
        body.extend(frame::write(&Frame::Vector(vector.to_json()), 3).map_err(wrong)?);
    }
    if top <= after {
        return Ok((body, after, 0));
    }
    let (mut sent, mut reached) = (0, top);
    for stream in [Stream::Trust, Stream::Alert, Stream::Lib] {
        let rows = records::list_arrivals(&mut tx, stream, after, top, &RegionFilter::default(), PUSH_MAX, false).await?;
        if rows.len() as u32 == PUSH_MAX {
            reached = reached.min(rows.last().map_or(top, |row| row.arrival));
        }
        let items: Vec<(i64, Item)> =
            rows.into_iter().rev().filter(|row| row.source != parent.id.0).filter_map(|row| Some((row.arrival, item(row)?))).collect();
        sent += items.len();
        if items.is_empty() {
            continue;
        }
        for part in frame::split(stream, "", items, after, top, RAW_TARGET) {
            body.extend(frame::write(&Frame::Records(part), 3).map_err(wrong)?);
        }
    }
    Ok((body, reached, sent))
}

/// Bytes over a connection, headers included.
#[derive(Debug, Default)]
pub struct Counts {
    read: AtomicU64,
    written: AtomicU64,
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
struct Connection {
    host: String,
    sender: hyper::client::conn::http1::SendRequest<Full<Bytes>>,
}

struct FrameReader {
    body: hyper::body::Incoming,
    buffer: Vec<u8>,
    host: String,
}

/// Longest silence on a connection, beyond the time a parent was asked to wait.
const SILENCE: Duration = Duration::from_secs(75);

impl Connection {
    async fn open(url: &str, counts: Arc<Counts>) -> Result<Self, AppError> {
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
        let stream = Counting { stream, counts };
        let sender = if secure {
            let name = rustls::pki_types::ServerName::try_from(host.split(':').next().unwrap_or_default().to_owned()).map_err(|e| failed(e.to_string()))?;
            let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
            let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|e| failed(e.to_string()))?;
            handshake(stream).await.map_err(failed)?
        } else {
            handshake(stream).await.map_err(failed)?
        };
        Ok(Self { host, sender })
    }

    async fn post(&mut self, target: &str, authorization: Option<&str>, body: Vec<u8>) -> Result<FrameReader, AppError> {
        let failed = |cause: String| AppError::Peer { peer: self.host.clone(), cause };
        let mut request = Request::post(target).header("host", &self.host);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|e| failed(e.to_string()))?;
        self.sender.ready().await.map_err(|e| AppError::Peer { peer: self.host.clone(), cause: format!("closed the connection ({e})") })?;
        let response = tokio::time::timeout(SILENCE, self.sender.send_request(request)).await;
        let failed = |cause: String| AppError::Peer { peer: self.host.clone(), cause };
        let response = response.map_err(|_| failed("fell silent".into()))?.map_err(|e| failed(format!("broke off ({e})")))?;
        let status = response.status();
        let mut reader = FrameReader { body: response.into_body(), buffer: Vec::new(), host: self.host.clone() };
        if !status.is_success() {
            let text = reader.all(16 * 1024).await.unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            return Err(failed(format!("answered {status}: {}", text.chars().take(300).collect::<String>())));
        }
        Ok(reader)
    }
}

async fn handshake<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Result<hyper::client::conn::http1::SendRequest<Full<Bytes>>, String> {
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to a parent ended");
        }
    });
    Ok(sender)
}

impl FrameReader {
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

    async fn next_frame(&mut self) -> Result<Option<Frame>, AppError> {
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
    connection.post(target, None, body).await?.all(BODY_BYTES_MAX).await
}

/// Polls the receiver of an answer as a stream: what the web layer sends.
pub fn into_stream(receiver: mpsc::Receiver<Result<Bytes, std::io::Error>>) -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> {
    let mut receiver = receiver;
    futures::stream::poll_fn(move |cx| Pin::new(&mut receiver).poll_next(cx))
}
