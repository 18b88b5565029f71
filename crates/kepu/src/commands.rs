//! The commands: each opens the node, calls one operation and prints what came of it.

use crate::import::BatchArgs;
use crate::{Data, input};
use anyhow::{Context, bail};
use kepu_app::{App, Options, files, node, record, seed, sync};
use kepu_domain::access::Actor;
use kepu_domain::ids::KeyId;
use kepu_domain::org::Region;
use kepu_domain::record::{DocHash, Place, Stream};
use kepu_domain::trust::{KEY_ROLES, KeyRole};
use kepu_sync::suite::Suite;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

/// Whoever has the data folder in hand.
pub fn operator() -> Actor {
    Actor::Node { name: "operator".into() }
}

impl Data {
    /// Opens the node.
    pub async fn open(&self, index: bool) -> anyhow::Result<App> {
        let options = Options { data: self.data.clone(), database: self.database.clone(), index };
        App::open(options)
            .await
            .with_context(|| format!("cannot open the node in {}; make one with: kepu node init --data DIR --name NAME", self.data.display()))
    }
}

/// `kepu node …`
#[derive(clap::Subcommand)]
pub enum Node {
    /// Make a data folder with a key and tables.
    Init {
        #[command(flatten)]
        data: Data,
        /// Name shown to others.
        #[arg(long)]
        name: String,
        /// Division code of the place it serves.
        #[arg(long, default_value = "000000")]
        region: String,
        /// Signature suite: ed25519 or sm2.
        #[arg(long, default_value = "ed25519")]
        suite: String,
    },
    /// Make an invitation for another node; prints one word to hand over.
    Invite {
        #[command(flatten)]
        data: Data,
        /// Name of the invited node, for your own list.
        #[arg(long, default_value = "")]
        name: String,
        /// Division code that its certificate will name.
        #[arg(long, default_value = "000000")]
        region: String,
        /// Roles of its key, separated by commas.
        #[arg(long, default_value = "author,reviewer")]
        roles: String,
        /// Fields of its key, separated by commas; empty = all.
        #[arg(long, default_value = "")]
        fields: String,
    },
    /// Join the node that gave the invitation.
    Join {
        #[command(flatten)]
        data: Data,
        /// The invitation, or a file that holds it.
        token: String,
        /// Address of the inviting node.
        #[arg(long)]
        url: String,
    },
    /// Show how this node stands.
    Show {
        #[command(flatten)]
        data: Data,
    },
}

fn words(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).filter(|w| !w.is_empty()).collect()
}

impl Node {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Node::Init { data, name, region, suite } => {
                let suite = Suite::parse(&suite).with_context(|| format!("\"{suite}\" is no suite; ed25519 and sm2 are"))?;
                let init = node::Init { name, region: Region::parse(&region)?, suite, database: data.database.clone() };
                let app = node::init(&data.data, init).await?;
                println!("{}", json!({"key": app.key.id().0, "digits": app.key.id().digits(), "data": data.data}));
            }
            Node::Invite { data, name, region, roles, fields } => {
                let app = data.open(false).await?;
                let mut set = BTreeSet::new();
                for word in words(&roles) {
                    let known = KEY_ROLES.iter().map(|r| r.as_str()).collect::<Vec<_>>().join(", ");
                    set.insert(KeyRole::parse(word).with_context(|| format!("\"{word}\" is no role of a key; there are {known}"))?);
                }
                let fields = words(&fields).into_iter().map(str::to_owned).collect();
                let invitation = node::Invitation { name, region: Region::parse(&region)?, roles: set, fields };
                println!("{}", node::invite(&app, &operator(), invitation).await?.write());
            }
            Node::Join { data, token, url } => {
                let text = if std::path::Path::new(&token).is_file() { String::from_utf8(input::read(token.as_ref())?)? } else { token };
                let token = node::Token::read(&text).context("this is no invitation; take the whole word that `kepu node invite` printed")?;
                let app = data.open(false).await?;
                node::join(&app, &token, &url).await?;
                eprintln!("joined {} at {url}", token.name);
            }
            Node::Show { data } => {
                let app = data.open(false).await?;
                let view = node::overview(&app).await?;
                let peer = |p: &kepu_store::peer::Peer| json!({"key": p.id.0, "name": p.name, "url": p.url, "last_seen": p.last_seen.map(|t| t.to_string()), "result": p.last_result, "acked": p.acked});
                let latest: Vec<_> = view
                    .latest
                    .iter()
                    .map(|(row, reached, of)| json!({"subject": row.id.0, "title": row.title, "standing": row.standing.as_str(), "reached": reached, "of": of}))
                    .collect();
                let out = json!({
                    "key": view.me.id.0, "name": view.me.name, "region": view.me.region.to_string(), "root": view.me.root.0,
                    "records": view.me.records, "state": view.me.state,
                    "checked_until": view.checked_until.map(|t| t.to_string()),
                    "parents": view.parents.iter().map(peer).collect::<Vec<_>>(),
                    "children": view.children.iter().map(peer).collect::<Vec<_>>(),
                    "latest": latest,
                });
                println!("{out}");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// `kepu record …`
#[derive(clap::Subcommand)]
pub enum Record {
    /// Publish many small resources at once.
    Publish {
        #[command(flatten)]
        data: Data,
        /// JSON lines or CSV with at least title and text.
        #[arg(long = "in")]
        input: PathBuf,
        #[command(flatten)]
        batch: BatchArgs,
    },
    /// Show one record with its proof.
    Show {
        #[command(flatten)]
        data: Data,
        /// Hash of the document, or KEY/STREAM/NUMBER.
        id: String,
    },
}

impl Record {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Record::Publish { data, input, batch } => crate::import::take_in(&data, &input, batch.plan(Default::default()), batch.org(), false).await,
            Record::Show { data, id } => {
                let app = data.open(false).await?;
                let mut tx = app.db.read().await?;
                let row = match DocHash::from_hex(&id) {
                    Some(hash) => kepu_store::record::find_by_hash(&mut tx, &hash).await?,
                    None => kepu_store::record::find(&mut tx, &place(&id)?).await?,
                };
                let Some(row) = row else { bail!("this node holds no record {id}") };
                let refusal = row.refusal.clone();
                let Some(record) = record::read_row(row) else { bail!("the body of {id} was erased; only its stub is held") };
                println!("{}", record.with_proof());
                if !refusal.is_empty() {
                    eprintln!("held, but without effect: {refusal}");
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

fn place(text: &str) -> anyhow::Result<Place> {
    let mut parts = text.rsplitn(3, '/');
    let (n, stream, key) = (parts.next(), parts.next(), parts.next());
    let place = (|| Some(Place { key: KeyId::from(key?), stream: Stream::parse(stream?)?, n: n?.parse().ok()? }))();
    place.with_context(|| format!("\"{text}\" is neither a document hash (64 hex digits) nor KEY/STREAM/NUMBER"))
}

/// `kepu sync`
#[derive(clap::Args)]
pub struct Sync {
    #[command(flatten)]
    data: Data,
}

impl Sync {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let app = self.data.open(false).await?;
        let list = sync::run(&app, 0).await?;
        if list.is_empty() {
            bail!("this node has no parent; join one with: kepu node join --data DIR TOKEN --url ADDRESS");
        }
        let mut code = ExitCode::SUCCESS;
        for done in list {
            println!("{}", serde_json::to_string(&done)?);
            if let Some(error) = &done.error {
                eprintln!("kepu: {error}");
                code = ExitCode::from(1);
            }
        }
        Ok(code)
    }
}

/// `kepu verify`
#[derive(clap::Args)]
pub struct Verify {
    /// Pinned root: with it certificates in the file must lead from it to the author.
    #[arg(long)]
    root: Option<String>,
    /// Files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Verify {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let root = self.root.map(KeyId);
        let mut all = true;
        for path in &self.files {
            let verified = files::verify(&path.display().to_string(), &input::read(path)?, root.as_ref());
            all &= verified.ok;
            println!("{}", serde_json::to_string(&verified)?);
        }
        Ok(if all { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// Commands that need a data folder only.
#[derive(clap::Args)]
pub struct DataFolder {
    #[command(flatten)]
    data: Data,
}

impl DataFolder {
    /// `kepu rebuild`
    pub async fn rebuild(self) -> anyhow::Result<ExitCode> {
        let app = self.data.open(false).await?;
        let rebuilt = record::rebuild(&app).await?;
        println!("{}", json!({"records": rebuilt.records, "before": rebuilt.before, "after": rebuilt.after, "same": rebuilt.before == rebuilt.after}));
        Ok(ExitCode::SUCCESS)
    }

    /// `kepu seed`
    pub async fn seed(self) -> anyhow::Result<ExitCode> {
        let app = self.data.open(false).await?;
        let count = seed::publish(&app).await?;
        let accounts = seed::accounts(&app).await?;
        for (login, roles, password) in &accounts {
            eprintln!("{login:<10} {password}   {roles}");
        }
        println!("{}", json!({"published": count, "accounts": accounts.len()}));
        Ok(ExitCode::SUCCESS)
    }
}

/// `kepu audit …`
#[derive(clap::Subcommand)]
pub enum Audit {
    /// Check the hash chain of the whole log.
    Verify(DataFolder),
}

impl Audit {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let Audit::Verify(folder) = self;
        let app = folder.data.open(false).await?;
        let mut tx = app.db.read().await?;
        let verdict = kepu_store::log::verify(&mut tx).await?;
        println!("{}", json!({"verdict": format!("{verdict:?}")}));
        Ok(if matches!(verdict, kepu_store::log::Verdict::Whole { .. }) { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
