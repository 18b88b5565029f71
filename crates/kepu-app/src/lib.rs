//! Operations: one function for each thing a person, a command or a peer can do. Page, command and peer call the same
//! one, so checks, log and notices stand once. Rules are in `kepu-domain`, SQL in `kepu-store`, pages in `kepu-web`.

pub mod account;
pub mod audit;
pub mod backup;
pub mod blob;
pub mod bundle;
pub mod chain;
pub mod create;
pub mod definitions;
pub mod deliver;
pub mod desk;
pub mod encoder;
pub mod error;
pub mod files;
pub mod index;
pub mod job;
pub mod keys;
pub mod listen;
pub mod measure;
pub mod media;
pub mod member;
pub mod node;
pub mod org;
pub mod outside;
pub mod peering;
pub mod phrase;
pub mod record;
pub mod relearn;
pub mod seed;
pub mod setup;
pub mod subscription;
pub mod sync;

pub use error::{AppError, FieldError};

use jiff::Timestamp;
use kepu_domain::ids::KeyId;
use kepu_domain::trust::TrustView;
use kepu_search::Index;
use kepu_store::{Db, Tx, counter, meta};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};
use tokio::sync::watch;

/// A running node: its store, key, index and clock. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What [`App`] holds.
pub struct Inner {
    /// Tables.
    pub db: Db,
    /// The node's key.
    pub key: keys::NodeKey,
    /// The data folder.
    pub data: PathBuf,
    /// Full-text index. Opened by the process that serves; a command that only writes leaves it alone.
    pub index: Option<Index>,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    trust: RwLock<Option<(i64, Arc<TrustView>)>>,
    changed: watch::Sender<u64>,
    definitions: definitions::Kept,
    parties: create::find::Kept,
    /// The public claims, ready to be compared with what people say.
    pub(crate) claims: listen::known::Kept,
    /// Cases under way, ready to be joined.
    pub(crate) alike: listen::alike::Kept,
    /// Warnings that may hold, and the cards beside them.
    pub(crate) warnings: deliver::warning::Kept,
    /// Sightings that wait to be written.
    pub(crate) counting: listen::hear::Counting,
    pub(crate) rechecked: listen::recheck::Asked,
    /// The stream of signals of this process; held by whoever matches.
    pub(crate) listening: tokio::sync::Mutex<Option<listen::topic::stream::Live>>,
    /// What may be asked outside, and which command reads pictures.
    pub(crate) outside: outside::Rules,
    pub(crate) placed: listen::placement::Noted,
    /// Held by whoever fills the index: starting over and catching up must not mix.
    pub(crate) indexing: tokio::sync::Mutex<()>,
    /// Requests of visitors in the last minute, per address hash. In memory only, never stored.
    pub(crate) limits: Mutex<std::collections::HashMap<u64, (i64, u32)>>,
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// How to open a node.
pub struct Options {
    /// Data folder.
    pub data: PathBuf,
    /// Address of the tables; `None`: the SQLite file `kepu.db` in the data folder.
    pub database: Option<String>,
    /// Whether to open the full-text index (one process at a time writes it).
    pub index: bool,
}

impl App {
    /// Opens a data folder made by [`node::init`]; migrates its tables.
    pub async fn open(options: Options) -> Result<App, AppError> {
        let key = keys::NodeKey::load(&options.data)?;
        Self::open_with(options, key, Box::new(Timestamp::now)).await
    }

    /// Opens with a given key and clock.
    pub async fn open_with(options: Options, key: keys::NodeKey, clock: Box<dyn Fn() -> Timestamp + Send + Sync>) -> Result<App, AppError> {
        let url = options.database.unwrap_or_else(|| options.data.join("kepu.db").display().to_string());
        let db = Db::open(&url).await?;
        db.migrate().await?;
        let index = if options.index { Some(Index::open(&options.data.join("index"))?) } else { None };
        let app = App(Arc::new(Inner {
            db,
            key,
            data: options.data,
            index,
            clock,
            trust: RwLock::new(None),
            changed: watch::channel(0).0,
            definitions: definitions::Kept::default(),
            parties: create::find::Kept::default(),
            claims: listen::known::Kept::default(),
            alike: listen::alike::Kept::default(),
            warnings: deliver::warning::Kept::default(),
            counting: listen::hear::Counting::default(),
            rechecked: listen::recheck::Asked::default(),
            listening: tokio::sync::Mutex::default(),
            outside: outside::Rules::default(),
            placed: listen::placement::Noted::default(),
            indexing: tokio::sync::Mutex::default(),
            limits: Mutex::default(),
        }));
        relearn::guard(&app).await?;
        Ok(app)
    }

    /// Now, after the node's clock.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Today in China's civil time, in which dates of texts are meant.
    pub fn today(&self) -> jiff::civil::Date {
        china_date(self.now())
    }

    /// A folder inside the data folder, made when missing.
    pub fn folder(&self, name: &str) -> Result<PathBuf, AppError> {
        let path = self.data.join(name);
        std::fs::create_dir_all(&path).map_err(|source| AppError::File { action: "make", path: path.display().to_string(), source })?;
        Ok(path)
    }

    /// The pinned root key.
    pub async fn root(&self, tx: &mut Tx) -> Result<KeyId, AppError> {
        Ok(meta::find(tx, "root").await?.map_or_else(|| self.key.id().clone(), KeyId))
    }

    /// Who may say what, as of this transaction. Kept in memory until some process changes it.
    pub async fn trust(&self, tx: &mut Tx) -> Result<Arc<TrustView>, AppError> {
        let version = counter::last(tx, "trust").await?;
        let cached = self.trust.read().ok().and_then(|slot| slot.clone());
        if let Some((at, view)) = cached
            && at == version
        {
            return Ok(view);
        }
        let view = Arc::new(record::load_trust(self, tx).await?);
        if let Ok(mut slot) = self.trust.write() {
            *slot = Some((version, view.clone()));
        }
        Ok(view)
    }

    /// Forgets the trust view held in memory.
    pub(crate) fn forget_trust(&self) {
        if let Ok(mut slot) = self.trust.write() {
            *slot = None;
        }
    }

    /// Wakes whoever waits for new records: long polls and the index.
    pub fn notify(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// A receiver that changes when this process commits records.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Counts a visitor's request from `address` against `most` a minute. Addresses are hashed, kept in memory for a minute only.
    pub(crate) fn limit(&self, address: &str, most: u32) -> Result<(), AppError> {
        use std::hash::{BuildHasher, RandomState};
        static STATE: std::sync::LazyLock<RandomState> = std::sync::LazyLock::new(RandomState::new);
        let minute = self.now().as_second() / 60;
        let Ok(mut limits) = self.limits.lock() else { return Ok(()) };
        limits.retain(|_, (at, _)| *at == minute);
        let slot = limits.entry(STATE.hash_one(address)).or_insert((minute, 0));
        slot.1 += 1;
        if slot.1 > most { Err(AppError::TooMany(60 - self.now().as_second() % 60)) } else { Ok(()) }
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }
}

/// The civil date in China (UTC+8, no summer time).
pub fn china_date(at: Timestamp) -> jiff::civil::Date {
    jiff::tz::Offset::constant(8).to_datetime(at).date()
}

/// The minute of the day in China, from 0.
pub fn china_minute(at: Timestamp) -> u16 {
    let time = jiff::tz::Offset::constant(8).to_datetime(at).time();
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}
