//! What nodes do with each other beyond a plain exchange: scopes and holes, files, histories, sticks, backups, kills.
//! A plain exchange is in `federation`; the rules behind all of it are tested in `kepu-domain` and `kepu-sync`.

mod backup;
mod bundle;
mod files;
mod history;
mod hold;
mod kill;
mod scope;
mod suite;

use kepu_app::record::Genuine;
use kepu_app::{App, Options};
use kepu_domain::access::Actor;
use kepu_domain::ids::{KeyId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::record::{Body, Envelope, Place, Stream};
use kepu_store::peer::{self, Direction, Peer};
use kepu_sync::frame::Item;
use kepu_sync::record::Record;
use kepu_tests::{Node, Served};
use std::net::SocketAddr;

/// A nation that is served, and a county that joined it.
pub fn pair() -> anyhow::Result<(Node, Node, Served)> {
    let (nation, county) = (Node::init("国家示例", "000000")?, Node::init("县示例", "411525")?);
    let served = nation.serve()?;
    nation.adopt(&county, "000000", &served.url())?;
    Ok((nation, county, served))
}

/// The node in this process, beside whatever other processes do with it.
pub async fn open(node: &Node) -> App {
    App::open(Options { data: node.data().to_owned(), database: None, index: false }).await.expect("node opens")
}

pub(crate) fn operator() -> Actor {
    Actor::Node { name: "operator".into() }
}

/// All records of a node as they travel.
pub async fn items(app: &App) -> Vec<Item> {
    let mut tx = app.db.read().await.expect("read");
    let rows = kepu_store::record::list_all(&mut tx, None, 100_000).await.expect("rows");
    rows.into_iter()
        .map(|(_, row)| {
            let place = row.place();
            match row.doc {
                Some(doc) => Item::whole(place, doc, row.sig),
                None => Item::erased(place, kepu_domain::record::Stub { modified: row.modified, doc: row.doc_hash, signature: row.sig }),
            }
        })
        .collect()
}

/// Checks and applies items as if a peer had sent them.
pub async fn receive(app: &App, items: Vec<Item>) -> kepu_app::record::Report {
    let (genuine, rejected): (Genuine, _) = kepu_app::record::check(items);
    let mut tx = app.db.write().await.expect("write");
    let mut report = kepu_app::record::apply(app, &mut tx, genuine, "did:key:peer").await.expect("applied");
    tx.commit().await.expect("commit");
    report.rejected = rejected;
    report
}

/// Signs with the node's own key, past its numbering: what only a broken or a hostile node would do, or a later release.
pub fn sign(app: &App, stream: Stream, n: i64, local: &str, body: &Body) -> Record {
    let key = app.key.id().clone();
    let envelope = Envelope {
        subject: SubjectId::new(&key.fingerprint(), local),
        place: Place { key, stream, n },
        modified: app.now(),
        region: Region::NATION,
        fields: vec![],
        lang: "zh-Hans".into(),
    };
    kepu_sync::record::sign(app.key.signing(), envelope, body).expect("signed")
}

pub(crate) fn item(record: &Record) -> Item {
    Item::whole(record.envelope.place.clone(), record.doc.clone(), record.signature.clone())
}

pub(crate) async fn state(app: &App) -> String {
    let mut tx = app.db.read().await.expect("read");
    kepu_store::subject::hash_state(&mut tx).await.expect("state")
}

/// Pins another root, as joining does.
pub async fn pin(app: &App, root: &KeyId) {
    let mut tx = app.db.write().await.expect("write");
    kepu_store::meta::set(&mut tx, "root", &root.0).await.expect("root");
    kepu_store::counter::take(&mut tx, "trust", 1).await.expect("trust");
    tx.commit().await.expect("commit");
}

/// Makes whoever listens at `address` a parent of the node.
pub async fn make_parent(app: &App, id: &str, address: SocketAddr) {
    let peer = Peer {
        id: id.into(),
        name: "上级".into(),
        direction: Direction::Parent,
        url: format!("http://{address}"),
        holder: "上级".into(),
        scope: kepu_app::sync::scope_text(&kepu_domain::deliver::scope::Scope::all()),
        cursor: String::new(),
        push_cursor: i64::MAX,
        acked: 0,
        joined_at: app.now(),
        last_seen: None,
        last_result: String::new(),
    };
    let mut tx = app.db.write().await.expect("write");
    peer::upsert(&mut tx, &peer).await.expect("peer");
    tx.commit().await.expect("commit");
}

/// What stands under `problems` in `kepu node show`.
pub fn problems(node: &Node) -> anyhow::Result<Vec<serde_json::Value>> {
    Ok(node.json(&["node", "show"])?["problems"].as_array().cloned().unwrap_or_default())
}
