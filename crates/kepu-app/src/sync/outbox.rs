//! What a node sends to one below it, frame by frame: by arrival (a cursor), or by key and number (a vector, a wish).

use super::frames::{cover, item, pack, region_filter, vector_frames};
use super::read_scope;
use crate::App;
use crate::error::AppError;
use bytes::Bytes;
use futures::SinkExt;
use futures::channel::mpsc;
use kepu_domain::deliver::scope::Scope;
use kepu_domain::ids::KeyId;
use kepu_domain::record::{STREAMS, Stream};
use kepu_store::counter;
use kepu_store::peer::{self as peers, Direction};
use kepu_store::record::{self as records, RegionFilter, Row};
use kepu_sync::cursor::Vector;
use kepu_sync::frame::{self, Frame, Item, Sizes, Skip};
use kepu_sync::session::{Note, Want};
use std::collections::BTreeMap;

/// Rows read from the store at once.
const CHUNK: u32 = 1_000;
/// Arrivals looked through at once for what lies outside a scope: many, so that runs of one key become one range.
const WINDOW: i64 = 50_000;

/// Arrival numbers to send, per class in the order of travel, highest first.
pub(crate) type Plan = Vec<(Stream, Vec<(i64, i64)>)>;

/// Where frames go.
pub(crate) enum Sink {
    /// A connection: sent as they are made.
    Stream(mpsc::Sender<Result<Bytes, std::io::Error>>),
    /// Kept, for a request body.
    List(Vec<Frame>),
    /// Handed on unpacked, for a bundle.
    Frames(mpsc::Sender<Frame>),
}

/// Why sending ends early.
pub(crate) enum Stop {
    /// The receiver hung up: nothing more needs to be made.
    Gone,
    /// Something failed.
    Failed(AppError),
}

impl<E: Into<AppError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Failed(error.into())
    }
}

type Sent = Result<(), Stop>;

/// One run of sending.
pub(crate) struct Outbox {
    app: App,
    sink: Sink,
    /// The receiver; what came from it is not sent back, unless it says what it holds.
    to: Option<KeyId>,
    scope: Scope,
    /// Whether what this node itself left out lies outside the receiver's scope too.
    passes_skips: bool,
    /// What the receiver holds, if it said so.
    pub(crate) vector: Option<Vector>,
    sizes: Sizes,
}

impl Outbox {
    /// Begins. `to`: the receiver, if it is a node known to this one.
    pub(crate) async fn new(app: &App, sink: Sink, to: Option<KeyId>, scope: Scope, vector: Option<Vector>) -> Result<Self, AppError> {
        let mut tx = app.db.read().await?;
        let parents = peers::list(&mut tx, Some(Direction::Parent), 100).await?;
        let passes_skips = parents.iter().all(|parent| read_scope(&parent.scope).covers(&scope));
        // Only over a line are frames taken in one by one.
        let sizes = if matches!(sink, Sink::Stream(_)) { Sizes::growing() } else { Sizes::full() };
        Ok(Self { app: app.clone(), sink, to, scope, passes_skips, vector, sizes })
    }

    /// The frames kept.
    pub(crate) fn into_list(self) -> Vec<Frame> {
        match self.sink {
            Sink::List(list) => list,
            Sink::Stream(_) | Sink::Frames(_) => vec![],
        }
    }

    async fn put(&mut self, frame: Frame) -> Sent {
        match &mut self.sink {
            Sink::List(list) => list.push(frame),
            Sink::Frames(sender) => sender.send(frame).await.map_err(|_| Stop::Gone)?,
            Sink::Stream(sender) => {
                let bytes = tokio::task::spawn_blocking(move || pack(&frame)).await.map_err(|e| AppError::Record(e.to_string()))??;
                sender.send(Ok(Bytes::from(bytes))).await.map_err(|_| Stop::Gone)?;
            }
        }
        Ok(())
    }

    /// Says something beside records.
    pub(crate) async fn note(&mut self, note: &Note) -> Sent {
        self.put(Frame::Meta(note.to_json())).await
    }

    /// Says what this node holds of some keys.
    pub(super) async fn vector(&mut self, vector: &Vector) -> Sent {
        let Sink::Stream(sender) = &mut self.sink else { return Ok(()) };
        sender.send(Ok(Bytes::from(vector_frames(vector)?))).await.map_err(|_| Stop::Gone)
    }

    /// Sends rows as frames that together cover `(low, high]` of this node's arrivals.
    async fn rows(&mut self, class: Stream, epoch: &str, rows: Vec<Row>, low: i64, high: i64) -> Sent {
        let wanted = |row: &Row| match &self.vector {
            Some(vector) => !vector.holds(&row.key, row.stream, row.n),
            None => self.to.as_ref().is_none_or(|to| row.source != to.0),
        };
        let items: Vec<(i64, Item)> = rows.into_iter().filter(wanted).map(|row| (row.arrival, item(row))).collect();
        for records in frame::split(class, epoch, items, low, high, &mut self.sizes) {
            self.put(Frame::Records(records)).await?;
        }
        Ok(())
    }

    async fn skips(&mut self, skips: Vec<Skip>) -> Sent {
        for records in frame::split_skips(Stream::Lib, "", skips) {
            self.put(Frame::Records(records)).await?;
        }
        Ok(())
    }

    /// Sends by arrival what `plan` names: certificates and alerts first, then the library, newest first.
    pub(crate) async fn arrivals(&mut self, plan: Plan, epoch: &str) -> Sent {
        let mut alerts_to = plan.iter().flat_map(|(_, gaps)| gaps.iter().map(|(_, high)| *high)).max().unwrap_or(0);
        for (class, gaps) in plan {
            for (low, high) in gaps {
                let step = if class == Stream::Lib { WINDOW } else { i64::MAX };
                let mut top = high;
                while top > low {
                    let bottom = low.max(top.saturating_sub(step));
                    if class == Stream::Lib {
                        let outside = self.outside(bottom, top).await?;
                        self.skips(outside).await?;
                    }
                    self.window(class, epoch, bottom, top, &mut alerts_to).await?;
                    top = bottom;
                }
            }
        }
        Ok(())
    }

    async fn window(&mut self, class: Stream, epoch: &str, low: i64, high: i64, alerts_to: &mut i64) -> Sent {
        let mut top = high;
        while top > low {
            if class == Stream::Lib {
                self.newer_alerts(epoch, alerts_to).await?;
            }
            let filter = if class == Stream::Lib { region_filter(&self.scope) } else { RegionFilter::default() };
            let mut tx = self.app.db.read().await?;
            let mut rows = records::list_arrivals(&mut tx, class, low, top, &filter, CHUNK, true).await?;
            drop(tx);
            let bottom = if rows.len() as u32 == CHUNK { rows.last().map_or(low, |row| row.arrival - 1) } else { low };
            if class == Stream::Lib {
                rows.retain(|row| self.scope.wants_lib(row.region, &row.fields, &row.lang));
            }
            self.rows(class, epoch, rows, bottom, top).await?;
            top = bottom;
        }
        Ok(())
    }

    /// A withdrawal overtakes whatever backlog is under way.
    async fn newer_alerts(&mut self, epoch: &str, alerts_to: &mut i64) -> Sent {
        let mut tx = self.app.db.read().await?;
        let newest = records::max_arrival(&mut tx, Stream::Alert).await?;
        if newest <= *alerts_to {
            return Ok(());
        }
        let rows = records::list_arrivals(&mut tx, Stream::Alert, *alerts_to, newest, &RegionFilter::default(), CHUNK, true).await?;
        drop(tx);
        let bottom = if rows.len() as u32 == CHUNK { rows.last().map_or(*alerts_to, |row| row.arrival - 1) } else { *alerts_to };
        *alerts_to = newest;
        self.rows(Stream::Alert, epoch, rows, bottom, newest).await
    }

    /// Numbers among the arrivals `(low, high]` that lie outside the receiver's scope.
    async fn outside(&mut self, low: i64, high: i64) -> Result<Vec<Skip>, AppError> {
        let mut tx = self.app.db.read().await?;
        // Who takes everything is still told which numbers are drills or coordination, if there are any.
        if self.scope.is_all()
            && (self.scope.drills || counter::last(&mut tx, counter::DRILL).await? == 0)
            && (self.scope.coordination || counter::last(&mut tx, counter::COORDINATION).await? == 0)
        {
            return Ok(vec![]);
        }
        let mut numbers: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for light in records::list_light(&mut tx, Stream::Lib, low, high).await? {
            if !self.scope.wants_lib(light.region, &light.fields, &light.lang) {
                numbers.entry(light.signer).or_default().push(light.n);
            }
        }
        let signers: Vec<i64> = numbers.keys().copied().collect();
        let names = records::names_of(&mut tx, &signers).await?;
        let mut runs: BTreeMap<KeyId, Vec<(i64, i64)>> = BTreeMap::new();
        for (signer, list) in numbers {
            if let Some(key) = names.get(&signer) {
                runs.insert(key.clone(), list.into_iter().map(|n| (n, n)).collect());
            }
        }
        if self.passes_skips {
            for row in records::list_skip_arrivals(&mut tx, Stream::Lib, low, high).await? {
                runs.entry(row.key).or_default().push((row.low, row.high));
            }
        }
        Ok(self.unknown_runs(runs))
    }

    /// Runs of the library joined and sorted, without what the receiver knows already.
    fn unknown_runs(&self, runs: BTreeMap<KeyId, Vec<(i64, i64)>>) -> Vec<Skip> {
        let mut skips = Vec::new();
        for (key, mut list) in runs {
            list.sort_unstable();
            let mut joined: Vec<(i64, i64)> = Vec::new();
            for (from, to) in list {
                match joined.last_mut() {
                    Some(last) if from <= last.1 + 1 => last.1 = last.1.max(to),
                    _ => joined.push((from, to)),
                }
            }
            for (from, to) in joined {
                let parts = match &self.vector {
                    Some(vector) => vector.unknown(&key, Stream::Lib, from, to),
                    None => vec![(from, to)],
                };
                skips.extend(parts.into_iter().map(|(from, to)| Skip { key: key.clone(), stream: Stream::Lib, from, to }));
            }
        }
        skips
    }

    /// Sends numbers of keys, whatever their arrival: certificates first, each stream highest number first.
    pub(crate) async fn ranges(&mut self, mut wants: Vec<Want>) -> Sent {
        wants.sort_by(|a, b| (a.stream, &a.key, a.from).cmp(&(b.stream, &b.key, b.from)));
        for class in &STREAMS[..3] {
            let (mut rows, mut runs) = (Vec::new(), BTreeMap::new());
            for want in wants.iter().filter(|want| want.stream == *class) {
                let mut to = want.to;
                while to >= want.from {
                    let mut tx = self.app.db.read().await?;
                    let page = records::list_range(&mut tx, &want.key, want.stream, want.from, to, CHUNK).await?;
                    let bottom = if page.len() as u32 == CHUNK { page.last().map_or(want.from, |row| row.n) } else { want.from };
                    if *class == Stream::Lib && self.passes_skips {
                        let skips = records::list_skips(&mut tx, &want.key, want.stream, bottom, to).await?;
                        let clipped = skips.into_iter().map(|row| (row.low.max(bottom), row.high.min(to)));
                        runs.entry(want.key.clone()).or_insert_with(Vec::new).extend(clipped);
                    }
                    drop(tx);
                    for row in page {
                        if *class == Stream::Lib && !self.scope.wants_lib(row.region, &row.fields, &row.lang) {
                            runs.entry(want.key.clone()).or_default().push((row.n, row.n));
                        } else {
                            rows.push(row);
                        }
                    }
                    to = bottom - 1;
                    // Many keys with few records each share frames; one key with many does not fill the memory.
                    if rows.len() >= CHUNK as usize {
                        self.listed(*class, std::mem::take(&mut rows)).await?;
                    }
                }
            }
            let skips = self.unknown_runs(runs);
            self.skips(skips).await?;
            self.listed(*class, rows).await?;
        }
        Ok(())
    }

    async fn listed(&mut self, class: Stream, rows: Vec<Row>) -> Sent {
        let items: Vec<(i64, Item)> = rows.into_iter().map(|row| (0, item(row))).collect();
        for records in frame::split(class, "", items, 0, 0, &mut self.sizes) {
            self.put(Frame::Records(records)).await?;
        }
        Ok(())
    }

    /// Everything that the receiver's vector lacks of what this node holds.
    pub(crate) async fn lacking(&self) -> Result<Lacking, AppError> {
        let mut tx = self.app.db.read().await?;
        let nothing = Vector::default();
        let vector = self.vector.as_ref().unwrap_or(&nothing);
        let mut lacking = Lacking::default();
        for head in records::heads(&mut tx).await?.into_iter().filter(|head| head.stream != Stream::Up) {
            lacking.all += head.high;
            for (from, to) in vector.unknown(&head.key, head.stream, 1, head.high) {
                lacking.count += to - from + 1;
                lacking.wants.push(Want { key: head.key.clone(), stream: head.stream, from, to });
            }
        }
        Ok(lacking)
    }

    /// Sends what the receiver's vector lacks, then says that it holds everything up to `top`.
    ///
    /// By number where it holds most already: then cost follows what is missing. Else by arrival, newest first.
    pub(crate) async fn by_vector(&mut self, plan: Plan, epoch: &str, top: i64) -> Sent {
        let lacking = self.lacking().await?;
        if lacking.count * 2 > lacking.all {
            return self.arrivals(plan, epoch).await;
        }
        self.ranges(lacking.wants).await?;
        for class in &STREAMS[..3] {
            self.put(Frame::Records(cover(*class, epoch, 0, top))).await?;
        }
        Ok(())
    }
}

/// What a receiver lacks.
#[derive(Default)]
pub(crate) struct Lacking {
    /// The numbers.
    pub(crate) wants: Vec<Want>,
    /// How many they are at most …
    count: i64,
    /// … of how many there are.
    all: i64,
}
